"""A figure as the views draw it: two axes, every cell with its content, every step."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import product
from math import prod
from typing import Literal, NamedTuple

import numpy as np

from scripts.core.arithmetic import GridAxis, Kind
from scripts.core.figures import Figure
from scripts.core.frames import Frame, frames
from scripts.core.layers import Index, Layer, Values
from scripts.errors import LayerError

# What TeX can draw in a row, and what keeps a figure's images in memory.
LONGEST_AXIS = 200
MOST_DRAWN_FRAMES = 200
MOST_DRAWN_CELLS = 40_000
MOST_DRAWN_TERMS = 4_000


class Content(NamedTuple):
    """What a cell of the grid shows: "copy" is padding that repeats input; no number where none counts."""

    kind: Literal["input", "copy", "padding", "overhang", "cropped"]
    number: float | None


@dataclass(frozen=True)
class Drawing:
    """The layer and values of a figure, along two axes: rows and columns."""

    layer: Layer
    input_values: Values | None
    kernel_values: Values | None
    indices: Values | None
    output_values: Values | None

    @cached_property
    def frames(self) -> list[Frame]:
        """The steps, one per output element."""
        return list(frames(self.layer, self.output_values, self.indices))

    @cached_property
    def cells(self) -> dict[Index, Content]:
        """All cells of the grid with values."""
        return {
            position: self._content(position)
            for position in product(*(range(len(axis.cells)) for axis in self.layer.grid))
        }

    def _content(self, position: Index) -> Content:
        if self.input_values is None:
            raise ValueError("a drawing without values has no contents")
        parts = [axis.cells[p] for axis, p in zip(self.layer.grid, position, strict=True)]
        kinds, index = {cell.kind for cell in parts}, tuple(cell.input_index for cell in parts)
        if "overhang" in kinds:
            return Content("overhang", None)
        if "cropped" in kinds:
            return Content("cropped", None if None in index else self.input_values[index].item())
        if None in index:
            return Content("padding", self.layer.padding_value)
        return Content("input" if kinds == {"input"} else "copy", self.input_values[index].item())


def two_axes(figure: Figure, numbers: bool) -> Drawing:
    """The drawing of a figure; a layer of one axis becomes a single row.

    Raises `LayerError` where the figure's view cannot draw the layer.
    """
    _check(figure, numbers)
    given = (figure.input_values, figure.kernel_values, figure.indices, figure.output_values)
    if len(figure.layer.axes) == 2:
        return Drawing(figure.layer, *given)
    rows = (None if values is None else values[np.newaxis] for values in given)
    return Drawing(figure.layer.with_unit_axis(), *rows)


def _check(figure: Figure, numbers: bool) -> None:
    layer, view = figure.layer, "numerical" if numbers else "plane"
    if len(layer.axes) > 2:
        raise LayerError(
            "view", f"the {view} view draws layers of 1 or 2 axes", "Describe this layer, or draw 2 axes of it"
        )
    if layer.channels is not None:
        raise LayerError(
            "view",
            f"the {view} view draws a single channel",
            "Describe this layer, or leave its channels out: the window is the same in each",
        )
    if numbers and figure.input_values is None:
        raise LayerError("view", "the numerical view draws values", "Give input_values, or use the plane view")
    longest = max(max(len(axis.cells), len(axis.windows)) for axis in layer.grid)
    if longest > LONGEST_AXIS:
        raise LayerError("input_size", f"gives an axis of {longest} cells", f"A drawing has at most {LONGEST_AXIS}")
    count = prod(layer.output_shape)
    if count > MOST_DRAWN_FRAMES:
        raise LayerError("input_size", f"gives {count} frames", f"A drawing has at most {MOST_DRAWN_FRAMES}")
    window = prod(layer.kernel_size)
    if numbers and window > MOST_DRAWN_TERMS:
        rule = f"gives a window of {window} numbers"
        raise LayerError("kernel_size", rule, f"A drawing has at most {MOST_DRAWN_TERMS}")
    sizes = [len(axis.cells) for axis in layer.grid]
    # A slanted row takes the room of a square; each number of a window takes as much time as a cell.
    area = prod(sizes) + window if numbers else max(sizes) ** 2
    cells = count * area
    if cells > MOST_DRAWN_CELLS:
        raise LayerError(
            "input_size", f"gives room for {cells} cells in all frames", f"A drawing has at most {MOST_DRAWN_CELLS}"
        )


def positions(axis: GridAxis, *kinds: Kind) -> list[int]:
    """The cells of some kinds along an axis."""
    return [position for position, cell in enumerate(axis.cells) if cell.kind in kinds]


def holding(axis: GridAxis, *kinds: Kind) -> list[int]:
    """The cells of some kinds along an axis that hold an input element or its copy."""
    return [position for position in positions(axis, *kinds) if axis.cells[position].input_index is not None]


def runs(positions: Sequence[int]) -> list[tuple[int, int]]:
    """Neighbouring positions joined: [1, 2, 3, 7] becomes [(1, 3), (7, 1)], each (start, length)."""
    joined: list[tuple[int, int]] = []
    for position in positions:
        if joined and sum(joined[-1]) == position:
            joined[-1] = (joined[-1][0], joined[-1][1] + 1)
        else:
            joined.append((position, 1))
    return joined


def extent(positions: Sequence[int]) -> tuple[int, int]:
    """(start, length) from the first to the last of some positions."""
    return positions[0], positions[-1] - positions[0] + 1
