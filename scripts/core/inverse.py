"""The inverse of the arithmetic: all layers within bounds that turn an input size into an output size."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import product

from scripts.core.arithmetic import DirectAxis, LayerAxis
from scripts.core.layers import Index, Layer, Operation
from scripts.core.operations import OPERATIONS
from scripts.errors import LayerError

# The operations, and the kernel sizes, from the most to the least usual in published models.
USUAL_OPERATIONS = ("convolution", "max_pooling", "average_pooling", "transposed_convolution")
USUAL_KERNELS = (3, 1, 2, 4, 5, 7)
MOST_CANDIDATES = 1_000_000


@dataclass(frozen=True)
class Bounds:
    """The largest value of each parameter, the same along every axis; each starts at its smallest possible value."""

    kernel_size: int
    stride: int
    padding: int
    dilation: int

    @property
    def count(self) -> int:
        """Number of combinations of the parameters."""
        return self.kernel_size * self.stride * (self.padding + 1) * self.dilation


def usual_bounds(input_size: Sequence[int], output_size: Sequence[int]) -> Bounds:
    """Bounds that hold the layers of published models, those whose stride is the ratio of the sizes among them."""
    pairs = [sorted(sizes) for sizes in zip(input_size, output_size, strict=True)]
    ratio = max(-(-large // small) for small, large in pairs)
    return Bounds(kernel_size=max(7, ratio), stride=max(4, ratio), padding=3, dilation=2)


def solutions(input_size: Index, output_size: Index, bounds: Bounds) -> list[Layer]:
    """All layers without channels that map an input to an output of the given sizes, the most usual first.

    Padding is the same on both sides of an axis, and axes with the same pair of sizes have the same parameters.  Layers
    with `ceil_mode` are left out where they are equal without.
    """
    pairs = list(zip(input_size, output_size, strict=True))
    distinct = list(dict.fromkeys(pairs))
    found = []
    for name in USUAL_OPERATIONS:
        operation = OPERATIONS[name]
        by_pair = [_solutions(operation, *pair, bounds) for pair in distinct]
        for chosen in product(*by_pair):
            axes = dict(zip(distinct, chosen, strict=True))
            ceil_mode = any(ceil for _, ceil in chosen)
            layer = Layer(operation, tuple(axes[pair][0] for pair in pairs), ceil_mode=ceil_mode)
            if layer.output_size == output_size:
                found.append(layer)
    return sorted(found, key=_unusualness)


def reachable(input_size: int, bounds: Bounds) -> list[int]:
    """The output sizes of all layers within bounds over one axis, in order."""
    sizes = set()
    for name in USUAL_OPERATIONS:
        for axis in _axes(input_size, bounds):
            for layer in _layers(OPERATIONS[name], axis):
                sizes.add(layer.output_size[0])
                if layer.transposed:
                    most = max(axis.stride, axis.dilation)
                    sizes |= set(range(layer.output_size[0], layer.output_size[0] + most))
    return sorted(sizes)


def _solutions(operation: Operation, input_size: int, output_size: int, bounds: Bounds) -> list[tuple[LayerAxis, bool]]:
    """The axes of layers with the given sizes, and whether they need `ceil_mode`."""
    found = []
    for axis in _axes(input_size, bounds):
        if operation.transposed:
            axis = replace(axis, output_padding=output_size - axis.scattered_size)
        found += [(axis, layer.ceil_mode) for layer in _layers(operation, axis) if layer.output_size == (output_size,)]
    return found


def _axes(input_size: int, bounds: Bounds) -> Iterator[LayerAxis]:
    for kernel_size in range(1, bounds.kernel_size + 1):
        # A kernel of one element has nothing to dilate.
        dilations = range(1, bounds.dilation + 1 if kernel_size > 1 else 2)
        for stride, padding, dilation in product(range(1, bounds.stride + 1), range(bounds.padding + 1), dilations):
            yield LayerAxis(input_size, kernel_size, stride, (padding, padding), dilation)


def _layers(operation: Operation, axis: LayerAxis) -> Iterator[Layer]:
    """The layers of an operation along an axis: none, one, or two where `ceil_mode` changes the size."""
    # As in PyTorch, though ONNX's average pooling may be dilated, and its poolings padded by more.
    if operation.reduction is not None and 2 * max(axis.padding) > axis.kernel_size:
        return
    if axis.dilation > 1 and operation.reduction == "average":
        return
    sizes = set()
    for ceil_mode in (False, True) if "ceil_mode" in operation.keys else (False,):
        try:
            layer = Layer(operation, (axis,), ceil_mode=ceil_mode)
        except LayerError:
            continue
        if layer.output_size not in sizes:
            yield layer
        sizes.add(layer.output_size)


def _unusualness(layer: Layer) -> tuple[int, int, int]:
    """A key that sorts layers by how usual they are, the weights of its first number being a matter of taste.

    Usual layers use every input element, pad so that the output is about the input divided by the stride, and need
    neither dilation nor a correction of their size; and their parameters are the same along each axis.
    """
    axes = layer.axes
    misses_input = any(axis.stride > axis.reach + 1 for axis in axes) or any(map(_left_over, layer.direct))
    different = sum(
        len({getattr(axis, key) for axis in axes}) - 1 for key in ("kernel_size", "stride", "dilation", "padding")
    )
    per_axis = sum(
        4 * abs(axis.padding[0] - max(-((axis.stride - axis.reach - 1) // 2), 0))
        + 30 * (axis.dilation - 1)
        + 2 * axis.output_padding
        + (USUAL_KERNELS.index(axis.kernel_size) if axis.kernel_size in USUAL_KERNELS else 6 + axis.kernel_size)
        for axis in axes
    )
    score = 100 * misses_input + 5 * different + 4 * layer.ceil_mode + per_axis
    return score, USUAL_OPERATIONS.index(layer.operation.name), sum(axis.stride for axis in axes)


def _left_over(axis: DirectAxis) -> bool:
    """Whether input elements lie after the last window."""
    return not axis.ceil_mode and axis.remainder > max(axis.padding[1], 0)
