"""The positions view: an input along one axis, and below it the positions of its window, one by one."""

from dataclasses import dataclass

from scripts.core.arithmetic import Pair
from scripts.core.figures import Figure
from scripts.core.layers import Layer
from scripts.views.limits import Extent, check_direct, check_layer, check_size, longest
from scripts.views.maps import InputMap, Run, counted, extent, in_two_axes, input_map
from scripts.views.scene import Scene

# From the input down to the first position, and from each to the next.
GAP, PITCH = 1.3, 0.65


@dataclass(frozen=True)
class Position:
    """A window: the height at which it is drawn, the cells from its first to its last, and those that it covers."""

    row: float
    extent: Run
    cells: tuple[int, ...]


@dataclass(frozen=True)
class Positions:
    """An input, the positions of the window below it, and lines of text above."""

    input: InputMap
    positions: tuple[Position, ...]
    label: tuple[str, ...]


def scene(figure: Figure) -> Scene:
    """The scene of a layer of one axis over which a window moves; raises `LayerError`."""
    check_layer(figure.layer, "positions", most_axes=1)
    if not figure.layer.operation.adaptive:
        check_direct(figure.layer, "positions")
    check_size(figure.layer, _extent)
    grid = in_two_axes(figure.layer).grid
    windows = [tuple(element.position for element in window) for window in grid[1].windows]
    still = Positions(
        input=input_map(figure.layer, grid),
        positions=tuple(
            Position(round(GAP + PITCH * number, 2), extent(window), window) for number, window in enumerate(windows)
        ),
        label=_label(figure.layer),
    )
    shown = ", ".join(f"{window[0]}–{window[-1]}" for window in windows)
    return Scene(
        figure,
        still,
        sentence="Each row below the input is one of the windows."
        if figure.layer.operation.adaptive
        else "Each row below the input shows where the window stands at one of its positions.",
        alternative=f"A row of {len(grid[1].cells)} cells, and the positions of a window below: cells {shown}.",
        equivalent=figure.layer.transposed,
    )


def _extent(layer: Layer) -> Extent:
    return Extent(longest(layer), parts=layer.output_size[0] * layer.kernel_size[0])


def _label(layer: Layer) -> tuple[str, ...]:
    (count,) = layer.output_size
    if layer.operation.adaptive:
        return (counted(count, "window"),)
    (axis,) = layer.direct
    return f"stride {axis.stride}: {counted(count, 'position')}", *_padding(axis.padding)


def _padding(sides: Pair) -> tuple[str, ...]:
    before, after = (str(side).replace("-", "−") for side in sides)
    return (f"padding {before} before, {after} after",) if any(sides) else ()
