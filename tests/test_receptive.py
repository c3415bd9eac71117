"""Receptive fields, compared with all windows of random networks, followed from an output element down to the input."""

from collections.abc import Iterator
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from scripts.core.figures import figure, load
from scripts.core.keys import FigureFile
from scripts.core.layers import Layer
from scripts.core.receptive import Field, Network, Reach, along, field, fields, seen
from scripts.errors import LayerError
from scripts.text.relationships import receptive_fields
from tests.conftest import PROJECT

# An input so long that the middle of every map sees no border.
LONG = 600
COMMON = {"kernel_size": st.integers(1, 4), "stride": st.integers(1, 3), "padding": st.integers(0, 3)}
OPERATIONS: dict[str, dict[str, st.SearchStrategy[Any]]] = {
    "convolution": COMMON | {"dilation": st.integers(1, 3)},
    "transposed_convolution": COMMON | {"dilation": st.integers(1, 3)},
    "max_pooling": COMMON | {"dilation": st.integers(1, 2), "ceil_mode": st.booleans()},
    "adaptive_average_pooling": {"output_size": st.sampled_from([120, 200, 240, 300, 400])},
    "max_unpooling": COMMON,
}


@st.composite
def made(draw: st.DrawFn, size: int, *operations: str) -> Layer:
    """A random layer over so many elements."""
    name = draw(st.sampled_from(operations or tuple(OPERATIONS)))
    keys = {key: draw(values) for key, values in OPERATIONS[name].items()}
    content = FigureFile.model_validate({"title": "Made", "operation": name, "input_size": [size]} | keys)
    try:
        return figure("made", content).layer
    except LayerError:
        assume(False)
        raise


@st.composite
def stacks(draw: st.DrawFn, *operations: str, size: int = LONG) -> list[Layer]:
    layers = list[Layer]()
    for _ in range(draw(st.integers(1, 4))):
        layers.append(draw(made(size, *operations)))
        (size,) = layers[-1].output_size
    return layers


def below(layer: Layer, elements: set[int]) -> set[int]:
    """The input elements that output elements meet in their windows, none of which may touch the border."""
    (axis,) = layer.grid
    cells = [axis.cells[element.position] for n in elements for element in axis.windows[n]]
    assume(all(cell.kind in ("input", "inserted") for cell in cells))
    return {cell.input_index for cell in cells if cell.input_index is not None}


def counted(layers: list[Layer], element: int) -> set[int]:
    """The input elements that an output element depends on, followed through all windows."""
    elements = {element}
    for layer in reversed(layers):
        elements = below(layer, elements)
    return elements


