"""Ways to show a layer: each view is a module here and a template in templates/views/; `VIEWS` names them all."""

from collections.abc import Callable

from scripts.core.figures import Figure
from scripts.errors import LayerError
from scripts.views import (
    channels,
    deformable,
    excerpt,
    gather,
    im2col,
    input_gradient,
    kernel,
    kernel_gradient,
    matrix,
    numerical,
    overlap,
    partial,
    pixel_shuffle,
    plane,
    positions,
    receptive_field,
    scatter,
    streaming,
    subsampling,
    sums,
    upsampling,
    volume,
    wiring,
)
from scripts.views.scene import Scene

VIEWS: dict[str, Callable[[Figure], Scene]] = {
    "plane": plane.scene,
    "excerpt": excerpt.scene,
    "volume": volume.scene,
    "numerical": numerical.scene,
    "kernel": kernel.scene,
    "channels": channels.scene,
    "wiring": wiring.scene,
    "subsampling": subsampling.scene,
    "positions": positions.scene,
    "overlap": overlap.scene,
    "sums": sums.scene,
    "scatter": scatter.scene,
    "pixel_shuffle": pixel_shuffle.scene,
    "upsampling": upsampling.scene,
    "gather": gather.scene,
    "matrix": matrix.scene,
    "im2col": im2col.scene,
    "streaming": streaming.scene,
    "receptive_field": receptive_field.scene,
    "input_gradient": input_gradient.scene,
    "kernel_gradient": kernel_gradient.scene,
    "partial": partial.scene,
    "deformable": deformable.scene,
}


# Keys that change what a layer computes, and the only views that show it.
ONLY_DRAWN_BY = {"mask": "partial", "offset": "deformable"}


def view_name(figure: Figure) -> str:
    """The view that a figure names, else the default for its axes, with or without values; raises `LayerError`."""
    if figure.view is None:
        if not figure.is_stack and len(figure.layer.axes) == volume.AXES:
            return "volume"
        return "plane" if figure.input_values is None else "numerical"
    if figure.view not in VIEWS:
        raise LayerError("view", f"cannot be {figure.view!r}", f"It is one of {', '.join(VIEWS)}")
    return figure.view


def scene_of(figure: Figure) -> Scene:
    """The figure as its view shows it; raises `LayerError` where that view cannot draw it."""
    name = view_name(figure)
    for key, view in ONLY_DRAWN_BY.items():
        if getattr(figure, key) is not None and view != name:
            raise LayerError(key, f"is not drawn by the {name} view", f'Set view = "{view}", or remove the key')
    try:
        scene = VIEWS[name](figure)
    except Exception as error:
        # An error in the view itself does not say what it was drawing.
        error.add_note(f"It shows in figure {figure.name}, drawn by the view {name}.")
        raise
    if figure.frames is not None and not any(scene.steps):
        raise LayerError("frames", f"the {name} view has no frames to choose from", "Remove the key")
    return scene
