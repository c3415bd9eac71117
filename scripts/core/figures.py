"""A figure's file becomes a valid `Figure`: its layers, with their sizes, and the values of input and output.

A file says what a figure shows, under PyTorch's names; every size that can be computed is.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path

from scripts.core import toml
from scripts.core.frames import check_extent
from scripts.core.keys import FigureFile, check, shown
from scripts.core.layers import Branches, Layer, Stack, Values
from scripts.core.parameters import VALUE_KEYS, single_layer, stacked_layers, transposed_layer
from scripts.core.toml import Document
from scripts.core.values import InputAndOperand, given, values_of
from scripts.core.variants import check_mask, deformable_output, offset_shape, partial_output
from scripts.errors import FigureError, LayerError, UserError

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,79}")
NAME_RULE = "has 1 to 80 letters, digits, _ and -, the first a letter or digit"
LONGEST_CHAIN = 20


@dataclass(frozen=True)
class Figure:
    """A valid figure.

    `layers` are one layer, or a stack in which each layer takes the output of the one before, perhaps with branches.
    `note` ends the caption, and the label under the drawing; it may be empty.  `view` is None if the file names none.
    Durations are in seconds.  `references` are the names of the figures that this one is derived from.  `frames` are
    those that are shown: so many, those with some numbers, or all; the view numbers them.  Values are None where the
    figure has none, as always in a stack.  `output_gradient` is that of a loss; with a `mask` or an `offset`, the
    output is that of a partial or a deformable convolution (scripts/core/variants.py).
    """

    name: str
    title: str
    note: str
    view: str | None
    layers: Stack
    frame_duration: float
    last_frame_duration: float
    references: tuple[str, ...]
    frames: int | tuple[int, ...] | None = None
    input_values: Values | None = None
    kernel_values: Values | None = None
    indices: Values | None = None
    output_values: Values | None = None
    output_gradient: Values | None = None
    mask: Values | None = None
    offset: Values | None = None

    @property
    def is_stack(self) -> bool:
        """Whether there are several layers."""
        return len(self.layers) > 1 or isinstance(self.layers[0], Branches)

    @property
    def layer(self) -> Layer:
        """The only layer; raises `LayerError` for a stack."""
        first, *others = self.layers
        if others or isinstance(first, Branches):
            raise LayerError("layers", f"is a stack of {len(self.layers)}", "Use a view of stacks, or a single layer")
        return first

    def shown(self, count: int, default: Sequence[int] | None = None) -> Sequence[int]:
        """The numbers of the frames that are shown, of the `count` frames that a view has.

        `default` are those that the view shows by itself, if these are not all.  Raises `LayerError` for numbers that
        it does not have.
        """
        if isinstance(self.frames, tuple):
            if max(self.frames) >= count:
                rule = f"has number {max(self.frames)}, but there are {count} frames"
                raise LayerError("frames", rule, f"Their numbers are 0 to {count - 1}")
            return self.frames
        numbers = range(count) if default is None else default
        if self.frames is None or self.frames >= len(numbers):
            return numbers
        last, parts = len(numbers) - 1, max(self.frames - 1, 1)
        return [numbers[part * last // parts] for part in range(self.frames)]


def load(file: Path, referrers: tuple[str, ...] = ()) -> Figure:
    """Read one figure; the figure that its `transpose_of` names is in the same folder.

    `referrers` are the figures whose `transpose_of` led here.  Raises `FigureError` with file, line, key and
    remedy, or `CombinedError` where several keys are wrong.
    """
    name = file.stem
    if not NAME.fullmatch(name):
        raise FigureError(file, f"a figure's name {NAME_RULE}. Rename the file.")
    return parsed(name, toml.read(file), file, lambda other: _original(file, other, (*referrers, name)))


def parsed(name: str, document: Document, source: Path | str, original: Callable[[str], Figure]) -> Figure:
    """The figure that a document describes; `original` finds the figure that its `transpose_of` names.

    Raises `FigureError` or `CombinedError`, which name the source.
    """
    content = check(document.table, source, document.line)
    try:
        transposed = None if content.transpose_of is None else original(content.transpose_of)
        return figure(name, content, transposed)
    except LayerError as error:
        raise FigureError(source, str(error), document.line(error.key)) from None


def load_all(files: Sequence[Path]) -> tuple[list[Figure], list[UserError]]:
    """Read many figures: the valid ones, and the errors of the others."""
    figures, errors = [], list[UserError]()
    for file in files:
        try:
            figures.append(load(file))
        except UserError as error:
            errors.append(error)
    return figures, errors


def _original(file: Path, name: str, referrers: tuple[str, ...]) -> Figure:
    """The figure that a file's `transpose_of` names."""
    if name in referrers:
        raise LayerError("transpose_of", f"{' → '.join((*referrers, name))} is a circle", "Give one its own sizes")
    if len(referrers) > LONGEST_CHAIN:
        raise LayerError("transpose_of", f"leads on over {LONGEST_CHAIN} figures", "Name one with its own sizes")
    other = file.with_name(f"{name}.toml") if NAME.fullmatch(name) else None
    if other is None or not other.is_file():
        names = [path.stem for path in file.parent.glob("*.toml") if NAME.fullmatch(path.stem)]
        near = get_close_matches(name, names, n=1)
        remedy = f"Did you mean {near[0]}?" if near else "Name a figure in the same folder"
        raise LayerError("transpose_of", f"there is no figure {shown(name)}", remedy)
    return load(other, referrers)


