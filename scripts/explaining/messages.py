"""Error messages of PyTorch and Keras about shapes: what arrived, what was expected, and the smallest changes."""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from math import isqrt, prod

from scripts.core.layers import Index
from scripts.errors import UserError
from scripts.explaining.chain import Failure, Line, trace

MOST_CHARACTERS = 4000
MOST_FIXES = 6
# How far the input's size is varied in search of one that fits.
SOUGHT = 64
# Lines that are traced for that.
MOST_TRACED = 4000
NUMBERS = r"[\[(]([\dNone,x -]{1,200})[\])]"


@dataclass(frozen=True)
class Mismatch:
    """An error message explained: all texts are plain."""

    message: str
    cause: str
    arrived: str
    expected: str
    fixes: tuple[str, ...]


@dataclass(frozen=True)
class Pattern:
    """The form of a message, and what it means."""

    form: str
    explain: Callable[[re.Match[str]], Mismatch]


def mismatch(message: str, lines: Sequence[Line] | None = None, shape: Index | None = None) -> Mismatch:
    """What a message means; with a stack and the shape of its input also where it breaks.  Raises `UserError`."""
    if len(message) > MOST_CHARACTERS:
        raise UserError(f"ERROR: has {len(message)} characters. Give the message alone, at most {MOST_CHARACTERS}.")
    flat = " ".join(message.split())
    for pattern in PATTERNS:
        if match := re.search(pattern.form, flat):
            found = pattern.explain(match)
            break
    else:
        raise UserError(
            "ERROR: is not a message about shapes that is known here. Give that of PyTorch or Keras as it is printed, "
            "such as: mat1 and mat2 shapes cannot be multiplied (32x400 and 256x120)"
        )
    if lines is None or shape is None:
        return found
    return _placed(found, lines, shape)


def _placed(found: Mismatch, lines: Sequence[Line], shape: Index) -> Mismatch:
    """The explanation with the line at which a stack breaks, and the changes that mend it there."""
    _, failure = trace(lines, shape)
    if failure is None:
        text = "The stack that is given has no such error with this input; the input of the failing call was another."
        return Mismatch(found.message, f"{found.cause} {text}", found.arrived, found.expected, found.fixes)
    arrived = _sizes(failure.arrived)
    where = f"It breaks at line {failure.line.number}, {failure.line.text}, where {arrived} arrives."
    fixes = list(_changes(failure, lines, shape)) or found.fixes
    return Mismatch(
        found.message,
        f"{found.cause} {where}",
        arrived,
        found.expected if failure.expected is None else str(failure.expected),
        tuple(dict.fromkeys(fixes))[:MOST_FIXES],
    )


