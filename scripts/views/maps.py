"""Maps on a grid, the geometry that views share: plain data without colours, widths and fonts.

Lengths are counted in cells, columns to the right and rows downwards, from the first cell of the grid that a
layer's window moves over.  A layer of one axis is a single row.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Literal, NamedTuple

import numpy as np

from scripts.core.arithmetic import GridAxis, Kind
from scripts.core.frames import Frame
from scripts.core.layers import Index, Layer, Values

Run = tuple[int, int]


class Point(NamedTuple):
    """A point: distances from the grid's first corner."""

    column: float
    row: float


Line = tuple[Point, Point]
ORIGIN = Point(0, 0)


class Block(NamedTuple):
    """A rectangle of whole cells: its first cell and its size."""

    column: int
    row: int
    columns: int
    rows: int


Blocks = tuple[Block, ...]


class Number(NamedTuple):
    """A number in a cell."""

    column: int
    row: int
    number: float


class Weighted(NamedTuple):
    """A number in a cell, and a small one by which it is multiplied in a sum."""

    column: int
    row: int
    number: float
    small: float


@dataclass(frozen=True)
class InputMap:
    """An input in its grid of `columns` × `rows` cells.

    `cells` are all of them.  The other parts are painted in this order, each over those before it: `cropped`, all
    elements of an input of which negative padding takes some away (empty where it does not); `overhang`, what only
    windows of `ceil_mode` reach; `kept`, the cells that windows move over; `copied`, those of them that hold an element
    or its copy; and `input`, the elements themselves.
    """

    label: str
    columns: int
    rows: int
    cells: Blocks
    cropped: Blocks
    overhang: Blocks
    kept: Blocks
    copied: Blocks
    input: Blocks


@dataclass(frozen=True)
class OutputMap:
    """An output of `columns` × `rows` elements, whose first one is `at` a point of the input's grid."""

    label: str
    columns: int
    rows: int
    at: Point


@dataclass(frozen=True)
class NumberMap:
    """A map of `columns` × `rows` cells, with numbers or without, whose first cell is `at` a point."""

    label: str
    columns: int
    rows: int
    at: Point
    numbers: tuple[Number, ...] = ()


class Content(NamedTuple):
    """What a cell holds: "copy" is padding that repeats input; the number is None where nothing counts."""

    kind: Literal["input", "copy", "padding", "overhang", "cropped"]
    number: float | None


def in_two_axes(layer: Layer) -> Layer:
    """The layer, with a single row if it has one axis."""
    return layer if len(layer.axes) == 2 else layer.with_unit_axis()


def as_rows(values: Values) -> Values:
    """The values of a layer `in_two_axes`."""
    return values if values.ndim == 2 else values[np.newaxis]


def sizes(numbers: Iterable[int]) -> str:
    """Sizes in words, such as 3 × 3."""
    return " × ".join(map(str, numbers))


def counted(count: int, noun: str) -> str:
    """A number of things in words, such as 2 positions."""
    return f"{count} {noun}{'' if count == 1 else 's'}"


def slices_for(ins: int) -> str:
    """The slices of a kernel in words, for an output channel that is computed from so many input channels."""
    return f"a slice for {'its only input channel' if ins == 1 else f'each of {ins} input channels'}"


def once(numbers: Iterable[int]) -> str:
    """Numbers of all axes in words, a single one where they agree."""
    numbers = list(numbers)
    return str(numbers[0]) if len(set(numbers)) == 1 else sizes(numbers)


def positions(axis: GridAxis, *kinds: Kind) -> list[int]:
    """The cells of some kinds along an axis."""
    return [position for position, cell in enumerate(axis.cells) if cell.kind in kinds]


def holding(axis: GridAxis, *kinds: Kind) -> list[int]:
    """The cells of some kinds along an axis that hold an input element or its copy."""
    return [position for position in positions(axis, *kinds) if axis.cells[position].input_index is not None]


def runs(positions: Sequence[int]) -> list[Run]:
    """Neighbouring positions joined: [1, 2, 3, 7] becomes [(1, 3), (7, 1)], each (start, length)."""
    joined: list[Run] = []
    for position in positions:
        if joined and sum(joined[-1]) == position:
            joined[-1] = (joined[-1][0], joined[-1][1] + 1)
        else:
            joined.append((position, 1))
    return joined


def placed(positions: Iterable[int], places: Mapping[int, int]) -> list[int]:
    """Where some cells of an axis are drawn, in order and each once; those that have no place are not."""
    return sorted({places[position] for position in positions if position in places})


def extent(positions: Sequence[int]) -> Run:
    """(start, length) from the first to the last of some positions."""
    return positions[0], positions[-1] - positions[0] + 1


