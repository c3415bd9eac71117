"""What views can draw: each function raises `LayerError` for a layer beyond a limit."""

from math import prod

from scripts.core.layers import Layer
from scripts.errors import LayerError

# What TeX can draw in a row, and what keeps a figure's images in memory.
LONGEST_AXIS = 200
MOST_STEPS = 200
MOST_CELLS = 40_000
MOST_TERMS = 4_000
# In a drawing of a single step.
MOST_PARTS = 4_000


def check_axes(layer: Layer, view: str, most: int = 2) -> None:
    """A view draws layers of few axes."""
    if len(layer.axes) > most:
        axes = "1 axis" if most == 1 else f"1 or {most} axes"
        remedy = f"Describe this layer, or draw {most} ax{'e' if most > 1 else 'i'}s of it"
        raise LayerError("view", f"the {view} view draws layers of {axes}", remedy)


def check_layer(layer: Layer, view: str, most_axes: int = 2) -> None:
    """A view draws a single channel of layers of few axes."""
    check_axes(layer, view, most_axes)
    if layer.channels is not None:
        raise LayerError(
            "view",
            f"the {view} view draws a single channel",
            "Describe this layer, or leave its channels out: the window is the same in each",
        )


def check_direct(layer: Layer, view: str) -> None:
    """A view draws what a window moves over."""
    if not layer.direct:
        raise LayerError("view", f"the {view} view draws convolutions and poolings", "Use the plane view")


def check_weighted(layer: Layer, view: str) -> None:
    """A view draws the weights of a kernel."""
    if not layer.weighted:
        raise LayerError("view", f"the {view} view draws convolutions", "Use the plane view")


def check_length(cells: int) -> None:
    """A drawing is that many cells long."""
    if cells > LONGEST_AXIS:
        raise LayerError("input_size", f"gives a row of {cells} cells", f"A drawing has at most {LONGEST_AXIS}")


def check_parts(count: int) -> None:
    """A drawing of one step has that many cells and lines."""
    if count > MOST_PARTS:
        raise LayerError("input_size", f"gives {count} cells and lines to draw", f"A drawing has at most {MOST_PARTS}")


def check_steps(layer: Layer) -> None:
    """A drawing has a step for each output element, and room for whole axes."""
    longest = max(max(len(axis.cells), len(axis.windows)) for axis in layer.grid)
    if longest > LONGEST_AXIS:
        raise LayerError("input_size", f"gives an axis of {longest} cells", f"A drawing has at most {LONGEST_AXIS}")
    count = prod(layer.output_shape)
    if count > MOST_STEPS:
        raise LayerError("input_size", f"gives {count} frames", f"A drawing has at most {MOST_STEPS}")


def check_terms(layer: Layer) -> None:
    """A window has numbers to write in each of its cells."""
    window = prod(layer.kernel_size)
    if window > MOST_TERMS:
        rule = f"gives a window of {window} numbers"
        raise LayerError("kernel_size", rule, f"A drawing has at most {MOST_TERMS}")


def check_room(layer: Layer, cells: int) -> None:
    """All steps together have room for that many cells in each."""
    count = prod(layer.output_shape) * cells
    if count > MOST_CELLS:
        raise LayerError(
            "input_size", f"gives room for {count} cells in all frames", f"A drawing has at most {MOST_CELLS}"
        )
