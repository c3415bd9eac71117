"""What the sizes of a layer do not show: elements that nothing reaches, uneven sums, padding that does nothing."""

from collections.abc import Iterator
from dataclasses import replace
from math import prod

from scripts.core.arithmetic import AdaptiveAxis, DirectAxis, LayerAxis, WindowAxis
from scripts.core.coverage import Coverage, coverage
from scripts.core.layers import Layer
from scripts.errors import LayerError
from scripts.explaining.description import Remark

AXES = {1: ("length",), 2: ("height", "width"), 3: ("depth", "height", "width")}


def remarks(layer: Layer) -> tuple[Remark, ...]:
    """All remarks on a layer, each once for the axes along which it holds, warnings first."""
    found: dict[Remark, list[str]] = {}
    for name, own, axis in zip(AXES[len(layer.axes)], layer.axes, layer.window_axes, strict=True):
        for remark in _along(layer, own, axis):
            found.setdefault(remark, []).append(name)
    along = (_placed(remark, names, len(layer.axes)) for remark, names in found.items())
    return tuple(sorted([*along, *_whole(layer)], key=lambda remark: not remark.is_warning))


def _placed(remark: Remark, names: list[str], n: int) -> Remark:
    if n == 1:
        return remark
    where = f"Along the {' and the '.join(names)}" if len(names) < n else "Along each axis"
    return replace(remark, text=f"{where}: {remark.text[0].lower()}{remark.text[1:]}")


def _along(layer: Layer, own: LayerAxis, axis: WindowAxis) -> Iterator[Remark]:
    """Remarks on one axis."""
    if isinstance(axis, AdaptiveAxis):
        if len(axis.window_sizes) > 1 or axis.input_size % axis.output_size:
            sizes = " or ".join(map(str, axis.window_sizes))
            yield Remark("Uneven windows", f"The windows have {sizes} elements, and some of them overlap.")
        return
    if not isinstance(axis, DirectAxis):
        return
    yield from _padding(layer, own, axis)
    if layer.ceil_mode:
        yield from _ceil(axis)
    try:
        counted = coverage(axis)
    except LayerError:
        return
    yield from (_scattered(own, counted) if layer.transposed else _gathered(own, axis, counted))


def _padding(layer: Layer, own: LayerAxis, axis: DirectAxis) -> Iterator[Remark]:
    before, after = own.padding
    if abs(before - after) == 1:
        side = "after" if after > before else "before"
        text = (
            f"The padding is odd, {before + after} in all: one cell more lies {side} the input than on the other side."
        )
        yield Remark("Odd padding", text)
    if layer.transposed:
        return
    if own.stride == 1 and own.kernel_size % 2 == 0 and before == after and 2 * before == own.reach + 1:
        yield Remark(
            "Even kernel",
            "Padding by half of an even kernel makes the output larger by one: "
            f"{axis.output_size}, not {axis.input_size}.",
        )
    if max(before, after) > own.reach:
        text = (
            f"Padding of {max(before, after)} is more than the window reaches, {own.reach} cells from its first: "
            "the outermost windows lie on padding alone."
        )
        yield Remark("Padding beyond reach", text, is_warning=True)