def blocks(rows: Sequence[int], columns: Sequence[int]) -> Blocks:
    """The cells in some rows and columns, with neighbours joined."""
    return tuple(
        Block(column, row, width, height) for (row, height), (column, width) in product(runs(rows), runs(columns))
    )


def offset(axis: GridAxis) -> float:
    """Where the output is along an axis: over the input if they are equally large, else over the middle."""
    inputs, moved_over = positions(axis, "input"), positions(axis, "input", "padding", "inserted", "overhang")
    outputs = len(axis.windows)
    return inputs[0] if len(inputs) == outputs else moved_over[0] + (len(moved_over) - outputs) / 2


def input_map(layer: Layer, grid: Sequence[GridAxis], places: Sequence[Mapping[int, int]] | None = None) -> InputMap:
    """The input of a layer in its grid of two axes.

    `places` says where the cells of each axis are drawn, some perhaps not at all; by default all are, one by one.
    """
    if places is None:
        places = [{position: position for position in range(len(axis.cells))} for axis in grid]

    def drawn(positions: Sequence[Sequence[int]]) -> Blocks:
        return blocks(*(placed(axis, place) for axis, place in zip(positions, places, strict=True)))

    kept = [positions(axis, "input", "padding", "inserted") for axis in grid]
    overhang = [positions(axis, "overhang") for axis in grid]
    everything = [range(len(axis.cells)) for axis in grid]
    cropped = any(positions(axis, "cropped") for axis in grid)
    height, width = (1 + max(place.values()) for place in places)
    return InputMap(
        label=f"input {sizes(layer.input_size)}",
        columns=width,
        rows=height,
        cells=drawn(everything),
        cropped=drawn([holding(axis, "input", "cropped") for axis in grid]) if cropped else (),
        overhang=drawn([everything[0], overhang[1]]) + drawn([overhang[0], kept[1]]) if not cropped else (),
        kept=drawn(kept),
        copied=drawn([holding(axis, "input", "padding") for axis in grid]),
        input=drawn([positions(axis, "input") for axis in grid]),
    )


def output_map(layer: Layer, at: Point) -> OutputMap:
    """The output of a layer, at a point of its input's grid."""
    rows, columns = in_two_axes(layer).output_size
    return OutputMap(f"output {sizes(layer.output_size)}", columns, rows, at)


def numbers(values: Values) -> tuple[Number, ...]:
    """The values of a map of two axes, each in its cell."""
    return tuple(Number(column, row, value.item()) for (row, column), value in np.ndenumerate(values))


def number_map(label: str, values: Values, at: Point = ORIGIN) -> NumberMap:
    """A map of values of two axes."""
    rows, columns = values.shape
    return NumberMap(label, columns, rows, at, numbers(values))


def weighted(frame: Frame, input_values: Values, kernel_values: Values) -> tuple[Weighted, ...]:
    """The input elements of two axes that a step sums, with their weights."""
    found = ((term.input_index, term.kernel_index) for term in frame.terms)
    return tuple(
        Weighted(index[1], index[0], input_values[index].item(), kernel_values[kernel_index].item())
        for index, kernel_index in found
        if index is not None
    )


def in_words(values: Values) -> str:
    """The values of a map of two axes, row by row."""
    rows = (", ".join(f"{value + 0:.12g}".replace("-", "−") for value in row) for row in values.tolist())
    return "; ".join(rows)


def contents(layer: Layer, input_values: Values) -> dict[Index, Content]:
    """What each cell of a layer's grid of two axes holds, by (row, column)."""
    cells = (enumerate(axis.cells) for axis in layer.grid)
    found: dict[Index, Content] = {}
    for parts in product(*cells):
        kinds = {cell.kind for _, cell in parts}
        index = tuple(cell.input_index for _, cell in parts)
        number = None if None in index else input_values[index].item()
        content = Content("padding", layer.padding_value)
        if "overhang" in kinds:
            content = Content("overhang", None)
        elif "cropped" in kinds:
            content = Content("cropped", number)
        elif number is not None:
            content = Content("input" if kinds == {"input"} else "copy", number)
        found[tuple(position for position, _ in parts)] = content
    return found


def decimals(values: Values) -> int:
    """The number of decimals to write computed values with: the fewest, up to 2, that are exact.

    If none are: 1, or 2 where a value is smaller than 0.1.
    """
    values = values[np.isfinite(values)]
    for digits in range(3):
        if np.allclose(values, values.round(digits), rtol=0, atol=1e-9):
            return digits
    return 1 if np.abs(values[values != 0]).min() >= 0.1 else 2
