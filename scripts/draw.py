"""Draws layers written as in PyTorch, Keras or ONNX, without a figure's file.

With --file, draws the figure of a picture again, as the recipe in that file says.
Writes `build/draw/NAME/NAME.gif`, the frames as PDF, PNG and TikZ beside it, and `NAME.toml`, which can be put into
`figures/`.
"""

import argparse
import json
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from scripts import cli
from scripts.builds.figure import FigureBuild, formats_of
from scripts.core.figures import NAME, NAME_RULE, Figure, figure, layer_of
from scripts.core.keys import check, title_of
from scripts.core.layers import Index
from scripts.errors import CombinedError, FigureError, LayerError, UserError
from scripts.files import digest, only_build, write_whole
from scripts.formats import FORMATS
from scripts.notation import model_file
from scripts.notation.frameworks import layer
from scripts.notation.model_file import ModelLayer
from scripts.notation.signature import NamedLayer
from scripts.notation.sizes import parse_size
from scripts.project import Project
from scripts.recipes.reading import figure_of, opened, with_keys
from scripts.stages.render import caption
from scripts.stages.typeset import TexFormat
from scripts.views import scene_of
from scripts.views.limits import longest

CHANNEL_KEYS = ("in_channels", "out_channels", "groups")
# The keys of what is too large, where a layer exists but cannot be drawn.
SIZE_KEYS = ("input_size", "kernel_size")
# Cells along an axis that can be told apart where a figure is as wide as a column of text.
MOST_READABLE = 40
MOST_FRAMES = 1000


def draw(project: Project, found: NamedLayer, source: str, name: str, wanted: argparse.Namespace) -> None:
    """Draw a layer; print its sizes, its caption and its folder.

    `source` is the text that it comes from, `wanted` the options of the command.  Raises `UserError`.
    """
    keys = {"title": title_of(source, name), **found.keys, **_asked(wanted)}
    try:
        layer = layer_of(check(keys, source))
        print(f"{source}\n  input {_sizes(layer.input_shape)}, output {_sizes(layer.output_shape)}", flush=True)
        drawn, text = _whole_or_excerpt(name, keys, source)
        _make(project, drawn, {name: text}, wanted.formats or ["gif"])
    except LayerError as error:
        raise FigureError(source, str(error)) from None


def draw_again(wanted: argparse.Namespace) -> None:
    """Draw the figure of a picture as its recipe says, but for the options of the command; raises `UserError`."""
    picture = opened(wanted.file)
    recipe, name = picture.recipe, wanted.name or picture.recipe.name
    project = Project.current(recipe.options)
    texts = {name: with_keys(recipe.figures[recipe.name], _asked(wanted))}
    if name in picture.figure.references:
        raise UserError(f"NAME: cannot be {name!r}. The figure refers to another one of that name.")
    texts |= {reference: recipe.figures[reference] for reference in picture.figure.references}
    drawn = figure_of(texts, str(wanted.file))
    print(cli.printable(f"{wanted.file}, made by version {recipe.version}"), flush=True)
    with only_build(project.base, quiet=False):
        try:
            _make(project, drawn, texts, wanted.formats or formats_of(recipe, wanted.file))
        except LayerError as error:
            raise FigureError(wanted.file, str(error)) from None


def _asked(wanted: argparse.Namespace) -> dict[str, Any]:
    """The keys of a figure's file that options of the command give."""
    options = (("values", wanted.values), ("view", wanted.view), ("frames", wanted.frames))
    return {key: value for key, value in options if value}