def figure(name: str, content: FigureFile, original: Figure | None = None) -> Figure:
    """A figure from its keys and the figure that its `transpose_of` names; raises `LayerError`."""
    values: dict[str, Values | None] = {}
    layers: Stack
    if content.layers is not None:
        layers = stacked_layers(content)
    else:
        layer = layer_of(content, original)
        layers, values = (layer,), _values(content, layer, original)
    return Figure(
        name=name,
        title=content.title,
        note=content.note,
        view=content.view,
        layers=layers,
        frame_duration=content.frame_duration,
        last_frame_duration=content.last_frame_duration,
        references=() if original is None else (original.name, *original.references),
        frames=tuple(content.frames) if isinstance(content.frames, list) else content.frames,
        **values,
    )


def layer_of(content: FigureFile, original: Figure | None = None) -> Layer:
    """The only layer that keys describe; raises `LayerError` where there is no such layer."""
    if original is None:
        return single_layer(content)
    if original.is_stack:
        raise LayerError("transpose_of", f"{original.name!r} is a stack of layers", "Name a figure of one layer")
    return transposed_layer(content, original.layer)


def _values(content: FigureFile, layer: Layer, original: Figure | None) -> dict[str, Values | None]:
    """The values of a figure by their fields."""
    inherited: InputAndOperand = (None, None) if original is None else _inherited(original)
    if content.model_fields_set & VALUE_KEYS or (original is not None and original.input_values is not None):
        check_extent(layer)
    input_values, operand_values = values_of(content, layer, inherited)
    operand = layer.operation.operand
    output_values = None if input_values is None else layer.output(input_values, operand_values)
    mask, offset = _variants(content, layer)
    if input_values is not None and operand_values is not None:
        if mask is not None:
            output_values = partial_output(layer, input_values, operand_values, mask)
        elif offset is not None:
            output_values = deformable_output(layer, input_values, operand_values, offset)
    return {
        "input_values": input_values,
        **({} if operand is None else {operand.key: operand_values}),
        "output_values": output_values,
        "output_gradient": given("output_gradient", content.output_gradient, layer.output_shape),
        "mask": mask,
        "offset": offset,
    }


def _variants(content: FigureFile, layer: Layer) -> tuple[Values | None, Values | None]:
    """The mask and the offset of a figure, of which it has one at most."""
    keys = [key for key in ("mask", "offset") if getattr(content, key) is not None]
    if len(keys) == 2:
        raise LayerError("offset", "is given beside a mask", "Remove one of the two keys")
    if keys and layer.channels is not None:
        raise LayerError(keys[0], "is given for a layer with channels", "Leave out in_channels and out_channels")
    if "offset" in keys and layer.padding_mode != "zeros":
        raise LayerError(
            "offset", f"is given beside padding_mode {layer.padding_mode}", "Samples need zeros as padding"
        )
    mask, offset = (
        given("mask", content.mask, layer.input_size),
        given("offset", content.offset, offset_shape(layer)),
    )
    if mask is not None:
        check_mask(mask)
    return mask, offset


def _inherited(original: Figure) -> InputAndOperand:
    """The values of (input, operand) that a figure takes from the one that it transposes."""
    transpose, values, output = original.layer.operation.transpose, original.input_values, original.output_values
    if transpose is None or values is None or output is None:
        return None, None
    return transpose.values(original.layer, values, original.kernel_values, output)
