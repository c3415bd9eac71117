"""The numerical view: flat grids with their values, side by side."""

from scripts.core.figures import Figure
from scripts.views.drawing import two_axes
from scripts.views.scene import Scene


def scene(figure: Figure) -> Scene:
    """The scene of a layer of one or two axes with values; raises `LayerError`."""
    drawing = two_axes(figure, numbers=True)
    sentence = ""
    if figure.kernel_values is not None:
        sentence = f"The small numbers are the kernel's{', rotated' if figure.layer.transposed else ''}."
    if figure.indices is not None:
        sentence = "The small numbers are the places of the maxima, counted row by row."
    return Scene(figure, drawing, drawing.frames, sentence, equivalent=figure.layer.transposed)
