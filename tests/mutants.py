"""Deliberate errors in what is drawn and written, one at a time: a test has to fail at each.

    .venv/bin/python -m tests.mutants [WORD ...]

prints which test catches each mutant, of all or of those with one of the words in their file or texts.  The exit
status is 1 if any survives.  The list stays true: a mutant's old text occurs exactly once in its file.
"""

import contextlib
import io
import multiprocessing
import os
import shutil
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

import hypothesis
import pytest

# What the tests import from elsewhere: imported once here, instead of once for each mutant.
for module in ("jinja2", "numpy", "onnx.helper", "onnxruntime", "PIL.Image", "pydantic", "sympy"):
    with contextlib.suppress(ImportError):
        __import__(module)

TOP = Path(__file__).parents[1]
COPIED = ("scripts", "templates", "tests", "figures", "report", "pyproject.toml")


class Mutant(NamedTuple):
    """An error: in a file, `new` instead of `old`."""

    file: str
    old: str
    new: str

    def __str__(self) -> str:
        return f"{self.file}: {' '.join(self.old.split())} → {' '.join(self.new.split()) or '(nothing)'}"


MAPS = "templates/maps.tex.j2"
WORDS = "templates/words.j2"
CAPTION = "templates/caption.txt.j2"
STEP = "templates/step.tex.j2"
DOCUMENT = "templates/figure.tex.j2"
REPORT = "templates/figures.tex.j2"
STYLES = "templates/styles.tex"
FILLING = "scripts/stages/templates.py"
GEOMETRY = "scripts/views/maps.py"
VIEWS = "scripts/views/__init__.py"
SCENE = "scripts/views/scene.py"
GIF = "scripts/formats/gif.py"


def view(name: str) -> tuple[str, str]:
    """The module and the template of a view."""
    return f"scripts/views/{name}.py", f"templates/views/{name}.tex.j2"


PLANE, PLANE_LOOKS = view("plane")
NUMERICAL, NUMERICAL_LOOKS = view("numerical")
KERNEL, KERNEL_LOOKS = view("kernel")
WIRING, WIRING_LOOKS = view("wiring")
SUBSAMPLING, SUBSAMPLING_LOOKS = view("subsampling")
POSITIONS, POSITIONS_LOOKS = view("positions")
OVERLAP, OVERLAP_LOOKS = view("overlap")
SUMS, SUMS_LOOKS = view("sums")
MATRIX, MATRIX_LOOKS = view("matrix")
SCATTER, SCATTER_LOOKS = view("scatter")
IM2COL, IM2COL_LOOKS = view("im2col")
STACK, STACK_LOOKS = view("stack")
PYTORCH, KERAS, JAX, ONNX = (f"scripts/notation/{name}.py" for name in ("pytorch", "keras", "jax", "onnx"))
CALL = "scripts/notation/call.py"

# The tests that are run, by the beginning of a mutant's file: what pictures and captions mean, then their text.
PICTURES = ("tests/test_pictures.py", "tests/test_view_pictures.py", "tests/test_render.py")
TESTS = {
    PLANE: PICTURES[:1],
    PLANE_LOOKS: PICTURES[:1],
    NUMERICAL: PICTURES[:1],
    NUMERICAL_LOOKS: PICTURES[:1],
    GEOMETRY: PICTURES,
    VIEWS: PICTURES,
    SCENE: ("tests/test_formats.py",),
    "scripts/views/": PICTURES[1:2],
    "templates/views/": PICTURES[1:2],
    REPORT: PICTURES[1:2],
    "scripts/notation/": ("tests/test_notation.py",),
    "scripts/formats/": ("tests/test_formats.py",),
    "": PICTURES,
}

