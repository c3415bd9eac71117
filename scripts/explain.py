"""Explains a layer: its sizes worked by the report's relationships, its cost, its code, and what to know about it.

Writes `build/explain/NAME/NAME.pdf`, and the same as Markdown and JSON.
"""

import argparse
import json
from dataclasses import replace

from scripts import cli
from scripts.builds.explanation import Explanation
from scripts.core.figures import NAME, NAME_RULE, layer_of
from scripts.core.keys import check, title_of
from scripts.errors import FigureError, LayerError, UserError
from scripts.explaining.single import layer_sheet
from scripts.files import digest, only_build
from scripts.notation.frameworks import layer
from scripts.notation.sizes import channels_of, parse_size
from scripts.project import Project


def explain_layer(project: Project, options: argparse.Namespace) -> None:
    """Explain the layer on the command line; raises `UserError`."""
    if options.input is None:
        raise UserError("INPUT: is missing. Give the size of the layer's input, as in INPUT=5x7.")
    source = options.layer.strip()
    size = parse_size(options.input)
    try:
        found = layer(source, size)
        read = layer_of(check({"title": title_of(source, found.name), **found.keys}, source))
    except LayerError as error:
        raise FigureError(source, str(error)) from None
    keys = {"title": title_of(source, found.name), **found.keys}
    channels = channels_of(size, len(read.axes))
    numbers = "x".join(map(str, found.keys["input_size"]))
    name = options.name or f"{found.name[:50]}_{numbers[:20]}_{digest(json.dumps(found.keys))[:6]}"
    explanation = Explanation(project, name)
    drawing = explanation.draw(name, keys, source)
    sheet = replace(layer_sheet(project, name, source, read, channels), drawing=drawing)
    explanation.write("sheet", sheet)
    print(f"{source}\n  {sheet.words}")
    for remark in sheet.remarks:
        if remark.is_warning:
            print(f"  {remark.topic}. {remark.text}")
    print(f"  {explanation.outputs.top}: {name}.pdf, .md and .json")


def main() -> None:
    """Explain what the command line asks for."""
    options = _options()
    if options.name is not None and not NAME.fullmatch(options.name):
        raise UserError(f"NAME: cannot be {options.name!r}. A name {NAME_RULE}.")
    project = Project.current()
    if not options.layer:
        raise UserError('LAYER: is missing. Give one, as in: make explain LAYER="Conv2d(3, 8, 3)" INPUT=32')
    with only_build(project.base, quiet=False):
        explain_layer(project, options)


def _options() -> argparse.Namespace:
    command = cli.parser(__doc__)
    command.add_argument("--layer", help='such as "Conv2d(3, 8, 3)"')
    command.add_argument("--input", metavar="SIZE", help="the size of its input, such as 7, 5x7 or 1x3x224x224")
    command.add_argument("--name", help="of the files; by default the layer's own")
    return command.parse_args()


if __name__ == "__main__":
    cli.run(main)
