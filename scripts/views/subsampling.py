"""The subsampling view: the output at stride 1, of which a stride keeps some elements, and the output itself."""

from dataclasses import dataclass, replace

from scripts.core.figures import Figure
from scripts.core.layers import Layer
from scripts.errors import LayerError
from scripts.views.limits import Extent, check_layer, check_size
from scripts.views.maps import (
    ORIGIN,
    Block,
    Blocks,
    Line,
    Number,
    NumberMap,
    Point,
    as_rows,
    in_two_axes,
    numbers,
    once,
    sizes,
)
from scripts.views.scene import Scene

GAP = 3
ARROW_GAP = 0.6


@dataclass(frozen=True)
class Subsampling:
    """The output at stride 1, the elements of it that are `kept`, and an arrow to the output that they make."""

    unit: NumberMap
    kept: Blocks
    arrow: Line
    output: NumberMap


def with_unit_stride(layer: Layer) -> Layer:
    """The same layer with stride 1."""
    return replace(layer, axes=tuple(replace(axis, stride=1) for axis in layer.axes))


def _extent(layer: Layer) -> Extent:
    height, width = in_two_axes(with_unit_stride(layer)).output_size
    return Extent(max(height, 2 * width + GAP), parts=2 * height * width)


def scene(figure: Figure) -> Scene:
    """The scene of a convolution or a pooling of one or two axes, with or without values; raises `LayerError`."""
    check_layer(figure.layer, "subsampling")
    if figure.layer.transposed or not figure.layer.direct:
        raise LayerError(
            "view", "the subsampling view draws convolutions and poolings by a stride", "Use the plane view"
        )
    check_size(figure.layer, _extent)
    unit = with_unit_stride(figure.layer)
    height, width = in_two_axes(unit).output_size
    kept_height, kept_width = in_two_axes(figure.layer).output_size
    down, right = (axis.stride for axis in in_two_axes(figure.layer).axes)
    kept = tuple(Block(column, row, 1, 1) for row in range(0, height, down) for column in range(0, width, right))
    if len(kept) != kept_height * kept_width:
        raise LayerError("ceil_mode", "adds windows that stride 1 does not have", "Leave it out, or use another view")
    at = Point(width + GAP, (height - kept_height) / 2)
    label = f"stride {once(axis.stride for axis in figure.layer.axes)}: output {sizes(figure.layer.output_size)}"
    whole: tuple[Number, ...] = ()
    output: tuple[Number, ...] = ()
    if figure.input_values is not None and figure.output_values is not None:
        whole = numbers(as_rows(unit.output(figure.input_values, figure.kernel_values)))
        output = numbers(as_rows(figure.output_values))
    still = Subsampling(
        unit=NumberMap(f"stride 1: output {sizes(unit.output_size)}", width, height, ORIGIN, whole),
        kept=kept,
        arrow=(Point(width + ARROW_GAP, height / 2), Point(at.column - ARROW_GAP, height / 2)),
        output=NumberMap(label, kept_width, kept_height, at, output),
    )
    sentence = f"Left, the {sizes(unit.output_size)} elements of stride 1, of which the strongly coloured ones remain."
    return Scene(figure, still, sentence=sentence)
