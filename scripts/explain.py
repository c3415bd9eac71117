"""Explains a layer: its sizes worked by the report's relationships, its cost, its code, and what to know about it.

Writes `build/explain/NAME/NAME.pdf`, and the same as Markdown and JSON.
"""

import argparse
import json
import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from scripts import cli
from scripts.builds.drawing import CHANNEL_KEYS
from scripts.builds.explanation import Explanation
from scripts.core.figures import NAME, NAME_RULE, layer_of
from scripts.core.keys import check, title_of
from scripts.errors import FigureError, LayerError, UserError
from scripts.explaining.chain import lines_of, stack_keys, trace
from scripts.explaining.description import Book
from scripts.explaining.messages import mismatch
from scripts.explaining.model import axes_of_model, model_steps
from scripts.explaining.network import Step, book
from scripts.explaining.single import layer_sheet
from scripts.files import digest, only_build
from scripts.notation.frameworks import layer
from scripts.notation.signature import Keys
from scripts.notation.sizes import channels_of, parse_size
from scripts.project import Project

# Of a file of layers.
MOST_BYTES = 1_000_000
# Frames of each layer's figure in a book.
SHOWN = 4


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


def explain_model(project: Project, options: argparse.Namespace) -> None:
    """Write a book about a model; raises `UserError`."""
    size = parse_size(options.input) if options.input else None
    steps, warnings, inputs = model_steps(options.onnx, size)
    name = options.name or (re.sub("[^A-Za-z0-9_-]+", "_", options.onnx.stem).strip("_-")[:60] or "model")
    _write_book(project, book(project, name, options.onnx.name, steps, warnings, axes_of_model(steps), inputs), steps)


def explain_error(project: Project, options: argparse.Namespace) -> None:
    """Explain an error message, with the stack that it is about if one is given; raises `UserError`."""
    lines = lines_of(_text(options.layers)) if options.layers is not None else None
    shape = _shape(options.input) if lines is not None else None
    found = mismatch(options.error, lines, shape)
    name = options.name or f"error_{digest(options.error)[:6]}"
    Explanation(project, name).write("mismatch", found)
    print(cli.printable(f"{found.cause}\n  arrived: {found.arrived}\n  expected: {found.expected}"))
    for fix in found.fixes:
        print(cli.printable(f"  - {fix}"))


def explain_stack(project: Project, options: argparse.Namespace) -> None:
    """Write a book about a stack of layers, one a line; raises `UserError`."""
    file, shape = options.layers, _shape(options.input)
    steps, failure = trace(lines_of(_text(file)), shape)
    if failure is not None:
        arrived = " × ".join(map(str, failure.arrived))
        problem = f"{failure.line.text}, where {arrived} arrives: {failure.error}"
        raise FigureError(file, problem, failure.line.number)
    name = options.name or (re.sub("[^A-Za-z0-9_-]+", "_", file.stem).strip("_-")[:60] or "stack")
    written = book(project, name, file.name, steps, (), len(shape) - 1, ["input"])
    _write_book(project, written, steps, stack_keys(steps, shape[-1], file.name))


def _shape(text: str | None) -> tuple[int, ...]:
    """The shape of a stack's input, with channels and without a batch; raises `UserError`."""
    shape = parse_size(text) if text else ()
    if len(shape) < 3 or min(shape) < 1:
        raise UserError("INPUT: is missing. A stack takes it with batch and channels, as in INPUT=1x3x32x32.")
    return shape[1:]


def _text(file: Path) -> str:
    """The text of a file of layers; raises `UserError`."""
    if not file.is_file() or file.stat().st_size > MOST_BYTES:
        raise FigureError(file, f"is not a file of at most {MOST_BYTES} bytes. Name a text file with one layer a line.")
    try:
        return file.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        raise FigureError(file, "is not UTF-8 text. Name a text file with one layer a line.") from None


def _write_book(project: Project, written: Book, steps: Sequence[Step], stack: Keys | None = None) -> None:
    """Draw the layers of a book and write it; figures that differ in their channels alone are drawn once.

    `stack` are the keys of a figure of all of them.
    """
    explanation = Explanation(project, written.name)
    by_layer = {step.name: step for step in steps}
    wanted, names = dict[str, tuple[Keys, str]](), list[str]()
    for section in written.sections:
        step = by_layer[section.places[0]]
        keys = {key: value for key, value in (step.keys or {}).items() if key not in CHANNEL_KEYS}
        names.append(f"layer_{digest(json.dumps(keys))[:12]}")
        wanted[names[-1]] = ({"title": title_of(step.source, "Layer"), "frames": SHOWN, **keys}, step.source)
    if stack is not None:
        wanted["all_layers"] = (stack, written.source)
    drawings = explanation.draw_all(wanted)
    sections = (
        replace(section, sheet=replace(section.sheet, drawing=drawings[name]))
        for section, name in zip(written.sections, names, strict=True)
    )
    explanation.write("book", replace(written, sections=tuple(sections), drawing=drawings.get("all_layers")))
    print(f"{written.source}: {len(written.rows)} steps, {len(written.sections)} distinct layers")
    for warned in written.warnings:
        more = f" and {len(warned.places) - 1} more" if len(warned.places) > 1 else ""
        print(cli.printable(f"  {warned.places[0]}{more}: {warned.remark.topic}. {warned.remark.text}"))
    unread: dict[str, list[str]] = {}
    for row in written.rows:
        if row.problem:
            unread.setdefault(row.problem, []).append(row.name)
    for problem, names in unread.items():
        print(cli.printable(f"  could not be read: {', '.join(names)}: {problem}"))
    print(f"  {explanation.outputs.top}: {written.name}.pdf, .md and .json")


def main() -> None:
    """Explain what the command line asks for."""
    options = _options()
    if options.name is not None and not NAME.fullmatch(options.name):
        raise UserError(f"NAME: cannot be {options.name!r}. A name {NAME_RULE}.")
    project = Project.current()
    if options.error is not None:
        with only_build(project.base, quiet=False):
            explain_error(project, options)
        return
    if options.layers is not None:
        with only_build(project.base, quiet=False):
            explain_stack(project, options)
        return
    if options.onnx is not None:
        with only_build(project.base, quiet=False):
            explain_model(project, options)
        return
    if not options.layer:
        raise UserError('LAYER: is missing. Give one, as in: make explain LAYER="Conv2d(3, 8, 3)" INPUT=32')
    with only_build(project.base, quiet=False):
        explain_layer(project, options)


def _options() -> argparse.Namespace:
    command = cli.parser(__doc__)
    command.add_argument("--layer", help='such as "Conv2d(3, 8, 3)"')
    command.add_argument("--input", metavar="SIZE", help="the size of its input, such as 7, 5x7 or 1x3x224x224")
    command.add_argument("--layers", type=Path, metavar="FILE", help="a stack: one layer a line")
    command.add_argument("--error", metavar="TEXT", help="a framework's error message about shapes")
    command.add_argument("--onnx", type=Path, metavar="FILE", help="a model, about which a book is written")
    command.add_argument("--name", help="of the files; by default the layer's own")
    return command.parse_args()


if __name__ == "__main__":
    cli.run(main)
