"""Which elements of a layer's input and output meet, counted along an axis: what sizes alone do not show."""

from dataclasses import dataclass

import numpy as np

from scripts.core.arithmetic import DirectAxis, GridAxis, WindowAxis
from scripts.errors import LayerError


@dataclass(frozen=True)
class Coverage:
    """Along an axis, the windows that each input element is in, and the input elements that each window holds."""

    windows: tuple[int, ...]
    elements: tuple[int, ...]

    @property
    def unreached(self) -> int:
        """Number of input elements in no window."""
        return self.windows.count(0)

    @property
    def unreached_end(self) -> int:
        """Number of input elements after the last that is in a window."""
        return next((n for n, count in enumerate(reversed(self.windows)) if count), len(self.windows))

    @property
    def empty(self) -> int:
        """Number of windows that hold no input element."""
        return self.elements.count(0)

    @property
    def empty_ends(self) -> int:
        """Number of windows that hold no input element and are before or after all others."""
        first = next((n for n, count in enumerate(self.elements) if count), len(self.elements))
        last = next((n for n, count in enumerate(reversed(self.elements)) if count), 0)
        return min(first + last, len(self.elements))


# Cells along an axis that are counted one by one.
MOST_COUNTED = 2**14


def coverage(axis: WindowAxis) -> Coverage:
    """Count along an axis; raises `LayerError` where there are too many elements to enumerate."""
    if max(axis.extent, axis.output_size) > MOST_COUNTED:
        raise LayerError("input_size", f"gives an axis of {axis.extent} cells", f"At most {MOST_COUNTED} are counted")
    grid: GridAxis = axis.grid
    position = [cell.input_index if cell.kind == "input" else None for cell in grid.cells]
    windows = np.zeros(axis.input_size if isinstance(axis, DirectAxis) else len(position), dtype=int)
    elements = []
    for window in grid.windows:
        held = [place for element in window if (place := position[element.position]) is not None]
        windows[held] += 1
        elements.append(len(held))
    return Coverage(tuple(windows.tolist()), tuple(elements))