def middle(layers: list[Layer]) -> Iterator[int]:
    (size,) = layers[-1].output_size
    yield from range(size // 2, min(size // 2 + 7, size))


def field_of(layers: list[Layer]) -> Field:
    """The fields after some layers, if they have few phases."""
    try:
        return field(along(tuple(layers)))
    except LayerError:
        assume(False)
        raise


def is_exact(layers: list[Layer]) -> bool:
    """Whether no layer spreads its input, so that no elements in a field are inserted zeros."""
    return all(layer.axes[0].stride == 1 for layer in layers if layer.transposed or not layer.direct)


@settings(deadline=None)
@given(stacks())
def test_fields_are_those_of_all_windows(layers: list[Layer]) -> None:
    found, sizes = field_of(layers), set()
    for n in middle(layers):
        expected = counted(layers, n)
        first, last = seen(along(tuple(layers)), n, n)
        if is_exact(layers):
            assert (first, last) == (min(expected), max(expected)) if expected else last < first
        else:
            assert expected <= {*range(first, last + 1)}
        sizes.add(len(range(first, last + 1)))
        # Windows reach at least as far.
        assert found.first + n * found.jump <= first or not expected
        assert last <= found.last + n * found.jump or not expected
    assert sizes <= {*found.sizes}


@settings(deadline=None)
@given(stacks("convolution", "max_pooling"))
def test_without_spreading_all_fields_have_one_size(layers: list[Layer]) -> None:
    found = field(along(tuple(layers)))
    expected = [counted(layers, n) for n in middle(layers)]
    assert {max(elements) - min(elements) + 1 for elements in expected} == {*found.sizes}
    assert {found.last - found.first + 1} == {*found.sizes}
    assert [min(elements) for elements in expected] == [found.first + n * found.jump for n in middle(layers)]
    assert found.start == found.first


@settings(deadline=None)
@given(st.data())
def test_branches_see_what_any_of_them_sees(data: st.DataObject) -> None:
    stem = data.draw(stacks("convolution"))
    (size,) = stem[-1].output_size
    kernels = st.lists(st.builds(lambda half: 2 * half + 1, st.integers(0, 3)), max_size=2)
    branches = [
        [
            figure(
                "made",
                FigureFile.model_validate(
                    {"title": "Made", "operation": "convolution", "input_size": [size], "kernel_size": k}
                    | {"padding": "half", "dilation": data.draw(st.integers(1, 2))}
                ),
            ).layer
            for k in data.draw(kernels)
        ]
        for _ in range(2)
    ]
    joined: Network = [*along(tuple(stem)), tuple(along(tuple(branch)) for branch in branches)]
    found = field(joined)
    for n in middle(stem):
        expected = set().union(*(counted([*stem, *branch], n) for branch in branches))
        assert seen(joined, n, n) == (min(expected), max(expected))
        assert found.size == max(expected) - min(expected) + 1
        assert found.start + n * found.jump == min(expected)


def test_the_fields_after_each_layer_are_those_of_the_report() -> None:
    for name in ("strided_stack", "causal_stack"):
        layers = load(PROJECT.figures / f"{name}.toml").layers
        expected = receptive_fields(PROJECT, layers)
        found = fields(along(layers))
        assert [(one.size, one.jump, one.centre) for one in found] == [
            (one["r"], one["j"], Fraction(str(one["c"]))) for one in expected
        ]


@pytest.mark.parametrize(
    ("layers", "sizes"),
    [
        # Up by 2 without overlap: one element each, and then one or two.
        ([Reach(1, 1, 1, 2)], (1,)),
        ([Reach(1, 1, 1, 2), Reach(1, 1, 2)], (2,)),
        ([Reach(1, 1, 2, 2)], (1, 2)),
        # Gaps that nothing reaches.
        ([Reach(1, 0, 0, 2)], (0, 1)),
        # A convolution around a pooling and an upsampling of 2, as in a U-Net, with and without its skip connection.
        ([Reach(2, 0, 1), Reach(1, 1, 2), Reach(1, 1, 1, 2)], (6,)),
        ([Reach(1, 1, 2), ((), (Reach(2, 0, 1), Reach(1, 1, 1, 2))), Reach(1, 1, 2)], (6,)),
    ],
)
def test_sizes_where_layers_spread_their_input(layers: Network, sizes: tuple[int, ...]) -> None:
    assert field(layers).sizes == sizes


def test_a_field_starts_where_the_first_element_sees() -> None:
    # Windows reach half an element further on both sides.
    found = field([Reach(2, 0, 1), Reach(1, 1, 1, 2), Reach(1, 1, 2)])
    assert [found.first, found.start] == [-2, -2]
    found = field([Reach(2, 0, 1), Reach(1, 1, 1, 2)])
    assert [found.first, found.start] == [-1, 0]
    # An element that sees nothing has none.
    assert field([Reach(1, -1, 0, 2)]).start == 1


def test_branches_that_see_nothing_do_not_count() -> None:
    gaps, later = Reach(1, 0, 0, 2), Reach(1, -3, 0, 2)
    assert seen([((gaps,), (later,))], 1, 1) == (2, 2)


def test_branches_that_do_not_keep_in_step_are_refused() -> None:
    with pytest.raises(LayerError, match="joins branches with jumps of 1 and 2"):
        field([((), (Reach(2, 0, 1),))])


def test_too_many_phases_are_refused() -> None:
    with pytest.raises(LayerError, match="gives fields in 1000000000 phases"):
        field([Reach(1, 0, 2, 10**9)])
