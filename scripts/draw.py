"""Draws layers written as in PyTorch, Keras or ONNX, without a figure's file.

With --file, draws the figure of a picture again, as the recipe in that file says.
Writes `build/draw/NAME/NAME.gif`, the frames as PDF, PNG and TikZ beside it, and `NAME.toml`, which can be put into
`figures/`.
"""

import argparse
import json
import re
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from scripts import cli
from scripts.builds.drawing import make, whole_or_excerpt
from scripts.builds.figure import formats_of
from scripts.core.figures import NAME, NAME_RULE, layer_of
from scripts.core.keys import check, title_of
from scripts.core.layers import Index
from scripts.errors import CombinedError, FigureError, LayerError, UserError
from scripts.files import digest, only_build
from scripts.formats import FORMATS
from scripts.notation import model_file
from scripts.notation.frameworks import layer
from scripts.notation.listing import picked, table
from scripts.notation.signature import NamedLayer
from scripts.notation.sizes import parse_size
from scripts.project import Project
from scripts.recipes.reading import figure_of, opened, with_keys

MOST_FRAMES = 1000


def draw(project: Project, found: NamedLayer, source: str, name: str, wanted: argparse.Namespace) -> None:
    """Draw a layer; print its sizes, its caption and its folder.

    `source` is the text that it comes from, `wanted` the options of the command.  Raises `UserError`.
    """
    keys = {"title": title_of(source, name), **found.keys, **_asked(wanted)}
    try:
        layer = layer_of(check(keys, source))
        print(f"{source}\n  input {_sizes(layer.input_shape)}, output {_sizes(layer.output_shape)}", flush=True)
        drawn, text, note = whole_or_excerpt(name, keys, source)
        if note:
            print(f"  {note}")
        make(project, drawn, {name: text}, wanted.formats or ["gif"])
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
    changed = "" if picture.is_intact else ", but the file or its recipe has been changed since"
    print(cli.printable(f"{wanted.file}, made by version {recipe.version}{changed}"), flush=True)
    with only_build(project.base, quiet=False):
        try:
            make(project, drawn, texts, wanted.formats or formats_of(recipe, wanted.file))
        except LayerError as error:
            raise FigureError(wanted.file, str(error)) from None


def _asked(wanted: argparse.Namespace) -> dict[str, Any]:
    """The keys of a figure's file that options of the command give."""
    options = (("values", wanted.values), ("view", wanted.view), ("frames", wanted.frames))
    return {key: value for key, value in options if value}


def _sizes(shape: Index) -> str:
    return " × ".join(map(str, shape))


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