ERRORS: dict[str, list[tuple[str, str]]] = {
    MAPS: [
        # Columns and rows confused.
        ("(<< block.column >>,<< block.row >>) << verb >>", "(<< block.row >>,<< block.column >>) << verb >>"),
        ("+(<< block.columns >>,<< block.rows >>)", "+(<< block.rows >>,<< block.columns >>)"),
        (r"\fill[output] (0,0) rectangle (<< map.columns >>,<< map.rows >>)",
         r"\fill[output] (0,0) rectangle (<< map.rows >>,<< map.columns >>)"),
        ("<< block.column + block.columns >>,<< block.row + block.rows >>",
         "<< block.row + block.rows >>,<< block.column + block.columns >>"),
        (r"\draw[cropped] (0,0) grid (<< map.columns >>,<< map.rows >>)",
         r"\draw[cropped] (0,0) grid (<< map.rows >>,<< map.columns >>)"),
        ("{<< cell.column + 0.5 >>}{<< cell.row + 0.5 >>}", "{<< cell.row + 0.5 >>}{<< cell.column + 0.5 >>}"),
        # Cells of the wrong kind.
        ('path("rectangle", map.cropped)', 'path("rectangle", map.kept)'),
        (r'  \fill[papercolor]<< path("rectangle", map.kept) >>', ""),
        ("if map.copied != map.input", "if map.copied == map.input"),
        ('path("rectangle", map.copied)', 'path("rectangle", map.input)'),
        ("if map.kept != map.input", "if map.kept == map.input"),
        (r'\draw[padding]<< path("grid", map.kept) >>', r'\draw[padding]<< path("rectangle", map.kept) >>'),
        (r"\draw[padding]", r"\draw[outline]"),
        (r"\draw[overhang]", r"\draw[padding]"),
        (r'\fill[input]<< path("rectangle", map.input) >>', r'\fill[input]<< path("rectangle", map.kept) >>'),
        (r'\draw[outline]<< path("grid", map.input) >>', r'\draw[outline]<< path("grid", map.kept) >>'),
        ('whole = (1, 1, "0pt"', 'whole = (2, 2, "0pt"'),
        # The layer's parameters.
        ("<% if scene.parameters %>", "<% if scene %>"),
        ("<% if scene.equivalent %>", "<% if layer.transposed %>"),
        ('"" if layer.weighted and not layer.transposed', '"" if layer.weighted'),
        (r", rotated 180\textdegree", ""),
        ('<< words.per_axis(axes, "stride") | tex >> & << words.per_axis(direct, "stride") | tex >>',
         '<< words.per_axis(direct, "stride") | tex >> & << words.per_axis(axes, "stride") | tex >>'),
        ('inputs << words.per_axis(direct, "input_dilation")', 'inputs << words.per_axis(direct, "dilation")'),
        ('axes | map(attribute="stride") | max > 1', 'axes | map(attribute="stride") | min > 1'),
        ("<< words.padding(axes) | tex >> & << words.padding(direct) | tex >>",
         "<< words.padding(direct) | tex >> & << words.padding(axes) | tex >>"),
        ('map(attribute="output_padding") | max > 0', 'map(attribute="output_padding") | max > 1'),
        ('<< words.per_axis(axes, "dilation") | tex >> &', '<< words.per_axis(axes, "stride") | tex >> &'),
    ],
    WORDS: [
        ('"%.12g" | format(value + 0)', '"%.3g" | format(value + 0)'),
        ('"%.12g" | format(value + 0)', '"%.12g" | format(value)'),
        ('"−∞" if value == -infinity', '"−∞" if value == infinity'),
        ('format(value)) | replace("-", "−")', "format(value))"),
        ("value | rounded(decimals)", "value | rounded(1)"),
        ('text.lstrip("-") if text | float == 0', "text if text | float == 0"),
        ('<< values | join(" × ") >>', '<< values | reverse | join(" × ") >>'),
        ("words | unique | list | length == 1", "words | unique | list | length >= 1"),
        ("number if number >= 0", "number if number > 0"),
        ('"−%d (cropped)" % -number', '"%d (cropped)" % -number'),
        ("<< side(pairs[0][0]) >> before, << side(pairs[0][1]) >> after",
         "<< side(pairs[0][1]) >> before, << side(pairs[0][0]) >> after"),
        ("(<< side(before) >>, << side(after) >>)", "(<< side(after) >>, << side(before) >>)"),
        ('map("length") | max == 1', 'map("length") | min == 1'),
        ("if sides | length == 1", "if sides | length >= 1"),
        ('"counted" if layer.count_include_pad else "not counted"',
         '"not counted" if layer.count_include_pad else "counted"'),
        ('layer.padding_mode != "zeros"', 'layer.padding_mode == "reflect"'),
        ('layer.reduction == "maximum" %> (−∞)', 'layer.reduction == "norm" %> (−∞)'),
        ("<% if not sides %>", "<% if sides %>"),
        ('"kernel_size" in layer.operation.keys', '"dilation" in layer.operation.keys'),
        ('"kernel " if layer.weighted else "window "', '"window " if layer.weighted else "kernel "'),
        ('parts.append("stride " ~ per_axis(axes, "stride"))', 'parts.append("stride " ~ per_axis(axes, "dilation"))'),
        ('if axes | map(attribute="dilation") | max > 1', 'if axes | map(attribute="dilation") | min > 1'),
        ('parts.append("dilation " ~ per_axis(axes, "dilation"))', 'parts.append("dilation " ~ axes[0].dilation)'),
        ('"output padding " ~ per_axis(axes, "output_padding")', '"output padding " ~ per_axis(axes, "stride")'),
        ('"norm " ~ number(layer.norm)', '"norm " ~ layer.norm | int'),
        ("if layer.ceil_mode", "if not layer.ceil_mode"),
        ("layer.channels.groups > 1", "layer.channels.groups > 2"),
        ('"" if channels == 1 else "s"', '"s" if channels == 1 else ""'),
    ],
    CAPTION: [
        ("<< description[0] | upper >>", "<< description[0] >>"),
        ("<< layer.operation.words >>", "<< layer.operation.name >>"),
        ("an input of << words.map_size(layer.input_size,", "an input of << words.map_size(layer.output_size,"),
        ("layer.channels.in_channels if", "layer.channels.out_channels if"),
        ("stride 1, padding << words.padding(direct) >>", "stride 1, padding << words.padding(axes) >>"),
        ('inputs << words.per_axis(direct, "input_dilation")', 'inputs << words.per_axis(direct, "stride")'),
        (', dilation << words.per_axis(direct, "dilation") >>', ', dilation << direct[0].dilation >>'),
        ('parts[:-1] | join(", ")', 'parts[1:] | join(", ")'),
        ("<%- if scene.equivalent %>", "<%- if layer.transposed %>"),
        ("<%- if scene.sentence %>", "<%- if not scene.sentence %>"),
        ("A stack of << figure.layers | length >>", "A stack of << figure.layers[1:] | length >>"),
        ("figure.layers[0].input_size", "figure.layers[-1].input_size"),
        ("figure.layers[-1].output_size", "figure.layers[0].output_size"),
        ("<% for layer in figure.layers %>", "<% for layer in figure.layers | reverse %>"),
    ],
    STEP: [
        ("<< view.above(still) >>", "<< view.below(still) >>"),
        ("<< view.moving(still, frame) >>", "<< view.moving(still, scene.steps[0]) >>"),
        ("<< view.result(still, frame) >>", ""),
        ("<< maps.parameters(scene) >>", "<< figure.title >>"),
    ],
    DOCUMENT: [
        ("scene.steps[:most]", "scene.steps[-most:]"),
        ("<< loop.index0 % columns >>", "<< loop.index0 // columns >>"),
        ("<% if loop.first %>", "<% if loop.last %>"),
        ("% Step << loop.index >>.\n\\begin{framepage}\n\\usebox\\belowbox",
         "% Step << loop.index >>.\n\\begin{framepage}\n"),
        ("<< overlay(view.moving(still, step)) >>", "<< overlay(view.moving(still, scene.steps[0])) >>"),
        ("<< overlay(view.result(still, step)) >>", "<< overlay(view.result(still, scene.steps[0])) >>"),
        ("<< overlay(view.above(still), options) >>", "<< overlay(view.below(still), options) >>"),
        ("<< maps.parameters(scene) >>", ""),
    ],
    REPORT: [
        ("of << scene.count >> steps.", "of << shown >> steps."),
        ('if shown > 1 >>of', 'if shown >= 1 >>of'),
        ("if scene.count > shown", "if scene.count >= shown"),
        ("view.strip[1]", "view.strip[0]"),
        ("{<< caption | tex >>", "{<< caption >>"),
        ("(scene.alternative or caption)", "(caption or scene.alternative)"),
    ],
    STYLES: [
        ("draw=outlinecolor!50!papercolor, dash pattern=on 0.4pt off 1.6pt", "draw=outlinecolor!50!papercolor"),
        ("cropped input/.style={fill=inputcolor!20!papercolor}", "cropped input/.style={fill=inputcolor}"),
        ("flat/.style={cm={0.7,0,0,-0.7,(0,0)}}", "flat/.style={cm={0.7,0,0,0.7,(0,0)}}"),
        ("shift={(#1,#2,1)}", "shift={(#2,#1,1)}"),
        ("layer matrix/.style={cm={0.7,0,0,-0.5,(0,0)}}", "layer matrix/.style={cm={0.7,0,0,0.5,(0,0)}}"),
        ("stack/.style={x=0.68cm, y=-1.1cm}", "stack/.style={x=0.68cm, y=1.1cm}"),
    ],
    FILLING: [
        ("scaleb(-digits), ROUND_HALF_UP)", 'scaleb(-digits), "ROUND_HALF_EVEN")'),
        (r'"−": r"\textminus{}"', '"−": "-"'),
        ('encode("utf-16-be")', 'encode("utf-16-le")'),
    ],
    GEOMETRY: [
        ("sum(joined[-1]) == position", "sum(joined[-1]) >= position - 1"),
        ("positions[-1] - positions[0] + 1", "positions[-1] - positions[0]"),
        ("axis.cells[position].input_index is not None", "axis.cells[position].input_index"),
        ("Block(column, row, width, height)", "Block(column, row, height, width)"),
        ("return inputs[0] if", "return 0 if"),
        ("(len(moved_over) - outputs) / 2", "(len(moved_over) - outputs) // 2"),
        ('positions(axis, "input", "padding", "inserted", "overhang")',
         'positions(axis, "input", "padding", "inserted")'),
        ('positions(axis, "input", "padding", "inserted") for', 'positions(axis, "input", "padding") for'),
        ('blocks(*(holding(axis, "input", "cropped")', 'blocks(*(positions(axis, "input", "cropped")'),
        ('copied=blocks(*(holding(axis, "input", "padding")', 'copied=blocks(*(holding(axis, "input")'),
        ("Block(len(kept_columns), 0, width - len(kept_columns), height)",
         "Block(0, 0, width - len(kept_columns), height)"),
        ("Block(0, len(kept_rows), len(kept_columns)", "Block(0, len(kept_columns), len(kept_columns)"),
        ('label=f"input {sizes(layer.input_size)}"', 'label=f"input {sizes(layer.output_size)}"'),
        ('f"output {sizes(layer.output_size)}"', 'f"output {sizes(layer.input_size)}"'),
        ('Content("padding", layer.padding_value)', 'Content("padding", 0)'),
        ('Content("overhang", None)', 'Content("overhang", layer.padding_value)'),
        ('Content("cropped", number)', 'Content("cropped", None)'),
        ('"input" if kinds == {"input"} else "copy"', '"input"'),
        ("Number(column, row, value.item())", "Number(row, column, value.item())"),
        ("rows, columns = values.shape", "columns, rows = values.shape"),
        ('"; ".join(rows)', '", ".join(rows)'),
        ('f"{value + 0:.12g}".replace("-", "−")', 'f"{value + 0:.12g}"'),
        ('f"{value + 0:.12g}"', 'f"{value:.12g}"'),
        ("if len(set(numbers)) == 1", "if len(set(numbers)) >= 1"),
        ("'' if count == 1 else 's'", "'s' if count == 1 else ''"),
        ("for digits in range(3):", "for digits in range(2):"),
        ("for digits in range(3):", "for digits in range(1, 3):"),
        ("return 1 if np.abs", "return 2 if np.abs"),
        (".min() >= 0.1 else 2", ".max() >= 0.1 else 2"),
    ],
    VIEWS: [
        ('"plane" if figure.input_values is None else "numerical"',
         '"numerical" if figure.input_values is None else "plane"'),
        ('"positions": positions.scene', '"positions": stack.scene'),
    ],
    PLANE: [
        ("Point(offset(columns), offset(rows))", "Point(offset(rows), offset(columns))"),
        ("back=Point(len(columns.cells), 0)", "back=Point(len(rows.cells), 0)"),
        ("float(output.at.row + output.rows)", "float(output.at.row)"),
        ("Point(first_column + x * width, first_row + y * height)", "Point(first_column + x, first_row + y)"),
        ("float(column + at.column + x)", "float(column + x)"),
        ("links, Block(column, row, 1, 1)", "links, Block(row, column, 1, 1)"),
        ("equivalent=figure.layer.transposed", "equivalent=False"),
    ],
    PLANE_LOOKS: [
        ("{<< output.at.column >>}{<< output.at.row >>}", "{<< output.at.row >>}{<< output.at.column >>}"),
        ('maps.path("rectangle", step.window)', 'maps.path("rectangle", [step.element])'),
        ('maps.path("grid", step.window)', 'maps.path("rectangle", step.window)'),
        ('(<< end | join(",") >>,1)', '(<< end | join(",") >>)'),
        ('maps.path("rectangle", [step.element])', 'maps.path("rectangle", step.window)'),
        ("{<< planes.input.label | tex >>}", "{<< planes.output.label | tex >>}"),
        ("at ([plane]<< planes.input.columns / 2 >>", "at ([plane]<< planes.input.rows / 2 >>"),
        ("anchor=south east", "anchor=north west"),
        ("strip = (4, 4,", "strip = (4, 3,"),
    ],
    NUMERICAL: [
        ('layer.reduction == "maximum" or indices is not None', 'layer.reduction == "maximum"'),
        ('layer.reduction == "maximum" or', "layer.reduction or"),
        ("len(layer.grid[0].cells) == 1 and", "len(layer.grid[0].cells) == 1 or"),
        ("Point(len(columns.cells), (len(rows", "Point(len(columns.windows), (len(rows"),
        ("(len(rows.cells) - len(rows.windows)) / 2", "len(rows.cells) - len(rows.windows)"),
        ('for kind in ("input", "copy", "padding")', 'for kind in ("input", "padding")'),
        ("kernel[kernel_index].item()", "kernel[::-1, ::-1][kernel_index].item()"),
        ("indices[position].item()", "indices[position].item() + 1"),
        ("output[frame.output_index].item()", "output.flat[0].item()"),
        ("Block(column, row, 1, 1)", "Block(row, column, 1, 1)"),
        ("Point(column + n * width, 1)", "Point(column + n, 1)"),
        ("float(frame.output_index[1] + output.column)", "float(frame.output_index[1])"),
        ("numbers=numbers(output)", "numbers=numbers(output[::-1])"),
        ("', rotated' if figure.layer.transposed", "', rotated' if not figure.layer.transposed"),
        ("places of the maxima", "maxima"),
    ],
    NUMERICAL_LOOKS: [
        ("text | length <= 3", "text | length <= 30"),
        ("<% if decimals is none %>", "<% if decimals is not none %>"),
        (r'maps.layout == "beside" %>+\flatgap', r'maps.layout == "below" %>+\flatgap'),
        ("{<< cell.column + 0.5 >>}{<< cell.row + 0.5 >>}", "{<< cell.row + 0.5 >>}{<< cell.column + 0.5 >>}"),
        ("{<< cell.column + 1 >>}{<< cell.row + 1 >>}", "{<< cell.row + 1 >>}{<< cell.column + 1 >>}"),
        ('words.number(cell.small), "kernelwidth"', 'words.number(cell.small), "valuewidth"'),
        ("flat.cells if cell.number is not none", "flat.cells if cell.number"),
        ("flat.cells if cell.small is not none", "flat.cells if cell.small"),
        ('"copied value" if cell.kind == "copy"', '"copied value" if cell.kind == "padding"'),
        (r"\fill[window over << kind >>]", r"\fill[window over input]"),
        ("(<< cell.column >>,<< cell.row >>) rectangle", "(<< cell.row >>,<< cell.column >>) rectangle"),
        ('"padding value" if kind == "padding"', '"padding value" if kind == "copy"'),
        ("<% if cell.number is not none %>", "<% if cell.number %>"),
        ("<% if cell.small is not none %>", "<% if cell.small %>"),
        ('maps.path("grid", step.window)', 'maps.path("rectangle", step.window)'),
        (r">>+\rowgap)<% endfor %>", r">>)<% endfor %>"),
        ("computed(cell.number, flat.decimals)", "computed(cell.number, none)"),
        ("computed(step.value, flat.decimals)", "computed(step.value, 0)"),
        ('value("window value", step.element', 'value("value", step.element'),
        ("anchor=south] at ([flat]<< flat.input.columns", "anchor=south] at ([flat]<< flat.input.rows"),
        ("strip = (3, 9,", "strip = (3, 3,"),
    ],
    KERNEL: [
        ("np.flip(kernel)", "np.flip(kernel, axis=0)"),
        ("Point(kernel.shape[1] + GAP, 0)", "Point(GAP, 0)"),
        ("rows {in_words(kernel)}", "rows {in_words(kernel[::-1])}"),
        ("parameters=False", "parameters=True"),
    ],
    KERNEL_LOOKS: [
        (r"\fill[weight]", r"\fill[input]"),
        ("<< map.columns / 2 >>", "<< map.rows / 2 >>"),
        ("<< map.label | tex >>", "<< kernels.kernel.label | tex >>"),
    ],
    WIRING: [
        ("max(self.input_size[1], self.kernel_size[1]) + COLUMN_GAP", "self.input_size[1] + COLUMN_GAP"),
        ("max(self.kernel_size[0], self.output_size[0]) + ROW_GAP", "self.kernel_size[0] + ROW_GAP"),
        ("first = output // self.outs * self.ins", "first = 0"),
        ("range(first, first + self.ins)", "range(first, first + 1)"),
        ("channel // self.ins * self.outs + self.outs - 1", "channel // self.ins * self.outs"),
        ("channel * self.column + (self.input_size[1] - width) / 2", "channel * self.column"),
        ("output * self.row + self.kernel_size[0] / 2", "output * self.row"),
        ("self.met(output)[:-1]", "self.met(output)"),
        ("self.middle(channel) - height / 2", "self.middle(channel) - height"),
        ("Point(x, y - ARROW_GAP - ARROW), Point(x, y - ARROW_GAP)",
         "Point(x, y - ARROW_GAP), Point(x, y - ARROW_GAP - ARROW)"),
        ("self.slice(output, self.met(output)[0])", "self.slice(output, self.met(output)[-1])"),
        ("Point(self.in_channels * self.column, y)", "Point(self.column, y)"),
        ('f"input channel {channel}"', 'f"input channel {channel + 1}"'),
        ('"its only input channel" if ins == 1', '"its only input channel" if outs == 1'),
        ("prod(figure.layer.kernel_shape)} weights", "prod(figure.layer.kernel_size)} weights"),
    ],
    WIRING_LOOKS: [
        ('map_of("weight", map)', 'map_of("input", map)'),
        ("wiring.sums + wiring.drops", "wiring.sums"),
        (r"\draw[link, -latex]", r"\draw[link]"),
        ("rectangle (<< map.columns >>,<< map.rows >>)", "rectangle (<< map.rows >>,<< map.columns >>)"),
        ("{+}", "{−}"),
        ("anchor=west", "anchor=east"),
    ],
    SUBSAMPLING: [
        ("range(0, height, down)", "range(0, height, right)"),
        ("replace(axis, stride=1)", "replace(axis, padding=(0, 0), stride=1)"),
        ("(height - kept_height) / 2", "height - kept_height"),
        ("numbers(as_rows(unit.output(figure.input_values, figure.kernel_values)))",
         "numbers(as_rows(figure.output_values))"),
        ("once(axis.stride for", "once(axis.dilation for"),
        ('f"stride 1: output {sizes(unit.output_size)}"', 'f"stride 1: output {sizes(figure.layer.output_size)}"'),
        ("the {sizes(unit.output_size)} elements", "the {sizes(figure.layer.output_size)} elements"),
        ("Point(at.column - ARROW_GAP, height / 2)", "Point(width, height / 2)"),
    ],
    SUBSAMPLING_LOOKS: [
        (r"\fill[dropped output]", r"\fill[output]"),
        ("link, -latex", "link"),
        ("maps.grid_with_numbers(unit)", "maps.grid_with_numbers(output)"),
        ('maps.path("rectangle", subsampling.kept)', 'maps.path("grid", subsampling.kept)'),
    ],
    POSITIONS: [
        ("extent(window), window)", "extent(window), window[:1])"),
        ("GAP + PITCH * number", "GAP + PITCH"),
        ("stride {axis.stride}", "stride {axis.dilation}"),
        ("counted(len(windows),", "counted(len(grid[1].cells),"),
        ("padding {before} before, {after} after", "padding {after} before, {before} after"),
        ("if any(sides)", "if all(sides)"),
        ("{window[0]}–{window[-1]}", "{window[0]}–{window[0]}"),
        ("{len(grid[1].cells)} cells", "{len(windows)} cells"),
        ("equivalent=figure.layer.transposed", "equivalent=False"),
    ],
    POSITIONS_LOOKS: [
        ("(<< cell + 0.06 >>,0)", "(<< cell >>,0)"),
        ("<< start + length >>,0.2", "<< length >>,0.2"),
        ("shift={(0,<< position.row >>)}", "shift={(<< position.row >>,0)}"),
        ("for cell in position.cells", "for cell in position.cells[1:]"),
        (r'join(" \\\\ ")', 'join(" ")'),
    ],
    OVERLAP: [
        ("np.ones(layer.kernel_shape, int)", "2 * np.ones(layer.kernel_shape, int)"),
        ("kernel {sizes(layer.kernel_size)}", "kernel {sizes(layer.input_size)}"),
        ("once(axis.stride for", "once(axis.dilation for"),
        ("row by row: {in_words(counts)}", "row by row: {in_words(counts.T)}"),
    ],
    OVERLAP_LOOKS: [
        ("100 * cell.number // most", "50 * cell.number // most"),
        ('map(attribute="number") | max', 'map(attribute="number") | sum'),
        ('[1, counts.numbers', '[0, counts.numbers'),
        ("(<< cell.column >>,<< cell.row >>)", "(<< cell.row >>,<< cell.column >>)"),
    ],
    SUMS: [
        ("n * axis.stride - axis.padding[0]", "n * axis.stride - axis.padding[1]"),
        ("j * axis.dilation", "j"),
        ("value * weight", "weight"),
        ("not 0 <= place < size", "not 0 <= place <= size"),
        ("Row(round(PITCH * n, 2)", "Row(round(n, 2)"),
        ("round(bottom + SUM_GAP, 2)", "bottom"),
        ("-axis.padding[0] - INPUT_GAP", "-INPUT_GAP"),
        ("Point(layer.output_size[0] + 1, bottom)", "Point(0, bottom)"),
        ("any(product.cropped", "all(product.cropped"),
        ("the sums of the columns: {in_words(as_rows(figure.output_values))}",
         "the sums of the columns: {in_words(as_rows(figure.input_values))}"),
    ],
    SUMS_LOOKS: [
        ('"cropped", "cropped value"', '"weight", "value"'),
        ("row.products if not product.cropped", "row.products"),
        ("row.products if product.cropped", "row.products if product.number == 0"),
        ("{<< column + 0.5 >>}{0.5}", "{<< column >>}{0.5}"),
        ("<< row.row + 0.5 >>", "<< row.row >>"),
        ("<< maps.numbers(output.numbers) >>", ""),
    ],
    MATRIX: [
        ("np.ravel_multi_index(term.input_index, layer.input_size)",
         'np.ravel_multi_index(term.input_index, layer.input_size, order="F")'),
        ("kernel_index=term.kernel_index", "kernel_index=term.kernel_index[::-1]"),
        ("kernel_values[term.kernel_index].item()", "kernel_values[::-1][term.kernel_index].item()"),
        ("max(inputs.columns, outputs.columns, LEAST_WIDTH) + MATRIX_GAP", "LEAST_WIDTH"),
        ("(outputs.at.row + outputs.rows) / 2", "outputs.at.row / 2"),
        ("inputs.rows + LABEL_GAP", "inputs.rows"),
        ("_cell(inputs, entry.column)", "_cell(outputs, entry.column)"),
        ("output=_cell(outputs, row)", "output=_cell(outputs, 0)"),
        ("NumberMap(label, size[-1], prod(size[:-1]), at)", "NumberMap(label, size[0], prod(size[1:]), at)"),
        ('"" if len(layer.axes) == 1 else', '"" if len(layer.axes) == 2 else'),
        ('"" if figure.kernel_values is not None', '"" if figure.kernel_values is None'),
    ],
    MATRIX_LOOKS: [
        ("shift={(0,<< -matrix.rows / 2 >>)}", "shift={(0,<< -matrix.columns / 2 >>)}"),
        ("{<< entry.column + 0.5 >>}{<< entry.row + 0.5 >>}", "{<< entry.row + 0.5 >>}{<< entry.column + 0.5 >>}"),
        ('entry.kernel_index | join(",")', 'entry.kernel_index | reverse | join(",")'),
        ("{<< cell.column + 0.5 >>}{<< cell.row + 0.5 >>}", "{<< cell.row + 0.5 >>}{<< cell.column + 0.5 >>}"),
        ('(("input", matrix.input), ("output", matrix.output))',
         '(("output", matrix.input), ("input", matrix.output))'),
        (r"\draw[lit row] (0,<< step.row >>)", r"\draw[lit row] (0,0)"),
        ('cells("window over weight, outline", step.entries)', 'cells("window over weight, outline", matrix.entries)'),
        ('cells("window over input, outline", step.inputs)', 'cells("window over output, outline", step.inputs)'),
        ('weights("value", step.entries)', 'weights("value", step.entries[1:])'),
        ('numbers("window map value", step.inputs)', 'numbers("map value", step.inputs)'),
        (r"\draw[cropped] (0,0) grid", r"\draw[outline] (0,0) grid"),
        ("{inputs}", "{outputs}"),
        ("rotate=90", "rotate=0"),
        ("strip = maps.whole", 'strip = (4, 4, "0pt", "figure")'),
    ],
    SCATTER: [
        ("axis.padding[0] + size)", "size)"),
        ("axis.stride * (axis.input_size - 1) + axis.reach + 1", "axis.stride * (axis.input_size - 1) + 1"),
        ("(stamp_at.column + stamp_columns + GAP, 0)", "(stamp_at.column + GAP, 0)"),
        ("top, extra_columns, height)", "top, extra_columns, extra_rows)"),
        ("width - extra_columns, extra_rows)", "width, extra_rows)"),
        ("Number(j * right.dilation, i * down.dilation", "Number(j, i"),
        ("row * down.stride + cell.row", "row * right.stride + cell.row"),
        ("number + cell.number, stamps + 1", "cell.number, stamps + 1"),
        ("number + cell.number, stamps + 1", "number + cell.number, 1"),
        ("if (r, c) not in changed", "if (r, c) in changed"),
        ("sums.setdefault((r, c), (0, 0))", "pass"),
        ("range(top, top + height)", "range(height)"),
        ("    if maps.extra:", "    if not maps.extra:"),
    ],
    SCATTER_LOOKS: [
        ("<< number(\"window value\", step.element) >>", ""),
        ("100 * cell.stamps / scatter.most", "100 * cell.stamps"),
        ("step.others + step.changed if", "step.others if"),
        ("placed(scatter.stamp) >>]\n  \\filldraw", "placed(scatter.input) >>]\n  \\filldraw"),
        ('maps.path("rectangle", [scatter.output])', 'maps.path("rectangle", scatter.extra)'),
        ("0 <= cell.row - block.row < block.rows", "0 <= cell.row < block.rows"),
        (r"\draw[output padding]", r"\draw[outline]"),
    ],
    IM2COL: [
        ("height - weights)", "0)"),
        ("patches_at.column - GAP - weights", "0"),
        ("max(below + 1 - layer.output_size[0], LABEL_GAP)", "0"),
        ("max(grid.rows, weights)", "grid.rows"),
        ("_replace(column=column, row=row)", "_replace(column=row, row=column)"),
        ("tuple(values.ravel().tolist())", "tuple(values.T.ravel().tolist())"),
        ("[-len(figure.layer.axes) :]", "[: len(figure.layer.axes)]"),
        ('"input" if all(', '"input" if any('),
        ("blocks(*window.windows), patch, column", "blocks(*window.windows), patch[1:], column"),
        ("values[index].item())\n        for column", "values[index[::-1]].item())\n        for column"),
        ("is a column of {weights}", "is a column of {count}"),
    ],
    IM2COL_LOOKS: [
        ("product.patches[:step.column] |", "product.patches[step.column:] |"),
        ("entries(product.patches[step.column], lit=true)", "entries(product.patches[0], lit=true)"),
        ("product.results[:step.column + 1]", "product.results"),
        ('<< "window over " if loop.last >>', '<< "window over " if loop.first >>'),
        ("(<< loop.index0 % width >>,", "(<< loop.index0 // width >>,"),
        ("entries(step.cells, lit=true)", "entries(step.cells)"),
        (r"\draw[lit row] (<< step.column >>,0)", r"\draw[lit row] (0,<< step.column >>)"),
        ('weight, "weightname", weight.kernel_index', 'weight, "elementname", weight.kernel_index'),
        ("words.rounded(result, product.decimals)", "words.rounded(result, 2)"),
        ('lit and kind != "padding") ~ "map value"', 'lit) ~ "map value"'),
        ("{kernel as a row}", "{output as a row}"),
    ],
    STACK: [
        ("Fraction(0), Fraction(1)", "0.0, 1.0"),
        ("Fraction(axis.window_size - 1, 2) - axis.padding[0]", "Fraction(axis.window_size - 1, 2) - axis.padding[1]"),
        ("Fraction(axis.stride, axis.input_dilation)", "axis.stride"),
        ("len(places[-1]) // 2", "len(places[-1]) - 1"),
        ("seen.insert(0, {m for _, m in pairs})", "seen.insert(0, {n for n, _ in pairs})"),
        ("Point(places[depth - 1][m], row + 1)", "Point(places[depth - 1][m], row)"),
        ('f"layer {depth}" if depth', 'f"layer {depth + 1}" if depth'),
        ("n in seen[depth]", "n in seen[-1]"),
        ("counted(len(seen[0])", "counted(len(seen[-1])"),
        ("input=depth == 0", "input=depth == 1"),
    ],
    STACK_LOOKS: [
        ('("input" if level.input else "output")', '("output" if level.input else "input")'),
        ("if element.seen else", "if not element.seen else"),
        ("(<< element.centre >>,<< level.row >>)", "(<< level.row >>,<< element.centre >>)"),
        ("tree.left - 0.5", "tree.left + 0.5"),
    ],
    SCENE: [
        ("(len(self.steps) - 1) + (figure.last_frame_duration,)", "(len(self.steps) - 1) + (figure.frame_duration,)"),
    ],
    GIF: [
        ("round(1000 * seconds)", "round(100 * seconds)"),
        ("loop=0", "loop=1"),
        ("palette[place] = colours[chosen]", "palette[place] = colours[0]"),
        ("colours @ (1, 1 << 8, 1 << 16)", "colours @ (1 << 16, 1 << 8, 1)"),
        ("duration=milliseconds if len(milliseconds) > 1 else milliseconds[0]", "duration=milliseconds[0]"),
    ],
    PYTORCH: [
        ("padding = tuple(min(axis.padding)", "padding = tuple(max(axis.padding)"),
        ("in reversed(layer.axes)", "in layer.axes"),
        ("tuple(-side for side in rest)", "tuple(rest)"),
        ("tuple(axis.output_padding for", "tuple(axis.padding[0] for"),
        ("if any(axis.dilation > 1", "if all(axis.dilation > 1"),
        ('tuple(rest)), convolution]', 'tuple(rest))]'),
    ],
    KERAS: [
        ("max(axis.stride - axis.reach - 1, 0)", "0"),
        ("+ more - axis.output_padding for", "+ more for"),
        ("(axis.padding[0], max(side, 0))", "(axis.padding[1], max(side, 0))"),
        ("(0, max(-side, 0))", "(0, 0)"),
        ("if max(stride) > 1 and max(dilation) > 1:\n        return []", "if max(stride) > 9:\n        return []"),
        ('_around("Cropping", cropping)', '_around("ZeroPadding", cropping)'),
        ('{"dilation_rate": dilation} if max(dilation) > 1', '{"dilation_rate": dilation} if min(dilation) > 1'),
        ("if any(map(any, sides))", "if all(map(any, sides))"),
    ],
    JAX: [
        ("axis.padding for axis in layer.direct", "axis.padding for axis in layer.axes"),
        ('"transpose_kernel": True', '"transpose_kernel": False'),
        ('{"rhs_dilation": dilation} if max(dilation) > 1', '{"rhs_dilation": dilation} if min(dilation) > 1'),
        ("window_strides=stride", "window_strides=dilation"),
        ("strides=stride, padding=padding, **asked", "strides=dilation, padding=padding, **asked"),
    ],
    ONNX: [
        ("[*befores, *afters]", "[*afters, *befores]"),
        ('[axis.output_padding for axis in layer.axes]', '[0 for axis in layer.axes]'),
        ('"ConvTranspose" if layer.transposed', '"ConvTranspose" if not layer.transposed'),
        ("if any(axis.dilation > 1", "if all(axis.dilation > 1"),
        ("zip(pads[: given.n], pads[given.n :], strict=True)", "zip(pads[::2], pads[1::2], strict=True)"),
    ],
    CALL: [
        ("""replace("'", '"')""", """replace("'", "'")"""),
        ("{name}={value!r}", "{name}={value}"),
    ],
}  # fmt: skip
MUTANTS = [Mutant(file, *error) for file, errors in ERRORS.items() for error in errors]


