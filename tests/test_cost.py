"""The cost of layers against counting, window by window, and against PyTorch's own counter."""

from collections.abc import Callable, Sequence
from itertools import product
from math import prod

import pytest
from hypothesis import given, reject, settings
from hypothesis import strategies as st

from scripts.core.arithmetic import LayerAxis, adapted
from scripts.core.cost import Cost, cost, dense, depthwise, fully_connected, separable
from scripts.core.coverage import coverage
from scripts.core.layers import Channels, Layer
from scripts.core.operations import OPERATIONS
from scripts.errors import LayerError
from tests import oracle

CONVOLUTION, TRANSPOSED = (OPERATIONS[name] for name in ("convolution", "transposed_convolution"))


@st.composite
def layers(draw: st.DrawFn, operations: Sequence[str], symmetric: bool = False) -> Layer:
    """Layers of one or two axes, convolutions with channels in groups; `symmetric` ones pad both sides alike."""
    operation = OPERATIONS[draw(st.sampled_from(operations))]
    groups = draw(st.integers(1, 3))
    counts = draw(st.tuples(st.integers(1, 3), st.integers(1, 3)))
    channels = Channels(groups * counts[0], groups * counts[1], groups) if "groups" in operation.keys else None
    axes = []
    for _ in range(draw(st.integers(1, 2))):
        before, after = draw(st.integers(0, 3)), draw(st.integers(0, 3))
        padding = (before, before if symmetric else after)
        numbers = draw(st.tuples(st.integers(1, 6), st.integers(1, 3), st.integers(1, 3)))
        axes.append(LayerAxis(*numbers, padding, draw(st.integers(1, 3))))
    try:
        return Layer(operation, tuple(axes), channels)
    except LayerError:
        reject()


def products(layer: Layer) -> int:
    """How often a kernel's element meets an element of the input or its padding, all channels together."""
    places = 0
    for windows in product(*(axis.windows for axis in layer.grid)):
        cells = (
            [axis.cells[element.position].kind for axis, element in zip(layer.grid, elements, strict=True)]
            for elements in product(*windows)
        )
        places += sum("inserted" not in kinds for kinds in cells)
    return places * sum(len(layer.channel_indices((c,))) for c in range(layer.output_shape[0]))


@settings(max_examples=150, deadline=None)
@given(layers(["convolution", "transposed_convolution", "max_pooling"]))
def test_multiply_adds_are_counted_window_by_window(layer: Layer) -> None:
    found = cost(layer)
    assert found.activations == len(list(layer.output_indices()))
    if layer.channels is None:
        assert found == Cost(
            operations=sum(len(window) for axis in layer.grid[:1] for window in axis.windows)
            * prod(len(axis.windows) * layer.kernel_size[place] for place, axis in enumerate(layer.grid) if place),
            inputs=prod(layer.input_size),
            activations=prod(layer.output_size),
        )
        return
    assert found.weights == prod(layer.kernel_shape)
    if not layer.transposed:
        assert found.multiply_adds == products(layer)
        return
    # Each input element meets the whole kernel, before padding crops what falls outside.
    ins = range(layer.channels.in_channels)
    scattered = sum(layer.kernel_shape[1] * prod(layer.kernel_size) for _ in ins for _ in range(prod(layer.input_size)))
    assert found.multiply_adds == scattered


def test_all_windows_of_an_adaptive_pooling_are_counted() -> None:
    for i, o in product(range(1, 20), repeat=2):
        axis = adapted(LayerAxis(i, 1), o)
        layer = Layer(OPERATIONS["adaptive_average_pooling"], (axis,))
        assert cost(layer, channels=3).operations == 3 * sum(map(len, layer.grid[0].windows)), (i, o)


def test_the_forms_of_a_layer_have_the_costs_of_their_paper() -> None:
    """MobileNets, section 3.1: standard D_K² M N D_F², separable D_K² M D_F² + M N D_F²."""
    layer = Layer(CONVOLUTION, (LayerAxis(14, 3, padding=(1, 1)),) * 2, Channels(512, 1024))
    first, second = separable(layer)
    together = cost(first).then(cost(second))
    assert cost(layer).multiply_adds == 3 * 3 * 512 * 1024 * 14 * 14
    assert together.multiply_adds == 3 * 3 * 512 * 14 * 14 + 512 * 1024 * 14 * 14
    assert together.weights == 3 * 3 * 512 + 512 * 1024
    assert together.activations == (512 + 1024) * 14 * 14
    assert second.output_shape == layer.output_shape
    deep = depthwise(layer)
    assert deep is not None
    assert dense(deep) == layer
    assert cost(deep).weights == 3 * 3 * 1024
    assert fully_connected(layer).weights == (512 * 14 * 14) * (1024 * 14 * 14)
    assert depthwise(Layer(CONVOLUTION, layer.axes, Channels(2, 3))) is None


