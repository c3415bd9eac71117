r"""What a view shows of a figure: a scene of plain data, which a template, an SVG writer or a browser can draw.

A view NAME is a module `scripts/views/NAME.py` with a function `scene(figure)`, and a template
`templates/views/NAME.tex.j2` that draws what the function returns; `VIEWS` in scripts/views/__init__.py names it.
The function decides what is shown and where, in cells; it raises `LayerError` for what the view cannot draw.  The
template decides how that looks.  It has these macros, of which the first two are needed:

- `below(still)`: static parts under all moving ones;
- `labels(still)`: the texts around the drawing, which can be switched off;
- `moving(still, step)`: a step's parts over these;
- `above(still)`: static parts over those of the step;
- `result(still, step)`: a step's parts on top of all;
- `beside(still)`: static parts beside the drawing, which the report's strips leave out;
- `sum(still, step, figure)`: how a step's result is computed, a text below the drawing, if sums are switched on;
- `places(still, figure)`: where the site finds the elements that it lights, if each step is about an output element, in
  their order: `\place{input}{STYLE}` names the style in which a grid's cell (row, column) has its first corner at
  (column,row), `\place{output}{STYLE}` and `\place{kernel}{STYLE}` likewise of elements;
- `legend(still, figure)`: an entry for each kind of cells that the drawing has, if a legend is switched on.

A variable `strip` says how the report shows the first steps side by side: how many in a row and in all, the space
between two, and the style they are drawn in.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from scripts.core.figures import Figure
from scripts.core.layers import Layer


@dataclass(frozen=True)
class Scene:
    """A figure as a view shows it.

    `still` is what all steps share and `steps` what each one adds, in the order in which they are shown: numbers,
    texts, tuples and dataclasses of them, which `dataclasses.asdict` and JSON can hold.  A view without motion has
    one step, None.  `sentence` ends the figure's caption with what only this view needs; `alternative` describes the
    figure to those who cannot see it, unless the caption does.  `equivalent` is true if a transposed layer is drawn as
    the direct convolution that equals it, `parameters` if the layer's parameters belong under the drawing.  `gradient`
    is the layer that computes a gradient of the figure's, if that is what is drawn.
    """

    figure: Figure
    still: Any
    steps: Sequence[Any] = (None,)
    sentence: str = ""
    alternative: str = ""
    equivalent: bool = False
    parameters: bool = True
    gradient: Layer | None = None

    @property
    def count(self) -> int:
        """Number of steps."""
        return len(self.steps)

    @property
    def durations(self) -> tuple[float, ...]:
        """How long each step is shown, in seconds."""
        figure = self.figure
        return (figure.frame_duration,) * (len(self.steps) - 1) + (figure.last_frame_duration,)
