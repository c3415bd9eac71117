"""The streaming view: a causal layer of one axis that takes one sample at a time, and the samples that it keeps."""

from dataclasses import dataclass
from typing import NamedTuple

from scripts.core.figures import Figure
from scripts.core.layers import Layer
from scripts.errors import LayerError
from scripts.views.limits import check_layer, check_steps, check_weighted
from scripts.views.maps import OutputMap, Point, decimals, output_map
from scripts.views.scene import Scene

# From the input's row to the others, and from the buffer to the new sample.
OUTPUT_ROW, BUFFER_ROW, KERNEL_ROW = -2, 2.5, 3.7
GAP = 1


class Sample(NamedTuple):
    """A cell with the sample at a place of the input, or with a zero in place of those before the first one.

    The kernel meets it if it is `used`.  The number of a sample is None if the figure has no values.
    """

    column: int
    place: int | None
    number: float | None
    used: bool = False


class Weight(NamedTuple):
    """An element of the kernel, below the sample that it meets, with its number if there are values."""

    column: int
    place: int
    number: float | None


@dataclass(frozen=True)
class Stream:
    """The static parts, from above: the output, the input after zeros, a buffer and a new sample, and the kernel.

    The buffer has so many cells in `kept`, and the new sample is in column `new`.  `decimals` is the number of decimals
    that outputs are written with.
    """

    output: OutputMap
    input: OutputMap
    kept: int
    new: int
    buffer_at: Point
    weights: tuple[Weight, ...]
    kernel_at: Point
    decimals: int


@dataclass(frozen=True)
class Step:
    """A new sample arrives.

    `dropped` are the cells of the input before those that are `kept` in the buffer, and `sample` is the new one.
    `buffer` is what the buffer holds, with the new sample.  `outputs` are those so far; None for each if the figure has
    no values.
    """

    dropped: tuple[Sample, ...]
    kept: tuple[Sample, ...]
    sample: Sample
    buffer: tuple[Sample, ...]
    outputs: tuple[float | None, ...]


def scene(figure: Figure) -> Scene:
    """The scene of a causal convolution of one axis with stride 1; raises `LayerError`."""
    layer = figure.layer
    _check(layer)
    check_steps(figure, lambda layer: layer.axes[0].input_size + 2 * layer.axes[0].reach)
    (own,), (axis,) = layer.axes, layer.grid
    kept = own.reach
    values = [None] * own.input_size if figure.input_values is None else figure.input_values.tolist()
    weights = [None] * own.kernel_size if figure.kernel_values is None else figure.kernel_values.tolist()
    outputs = [None] * own.input_size if figure.output_values is None else figure.output_values.tolist()
    cells = [
        Sample(column, cell.input_index, 0 if cell.input_index is None else values[cell.input_index])
        for column, cell in enumerate(axis.cells)
    ]
    columns = [*range(kept), kept + GAP]
    still = Stream(
        output_map(layer, Point(kept, OUTPUT_ROW)),
        OutputMap(f"input {own.input_size}", own.input_size, 1, Point(kept, 0)),
        kept,
        columns[-1],
        Point(0, BUFFER_ROW),
        tuple(Weight(columns[own.dilation * n], n, weight) for n, weight in enumerate(weights)),
        Point(0, KERNEL_ROW),
        decimals=0 if figure.output_values is None else decimals(figure.output_values),
    )
    steps = []
    for number in figure.shown(own.input_size):
        used = {element.position for element in axis.windows[number]}
        window = [cell._replace(used=cell.column in used) for cell in cells[number : number + kept + 1]]
        held = tuple(cell._replace(column=column) for cell, column in zip(window, columns, strict=True))
        steps.append(Step(tuple(cells[:number]), tuple(window[:-1]), window[-1], held, tuple(outputs[: number + 1])))
    sentence = (
        "Each step takes one sample and gives one output element. Of the samples before it, the layer keeps "
        f"d(k − 1) = {kept}, zeros at first; the oldest one is dropped when the next sample arrives."
    )
    return Scene(figure, still, tuple(steps), sentence)


def _check(layer: Layer) -> None:
    check_layer(layer, "streaming", most_axes=1)
    check_weighted(layer, "streaming")
    (axis,) = layer.axes
    if layer.transposed:
        raise LayerError("view", "the streaming view draws convolutions", "Use the scatter view")
    if axis.stride > 1:
        raise LayerError("stride", f"is {axis.stride}", "The streaming view gives an output for each sample: use 1")
    if axis.padding != (axis.reach, 0) or layer.padding_mode != "zeros":
        raise LayerError("padding", "lets the layer see later samples, or not all", 'Use padding = "causal"')
    if not axis.reach:
        raise LayerError("kernel_size", "is 1, for which no sample is kept", "Use a larger kernel")