@pytest.mark.skipif(oracle.torch is None, reason="PyTorch is not installed")
@settings(max_examples=60, deadline=None)
@given(layers(["convolution", "transposed_convolution"], symmetric=True))
def test_the_counter_of_pytorch_agrees(layer: Layer) -> None:
    # PyTorch is optional: where it is missing, so are its types.
    from torch.utils.flop_counter import FlopCounterMode  # type: ignore[import-not-found, unused-ignore]

    n, channels = len(layer.axes), layer.channels
    assert channels is not None
    kind = f"Conv{'Transpose' if layer.transposed else ''}{n}d"
    module = getattr(oracle.torch.nn, kind)(
        channels.in_channels,
        channels.out_channels,
        layer.kernel_size,
        stride=tuple(axis.stride for axis in layer.axes),
        padding=tuple(axis.padding[0] for axis in layer.axes),
        dilation=tuple(axis.dilation for axis in layer.axes),
        groups=channels.groups,
    )
    with FlopCounterMode(display=False) as counter:
        made = module(oracle.torch.zeros(1, *layer.input_shape))
    assert tuple(made.shape[1:]) == layer.output_shape
    found = cost(layer)
    # It counts a multiply-add as two operations.
    assert counter.get_total_flops() == 2 * found.multiply_adds
    assert sum(p.numel() for p in module.parameters()) == found.weights + found.biases


REACHED: dict[str, tuple[Layer, Callable[[int, int], bool]]] = {
    "a stride over the window": (Layer(CONVOLUTION, (LayerAxis(9, 1, 2),)), lambda n, t: n == 2 * t),
    "cells left over": (Layer(CONVOLUTION, (LayerAxis(8, 3, 3),)), lambda n, t: 3 * t <= n < 3 * t + 3),
    "padding beyond the kernel": (Layer(CONVOLUTION, (LayerAxis(4, 2, 1, (3, 0)),)), lambda n, t: t - 3 <= n <= t - 2),
    "a stride over the kernel": (Layer(TRANSPOSED, (LayerAxis(3, 2, 3),)), lambda n, t: 3 * n <= t < 3 * n + 2),
    "a cropped input": (Layer(TRANSPOSED, (LayerAxis(5, 2, 1, (2, 2)),)), lambda n, t: n - 2 <= t <= n - 1),
}


@pytest.mark.parametrize("name", REACHED)
def test_what_meets_is_counted_on_both_sides(name: str) -> None:
    layer, meets = REACHED[name]
    found = coverage(layer.window_axes[0])
    inputs, outputs = range(layer.input_size[0]), range(layer.output_size[0])
    assert found.windows == tuple(sum(meets(n, t) for t in outputs) for n in inputs)
    assert found.elements == tuple(sum(meets(n, t) for n in inputs) for t in outputs)
    assert found.unreached == sum(not any(meets(n, t) for t in outputs) for n in inputs)
    assert found.empty == sum(not any(meets(n, t) for n in inputs) for t in outputs)


def test_ends_are_told_from_what_lies_between() -> None:
    left_over = coverage(REACHED["cells left over"][0].window_axes[0])
    assert (left_over.unreached, left_over.unreached_end) == (2, 2)
    strided = coverage(REACHED["a stride over the window"][0].window_axes[0])
    assert (strided.unreached, strided.unreached_end) == (4, 0)
    padded = coverage(REACHED["padding beyond the kernel"][0].window_axes[0])
    assert (padded.empty, padded.empty_ends) == (2, 2)
    after = coverage(Layer(TRANSPOSED, (LayerAxis(5, 3, 3, output_padding=2),)).window_axes[0])
    assert (after.empty, after.empty_ends) == (2, 2)
    gaps = coverage(REACHED["a stride over the kernel"][0].window_axes[0])
    assert (gaps.empty, gaps.empty_ends) == (2, 0)
