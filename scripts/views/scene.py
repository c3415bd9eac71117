"""What a view shows of a figure, as plain data for its template, for SVG and for a browser."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from scripts.core.figures import Figure


@dataclass(frozen=True)
class Scene:
    """A figure as a view shows it.

    `still` is what all steps share and `steps` what each one adds, in the order in which they are shown.
    `sentence` ends the figure's caption with what only this view needs.  `equivalent` tells whether a
    transposed layer is drawn as the direct convolution that equals it.
    """

    figure: Figure
    still: Any
    steps: Sequence[Any]
    sentence: str = ""
    equivalent: bool = False

    @property
    def count(self) -> int:
        """Number of steps."""
        return len(self.steps)

    @property
    def durations(self) -> tuple[float, ...]:
        """How long each step is shown, in seconds."""
        figure = self.figure
        return (figure.frame_duration,) * (len(self.steps) - 1) + (figure.last_frame_duration,)