def _make(project: Project, drawn: Figure, texts: Mapping[str, str], wanted: Sequence[str]) -> None:
    """Draw a figure in some formats, with its file and those that it refers to, whose `texts` are given by name."""
    outputs = project.drawing(drawn.name)
    formats = list(dict.fromkeys(one for asked in wanted for one in (*FORMATS[asked].beside, asked)))
    tex_format = TexFormat(project)
    tex_format.check_tools()
    sources = {name: text.encode() for name, text in texts.items()}
    build = FigureBuild(project, drawn, f"_draw_{drawn.name}", formats, outputs, sources, tex_format.fingerprint)
    files = {outputs.top / f"{name}.toml": text for name, text in texts.items()}
    changed = [file for file, text in files.items() if file.is_file() and file.read_text(encoding="utf-8") != text]
    if changed:
        print(f"  replaces what {changed[0]} says, a drawing of the same name")
        _delete(build, files)
    build.render()
    try:
        tex_format.make()
        build.typeset()
        build.make_formats()
    except UserError:
        _delete(build, files)
        raise
    for file, text in files.items():
        write_whole(file, text)
    frames = f"{build.count} frame{'s' if build.count > 1 else ''}"
    print(f"  {caption(project, drawn)}\n  {outputs.top}: {frames}, as {', '.join(formats)}, TikZ and TOML")


def _whole_or_excerpt(name: str, keys: Mapping[str, Any], source: str) -> tuple[Figure, str]:
    """The figure of a layer and the text of its file: an excerpt if it is too large to be drawn, or read, whole.

    A view that is asked for draws the whole layer.  Raises `LayerError`.
    """
    try:
        whole = _drawable(name, keys, source)
        cells = longest(whole[0].layer)
        if "view" in keys or cells <= MOST_READABLE:
            return whole
        reason = f"has an axis of {cells} cells"
    except LayerError as error:
        if "view" in keys or error.key not in SIZE_KEYS:
            raise
        reason = error.rule
    without = {key: value for key, value in keys.items() if key != "values"}
    found = _drawable(name, without | {"view": "excerpt"}, source)
    numbers = ", without values" if "values" in keys else ""
    print(f"  too large to be drawn whole ({reason}): an excerpt{numbers}")
    return found


def _drawable(name: str, keys: Mapping[str, Any], source: str) -> tuple[Figure, str]:
    """The figure of a layer, with all channels if its view draws them, else with one; and the text of its file.

    Raises `LayerError` if the view draws neither.
    """
    channels = {key: value for key, value in keys.items() if key in CHANNEL_KEYS}
    single = one_channel(keys)
    note = f"\n# One of its channels; for all of them, add:\n{_toml(channels, '# ')}" if channels else ""
    whole_error = None
    if channels:
        try:
            whole = figure(name, check(dict(keys), source))
            scene_of(whole)
        except LayerError as error:
            whole_error = error
        else:
            return whole, _toml(keys)
    drawn = figure(name, check(single, source))
    try:
        scene_of(drawn)
    except LayerError as error:
        # A view that draws channels may refuse them for another reason, such as their number.
        raise (whole_error if whole_error and whole_error.key != "view" == error.key else error) from None
    return drawn, _toml(single) + note


def one_channel(keys: Mapping[str, Any]) -> dict[str, Any]:
    """The keys of one of a layer's channels, with a note of how many the layer has."""
    single = {key: value for key, value in keys.items() if key not in CHANNEL_KEYS}
    if single.keys() == keys.keys():
        return single
    ins, outs, groups = (keys.get(key, 1) for key in CHANNEL_KEYS)
    grouped = f", in {groups} groups" if groups > 1 else ""
    note = f"One channel is shown, of {ins} in and {outs} out{grouped}."
    return single | {"note": " ".join(filter(None, (note, keys.get("note"))))}


def _delete(build: FigureBuild, files: Iterable[Path]) -> None:
    """Delete a drawing's files, and those that describe it."""
    build.record.forget()
    for file in files:
        file.unlink(missing_ok=True)


def _sizes(shape: Index) -> str:
    return " × ".join(map(str, shape))


def _toml(keys: Mapping[str, Any], prefix: str = "") -> str:
    """Keys as lines of TOML, whose numbers, lists, strings and booleans are written as in JSON."""
    return "".join(f"{prefix}{key} = {json.dumps(value)}\n" for key, value in keys.items())


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
        return _sizes(layer_of(check({"title": "Any", **found.named().keys}, found.name)).output_size), ""
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