def _changes(failure: Failure, lines: Sequence[Line], shape: Index) -> Iterator[str]:
    """Changes of a line, or of the input, after which a stack is whole."""
    text, expected = failure.line.text, failure.expected
    place = lines.index(failure.line)
    if expected is not None:
        changed = re.sub(rf"\b{expected}\b", str(failure.arrived[-1]), text, count=1)
        if _is_whole([*lines[:place], Line(failure.line.number, changed), *lines[place + 1 :]], shape):
            yield f"In line {failure.line.number}, write {changed}."
        before, _ = trace(lines[:place], shape)
        maps = next((step.output_shape for step in reversed(before) if len(step.output_shape or ()) > 1), None)
        flattened = next((line for line in lines[:place] if line.text.startswith("Flatten")), None)
        if maps and flattened and expected % maps[0] == 0:
            side = round((expected // maps[0]) ** (1 / (len(maps) - 1)))
            pooling = Line(flattened.number, f"AdaptiveAvgPool{len(maps) - 1}d({side})")
            at = lines.index(flattened)
            if _is_whole([*lines[:at], pooling, *lines[at:]], shape):
                sizes = " × ".join([str(side)] * (len(maps) - 1))
                yield f"Before Flatten, put {pooling.text}, which makes {maps[0]} × {sizes} = {expected}."
    around = min(SOUGHT, MOST_TRACED // len(lines))
    candidates = range(max(shape[-1] - around, 1), shape[-1] + around + 1)
    for size in sorted(candidates, key=lambda candidate: abs(candidate - shape[-1])):
        other = (shape[0], *[size] * (len(shape) - 1))
        if other != shape and _is_whole(lines, other):
            yield f"Give it an input of {_sizes(other)}."
            break


def _is_whole(lines: Sequence[Line], shape: Index) -> bool:
    return trace(lines, shape)[1] is None


def _sizes(shape: Sequence[object]) -> str:
    return " × ".join(map(str, shape))


def _numbers(text: str) -> list[int | None]:
    """The numbers of a printed shape; None for what it leaves open."""
    return [int(word) if word.isdecimal() and len(word) < 13 else None for word in re.findall(r"\d+|None", text)]


def _last(text: str) -> int:
    return next((number for number in reversed(_numbers(text)) if number is not None), 0)


def _features(arrived: int, expected: int, message: str, layer: str = "Linear", key: str = "in_features") -> Mismatch:
    """A fully connected layer with other features than arrive."""
    fixes = [f"Give the layer {key} = {arrived}."] if layer == "Linear" else []
    for channels in sorted(_common_channels(arrived, expected), reverse=True)[:2]:
        mine, its = isqrt(arrived // channels), isqrt(expected // channels)
        fixes.append(
            f"If the layer before has {channels} channels, {mine} × {mine} arrive where {its} × {its} were meant: put "
            f"AdaptiveAvgPool2d({its}) before Flatten, or give the input the size for which the layer was written."
        )
    cause = f"A fully connected layer has {expected} inputs, and each example arrives with {arrived} numbers."
    return Mismatch(message, cause, str(arrived), str(expected), tuple(fixes))


def _common_channels(first: int, second: int) -> Iterator[int]:
    """Numbers of channels with which both are square maps, not of a single channel."""
    for channels in range(2, min(first, second, 8192) + 1):
        if first % channels == 0 and second % channels == 0:
            sides = first // channels, second // channels
            if all(isqrt(side) ** 2 == side for side in sides):
                yield channels


def _channels(arrived: int, expected: int, message: str) -> Mismatch:
    cause = f"A convolution is made for {expected} input channels, and {arrived} arrive."
    fixes = [f"Give the layer in_channels = {arrived}.", f"Give the layer before out_channels = {expected}."]
    if (arrived, expected) == (1, 3):
        fixes.append("Repeat the grey image over three channels: x.repeat(1, 3, 1, 1).")
    fixes.append("If the channels are last, as in Keras, bring them to the front: x.permute(0, 3, 1, 2).")
    return Mismatch(message, cause, str(arrived), str(expected), tuple(fixes))


def _normalised(arrived: int, expected: int, message: str) -> Mismatch:
    cause = f"A batch normalisation is made for {expected} channels, and {arrived} arrive."
    fixes = (f"Give it num_features = {arrived}.", f"Give the layer before out_channels = {expected}.")
    return Mismatch(message, cause, str(arrived), str(expected), fixes)


def _window(arrived: list[int | None], kernel: list[int | None], message: str) -> Mismatch:
    cause = f"A window of {_sizes(kernel)} does not fit into a padded map of {_sizes(arrived)}: it has shrunk too far."
    lacking = max((k or 0) - (a or 0) for k, a in zip(kernel, arrived, strict=False)) if kernel and arrived else 0
    fixes = [
        f"Pad by {-(-lacking // 2)} more on each side.",
        f"Use a kernel of at most {_sizes([min(a or 0, k or 0) for k, a in zip(kernel, arrived, strict=False)])}.",
        "Give a larger input, or take a stride or a pooling out before.",
    ]
    return Mismatch(message, cause, _sizes(arrived), f"at least {_sizes(kernel)}", tuple(fixes))


def _empty(given: list[int | None], made: list[int | None], message: str) -> Mismatch:
    cause = f"A pooling makes a map of {_sizes(made)} out of {_sizes(given)}: nothing is left."
    fixes = (
        "Take this pooling, or one before it, out.",
        "Give a larger input: each halving needs a factor of 2.",
        "Use ceil_mode=True, which keeps a last window that hangs over the end.",
    )
    return Mismatch(message, cause, _sizes(given), "a map that holds a window", fixes)


def _joined(first: list[int | None], second: list[int | None], message: str) -> Mismatch:
    one, other = _sizes(first), _sizes(second)
    cause = f"Two maps are joined whose sizes differ: {one} and {other}."
    fixes = [
        "Give an input whose size is a multiple of all strides together: 32 for five halvings.",
        "Pad the smaller map, or crop the larger one, before they are joined.",
    ]
    known = [(a, b) for a, b in zip(first, second, strict=False) if a and b and a != b]
    if known and all(abs(a - b) == 1 for a, b in known):
        fixes.append(
            "In the transposed layer that enlarges, use output_padding=1: its output grows by the missing one."
        )
        cause += " A layer with a stride has halved an odd size, which rounds."
    return Mismatch(message, cause, other, one, tuple(fixes))


def _view(wanted: list[int | None], count: int, message: str) -> Mismatch:
    known = prod(number for number in wanted if number)
    cause = f"{count} elements cannot be arranged with {known} in each row."
    fixes = ["Use torch.flatten(x, 1), which takes whatever arrives."]
    factors = [batch for batch in (1, 2, 4, 8, 16, 32, 64, 128, 256) if count % batch == 0]
    if factors:
        per = ", ".join(f"{count // batch} in a batch of {batch}" for batch in factors[-3:])
        fixes.append(f"Write the number of elements of an example in place of {known}: {per}.")
    return Mismatch(message, cause, str(count), f"a multiple of {known}", tuple(fixes))


def _dimensions(shape: list[int | None], count: str, message: str) -> Mismatch:
    cause = f"The layer takes {count} axes, with channels and perhaps a batch, and {len(shape)} arrive."
    fixes = ("Add the batch's axis: x.unsqueeze(0).", "Add the channels' axis: x.unsqueeze(1) after the batch's.")
    return Mismatch(message, cause, _sizes(shape), f"{count} axes", fixes)


def _limit(key: str, given: str, rule: str, fix: str, message: str) -> Mismatch:
    return Mismatch(message, f"{key} is {given}, and {rule}.", given, rule, (fix,))


PATTERNS = (
    Pattern(
        r"mat1 and mat2 shapes cannot be multiplied \((\d{1,12})x(\d{1,12}) and (\d{1,12})x(\d{1,12})\)",
        lambda m: _features(int(m[2]), int(m[3]), m[0]),
    ),
    Pattern(
        r"expected axis -1 of input shape to have value (\d{1,12}),? but received input with shape " + NUMBERS,
        lambda m: (
            _features(_last(m[2]), int(m[1]), m[0], "Dense")
            if len(_numbers(m[2])) < 3
            else _channels(_last(m[2]), int(m[1]), m[0])
        ),
    ),
    Pattern(
        r"expected input" + NUMBERS + r" to have (\d{1,12}) channels, but got (\d{1,12}) channels",
        lambda m: _channels(int(m[3]), int(m[2]), m[0]),
    ),
    Pattern(
        r"Calculated padded input size per channel: " + NUMBERS + r"\. Kernel size: " + NUMBERS,
        lambda m: _window(_numbers(m[1]), _numbers(m[2]), m[0]),
    ),
    Pattern(
        r"Given input size: " + NUMBERS + r"\. Calculated output size: " + NUMBERS,
        lambda m: _empty(_numbers(m[1]), _numbers(m[2]), m[0]),
    ),
    Pattern(
        r"Computed output size would be negative\. Received: `?inputs?[._]shape="
        + NUMBERS
        + r"`?, `?kernel[._]shape="
        + NUMBERS,
        lambda m: _window(_numbers(m[1])[1:-1], _numbers(m[2])[:-2], m[0]),
    ),
    Pattern(
        r"[Nn]egative dimension size caused by subtracting (\d{1,12}) from (\d{1,12})",
        lambda m: _window([int(m[2])], [int(m[1])], m[0]),
    ),
    Pattern(
        r"size of tensor a \((\d{1,12})\) must match the size of tensor b \((\d{1,12})\)",
        lambda m: _joined([int(m[1])], [int(m[2])], m[0]),
    ),
    Pattern(
        r"Sizes of tensors must match except in dimension \d+\. Expected size (\d{1,12}) but got size (\d{1,12})",
        lambda m: _joined([int(m[1])], [int(m[2])], m[0]),
    ),
    Pattern(
        r"`Concatenate` layer requires inputs with matching shapes .*?\[" + NUMBERS + r", " + NUMBERS + r"\]",
        lambda m: _joined(_numbers(m[1])[1:-1], _numbers(m[2])[1:-1], m[0]),
    ),
    Pattern(
        r"Inputs have incompatible shapes\. Received shapes " + NUMBERS + r" and " + NUMBERS,
        lambda m: _joined(_numbers(m[1]), _numbers(m[2]), m[0]),
    ),
    Pattern(
        r"shape '" + NUMBERS + r"' is invalid for input of size (\d{1,12})",
        lambda m: _view(_numbers(m[1].replace("-1", "")), int(m[2]), m[0]),
    ),
    Pattern(
        r"Expected (\dD[^,]*?) input to \w+, but got input of size: " + NUMBERS,
        lambda m: _dimensions(_numbers(m[2]), m[1], m[0]),
    ),
    Pattern(
        r"expected (?:min_ndim|ndim)=(\d), found ndim=\d\. Full shape received: " + NUMBERS,
        lambda m: _dimensions(_numbers(m[2]), m[1], m[0]),
    ),
    Pattern(
        r"running_mean should contain (\d{1,12}) elements not (\d{1,12})",
        lambda m: _normalised(int(m[1]), int(m[2]), m[0]),
    ),
    Pattern(
        r"Padding size should be less than the corresponding input dimension, but got: "
        r"padding \((\d{1,12}), (\d{1,12})\) "
        r"at dimension \d of input " + NUMBERS,
        lambda m: _limit(
            "Copied padding",
            max(m[1], m[2], key=int),
            f"it is smaller than the map that it copies, here {_sizes(_numbers(m[3])[2:])}",
            "Pad by zeros or by replication, or pad less.",
            m[0],
        ),
    ),
    Pattern(
        r"pad should be at most half of (?:effective )?kernel size, but got (?:its )?pad(?:ding)?=(\d{1,12})",
        lambda m: _limit(
            "The padding of a pooling",
            m[1],
            "PyTorch allows half of the window",
            "Pad by a layer of its own before.",
            m[0],
        ),
    ),
    Pattern(
        r"output padding must be smaller than either stride or dilation, but got output_padding_height: (\d{1,12})",
        lambda m: _limit(
            "output_padding", m[1], "it is smaller than the stride or the dilation", "Use a smaller one.", m[0]
        ),
    ),
)
