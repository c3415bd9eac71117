"""The plane view: the output's plane floats above the input's."""

from scripts.core.figures import Figure
from scripts.views.drawing import two_axes
from scripts.views.scene import Scene


def scene(figure: Figure) -> Scene:
    """The scene of a layer of one or two axes; raises `LayerError`."""
    drawing = two_axes(figure, numbers=False)
    return Scene(figure, drawing, drawing.frames, equivalent=figure.layer.transposed)
