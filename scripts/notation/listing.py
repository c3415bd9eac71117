"""The layers of a model as a table, and those that are picked from it."""

from collections.abc import Sequence

from scripts.core.figures import layer_of
from scripts.core.keys import check
from scripts.errors import UserError
from scripts.notation.model_file import ModelLayer


def table(layers: Sequence[ModelLayer]) -> str:
    """The numbered layers of a model: operators, sizes that the model states, and why some of them cannot be drawn."""
    rows = [("", "layer", "operator", "input", "output", "channels", "")]
    for number, found in enumerate(layers, start=1):
        channels = "" if found.channels is None else " → ".join(map(str, found.channels))
        output, note = _output_size(found)
        rows.append((str(number), found.name, found.op_type, _open_sizes(found.input_size), output, channels, note))
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join("  ".join(map(str.ljust, row, widths)).rstrip() for row in rows)


def _output_size(found: ModelLayer) -> tuple[str, str]:
    """The size of a layer's output, and why it cannot be drawn, if it cannot."""
    stated = _open_sizes(found.output_size)
    if found.reason:
        return stated, f"not drawn: {found.reason}"
    if found.is_open:
        return stated, ""
    try:
        return _open_sizes(layer_of(check({"title": "Any", **found.named().keys}, found.name)).output_size), ""
    except UserError as error:
        return stated, f"not drawn: {str(error).removeprefix(f'{found.name}: ')}"


def _open_sizes(sizes: Sequence[int | None] | None) -> str:
    """Sizes of which a model may leave some open."""
    return " × ".join("?" if n is None else str(n) for n in sizes or ()) or "?"


def picked(layers: Sequence[ModelLayer], choice: str) -> list[ModelLayer]:
    """The layers that a choice names, by number or by name; raises `UserError`."""
    names = {one.name for one in layers}
    chosen = []
    for word in [choice] if choice in names else choice.replace(",", " ").split():
        found = [one for one in layers if one.name == word]
        if word.isdecimal() and 1 <= int(word) <= len(layers):
            found = found or [layers[int(word) - 1]]
        if not found:
            raise UserError(f"LAYER: the model has no layer {word!r}. It is a number or a name of the list.")
        chosen += found
    return chosen
