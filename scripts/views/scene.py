"""What a view shows of a figure: a scene of plain data, which a template draws and SVG or a browser could.

A view NAME is a module `scripts/views/NAME.py` with a function `scene(figure)`, and a template
`templates/views/NAME.tex.j2` that draws what the function returns; `VIEWS` in scripts/views/__init__.py names it.
The function decides what is shown and where, in cells; it raises `LayerError` for what the view cannot draw.  The
template decides how that looks.  It has these macros, of which the last three may be left out:

- `below(still)`: what stands still, under all that moves;
- `labels(still)`: the texts around the drawing, which can be switched off;
- `moving(still, step)`: what a step adds to that;
- `above(still)`: what stands still, over that;
- `result(still, step)`: what a step adds on top of all.

A variable `strip` says how the report shows the first steps side by side: how many in a row and in all, the space
between two, and the style they are drawn in.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from scripts.core.figures import Figure


@dataclass(frozen=True)
class Scene:
    """A figure as a view shows it.

    `still` is what all steps share and `steps` what each one adds, in the order in which they are shown: numbers,
    texts, tuples and dataclasses of them, which `dataclasses.asdict` and JSON can hold.  A view that moves nothing
    has one step, None.  `sentence` ends the figure's caption with what only this view needs, and `alternative` tells
    those who cannot see the figure what it shows, if the caption does not.  `equivalent` tells whether a transposed
    layer is drawn as the direct convolution that equals it, and `parameters` whether a layer's parameters belong under
    the drawing.
    """

    figure: Figure
    still: Any
    steps: Sequence[Any] = (None,)
    sentence: str = ""
    alternative: str = ""
    equivalent: bool = False
    parameters: bool = True

    @property
    def count(self) -> int:
        """Number of steps."""
        return len(self.steps)

    @property
    def durations(self) -> tuple[float, ...]:
        """How long each step is shown, in seconds."""
        figure = self.figure
        return (figure.frame_duration,) * (len(self.steps) - 1) + (figure.last_frame_duration,)