def tests_of(file: str) -> tuple[str, ...]:
    """The tests that may find an error in a file."""
    return next(tests for start, tests in TESTS.items() if file.startswith(start))


class Failed:
    """A plugin of pytest that keeps the first failure's test, and what was printed of it."""

    name = ""

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Note a failure."""
        if report.failed and not self.name:
            self.name = report.nodeid.partition("::")[2]

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """Note a module that cannot even be imported."""
        if report.failed and not self.name:
            self.name = f"importing {report.nodeid}"


def caught_by(mutant: Mutant) -> tuple[Mutant, str, float]:
    """The test that fails at a mutant, if any, and the seconds it took; in a process that does nothing after."""
    start = time.monotonic()
    with TemporaryDirectory(prefix="mutant-") as folder:
        top = Path(folder)
        for name in COPIED:
            if (TOP / name).is_dir():
                shutil.copytree(TOP / name, top / name, ignore=shutil.ignore_patterns("__pycache__", "*.gif"))
            else:
                shutil.copy2(TOP / name, top / name)
        text = (top / mutant.file).read_text(encoding="utf-8")
        (top / mutant.file).write_text(text.replace(mutant.old, mutant.new), encoding="utf-8")
        for name in [name for name in sys.modules if name.partition(".")[0] in ("scripts", "tests")]:
            del sys.modules[name]
        os.chdir(top)
        sys.path[:] = [folder, *(path for path in sys.path if path not in ("", str(TOP)))]
        sys.dont_write_bytecode = True
        # A layer that shows the error need not be the smallest one.
        hypothesis.settings.register_profile("mutants", phases=[hypothesis.Phase.generate])
        hypothesis.settings.load_profile("mutants")
        failed = Failed()
        with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
            status = pytest.main(
                [
                    "-x",
                    "-q",
                    "--assert=plain",
                    "--tb=no",
                    "-p",
                    "no:cacheprovider",
                    f"--rootdir={folder}",
                    *tests_of(mutant.file),
                ],
                plugins=[failed],
            )
        os.chdir(TOP)
    if status not in (pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED, pytest.ExitCode.INTERRUPTED):
        raise RuntimeError(f"pytest ended with {status!r} at {mutant}")
    return mutant, failed.name, time.monotonic() - start


def stale() -> list[Mutant]:
    """Mutants whose old text does not occur exactly once."""
    texts = {file: (TOP / file).read_text(encoding="utf-8") if (TOP / file).exists() else "" for file in ERRORS}
    return [mutant for mutant in MUTANTS if texts[mutant.file].count(mutant.old) != 1]


def main(words: list[str]) -> int:
    """Try all mutants, or those with one of some words; gives the exit status."""
    for mutant in stale():
        print(f"no longer exactly once in its file: {mutant}")
    if stale():
        return 1
    chosen = [mutant for mutant in MUTANTS if not words or any(word in str(mutant) for word in words)]
    survivors = 0
    with multiprocessing.get_context("fork").Pool(maxtasksperchild=1) as pool:
        for mutant, test, seconds in pool.imap_unordered(caught_by, chosen, chunksize=1):
            survivors += not test
            print(f"{'caught' if test else 'SURVIVED'} ({seconds:.1f} s) {mutant}\n    {test}", flush=True)
    print(f"{len(chosen) - survivors} of {len(chosen)} mutants caught")
    return 1 if survivors else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
