"""The limits of what views draw: each function raises `LayerError` for a layer beyond one."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from math import prod

from scripts.core.figures import Figure
from scripts.core.layers import Index, Layer
from scripts.errors import LayerError

# What TeX can draw in a row.
LONGEST_AXIS = 200
# What keeps a figure's images in memory, some 400 MB of them.
MOST_STEPS = 400
MOST_CELLS = 60_000
# What TeX can draw, and write, one by one.
MOST_PARTS = 4_000
MOST_TERMS = 4_000


class TooLargeError(LayerError):
    """A layer that a view could draw if it were smaller."""


@dataclass(frozen=True)
class Extent:
    """How large a drawing is.

    It has `steps`, whose longest row is `length` cells long.  All steps together have room for `cells`; a step has
    `parts` that are drawn one by one, and a window in it `terms` that are written one by one.
    """

    length: int
    steps: int = 1
    cells: int = 0
    parts: int = 0
    terms: int = 0

    @property
    def problem(self) -> str | None:
        """What is too large, with its limit; None if nothing is."""
        limits = (
            (self.length, LONGEST_AXIS, "an axis of {} cells"),
            (self.steps, MOST_STEPS, "{} frames"),
            (self.cells, MOST_CELLS, "room for {} cells in all frames"),
            (self.parts, MOST_PARTS, "{} cells and lines to draw"),
            (self.terms, MOST_TERMS, "a window of {} numbers"),
        )
        return next(
            (
                f"gives {what.format(size)}, and a drawing has at most {most}"
                for size, most, what in limits
                if size > most
            ),
            None,
        )


def check_drawing(extent: Extent) -> None:
    """Refuse a drawing of several layers that is too large; raises `TooLargeError`."""
    if extent.problem is not None:
        raise TooLargeError("input_size", extent.problem, "Use a smaller input, or fewer layers")


def check_size(layer: Layer, extent: Callable[[Layer], Extent]) -> None:
    """Refuse a layer whose drawing is too large, with the largest input for which it is not.

    `extent` is that of the drawing of a layer; it must not take long for layers of any size.  Raises `TooLargeError`.
    """
    problem = extent(layer).problem
    if problem is not None:
        size = _largest_input(layer, lambda smaller: extent(smaller).problem is None)
        fits = (
            "No input is small enough" if size is None else f"The largest input that fits is {'x'.join(map(str, size))}"
        )
        raise TooLargeError("input_size", problem, fits)


def _largest_input(layer: Layer, fits: Callable[[Layer], bool]) -> Index | None:
    """The largest input, square where the layer's own reaches, with which a layer fits; None if there is none."""
    low, high = 0, max(layer.input_size)
    found = None
    while high - low > 1:
        side = (low + high) // 2
        smaller = _over(layer, side)
        if smaller is not None and not fits(smaller):
            high = side
        else:
            low, found = side, smaller
    return None if found is None else found.input_size


def _over(layer: Layer, side: int) -> Layer | None:
    """The layer over an input of at most `side` elements along each axis; None if there is no such layer."""
    try:
        axes = []
        for axis in layer.axes:
            size = min(side, axis.input_size)
            kernel_size = axis.kernel_size if "kernel_size" in layer.operation.keys else size
            axes.append(replace(axis, input_size=size, kernel_size=kernel_size))
        return replace(layer, axes=tuple(axes))
    except LayerError:
        return None


def check_axes(layer: Layer, view: str, most: int = 2) -> None:
    """Refuse a layer of more axes than a view draws."""
    if len(layer.axes) > most:
        axes = "1 axis" if most == 1 else f"1 or {most} axes"
        remedy = f"Describe this layer, or draw {most} {'axis' if most == 1 else 'axes'} of it"
        raise LayerError("view", f"the {view} view draws layers of {axes}", remedy)


def check_layer(layer: Layer, view: str, most_axes: int = 2) -> None:
    """Refuse a layer with channels, or with more axes than a view draws."""
    check_axes(layer, view, most_axes)
    if layer.channels is not None:
        raise LayerError(
            "view",
            f"the {view} view draws a single channel",
            "Describe this layer, or leave its channels out: the window is the same in each",
        )


def check_direct(layer: Layer, view: str) -> None:
    """Refuse an unpooling and an adaptive pooling, over whose inputs no window moves by a stride."""
    if not layer.direct:
        raise LayerError("view", f"the {view} view draws layers with a stride", "Use the plane view")


def check_weighted(layer: Layer, view: str) -> None:
    """Refuse a layer without a kernel of weights."""
    if not layer.weighted:
        raise LayerError("view", f"the {view} view draws convolutions", "Use the plane view")


def check_multiplying(layer: Layer, view: str) -> None:
    """Refuse all but transposed convolutions whose output is s times their input."""
    if not layer.transposed:
        raise LayerError("view", f"the {view} view draws transposed convolutions", "Use the plane view")
    sizes = tuple(axis.stride * axis.input_size for axis in layer.axes)
    if layer.output_size != sizes:
        size, output = ("x".join(map(str, numbers)) for numbers in (sizes, layer.output_size))
        rule = f"gives an output of {output}; the {view} view draws stride times the input, {size}"
        raise LayerError("padding", rule, 'Use padding = "same_upper"')


def check_steps(
    figure: Figure,
    cells: Callable[[Layer], int],
    terms: bool = False,
    drawn: Callable[[Layer], Layer] = lambda layer: layer,
) -> None:
    """Refuse a figure with too many steps, one for each output element that it shows, or with too large ones.

    Each step takes the room of `cells`, and has the numbers of a window if `terms`.  `drawn` is the layer that is drawn
    of the figure's.
    """

    def extent(layer: Layer) -> Extent:
        layer = drawn(layer)
        steps = shown_steps(figure, prod(layer.output_shape))
        window = prod(layer.kernel_size) if terms else 0
        return Extent(longest(layer), steps, steps * (cells(layer) + window), terms=window)

    check_size(figure.layer, extent)


def shown_steps(figure: Figure, count: int) -> int:
    """Number of steps that a figure shows of so many."""
    if isinstance(figure.frames, tuple):
        return len(figure.frames)
    return count if figure.frames is None else min(figure.frames, count)


def longest(layer: Layer) -> int:
    """Number of cells along the longest axis of a layer's input, with its padding, or of its output."""
    return max(max(axis.extent, axis.output_size) for axis in layer.window_axes)
