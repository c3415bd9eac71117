"""Frameworks that choose the padding of a transposed convolution by the size of its output."""

from collections.abc import Sequence

from scripts.core.arithmetic import LayerAxis
from scripts.errors import LayerError
from scripts.notation.signature import Keys


def uncropped(input_size: Sequence[int], keys: Keys) -> list[LayerAxis]:
    """The axes of a transposed convolution before padding crops its output."""
    output_padding = keys.get("output_padding", [0] * len(input_size))
    rows = zip(input_size, keys["kernel_size"], keys["stride"], keys["dilation"], output_padding, strict=True)
    return [LayerAxis(i, k, s, dilation=d, output_padding=added) for i, k, s, d, added in rows]


def cropped_to(key: str, axes: Sequence[LayerAxis], sizes: Sequence[int], odd_after: bool = True) -> Keys:
    """The padding and output padding that give uncropped axes outputs of these sizes.

    `odd_after` says on which side one more cell of an odd number is cropped.  Raises `LayerError` for `key`
    if no padding gives a size.
    """
    padding, output_padding = list[tuple[int, int]](), list[int]()
    for axis, size in zip(axes, sizes, strict=True):
        surplus = axis.scattered_size + axis.output_padding - size
        less, more = max(surplus, 0) // 2, (max(surplus, 0) + 1) // 2
        added = axis.output_padding + max(-surplus, 0)
        most = max(axis.stride, axis.dilation) - 1
        if size < 1 or added > most:
            raise LayerError(
                key, f"asks for an output size of {size}", f"It is 1 to {axis.scattered_size + most} for this input"
            )
        padding.append((less, more) if odd_after else (more, less))
        output_padding.append(added)
    return {"padding": padding, "output_padding": output_padding}
