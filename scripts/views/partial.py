"""The partial view: a convolution over the valid elements of an input with holes, with values."""

from dataclasses import dataclass, replace

from scripts.core.figures import Figure
from scripts.core.variants import valid_elements
from scripts.errors import LayerError
from scripts.views import numerical
from scripts.views.limits import check_layer, check_steps
from scripts.views.maps import Block, Number, NumberMap, Point, as_rows, contents, in_two_axes, number_map, sizes
from scripts.views.scene import Scene


@dataclass(frozen=True)
class Maps:
    """The static parts: the numerical view's, the holes in its two maps, and the number of valid elements per window.

    The latter map is beyond the output, as far as that is from the input.
    """

    flat: numerical.Maps
    holes: tuple[Block, ...]
    output_holes: tuple[Block, ...]
    valid: NumberMap


@dataclass(frozen=True)
class Step:
    """A step of the numerical view, and the number of valid elements in its window."""

    flat: numerical.Step
    valid: Number


def scene(figure: Figure) -> Scene:
    """The scene of a convolution of one or two axes with values and a mask; raises `LayerError`."""
    check_layer(figure.layer, "partial")
    if figure.mask is None:
        raise LayerError("mask", "is missing", "The partial view needs one: 1 where the input is valid, 0 in its holes")
    if figure.input_values is None:
        raise LayerError("view", "the partial view draws values", "Give input_values and kernel_values")
    check_steps(figure, numerical.grid_cells, terms=True)
    drawn, layer = numerical.scene(figure), in_two_axes(figure.layer)
    held = contents(layer, as_rows(figure.mask))
    holes = {place for place, cell in held.items() if cell.kind in ("input", "copy") and cell.number == 0}

    def masked(cell: numerical.Cell) -> numerical.Cell:
        return cell._replace(kind="hole", number=None, small=None) if (cell.row, cell.column) in holes else cell

    flat = drawn.still
    flat = replace(flat, cells=tuple(map(masked, flat.cells)))
    at = flat.output.at
    at = Point(at.column, at.row + 1) if flat.layout == "below" else Point(at.column + flat.output.columns, at.row)
    valid = number_map("valid elements", as_rows(valid_elements(figure.layer, figure.mask)), at)
    by_place = {(cell.column, cell.row): cell for cell in valid.numbers}
    still = Maps(
        flat,
        tuple(Block(column, row, 1, 1) for row, column in sorted(holes)),
        tuple(Block(cell.column, cell.row, 1, 1) for cell in valid.numbers if cell.number == 0),
        valid,
    )
    steps = []
    for step in drawn.steps:
        cells = [masked(cell) for kind in step.covered for cell in kind]
        kinds = (tuple(cell for cell in cells if cell.kind == kind) for kind in ("input", "copy", "padding", "hole"))
        flat_step = replace(step, covered=tuple(cells for cells in kinds if cells))
        steps.append(Step(flat_step, by_place[step.element.column, step.element.row]))
    return Scene(figure, still, steps, _sentence(figure))


def _sentence(figure: Figure) -> str:
    window = sizes(figure.layer.kernel_size)
    sentence = (
        f"As a partial convolution: of each window only valid elements are summed, times {window} by their number; "
        "a window without any leaves a hole."
    )
    is_padded = any(map(any, (axis.padding for axis in figure.layer.axes)))
    if is_padded and figure.layer.padding_mode == "zeros":
        sentence += " Padding is not valid."
    return f"{sentence} The small numbers are the kernel's."
