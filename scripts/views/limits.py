"""The limits of what views draw: each function raises `LayerError` for a layer beyond one."""

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


def check_length(cells: int) -> None:
    """Refuse a drawing that is too many cells long."""
    if cells > LONGEST_AXIS:
        raise LayerError("input_size", f"gives a row of {cells} cells", f"A drawing has at most {LONGEST_AXIS}")


def check_parts(count: int) -> None:
    """Refuse a drawing of one step with too many cells and lines."""
    if count > MOST_PARTS:
        raise LayerError("input_size", f"gives {count} cells and lines to draw", f"A drawing has at most {MOST_PARTS}")


def check_steps(layer: Layer) -> None:
    """Refuse a layer with too many output elements, each of which is a step, or with too long an axis."""
    longest = max(max(len(axis.cells), len(axis.windows)) for axis in layer.grid)
    if longest > LONGEST_AXIS:
        raise LayerError("input_size", f"gives an axis of {longest} cells", f"A drawing has at most {LONGEST_AXIS}")
    count = prod(layer.output_shape)
    if count > MOST_STEPS:
        raise LayerError("input_size", f"gives {count} frames", f"A drawing has at most {MOST_STEPS}")


def check_terms(layer: Layer) -> None:
    """Refuse a window with too many numbers to write in its cells."""
    window = prod(layer.kernel_size)
    if window > MOST_TERMS:
        rule = f"gives a window of {window} numbers"
        raise LayerError("kernel_size", rule, f"A drawing has at most {MOST_TERMS}")


def check_room(layer: Layer, cells: int) -> None:
    """Refuse a drawing with too many cells in all steps together; each step has `cells` of them."""
    count = prod(layer.output_shape) * cells
    if count > MOST_CELLS:
        raise LayerError(
            "input_size", f"gives room for {count} cells in all frames", f"A drawing has at most {MOST_CELLS}"
        )
