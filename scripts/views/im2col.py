"""The im2col view: patches of the input become columns, which the flattened kernel turns into the flattened output."""

from dataclasses import dataclass
from math import prod
from typing import Literal, NamedTuple

import numpy as np

from scripts.core.figures import Figure
from scripts.core.frames import frames
from scripts.core.layers import Index, Layer
from scripts.errors import LayerError
from scripts.views.limits import Extent, check_layer, check_size, check_weighted, longest, shown_steps
from scripts.views.maps import (
    Blocks,
    InputMap,
    OutputMap,
    Point,
    blocks,
    decimals,
    in_two_axes,
    input_map,
    output_map,
)
from scripts.views.scene import Scene

Kind = Literal["input", "copy", "padding"]

# Space between neighbours, and above those which have a label there.
GAP, LABEL_GAP = 2, 2


class Entry(NamedTuple):
    """A cell that holds an input element ("input"), one that padding repeats ("copy"), or zero ("padding").

    `input_index` is the element's, along each axis of the layer; its `number` is None if the figure has no values.
    """

    column: int
    row: int
    kind: Kind
    input_index: Index | None
    number: float | None


class Weight(NamedTuple):
    """An element of the kernel, with its number if there are values."""

    column: int
    row: int
    kernel_index: Index
    number: float | None


@dataclass(frozen=True)
class Product:
    """The static parts, from left to right: the input, the patches as columns, and the output.

    Below the patches is the output as a row, and left of it the kernel as a row: each row of the patches belongs to an
    element of the kernel, and each column to an element of the output.  `patches_at`, `row_at` and `kernel_at` are the
    places of the three, `cells` what the input's grid holds.  `results` are the output's values, or None for each, and
    `decimals` how many they are written with.
    """

    input: InputMap
    cells: tuple[Entry, ...]
    patches_at: Point
    patches: tuple[tuple[Entry, ...], ...]
    kernel_at: Point
    kernel: tuple[Weight, ...]
    row_at: Point
    output: OutputMap
    results: tuple[float | None, ...]
    decimals: int


@dataclass(frozen=True)
class Step:
    """A window with the cells that it covers, and the number of its column; the columns after it are still empty."""

    window: Blocks
    cells: tuple[Entry, ...]
    column: int


def _extent(figure: Figure, layer: Layer) -> Extent:
    weights, count = prod(layer.kernel_size), prod(layer.output_size)
    steps = shown_steps(figure, count)
    # A step draws all patches up to its own.
    return Extent(max(weights + count, longest(layer)), steps, steps * weights * count)


def scene(figure: Figure) -> Scene:
    """The scene of a direct convolution of one or two axes; raises `LayerError`."""
    check_layer(figure.layer, "im2col")
    check_weighted(figure.layer, "im2col")
    if figure.layer.transposed:
        raise LayerError("view", "the im2col view draws direct convolutions", "Use the matrix view")
    check_size(figure.layer, lambda layer: _extent(figure, layer))
    weights, count = prod(figure.layer.kernel_size), prod(figure.layer.output_size)
    layer = in_two_axes(figure.layer)
    grid = input_map(figure.layer, layer.grid)
    windows = list(frames(layer, None))
    patches = [tuple(_entry(figure, layer, term.position) for term in window.terms) for window in windows]
    values = figure.output_values
    height = max(grid.rows, weights)
    patches_at = Point(max(grid.columns, weights) + GAP, height - weights)
    below = height + LABEL_GAP
    still = Product(
        input=grid,
        cells=tuple(_entry(figure, layer, position) for position in np.ndindex(grid.rows, grid.columns)),
        patches_at=patches_at,
        patches=tuple(
            tuple(entry._replace(column=column, row=row) for row, entry in enumerate(patch))
            for column, patch in enumerate(patches)
        ),
        kernel_at=Point(patches_at.column - GAP - weights, below),
        kernel=tuple(_kernel(figure)),
        row_at=Point(patches_at.column, below),
        output=output_map(
            figure.layer, Point(patches_at.column + count + GAP, max(below + 1 - layer.output_size[0], LABEL_GAP))
        ),
        results=(None,) * count if values is None else tuple(values.ravel().tolist()),
        decimals=0 if values is None else decimals(values),
    )
    sentence = (
        f"Each window's patch is a column of {weights}, the kernel a row of as many; their product is the output, "
        "row by row."
    )
    steps = tuple(Step(blocks(*windows[column].windows), patches[column], column) for column in figure.shown(count))
    return Scene(figure, still, steps, sentence)


def _entry(figure: Figure, layer: Layer, position: Index) -> Entry:
    """What a cell of the grid holds, by its (row, column)."""
    row, column = position
    cells = [axis.cells[place] for axis, place in zip(layer.grid, position, strict=True)]
    # A layer of one axis is drawn with a second one.
    parts = [cell.input_index for cell in cells][-len(figure.layer.axes) :]
    if None in parts:
        return Entry(column, row, "padding", None, 0)
    index = tuple(part for part in parts if part is not None)
    number = None if figure.input_values is None else figure.input_values[index].item()
    return Entry(column, row, "input" if all(cell.kind == "input" for cell in cells) else "copy", index, number)


def _kernel(figure: Figure) -> tuple[Weight, ...]:
    """The kernel's elements in order."""
    values = figure.kernel_values
    return tuple(
        Weight(column, 0, index, None if values is None else values[index].item())
        for column, index in enumerate(np.ndindex(figure.layer.kernel_size))
    )