def _ceil(axis: DirectAxis) -> Iterator[Remark]:
    plain = replace(axis, ceil_mode=False).output_size if axis.grid_size >= axis.window_size else 0
    rounded_up = -((axis.window_size - axis.grid_size) // axis.stride) + 1
    if axis.output_size > plain:
        over = (axis.output_size - 1) * axis.stride + axis.window_size - axis.grid_size
        cells = f"{over} cell{'s' if over > 1 else ''}"
        yield Remark("Ceil mode", f"The last window hangs over the end by {cells}; without ceil mode it is left out.")
    elif axis.output_size < rounded_up:
        yield Remark(
            "Ceil mode",
            f"Rounding up gives {rounded_up}, but the last window would start after the input, in the padding: "
            f"it is dropped, and {axis.output_size} remain.",
        )
    else:
        yield Remark("Ceil mode", "It changes nothing here: the stride fits exactly.")


def _gathered(own: LayerAxis, axis: DirectAxis, counted: Coverage) -> Iterator[Remark]:
    """Of a convolution or a pooling."""
    end = counted.unreached_end
    if counted.unreached > end:
        share = counted.unreached / axis.input_size
        why = (
            f"the stride of {own.stride} is more than the window of {own.reach + 1}"
            if own.stride > own.reach + 1
            else f"stride {own.stride} and dilation {own.dilation} leave gaps"
        )
        text = f"{counted.unreached} of {axis.input_size} input elements ({share:.0%}) are in no window: {why}."
        yield Remark("Unreached input", text, is_warning=True)
    elif end:
        last = "last input element is" if end == 1 else f"last {end} input elements are"
        smaller, larger = axis.input_size - axis.remainder, axis.input_size + axis.stride - axis.remainder
        sizes = f"of {larger}" if smaller < 1 else f"of {smaller} or {larger}"
        text = f"The {last} in no window, since {axis.remainder} cells are left over; an input {sizes} leaves none."
        yield Remark("Unreached input", text.replace(" 1 cells are", " 1 cell is"), is_warning=True)
    if counted.empty and max(own.padding) <= own.reach:
        yield Remark("Empty windows", f"{counted.empty} windows hold no input element, only padding.", True)


def _scattered(own: LayerAxis, counted: Coverage) -> Iterator[Remark]:
    """Of a transposed convolution."""
    if cropped := counted.unreached:
        yield Remark(
            "Cropped input",
            f"Padding of {list(own.padding)} exceeds the {own.reach} cells that the kernel reaches: "
            f"{cropped} input element{'s reach' if cropped > 1 else ' reaches'} no output.",
            True,
        )
    ends = counted.empty_ends
    if ends:
        elements = "1 output element at an end is" if ends == 1 else f"{ends} output elements at the ends are"
        yield Remark("Empty output", f"{elements} reached by no input: nothing but a bias.", is_warning=True)
    if counted.empty - ends > 0:
        yield Remark(
            "Empty output",
            f"{counted.empty - ends} output elements between others are reached by no input, since the kernel of "
            f"{own.reach + 1} is smaller than the stride of {own.stride}, or its dilation leaves gaps.",
            True,
        )
    elif own.stride > 1:
        inner = counted.elements[own.reach : len(counted.elements) - own.reach] or counted.elements
        least, most = min(inner), max(inner)
        if least < most:
            text = (
                f"Output elements are sums of {least} to {most} products in turn, since the stride of {own.stride} "
                f"does not divide the kernel of {own.kernel_size}. A checkerboard may show; a kernel of "
                f"{_multiple(own)} avoids it."
            )
            yield Remark("Uneven overlap", text, is_warning=True)


def _multiple(own: LayerAxis) -> str:
    """The nearest kernel sizes that the stride divides."""
    below = own.kernel_size // own.stride * own.stride
    above = below + own.stride
    return f"{below} or {above}" if below else str(above)


def _whole(layer: Layer) -> Iterator[Remark]:
    """Remarks on all axes together."""
    channels = layer.channels
    if channels is not None and channels.groups > 1:
        ins, _ = channels.per_group
        if ins == 1:
            text = (
                "Each input channel has kernels of its own: channels are not mixed. A pointwise convolution does that."
            )
        else:
            text = f"Output channels see {ins} of the {channels.in_channels} input channels, those of their group."
        yield Remark("Groups", text)
    if layer.reduction is not None and any(axis.padded_over_half for axis in layer.axes):
        yield Remark("Padding", "It exceeds half of the window, which ONNX allows and PyTorch does not.", True)
    if layer.reduction == "average" and any(any(axis.padding) for axis in layer.axes):
        counted = "counts" if layer.count_include_pad else "does not count"
        yield Remark("Averages", f"The padding {counted} in averages; frameworks differ in their default.")
    if not layer.transposed and layer.direct:
        reached = [coverage_share(axis) for axis in layer.direct]
        if None not in reached and (share := prod(filter(None, reached))) < 0.75 and len(reached) > 1:
            yield Remark("Unreached input", f"All axes together, {1 - share:.0%} of the input is in no window.", True)


def coverage_share(axis: DirectAxis) -> float | None:
    """The part of the input's elements that are in a window; None where they are too many to count."""
    try:
        return 1 - coverage(axis).unreached / axis.input_size
    except LayerError:
        return None