def parse_frames(text: str) -> int | list[int]:
    """A number of frames such as 8, or the frames of ranges such as 0-3 24; raises `UserError`."""
    words = text.replace(",", " ").split()
    if (
        not words
        or not all(re.fullmatch(r"\d{1,9}(-\d{1,9})?", word, re.ASCII) for word in words)
        or text.strip() == "0"
    ):
        raise UserError(f"FRAMES: cannot be {text!r}. It is how many, such as 8, or which, such as 0-9 or 0-3 24.")
    if len(words) == 1 and "-" not in text:
        return int(text)
    ranges = [range(int(first), int(last or first) + 1) for first, _, last in (word.partition("-") for word in words)]
    if not all(ranges) or sum(map(len, ranges)) > MOST_FRAMES:
        raise UserError(f"FRAMES: cannot be {text!r}. Ranges count upwards, over at most {MOST_FRAMES} frames.")
    return [number for one in ranges for number in one]


def main() -> None:
    """Draw the layers on the command line, or list those of a model."""
    options = _options()
    if options.name is not None and not NAME.fullmatch(options.name):
        raise UserError(f"NAME: cannot be {options.name!r}. A name {NAME_RULE}.")
    if options.values not in (None, "random"):
        raise UserError(f"VALUES: cannot be {options.values!r}. It is random, or left out.")
    for one in [""] if options.formats == [] else options.formats or ():
        if one not in FORMATS:
            raise UserError(f"FORMATS: cannot be {one!r}. They are among {', '.join(FORMATS)}.")
    options.frames = parse_frames(options.frames) if options.frames is not None else None
    if options.file is not None:
        if options.layer or options.input or options.onnx:
            raise UserError("FILE: has a layer of its own. Leave out LAYER, INPUT and ONNX.")
        draw_again(options)
        return
    size = parse_size(options.input) if options.input else None
    if options.onnx is None:
        if not options.layer:
            raise UserError('LAYER: is missing. Give one, as in: make draw LAYER="Conv2d(1, 1, 3)" INPUT=5x7')
        if size is None:
            raise UserError("INPUT: is missing. Give the size of the layer's input, as in INPUT=5x7.")
        try:
            work = [(layer(options.layer, size), options.layer.strip())]
        except LayerError as error:
            raise FigureError(options.layer.strip(), str(error)) from None
    else:
        layers = model_file.layers(options.onnx)
        if not options.layer:
            print(table(layers) if layers else f"{options.onnx}: has no convolution and no pooling.")
            return
        work = [(one.named(size), one.name) for one in picked(layers, options.layer)]
    _draw_all(work, options)


def _options() -> argparse.Namespace:
    command = cli.parser(__doc__)
    command.add_argument("--layer", help='such as "Conv2d(1, 1, 3)"; with --onnx numbers or names of the list')
    command.add_argument("--input", metavar="SIZE", help="the size of its input, such as 7, 5x7 or 4x5x5")
    command.add_argument("--onnx", type=Path, metavar="FILE", help="a model; without --layer its layers are listed")
    command.add_argument("--file", type=Path, help="a picture of this project, whose figure is drawn again")
    command.add_argument(
        "--name", help="of the files; by default the layer's own, its input size and a digest of its parameters"
    )
    command.add_argument("--values", metavar="random", help="fill in small integers")
    command.add_argument("--view", help="how it is drawn: a view of scripts/views/")
    command.add_argument("--frames", help="how many frames, such as 8, or which, such as 0-9 or 0-3 24")
    command.add_argument("--formats", type=str.split, help='such as "gif svg" (default: gif, or that of --file)')
    return command.parse_args()


def _draw_all(work: Sequence[tuple[NamedLayer, str]], options: argparse.Namespace) -> None:
    project, problems, used = Project.current(), list[UserError](), Counter[str]()
    with only_build(project.base, quiet=False):
        for found, source in work:
            size = "x".join(map(str, found.keys["input_size"]))
            # The layer's parameters are in the digest, so that no other layer has the name.
            wanted = options.name or f"{found.name[:50]}_{size[:20]}_{digest(json.dumps(found.keys))[:6]}"
            used[wanted] += 1
            name = wanted if used[wanted] == 1 else f"{wanted[:70]}_{used[wanted]}"
            try:
                draw(project, found, source, name, options)
            except UserError as error:
                problems.append(error)
    if problems:
        raise CombinedError(problems)


if __name__ == "__main__":
    cli.run(main)
