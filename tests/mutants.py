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
COPIED = (
    *("scripts", "templates", "tests", "figures", "report", "pyproject.toml"),
    # What a checkout of the tests consists of besides.
    *("Makefile", "requirements.txt", "requirements-mp4.txt", "CHANGELOG.md", "CITATION.cff", ".github"),
)


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
COST = "scripts/core/cost.py"
COVERAGE = "scripts/core/coverage.py"
NETWORK = "scripts/explaining/network.py"
MODEL = "scripts/explaining/model.py"
REMARKS = "scripts/explaining/remarks.py"
MESSAGES = "scripts/explaining/messages.py"
CHAIN = "scripts/explaining/chain.py"
SCENE = "scripts/views/scene.py"
GIF = "scripts/formats/gif.py"
SVG = "scripts/formats/svg.py"
MARKUP = "scripts/stages/markup.py"
VECTOR = "scripts/stages/vector.py"
WEBP = "scripts/formats/webp.py"
APNG = "scripts/formats/apng.py"
MP4 = "scripts/formats/mp4.py"
PALETTE = "scripts/stages/palette.py"
PLAYER, FILTER = "templates/site/player.js", "templates/site/filter.js"
PICTURE, ELEMENTS = "scripts/site/picture.py", "scripts/site/elements.py"
SENTENCES = "templates/site/sentences.j2"
RECIPE = "scripts/recipes/recipe.py"
READING = "scripts/recipes/reading.py"
COMPARISON = "scripts/recipes/comparison.py"
BINARY = "scripts/recipes/binary.py"
DOCUMENTS = "scripts/recipes/documents.py"
PACKET = "scripts/recipes/container.py"
JS_ARITHMETIC = "templates/site/arithmetic.js"
JS_NOTATION = "templates/site/notation.js"


def view(name: str) -> tuple[str, str]:
    """The module and the template of a view."""
    return f"scripts/views/{name}.py", f"templates/views/{name}.tex.j2"


PLANE, PLANE_LOOKS = view("plane")
EXCERPT, EXCERPT_LOOKS = view("excerpt")
NUMERICAL, NUMERICAL_LOOKS = view("numerical")
KERNEL, KERNEL_LOOKS = view("kernel")
WIRING, WIRING_LOOKS = view("wiring")
CHANNELS, CHANNELS_LOOKS = view("channels")
SUBSAMPLING, SUBSAMPLING_LOOKS = view("subsampling")
POSITIONS, POSITIONS_LOOKS = view("positions")
OVERLAP, OVERLAP_LOOKS = view("overlap")
SUMS, SUMS_LOOKS = view("sums")
MATRIX, MATRIX_LOOKS = view("matrix")
VOLUME, VOLUME_LOOKS = view("volume")
SCATTER, SCATTER_LOOKS = view("scatter")
INPUT_GRADIENT, INPUT_GRADIENT_LOOKS = view("input_gradient")
KERNEL_GRADIENT, KERNEL_GRADIENT_LOOKS = view("kernel_gradient")
UPSAMPLING, UPSAMPLING_LOOKS = view("upsampling")
PIXEL_SHUFFLE, PIXEL_SHUFFLE_LOOKS = view("pixel_shuffle")
GRADIENTS = "scripts/core/gradients.py"
PARTIAL, PARTIAL_LOOKS = view("partial")
DEFORMABLE, DEFORMABLE_LOOKS = view("deformable")
SAMPLING, VARIANTS = "scripts/core/sampling.py", "scripts/core/variants.py"
GATHER, GATHER_LOOKS = view("gather")
IM2COL, IM2COL_LOOKS = view("im2col")
STREAMING, STREAMING_LOOKS = view("streaming")
RECEPTIVE, RECEPTIVE_LOOKS = view("receptive_field")
PYTORCH, KERAS, JAX, ONNX = (f"scripts/notation/{name}.py" for name in ("pytorch", "keras", "jax", "onnx"))
CALL, MODEL_FILE, INFERENCE, SIZES = (
    f"scripts/notation/{name}.py" for name in ("call", "model_file", "inference", "sizes")
)

# The tests that are run, by the beginning of a mutant's file: what pictures and captions mean, then their text.
PICTURES = ("tests/test_pictures.py", "tests/test_view_pictures.py", "tests/test_render.py")
TESTS = {
    PLANE: (*PICTURES[:1], "tests/test_views.py"),
    PLANE_LOOKS: PICTURES[:1],
    NUMERICAL: PICTURES[:1],
    NUMERICAL_LOOKS: PICTURES[:1],
    GEOMETRY: PICTURES,
    VIEWS: PICTURES,
    SCENE: ("tests/test_formats.py",),
    "scripts/core/receptive.py": ("tests/test_receptive.py",),
    "scripts/views/": (*PICTURES[1:2], "tests/test_views.py"),
    GRADIENTS: ("tests/test_gradients.py",),
    SAMPLING: ("tests/test_sampling.py",),
    VARIANTS: ("tests/test_variants.py",),
    COST: ("tests/test_cost.py",),
    COVERAGE: ("tests/test_cost.py",),
    "scripts/explaining/": ("tests/test_explaining.py",),
    "templates/views/": PICTURES[1:2],
    REPORT: PICTURES[1:2],
    MODEL_FILE: ("tests/test_model_file.py", "tests/test_notation.py"),
    INFERENCE: ("tests/test_model_file.py",),
    "scripts/notation/": ("tests/test_notation.py",),
    JS_ARITHMETIC: ("tests/test_site_arithmetic.py",),
    JS_NOTATION: ("tests/test_site_notation.py",),
    SVG: ("tests/test_vector.py",),
    MARKUP: ("tests/test_vector.py",),
    VECTOR: ("tests/test_vector.py",),
    "scripts/formats/": ("tests/test_formats.py",),
    PALETTE: ("tests/test_formats.py",),
    PLAYER: ("tests/test_site.py",),
    FILTER: ("tests/test_site.py",),
    PICTURE: ("tests/test_site.py",),
    ELEMENTS: ("tests/test_site.py",),
    SENTENCES: ("tests/test_site.py",),
    "scripts/recipes/": ("tests/test_recipes.py",),
    "": PICTURES,
}

ERRORS: dict[str, list[tuple[str, str]]] = {
    MAPS: [
        # A note that is left out in part.
        ("<< sentence | tex >>", "<< sentence >>"),
        ('.rstrip(".").split(". ")', '.split(". ")[:1]'),
        # Columns and rows confused.
        (
            "(<< block.column - corner.column >>,<< block.row - corner.row >>) <<",
            "(<< block.row >>,<< block.column >>) <<",
        ),
        ("+(<< block.columns >>,<< block.rows >>)", "+(<< block.rows >>,<< block.columns >>)"),
        (r"\fill[output] (0,0) rectangle (<< map.columns >>,<< map.rows >>)",
         r"\fill[output] (0,0) rectangle (<< map.rows >>,<< map.columns >>)"),
        ("<< block.column + block.columns >>,<< block.row + block.rows >>",
         "<< block.row + block.rows >>,<< block.column + block.columns >>"),
        ('path("grid", ruled.cells)', 'path("grid", ruled.kept)'),
        ("{<< cell.column + 0.5 >>}{<< cell.row + 0.5 >>}", "{<< cell.row + 0.5 >>}{<< cell.column + 0.5 >>}"),
        # Cells of the wrong kind.
        ('path("rectangle", map.cropped)', 'path("rectangle", map.kept)'),
        (r'  \fill[papercolor]<< path("rectangle", map.kept) >>', ""),
        ("if map.copied != map.input", "if map.copied == map.input"),
        ('path("rectangle", map.copied)', 'path("rectangle", map.input)'),
        ("if map.kept != map.input", "if map.kept == map.input"),
        (r'\draw[padding]<< path("grid", ruled.kept) >>', r'\draw[padding]<< path("rectangle", ruled.kept) >>'),
        (r"\draw[padding]", r"\draw[outline]"),
        (r"\draw[overhang]", r"\draw[padding]"),
        (r'\fill[input]<< path("rectangle", map.input) >>', r'\fill[input]<< path("rectangle", map.kept) >>'),
        (r'\draw[window grid]<< path("grid", ruled or window, corner) >>', ""),
        (r'\draw[lit]<< path("rectangle", window, corner) >>', r'\draw[lit]<< path("grid", window, corner) >>'),
        (r"{\filldraw[<< style >>] (0,0) rectangle +(1,1);}", r"{\filldraw[<< style >>] (0,0) rectangle +(1,2);}"),
        (r'\draw[outline]<< path("grid", ruled.input) >>', r'\draw[outline]<< path("grid", ruled.kept) >>'),
        ('whole = (1, 1, "0pt"', 'whole = (2, 2, "0pt"'),
        # The layer's parameters.
        ("<% if scene.parameters %>", "<% if scene %>"),
        ("<% if scene.equivalent %>", "<% if layer.transposed %>"),
        ('"" if layer.weighted and not layer.transposed', '"" if layer.weighted'),
        (r", rotated 180\textdegree", ""),
        ("if drawn.transposed", "if layer.transposed"),
        ("words.sizes(drawn.kernel_size)", "words.sizes(layer.kernel_size)"),
        ('"layer", "its gradient, as convolution"', '"its gradient, as convolution", "layer"'),
        ('<< words.per_axis(axes, "stride") | tex >> & << words.per_axis(direct, "stride") | tex >>',
         '<< words.per_axis(direct, "stride") | tex >> & << words.per_axis(axes, "stride") | tex >>'),
        ('inputs << words.per_axis(direct, "input_dilation")', 'inputs << words.per_axis(direct, "dilation")'),
        ('direct | map(attribute="input_dilation") | max > 1', 'direct | map(attribute="input_dilation") | min > 1'),
        ("<< words.padding(axes) | tex >> & << words.padding(direct) | tex >>",
         "<< words.padding(direct) | tex >> & << words.padding(axes) | tex >>"),
        ('map(attribute="output_padding") | max > 0', 'map(attribute="output_padding") | max > 1'),
        ('<< words.per_axis(axes, "dilation") | tex >> &', '<< words.per_axis(axes, "stride") | tex >> &'),
        # The legend.
        ('"padding" in found and layer.padding_mode', 'layer.padding_mode'),
        ('"padding" in found or "inserted" in found', '"padding" in found'),
        ('["padding" ~ words.padded_with(layer) | trim("\\n")]', '["padding"]'),
        ('(["inserted zeros"] if "inserted" in found', '(["inserted zeros"] if "input" in found'),
        ("{window over padding, lit}", "{window over input, lit}"),
        ('if "overhang" in found', 'if "cropped" in found'),
        ("cropped input, cropped", "cropped"),
        (r"\iffigurelegend", ""),
    ],
    WORDS: [
        ('map("join", "–")', 'map("first")'),
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
        ("<%- if figure.note %>", "<%- if not figure.note %>"),
        ('selectattr("padded_over_half")', 'rejectattr("padded_over_half")'),
        ("layer.reduction is not none and", ""),
        ("<% set count = figure.layers | length %>", "<% set count = figure.layers[1:] | length %>"),
        ("figure.layers[0].input_size", "figure.layers[-1].input_size"),
        ("figure.layers[-1].output_size", "figure.layers[0].output_size"),
        ("<% for layer in layers %>", "<% for layer in layers | reverse %>"),
        ('trim or "identity"', 'trim'),
    ],
    STEP: [
        ("<< once(view.above, still) >>", "<< once(view.below, still) >>"),
        ("<< view.moving(still, frame) >>", "<< view.moving(still, scene.steps[0]) >>"),
        ("<< view.result(still, frame) >>", ""),
        ("<< once(maps.parameters, scene) >>", "<< figure.title >>"),
        ("<< once(view.beside, still) >>", ""),
        ("{<< view.sum(still, frame, figure) | trim >>}", "{<< view.sum(still, scene.steps[0], figure) | trim >>}"),
    ],
    DOCUMENT: [
        ("scene.steps[:most]", "scene.steps[-most:]"),
        ("<< loop.index0 % columns >>", "<< loop.index0 // columns >>"),
        ("<% if loop.first %>", "<% if loop.last %>"),
        ("% Step << loop.index >>.\n\\begin{framepage}\n\\usebox\\belowbox",
         "% Step << loop.index >>.\n\\begin{framepage}\n"),
        (
            "overlay]\n<% if view.moving is defined %>\n<< view.moving(still, step) >>",
            "overlay]\n<% if view.moving is defined %>\n<< view.moving(still, scene.steps[0]) >>",
        ),
        (
            "<< view.result(still, step) >>\n<% endif %>\n<% if has_sums %>",
            "<< view.result(still, scene.steps[0]) >>\n<% endif %>\n<% if has_sums %>",
        ),
        ("<< overlay(view.above(still), options) >>", "<< overlay(view.below(still), options) >>"),
        ("<< maps.parameters(scene) >>", ""),
        ("<< view.beside(still) >>", ""),
        ("view.sum(still, step, figure) | trim", "view.sum(still, scene.steps[0], figure) | trim"),
        ("<< maps.legend(view.legend(still, figure)) >>", ""),
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
        ("draw=outlinecolor, dash pattern=on 0.4pt off 1.6pt", "draw=outlinecolor"),
        ("cropped input/.style={fill=croppedcolor}", "cropped input/.style={fill=inputcolor}"),
        ("flat/.style={cm={0.7,0,0,-0.7,(0,0)}}", "flat/.style={cm={0.7,0,0,0.7,(0,0)}}"),
        ("shift={(#1,#2,1)}", "shift={(#2,#1,1)}"),
        ("yslant=-0.35", "yslant=0.35"),
        ("yslant=-0.35", "yslant=-0.5"),
        ("layer matrix/.style={cm={0.7,0,0,-0.5,(0,0)}}", "layer matrix/.style={cm={0.7,0,0,0.5,(0,0)}}"),
        ("stack/.style={x=0.68cm, y=-1.1cm}", "stack/.style={x=0.68cm, y=1.1cm}"),
    ],
    FILLING: [
        ("scaleb(-digits), ROUND_HALF_UP)", 'scaleb(-digits), "ROUND_HALF_EVEN")'),
        (r'"−": r"\textminus{}"', '"−": "-"'),
        ('encode("utf-16-be")', 'encode("utf-16-le")'),
    ],
    "scripts/core/layers.py": [
        ("first = output // outs * ins", "first = 0"),
        ("range(first, first + ins)", "range(first, first + 1)"),
    ],
    GEOMETRY: [
        ("'its only input channel' if ins == 1", "'its only input channel' if ins == 2"),
        ("sum(joined[-1]) == position", "sum(joined[-1]) >= position - 1"),
        ("positions[-1] - positions[0] + 1", "positions[-1] - positions[0]"),
        ("axis.cells[position].input_index is not None", "axis.cells[position].input_index"),
        ("Block(column, row, width, height)", "Block(column, row, height, width)"),
        ("return inputs[0] if", "return 0 if"),
        ("(len(moved_over) - outputs) / 2", "(len(moved_over) - outputs) // 2"),
        ('positions(axis, "input", "padding", "inserted", "overhang")',
         'positions(axis, "input", "padding", "inserted")'),
        ('positions(axis, "input", "padding", "inserted") for', 'positions(axis, "input", "padding") for'),
        ('drawn([holding(axis, "input", "cropped")', 'drawn([positions(axis, "input", "cropped")'),
        ('copied=drawn([holding(axis, "input", "padding")', 'copied=drawn([holding(axis, "input")'),
        ("drawn([everything[0], overhang[1]])",
         "drawn([kept[0], overhang[1]])"),
        ("drawn([overhang[0], kept[1]])", "drawn([overhang[0], everything[1]])"),
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
        ('"positions": positions.scene', '"positions": receptive_field.scene'),
    ],
    PLANE: [
        ("Point(offset(columns), offset(rows))", "Point(offset(rows), offset(columns))"),
        ("back=Point(inputs.columns, 0)", "back=Point(inputs.rows, 0)"),
        ("float(outputs.at.row + outputs.rows)", "float(outputs.at.row)"),
        ("Point(first_column + x * width, first_row + y * height)", "Point(first_column + x, first_row + y)"),
        ("float(column + at.column)", "float(column)"),
        ("lines, Block(column, row, 1, 1)", "lines, Block(row, column, 1, 1)"),
        ("equivalent=figure.layer.transposed", "equivalent=False"),
        ('"rows" if len(layer.axes) == 1 else "planes"', '"planes"'),
        ("corners = ((0, 0), (1, 0))", "corners = ((0, 1), (1, 1))"),
        ("numbers = figure.shown(prod(layer.output_size))", "numbers = range(prod(layer.output_size))"),
    ],
    EXCERPT: [
        ("sorted({0, min(1, size - 1), size - 1})", "sorted({0, size - 1})"),
        ("[row * layer.output_size[1] + column", "[row * layer.output_size[0] + column"),
        ("users = tuple(n for n, window in enumerate(windows) if position in window)", "users = ()"),
        ("places([n if n in lit else None for n in range(size)])", "places([None for n in range(size)])"),
        ("else (cell.kind, users)", "else users"),
        ("position + length - KEPT) if", "position + length) if"),
        ("if look != SPREAD:", "if look:"),
        ("place += GAP", "place += 1"),
        ("Point(right, down)", "Point(down, right)"),
        ("row, column = (axis.kept[n]", "column, row = (axis.kept[n]"),
        ("Point(at.column + column, at.row + row)", "Point(at.column, at.row)"),
        ("blocks(*ruled))", "blocks(*window))"),
        ("yield Dots(Point(column, row), right, down)", "yield Dots(Point(column, row), down, right)"),
        ("Tick(places.kept[n], index) for n in ends", "Tick(places.kept[n], n) for n in ends"),
        ("Tick(places.kept[n], n) for n in (outputs", "Tick(n, n) for n in (outputs"),
        ("equivalent=figure.layer.transposed", "equivalent=False"),
        ("{prod(layer.output_size)} steps", "{len(shown)} steps"),
    ],
    EXCERPT_LOOKS: [
        ("plane.below(excerpt.planes, excerpt.ruled_input)", "plane.below(excerpt.planes)"),
        ("plane.moving(excerpt.planes, step.drawn, step.ruled)", "plane.moving(excerpt.planes, step.drawn)"),
        ("plane.above(excerpt.planes, excerpt.ruled_output)", "plane.above(excerpt.planes)"),
        ("dots(excerpt.output_notes)", "dots(excerpt.input_notes)"),
        ("+ step * three.right", "+ step * three.down"),
        ("excerpt.input_notes.columns, none, input.rows)", "excerpt.input_notes.rows, none, input.rows)"),
        ("excerpt.output_notes.rows, output.columns", "excerpt.output_notes.rows, output.rows"),
        ("<< tick.place + 0.5 if column is none", "<< tick.place if column is none"),
    ],
    PLANE_LOOKS: [
        (
            "{<< planes.output.at.column >>}{<< planes.output.at.row >>}",
            "{<< planes.output.at.row >>}{<< planes.output.at.column >>}",
        ),
        ("maps.window(step.window, ruled", "maps.window([step.element], ruled"),
        ('(",1" if', '("" if'),
        ("{<< planes.input.columns >>,<< planes.input.rows >>}", "{<< planes.input.rows >>,1}"),
        ("([row]0,0.5)", "([row]0,1)"),
        ('maps.cell("window, lit", step.element)', 'maps.cell("window, lit", step.window[0])'),
        (">>) {<< planes.input.label | tex >>}", ">>) {<< planes.output.label | tex >>}"),
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
        ("np.flip(kernel), at) if layer.transposed", "kernel, at) if layer.transposed"),
        ("Point(0, -1) if _is_row(layer)", "Point(1, -1) if _is_row(layer)"),
        ("Point(-width, (len(layer.grid[0].cells) - height) / 2)", "Point(-width, 0)"),
    ],
    NUMERICAL_LOOKS: [
        ("text | length <= 3", "text | length <= 30"),
        ("<% if decimals is none %><<", "<% if decimals is not none %><<"),
        (r'maps.layout == "beside" %>+\flatgap', r'maps.layout == "below" %>+\flatgap'),
        ("{<< cell.column + 0.5 >>}{<< cell.row + 0.5 >>}", "{<< cell.row + 0.5 >>}{<< cell.column + 0.5 >>}"),
        ("{<< cell.column + 1 >>}{<< cell.row + 1 >>}", "{<< cell.row + 1 >>}{<< cell.column + 1 >>}"),
        ('words.number(number), "kernelwidth"', 'words.number(number), "valuewidth"'),
        ("flat.cells if cell.number is not none", "flat.cells if cell.number"),
        ("flat.cells if cell.small is not none", "flat.cells if cell.small"),
        ('value(cell.kind ~ " value", cell,', 'value("input value", cell,'),
        (r"\fill[window over << kind >>]", r"\fill[window over input]"),
        ("(<< cell.column >>,<< cell.row >>) rectangle", "(<< cell.row >>,<< cell.column >>) rectangle"),
        ('"window over " ~ kind ~ " value"', '"window over input value"'),
        ("<% if cell.number is not none %>", "<% if cell.number %>"),
        ("<% if cell.small is not none %>", "<% if cell.small %>"),
        ("maps.window(step.window)", "maps.window([step.element])"),
        (r">>+\rowgap)<% endfor %>", r">>)<% endfor %>"),
        ("computed(cell.number, flat.decimals)", "computed(cell.number, none)"),
        ("computed(step.value, flat.decimals)", "computed(step.value, 0)"),
        ('value("window over output value", step.element', 'value("output value", step.element'),
        ("anchor=south] at ([flat]<< flat.input.columns", "anchor=south] at ([flat]<< flat.input.rows"),
        ("strip = (2, 2,", "strip = (2, 1,"),
        ('{<< flat.output.at.column >>+\\flatgap,', '{<< flat.output.at.column >>,'),
        ("flat.output.at.row + flat.output.rows / 2 %", "flat.output.at.row %"),
        # The kernel.
        ("<% if flat.kernel is not none %>\n% The kernel.", "<% if false %>\n% The kernel."),
        (r"-\flatgap", ""),
        ('value("weight value", cell, given(cell.number))', 'value("weight value", cell, given(cell.row))'),
        (r"\fill[weight]", r"\fill[input]"),
        # How a result is computed.
        ('sort(attribute="row,column")', 'sort(attribute="column,row")'),
        ("if cell.number is not none %>\n<% do terms", "%>\n<% do terms"),
        ("terms | length <= 12", "terms | length <= 3"),
        ("/ << terms | length >>", "/ << step.covered | sum(start=()) | length >>"),
        ('("(%s)" if value < 0', '("(%s)" if value < -9'),
        ("<< factor(cell.small) >>·<< factor(cell.number) >>", "<< factor(cell.number) >>·<< factor(cell.small) >>"),
        ("1/<< words.number(layer.norm) >>", "1/2"),
        ('"=" if (value', '"=" if 0 * (value'),
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
        ("channel // ins * outs + outs - 1", "channel // ins * outs"),
        ("channel * self.column + (self.input_size[1] - width) / 2", "channel * self.column"),
        ("output * self.row + self.kernel_size[0] / 2", "output * self.row"),
        ("self.channels.met(output)[:-1]", "self.channels.met(output)"),
        ("self.middle(channel) - height / 2", "self.middle(channel) - height"),
        ("Point(x, y - ARROW_GAP - ARROW), Point(x, y - ARROW_GAP)",
         "Point(x, y - ARROW_GAP), Point(x, y - ARROW_GAP - ARROW)"),
        ("self.channels.met(output)[0]", "self.channels.met(output)[-1]"),
        ("Point(self.channels.in_channels * self.column, y)", "Point(self.column, y)"),
        ('f"input channel {channel}"', 'f"input channel {channel + 1}"'),
        ("slices_for(channels.per_group[0])", "slices_for(channels.per_group[1])"),
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
    CHANNELS: [
        ("sum(map(len, channels)) > MOST_SHOWN", "sum(map(len, channels)) >= MOST_SHOWN"),
        ("MOST_SHOWN - left_out)", "MOST_SHOWN)"),
        ("channels[-1][-1])", "channels[0][-1])"),
        ("self.starts[-1] += DOTS_GAP", "pass"),
        ("max(self.rows, self.kernel_size[0])", "self.rows"),
        ("range(group * self.outs, (group + 1) * self.outs)", "range(group * self.ins, group * self.ins + self.outs)"),
        ("at.row + (self.inputs.end - self.outputs.end) / 2", "at.row"),
        ("return self.at.row + self.inputs.starts[place] +", "return self.inputs.starts[place] +"),
        ("(self.height - height) / 2", "0"),
        ("if self.at == ORIGIN:", "if True:"),
        ("_drawn(figure, layout, min(0, top))", "_drawn(figure, layout, 0)"),
        ('None if layout.at == ORIGIN else "output"', "None"),
        ("if layer.kernel_size != (1,) * len(layer.axes) or", "if"),
        ("or layer.output_size != layer.input_size:", "and layer.output_size != layer.input_size:"),
        ("if channels.in_channels > MOST_SHOWN:", "if False:"),
        ("parameters=len(layouts) == 1", "parameters=True"),
        ("group = output // self.outs", "group = output // self.ins"),
        ("if len(self.met(output)) == self.ins or", "if"),
        ("below.row + 1 + TOTAL_GAP", "below.row + 1"),
        ("self.kernels.end / 2, row)", "self.kernels.end, row)"),
        ("{sizes(self.own.kernel_shape)}", "{sizes(self.own.kernel_size)}"),
        ("layout.inputs.channels[place] % layout.ins)", "layout.inputs.channels[place] % layout.outs)"),
        ("channel % layout.ins]", "channel % layout.outs]"),
        ("for number in figure.shown(len(elements))", "for number in range(len(elements))"),
        ("value - sum(part for part in parts if part is not None)", "value"),
        ("column=index[1],\n        row=index[0]", "column=index[0],\n        row=index[1]"),
        ("output=drawn.parts.outputs[tint]", "output=drawn.parts.outputs[0]"),
        ("*(values.ravel() for values in sums.values())", "*()"),
        ("shown != (channels.in_channels, channels.out_channels)", "shown == (channels.in_channels, 0)"),
    ],
    CHANNELS_LOOKS: [
        ("tint=<< map.tint >>", "tint=0"),
        ("rectangle (<< size[1] >>,<< size[0] >>)", "rectangle (<< size[0] >>,<< size[1] >>)"),
        ("<< n if dots.across else 0 >>", "<< 0 if dots.across else n >>"),
        ("<% call tinted(map, parts.output_size)", "<% call tinted(map, parts.kernel_size)"),
        (r"\fill[window over << kind >>]", r"\fill[window over input]"),
        ("maps.window(step.blocks)", "maps.window(step.blocks[:0])"),
        (r"\draw[lit] (0,0)", r"\draw[outline] (0,0)"),
        ("<% for sum in added[1:] %>", "<% for sum in added %>"),
        ("([step.rest] if step.rest else [])", "[]"),
        ('sum_in(step.total, "window over output, lit"', 'sum_in(step.total, "output, lit"'),
        ('sum_in(step.rest, "tint=%d, outline" | format(tint)', 'sum_in(step.rest, "tint=%d, outline" | format(3)'),
        (r"\filldraw[window over output, lit]<< maps.cells([step]) >>", ""),
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
        ('(cell.column, cell.row, 1, 1) in subsampling.kept', '(cell.row, cell.column, 1, 1) in subsampling.kept'),
        (r'\fill[output]<< maps.path("rectangle", subsampling.kept) >>', ""),
        (r'\draw[lit]<< maps.path("rectangle", subsampling.kept) >>', ""),
    ],
    POSITIONS: [
        ("extent(window), window)", "extent(window), window[:1])"),
        ("GAP + PITCH * number", "GAP + PITCH"),
        ("stride {axis.stride}", "stride {axis.dilation}"),
        ("counted(count, 'position')", "counted(count + 1, 'position')"),
        ('counted(count, "window")', 'counted(count + 1, "window")'),
        ("is one of the windows", "is one of the positions"),
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
        ('<< maps.numbers(output.numbers, "output value") >>', ""),
    ],
    MATRIX: [
        ("if layer.transposed else (layer.output_size, layer.input_size)",
         "if not layer.transposed else (layer.output_size, layer.input_size)"),
        ("np.unravel_index(line, self._size)", "np.unravel_index(line, self._size, order='F')"),
        ("np.ravel_multi_index(others, self._others)", "np.ravel_multi_index(others, self._others, order='F')"),
        ("((line, other) if layer.transposed else (other, line))", "(other, line)"),
        ("weight=int(np.ravel_multi_index(weight, layer.kernel_size))", "weight=sum(weight)"),
        ("kernel_values[weight].item()", "kernel_values[::-1][weight].item()"),
        ("numbers = {0, *kept, size - 1}", "numbers = {0, *kept}"),
        ("if number + 2 in numbers", "if number + 3 in numbers"),
        ("(1 if number == last + 1 else 2)", "1"),
        ("lines.met(lines.count - 1)", "lines.met(0)"),
        ("max(map(_extent, found)) > MOST_SHOWN", "max(map(_extent, found)) >= MOST_SHOWN"),
        ("line >= LEAST_SHOWN and", "line > LEAST_SHOWN and"),
        ("(across, kept) if layer.transposed else (kept, across)", "(kept, across)"),
        ("for number in figure.shown(len(rows))", "for number in range(len(rows))"),
        ("columns if layer.transposed else rows)", "rows)"),
        ("_grid(columns, rows),", "_grid(rows, columns),"),
        ("entry._replace(column=entry.row, row=entry.column)", "entry"),
        ("{sizes(reversed(size))}", "{sizes(size)}"),
        ("bottom / 2)", "bottom)"),
        ("width + MATRIX_GAP", "MATRIX_GAP"),
        ("Point(0, -1 - VECTOR_GAP)", "Point(0, VECTOR_GAP - 1)"),
        ("Point(-1 - VECTOR_GAP, 0)", "Point(VECTOR_GAP - 1, 0)"),
        ("places((n % width for n in kept), width)", "places((n // width for n in kept), width)"),
        ("map_.at.row + map_.grid.rows + LABEL_GAP", "map_.at.row + map_.grid.rows"),
        ("Point(column - 0.5, row + height / 2)", "Point(column + 0.5, row + height / 2)"),
        ("for column, _ in across[1:]", "for column, _ in across"),
        ("if entry.row == row)", "if entry.row <= row)"),
        ("inputs=tuple(cell for cell in still.input.cells if cell.element in met)", "inputs=still.input.cells"),
        ("factors=tuple(cell for cell in still.inputs.cells if cell.element in met)", "factors=still.inputs.cells"),
        ('"" if len(layer.axes) == 1 else', '"" if len(layer.axes) == 2 else'),
        ("if figure.kernel_values is None:", "if figure.kernel_values is not None:"),
        ("if still.grid.dots:", "if not still.grid.dots:"),
    ],
    MATRIX_LOOKS: [
        ("shift={(0,<< -matrix.grid.rows / 2 >>)}", "shift={(0,<< -matrix.grid.columns / 2 >>)}"),
        ("<< cell.column + 0.5 >>}{<< cell.row + 0.5 >>}", "<< cell.row + 0.5 >>}{<< cell.column + 0.5 >>}"),
        ("{<< entry.column + 0.5 >>}{<< entry.row + 0.5 >>}", "{<< entry.row + 0.5 >>}{<< entry.column + 0.5 >>}"),
        ('index | join(",")', 'index | reverse | join(",")'),
        ("15 + 55 * weight /", "70 - 55 * weight /"),
        ('(("input", matrix.input, "elementname"), ("output"', '(("output", matrix.input, "elementname"), ("output"'),
        ("(n if dots_.across else 0)", "(0 if dots_.across else n)"),
        ("block.row <= step.row < block.row + block.rows", "block.row < step.row < block.row + block.rows"),
        ("block.column <= step.row <", "block.column < step.row <"),
        ("(<< block.column >>,<< step.row >>)", "(<< block.column >>,0)"),
        ('"window over weight shade", ", outline")', '"weight shade", ", outline")'),
        ('weights(matrix, step.entries, "window', 'weights(matrix, step.entries[1:], "window'),
        ('step.factors, ""', 'step.inputs, ""'),
        ('[step.result], ""', '[step.output], ""'),
        ('lines(matrix.grid, "cropped", "matrix dot")', 'lines(matrix.grid)'),
        ("{<< matrix.inputs.label >>}", "{<< matrix.outputs.label >>}"),
        ("rotate=90", "rotate=0"),
        ("strip = maps.whole", 'strip = (4, 4, "0pt", "figure")'),
    ],
    VOLUME: [
        ("AXES = 3", "AXES = 2"),
        ("GAP, ROW_GAP, RISE = 1.5,", "GAP, ROW_GAP, RISE = 0,"),
        ("max(len(columns.cells), width) + GAP", "len(columns.cells) + GAP"),
        ("-height - ROW_GAP - RISE * len(columns.cells)", "-height - ROW_GAP"),
        ('cell.input_index if cell.kind == "input" else None', "cell.input_index"),
        ("pitch * place + offset(columns)", "pitch * place"),
        ("[offset(depth) + number for", "[number for"),
        ("(window[0].position + window[-1].position) / 2", "window[0].position"),
        ("if layer.direct and", "if"),
        ("overhang=plane.cells, kept=none", "overhang=none, kept=none"),
        ("held = plane.cropped or plane.copied", "held = plane.cropped"),
        ('    if cell.kind == "input":\n        return plane\n', ""),
        ("plane.copied if cell.input_index is not None else none", "none"),
        ("cropped=none, copied=copied", "copied=copied"),
        ("first_column + x * width", "first_column"),
        ("Point(column + x, row + 1)", "Point(column + x, row)"),
        ("for number in slices\n            for x", "for number in slices[:1]\n            for x"),
        ("if all(frame.windows):", "if True:"),
        ("Window(still.inputs[number].at, window) for number in slices",
         "Window(still.inputs[number].at, window) for number in slices[:1]"),
        ("output = still.outputs[depth].at", "output = still.outputs[0].at"),
        ("Block(column, row, 1, 1)", "Block(row, column, 1, 1)"),
        ("equivalent=layer.transposed", "equivalent=False"),
        ("figure.shown(prod(layer.output_size))", "range(prod(layer.output_size))"),
    ],
    VOLUME_LOOKS: [
        ("[last.at.column + last.map.columns, last.map.rows] | max", "last.at.column"),
        ('fill="window"', 'fill="input"'),
        (r"\filldraw[window, lit]", r"\filldraw[window]"),
        ("<< slice_at(link.end) >>", "<< slice_at(link.start) >>"),
        ("link.element_corner |", "link.corner |"),
        ("maps.output_map(volume)", "maps.output_map(volume.inputs[0].map)"),
        ("if slice.number is not none", "if slice.number"),
        ("slice.at.column + slice.map.columns / 2 >>", "slice.at.column >>"),
        ("(<< volume.columns >>,0)", "(0,0)"),
        ("{<< volume.output_label | tex >>}", "{<< volume.input_label | tex >>}"),
    ],
    SCATTER: [
        ("axis.padding[0] + size)", "size)"),
        ("axis.stride * (axis.input_size - 1) + axis.reach + 1", "axis.stride * (axis.input_size - 1) + 1"),
        ("(stamp_at.column + stamp_columns + GAP, 0)", "(stamp_at.column + GAP, 0)"),
        ("top, columns, height)", "top, columns, rows)"),
        ("width - columns, rows)", "width, rows)"),
        ("Number(j * right.dilation, i * down.dilation", "Number(j, i"),
        ("row * down.stride + cell.row", "row * right.stride + cell.row"),
        ("number + cell.number, stamps + 1", "cell.number, stamps + 1"),
        ("number + cell.number, stamps + 1", "number + cell.number, 1"),
        ("if (r, c) not in changed", "if (r, c) in changed"),
        ("sums.setdefault((r, c), (0, 0))", "pass"),
        ("for number in figure.shown(len(steps))", "for number in range(len(steps))"),
        ("range(top, top + height)", "range(height)"),
        ("    if maps.extra:", "    if not maps.extra:"),
    ],
    SCATTER_LOOKS: [
        ('<< number("window over input value", step.element) >>', ""),
        ("100 * cell.stamps / scatter.most", "100 * cell.stamps"),
        ("step.others + step.changed if", "step.others if"),
        ("placed(scatter.stamp) >>]\n  \\filldraw", "placed(scatter.input) >>]\n  \\filldraw"),
        ('maps.path("rectangle", [scatter.output])', 'maps.path("rectangle", scatter.extra)'),
        ("0 <= cell.row - block.row < block.rows", "0 <= cell.row < block.rows"),
        (r"\draw[output padding]", r"\draw[outline]"),
        ("{dashed: computed for output padding}", "{output padding}"),
        ("<< scatter.covered.columns / 2 >>,<< scatter.covered.rows >>", "0,<< scatter.covered.rows >>"),
    ],
    GATHER: [
        ("maps.covered.columns + MIDDLE", "maps.covered.columns"),
        ("at.column + grid.columns + scatter.GAP", "at.column + scatter.GAP"),
        ("products_at.column + maps.stamp.columns + scatter.GAP", "products_at.column + scatter.GAP"),
        ("scatter.added(layer, 0, 0)", "maps.extra"),
        ("Step(scattered, gathered)", "Step(scattering[-1], gathered)"),
        ("for number in figure.shown(len(steps))", "for number in range(len(steps))"),
        ("equivalent=True", "equivalent=False"),
        ("if still.extra:", "if not still.extra:"),
        ("blocks(*frame.windows)", "blocks(*frame.windows[::-1])"),
        ("results=tuple(results)", "results=tuple(results[-1:])"),
        ("cell.column - left, cell.row - top", "cell.column, cell.row"),
        ("kernel_values[term.kernel_index]", "kernel_values[::-1, ::-1][term.kernel_index]"),
        ("layer.output(input_values, kernel_values)", "layer.output(input_values, -kernel_values)"),
    ],
    GATHER_LOOKS: [
        ("<< scatter.below(ways.scatter) >>", ""),
        ("<< scatter.moving(ways.scatter, step.scatter) >>", ""),
        ("<< scatter.above(ways.scatter) >>", ""),
        ("<< scatter.labels(ways.scatter) >>", ""),
        ("<< empty(ways.products) >>", ""),
        ("maps.window(step.gathered.window)", "maps.window(step.gathered.window[:0])"),
        (r"\fill[window over << cell.kind >>]", r"\fill[window over input]"),
        (r"\filldraw[weight, outline]", r"\filldraw[weight]"),
        ('("window over " if loop.last)', '("window over " if loop.first)'),
        (r"\draw[output padding]", r"\draw[outline]"),
        ('(ways.at, ways.grid.columns, "inputs and zeros")', '(ways.at, ways.output.columns, "inputs and zeros")'),
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
        ("patches[column], column) for column", "patches[column][1:], column) for column"),
        ("values[index].item())\n        for column", "values[index[::-1]].item())\n        for column"),
        ("is a column of {weights}", "is a column of {count}"),
    ],
    IM2COL_LOOKS: [
        ("product.patches[:step.column] |", "product.patches[step.column:] |"),
        ("entries(product.patches[step.column], lit=true)", "entries(product.patches[0], lit=true)"),
        ("product.results[:step.column + 1]", "product.results"),
        ('("window over " if loop.last)', '("window over " if loop.first)'),
        ("(<< loop.index0 % width >>,", "(<< loop.index0 // width >>,"),
        ("entries(step.cells, lit=true)", "entries(step.cells)"),
        (r"\draw[lit] (<< step.column >>,0)", r"\draw[lit] (0,<< step.column >>)"),
        ('weight, "weightname", weight.kernel_index', 'weight, "elementname", weight.kernel_index'),
        ("words.rounded(result, product.decimals)", "words.rounded(result, 2)"),
        ('if lit) ~ kind ~ " value, map value"', 'if not lit) ~ kind ~ " value, map value"'),
        ("{kernel as a row}", "{output as a row}"),
    ],
    GRADIENTS: [
        ("axis.stride, axis.padding, axis.dilation, output_size=axis.input_size",
         "axis.dilation, axis.padding, axis.stride, output_size=axis.input_size"),
        ("*sizes, axis.dilation, axis.padding, axis.stride", "*sizes, axis.stride, axis.padding, axis.dilation"),
        ("after - (direct.grid_size - covered)", "after"),
        ("(output, axis.input_size) if layer.transposed", "(axis.input_size, output) if layer.transposed"),
        ('layer.padding_mode != "zeros"', "layer is None"),
        ("tuple(axes), padding_mode=layer.padding_mode", "tuple(axes)"),
    ],
    INPUT_GRADIENT: [
        ("np.ones(", "np.zeros("),
        ('"kernel" if figure.layer.transposed else "rotated kernel"', '"kernel"'),
        ("label=f\"{output_label} {", "label=f\"{input_label} {"),
        ("* (not figure.layer.transposed)", "* figure.layer.transposed"),
        ("None:\n        sentence +=", "None and False:\n        sentence +="),
    ],
    KERNEL_GRADIENT: [
        ("(second, first)", "(first, second)"),
        ("axis.stride > 1 or axis.dilation > 1", "axis.stride > 1"),
        ("min(axis.padding) < 0", "max(axis.padding) < 0"),
        ("'input' if layer.transposed else", "'input' if not layer.transposed else"),
    ],
    INPUT_GRADIENT_LOOKS: [
        ("numerical.result", "numerical.above"),
        ('if "padding" in kinds', 'if "copy" in kinds and "padding" in kinds'),
        ("cropped input, cropped", "cropped"),
    ],
    KERNEL_GRADIENT_LOOKS: [("numerical.moving", "numerical.result")],
    SAMPLING: [
        ("Source(before, before + 1 - place)", "Source(before, place - before)"),
        ("index // factor", "index % factor"),
        ("2 * index + 1", "2 * index"),
        ("max(place, Fraction(0))", "place"),
        ("Fraction(size - 1)", "Fraction(size)"),
    ],
    UPSAMPLING: [
        ("left + (out_columns - columns) / 2", "left"),
        ("number * (rows + GAP + out_rows + BELOW)", "number * (rows + GAP + out_rows - 1)"),
        ('"bilinear" if', '"linear" if'),
        ("cell.number * cell.small", "cell.number"),
        ("one[number] for one in sums", "one[0] for one in sums"),
        ("in zip(sources, methods[-1].output", "in zip(sources, methods[0].output"),
        ("once(axis.stride for", "once(axis.kernel_size for"),
    ],
    UPSAMPLING_LOOKS: [
        ("upsampling.methods[loop.index0]", "upsampling.methods[0]"),
        ('"window over input value", cell, 2', '"window over input value", cell'),
        ("maps.cells(sum.sources)", "maps.cells(sum.sources[:1])"),
        ('"window over output value", sum.element', '"output value", sum.element'),
        ("anchor=south] at ([<< placed(method.input)", "anchor=south] at ([<< placed(method.output)"),
    ],
    PIXEL_SHUFFLE: [
        ("output[number // right :: down", "output[number % right :: down"),
        ("element.row * down + channel // right", "element.row + channel // right * rows"),
        ("cell.row % down * right + cell.column % right) % TINTS", "cell.row % down + cell.column % right) % TINTS"),
        ("divmod(number, rows * columns)", "divmod(number, rows)"),
        ("in_row = right if", "in_row = down if"),
        ("number // in_row * (rows + BELOW)", "number // in_row * rows"),
        ("channels[-1].at.column + columns + GAP", "channels[-1].at.column + GAP"),
        ("len(set(factors)) > 1", "len(set(factors)) > 2"),
        ("prod(factors), 'channel'", "sum(factors), 'channel'"),
    ],
    PIXEL_SHUFFLE_LOOKS: [
        ("shuffle.channels[step.channel].map", "shuffle.channels[0].map"),
        ("lit(shuffle.output, step.shuffled", "lit(shuffle.output, step.element"),
        ('flat.small("window over input value", cell)', 'flat.small("input value", cell)'),
        ("\\fill[tint=<< channel.tint >>]", "\\fill[tint=0]"),
        ('"tint value=%d" | format(cell.tint)', '"tint value=%d" | format(0)'),
        ("<< channel.map.label >>", "<< shuffle.input.label >>"),
    ],
    VARIANTS: [
        ("(mask != 0) & (mask != 1)", "mask > 2"),
        ("np.where(mask, input_values, 0)", "input_values"),
        ("np.maximum(valid, 1)", "np.maximum(valid, 2)"),
        ("np.moveaxis(offset, 0, -1)", "-np.moveaxis(offset, 0, -1)"),
        ("axis.dilation * k + by", "k + by"),
        ("axis.stride * o - axis.padding[0]", "axis.stride * o - axis.padding[1]"),
        ("if all(0 <= source.element < size", "if all(-1 <= source.element < size"),
    ],
    PARTIAL: [
        ('("input", "copy") and', '("input",) and'),
        ("number=None, small=None", "small=None"),
        ("at.row + 1) if", "at.row) if"),
        ("at.column + flat.output.columns, at.row", "at.column, at.row"),
        ("if cell.number == 0)", "if cell.number == 1)"),
        ("by_place[step.element.column, step.element.row]", "by_place[0, 0]"),
        ("any(map(any, (axis.padding for", "all(map(any, (axis.padding for"),
    ],
    PARTIAL_LOOKS: [
        ("partial.output_holes) >>", "partial.output_holes[:1]) >>"),
        ("{hole, outline}{hole}", "{outline}{hole}"),
        ("\\filldraw[window over hole, lit]", "\\filldraw[hole, lit]"),
        ("\\filldraw[window over weight, lit]", "\\filldraw[weight, lit]"),
        ("+\\rowgap+\\rowgap", "+\\rowgap"),
        ("+\\flatgap+\\flatgap", "+\\flatgap"),
    ],
    DEFORMABLE: [
        ("left + sample.place[1] + 0.5, top + sample.place[0] + 0.5", "left + sample.place[1], top + sample.place[0]"),
        ("column=cell.column + left, row=cell.row + top", "column=cell.column, row=cell.row"),
        ("Point(left + x + 0.5, top + y + 0.5)", "Point(left + y + 0.5, top + x + 0.5)"),
        ("windows[1][column].position + 0.5", "windows[0][row].position + 0.5"),
        ("Weighted(column, row, value", "Weighted(row, column, value"),
        ("samples_at.column + width + GAP", "samples_at.column + GAP"),
        ("room.column + room.columns + GAP", "grid.columns - 1"),
        (">= SHORTEST", ">= 0"),
        ("floor(min(0, *columns))", "0"),
    ],
    DEFORMABLE_LOOKS: [
        ("\\draw[tap]", "\\fill[sample]"),
        ("(<< tap.start | join(\",\") >>) --", "(<< tap.end | join(\",\") >>) --"),
        ("deformable.sample_decimals", "deformable.decimals"),
        ("\\draw[overhang] (<< room.column >>", "\\draw[padding] (<< room.column >>"),
        ("{<< cell.column + 1 >>}{<< cell.row + 1 >>}", "{<< cell.row + 1 >>}{<< cell.column + 1 >>}"),
    ],
    "scripts/core/receptive.py": [
        ("axis.window_size - 1, axis.input_dilation", "axis.window_size, axis.input_dilation"),
        ("pooling.reach - pooling.padding[0], pooling.reach", "pooling.padding[0], pooling.reach"),
        ("Reach(i, o - 1, i + o - 2, o)", "Reach(i, o - 1, i + o - 1, o)"),
        ("-((step.before - step.stride * first) // step.spread)", "(step.stride * first - step.before) // step.spread"),
        ("if end[0] <= end[1]] or ends[:1]", "] or ends[:1]"),
        ("element * step.stride,", "below.jump * step.stride,"),
        ("min(branch.first for branch in found)", "found[0].first"),
        ("for n in range(phases)]", "for n in range(1)]"),
        ("if len(jumps) > 1:", "if len(jumps) > 2:"),
        ("lcm(*map(_period, step))", "1"),
        ("start=start if start <= end else ceil(first)", "start=start"),
        ("start=start if start <= end else ceil(first)", "start=ceil(first)"),
    ],
    STREAMING: [
        ("Point(kept, OUTPUT_ROW)", "Point(0, OUTPUT_ROW)"),
        ("columns[own.dilation * n]", "columns[n]"),
        ("0 if cell.input_index is None", "None if cell.input_index is None"),
        ("cells[number : number + kept + 1]", "cells[number + 1 : number + kept + 2]"),
        ("cell.column in used", "True"),
        ("tuple(cells[:number])", "tuple(cells[: number + 1])"),
        ("outputs[: number + 1]", "outputs"),
        ("d(k − 1) = {kept}", "d(k − 1) = {kept + 1}"),
        ("if figure.output_values is None else decimals", "if figure.output_values is not None else decimals"),
    ],
    STREAMING_LOOKS: [
        ("if lit and cell.used", "if lit"),
        ('"padding" if sample.place is none', '"padding" if sample.number is none'),
        (r"\draw[padding] (0,0) grid", r"\draw[cropped] (0,0) grid"),
        ("(<< step.kept[0].column >>,0) rectangle", "(0,0) rectangle"),
        (r"\draw[lit] (0,0) rectangle", r"\draw[outline] (0,0) rectangle"),
        ('if kind(cell) == "input" %>', "%>"),
        ('"window over output" if loop.last', '"window over output" if loop.first'),
        ("stream.new + 1", "stream.new"),
    ],
    RECEPTIVE: [
        ("for branch in reversed(step.branches)", "for branch in step.branches"),
        ("layer is None and number == bottom", "layer is None"),
        ("skips = 0 if self.flat else 2", "skips = 2"),
        ("(*below.stack, step), step.output_size", "(*below.stack, step), below.size"),
        ("matrix[output, index] += 1", "matrix[output, index] = 1"),
        ("-abs(2 * n - len(reached))", "n"),
        ("max(first, 0), min(last + 1, inputs)", "first, last + 1"),
        ("last == 0 and first.denominator == 1", "last == 0"),
        ("one.last if is_causal else one.centre", "one.centre"),
        ("+ one.jump * n) / unit", "+ one.jump * n)"),
        ("depth - node.depth)", "node.depth)"),
        ("Fraction(node.lane) * (right - left + LANE_GAP)", "Fraction(0)"),
        ("heads[node.lane] = number", "heads[number] = number"),
        ("node.lane * pitch - rows / 2", "-rows / 2"),
        ("middles.append(column + width / 2)", "middles.append(column)"),
        ("point not in old)", "True)"),
        ("_links(edge, still, numbers[edge.upper])", "_links(edge, still, numbers[edge.upper] + 1)"),
        ("count if most <= MOST_WRITTEN else None", "count"),
        ("round(100 * Fraction(count, most))", "100"),
        ("sorted({one.sizes[0], one.size})", "{one.size}"),
        ('f"{one.start}".replace', 'f"{one.first}".replace'),
        ('if layer.weighted else \'window\'', "if layer.transposed else 'window'"),
        ("max(numbers) > 1)", "max(numbers) > 0)"),
        ("span > len(indices)", "span >= len(indices)"),
        ("'; '.join(reversed(seen_))", "'; '.join(seen_)"),
        ("parameters=not figure.is_stack", "parameters=True"),
    ],
    RECEPTIVE_LOOKS: [
        ('"seen input" if input else "seen output"', '"seen output" if input else "seen input"'),
        ("(new if element.new else old)", "(old if element.new else new)"),
        ("to[skip]", "--"),
        (r"\draw[cropped] (0,0) grid (<< level.columns >>,<< level.rows >>)",
         r"\draw[cropped] (0,0) grid (<< level.rows >>,<< level.columns >>)"),
        ("level.at[0].row - 0.8", "level.at[0].row + 0.8"),
        ("level.at[0].row + level.rows >>", "level.at[0].row >>"),
        ("0 if levels.flat else 0.5", "0.5"),
        ('"paths=" ~ style', '"seen input"'),
        ("size << level.fields[0] | tex >>", "size << level.fields[1] | tex >>"),
    ],
    SCENE: [
        ("(len(self.steps) - 1) + (figure.last_frame_duration,)", "(len(self.steps) - 1) + (figure.frame_duration,)"),
    ],
    GIF: [
        ("entries[:, 3] < 128", "entries[:, 3] < 255"),
        ("disposal=0 if is_opaque else 2", "disposal=0"),
        ("loop=0", "loop=1"),
        ("duration=times if len(times) > 1 else times[0]", "duration=times[0]"),
    ],
    SVG: [
        ("accumulate(durations, initial=0)", "accumulate(reversed(durations), initial=0)"),
        ("shares[frame + 1]}%{{visibility:hidden}}", "shares[frame]}%{{visibility:hidden}}"),
        ("{{animation:none}}", "{{}}"),
        (":hover .{prefix}{{animation-play-state", " .{prefix}{{animation-play-state"),
    ],
    MARKUP: [
        ("if frame > 0:\n                group.set", "if frame > 1:\n                group.set"),
        ("start = place + 1", "start = place"),
        ("if shape not in self.known:", "if True:"),
    ],
    PLAYER: [
        ("go((state.step + 1) % count)", "go(state.step + 1)"),
        ("term[1] === Number(number)", "term[0] === Number(number)"),
        ("[-1, 2], ArrowDown: [1, 2]", "[-1, 1], ArrowDown: [1, 1]"),
        ("${data.files[shown]}.", "${data.files[state.step + 1]}."),
        ("state.over = null;", ""),
        ('if (event.key === "Escape") unpin();', 'if (event.key === "Escape") render();'),
    ],
    FILTER: [
        ("words.every", "words.some"),
        ("figure.axes === filter", "figure.axes !== filter"),
    ],
    PICTURE: [
        ("POINTS = 72.27 / 72", "POINTS = 1"),
        ("column * self.column[n] + row * self.row[n]", "row * self.column[n] + column * self.row[n]"),
        ("pair[n]};", "pair[0]};"),
    ],
    ELEMENTS: [
        ("seeing[term.input_index][step.output_index] = None", "seeing[term.kernel_index][step.output_index] = None"),
        ("numbers[term.position], *([kernel_numbers", "kernel_numbers[term.kernel_index], *([kernel_numbers"),
    ],
    SENTENCES: [
        ("count if layer.count_include_pad else terms | length", "count"),
        ('(weight) ~ " · " ~ factor(value)', '(weight) ~ " · " ~ factor(weight)'),
    ],
    VECTOR: [
        ("self.a * x + self.c * y + self.e", "self.a * x + self.b * y + self.e"),
        ("round(float(share) * 2.55)", "round(float(share) * 2.5)"),
        ("isclose(first, second, rel_tol=1e-6) else None", "True else None"),
        ("_length(scale * float(number))", "_length(float(number))"),
        ("write = _coordinate if name", "write = _coordinate if True or name"),
        ('            written.append("z")\n            here = start', '            written.append("z")'),
        ("here, moved = start, False", "moved = False"),
        ("if len(pages) != count:", "if False:"),
        ('given.pop("id", None)', ""),
    ],
    WEBP: [
        ("append_images=images[1:]", "append_images=images[:-1]"),
        ("lossless=True", "lossless=False"),
        ("loop=0", "loop=1"),
    ],
    APNG: [
        ("append_images=images[1:]", "append_images=images[:-1]"),
        ("duration=milliseconds(durations)", "duration=1000"),
        ("loop=0", "loop=1"),
    ],
    MP4: [
        ("round(100 * seconds)", "round(10 * seconds)"),
        ("time // tick", "1"),
        ('"-colorspace", "bt709"', '"-colorspace", "bt470bg"'),
        ('image.height % 2, image.width % 2', 'image.width % 2, image.height % 2'),
        ("if images[0].has_transparency_data", "if images[0].mode == 'RGBA'"),
    ],
    PALETTE: [
        ("places.append(chosen)", "places.append(0)"),
        ("distance = np.full(len(colours), np.inf)", "distance = np.full(len(colours), 1000.0)"),
        ("out=changed[1:]", "out=changed[:-1]"),
    ],
    PYTORCH: [
        ("inner = [min(axis.padding) for", "inner = [max(axis.padding) for"),
        ("in reversed(layer.axes)", "in layer.axes"),
        ("tuple(-side for side in rest)", "tuple(rest)"),
        ("tuple(axis.output_padding for", "tuple(axis.padding[0] for"),
        ("if any(axis.dilation > 1", "if all(axis.dilation > 1"),
        ('Pad{n}d", tuple(rest)), main]', 'Pad{n}d", tuple(rest))]'),
        ("2 * size > window", "2 * size >= window"),
        ('layer.name != "Conv2dSame" and', ""),
        ('| {"count_include_pad": True}', ""),
    ],
    KERAS: [
        ("max(axis.stride - axis.reach - 1, 0)", "0"),
        ("+ more - axis.output_padding for", "+ more for"),
        ("(axis.padding[0], max(side, 0))", "(axis.padding[1], max(side, 0))"),
        ("(0, max(-side, 0))", "(0, 0)"),
        ('max(dilation) > 1:\n        raise LayerError("', 'max(dilation) > 9:\n        raise LayerError("'),
        ('_around("Cropping", cropping)', '_around("ZeroPadding", cropping)'),
        ('{"dilation_rate": dilation} if max(dilation) > 1', '{"dilation_rate": dilation} if min(dilation) > 1'),
        ("if any(map(any, sides))", "if all(map(any, sides))"),
    ],
    JAX: [
        ("axis.padding for axis in layer.direct", "axis.padding for axis in layer.axes"),
        ('"transpose_kernel": True', '"transpose_kernel": False'),
        ('{"rhs_dilation": dilation} if max(dilation) > 1', '{"rhs_dilation": dilation} if min(dilation) > 1'),
        ("window_strides=stride", "window_strides=dilation"),
        ("window_strides=stride, padding=padding, **asked", "window_strides=dilation, padding=padding, **asked"),
    ],
    ONNX: [
        ("[*befores, *afters]", "[*afters, *befores]"),
        ('[axis.output_padding for axis in layer.axes]', '[0 for axis in layer.axes]'),
        ('"transposed_convolution": "ConvTranspose"', '"transposed_convolution": "Conv"'),
        ("if any(axis.dilation > 1", "if all(axis.dilation > 1"),
        ("zip(pads[: given.n], pads[given.n :], strict=True)", "zip(pads[::2], pads[1::2], strict=True)"),
    ],
    SIZES: [
        ("return input_size[1] if", "return input_size[0] if"),
        ("tuple(input_size[-n:])", "tuple(input_size[:n])"),
        ("(LEADING if len(input_size) > MOST_AXES else 0)", "0"),
    ],
    RECIPE: [
        ("""if "'''" in text or not text""", "if not text"),
        ("len(text) > LONGEST_PLAIN or not text", "len(text) > LONGEST_PLAIN or text"),
        ("digest(content, body)", "digest(body)"),
        ("digest(content, body)", "digest(content)"),
    ],
    READING: [
        ("decompress(packed, MOST_BYTES + 1)", "decompress(packed)"),
        ("toml.parse(text, source, MOST_BYTES)", "toml.parse(text, source)"),
        ("for name, text in reversed(list(texts.items())):", "for name, text in list(texts.items()):"),
        ("dict[Annotated[str, Field(pattern=f\"^{NAME.pattern}$\")], str]", "dict[str, str]"),
        ("enumerate(depths, start + 1)", "enumerate(depths, start)"),
    ],
    COMPARISON: [
        ("if one.size != other.size:", "if one.size < (0, 0):"),
        ("if counts[0] != counts[1]:", "if counts[0] > counts[1]:"),
        ("if was.version != now.version:", "if False:"),
        ("if not picture.is_intact:", "if picture.is_intact:"),
        ('one.info.get("duration") != other.info.get("duration")', "False"),
    ],
    BINARY: [
        ("PNG_HEADER_END = 33", "PNG_HEADER_END = 8"),
        ("crc32(content).to_bytes(4", "crc32(text).to_bytes(4"),
        ("at = next(ends, _after_palette(content))", "at = _after_palette(content) + 0 * len(list(ends))"),
        ("3 * 2 ** ((flags & 7) + 1)", "3 * 2 ** (flags & 7)"),
        ("range(0, len(text), 255)", "range(0, len(text), 256)"),
        ("header[0] | XMP_FLAG", "header[0]"),
        ("header[0] & ~XMP_FLAG", "header[0]"),
        ("bits >> 14 & 0x3FFF", "bits & 0x3FFF"),
        ("alpha * ALPHA_FLAG", "0"),
        ("+ data + bytes(len(data) % 2)", "+ data"),
        ("(len(box) + 4).to_bytes(4", "len(box).to_bytes(4"),
    ],
    DOCUMENTS: [
        ("(?:\\s*<(title|desc)\\b[^>]*>[^<]*</\\1>)*", "(?:\\s*<(none)>)*"),
        ('if "/Info" in trailer else {}', "if False else {}"),
        ('re.sub(rb"([()\\\\])", rb"\\\\\\1", text)', "text"),
        ("(number + 1, number + 2, shared)", "(number + 1, number + 1, shared)"),
        ('b" /Prev %d /Index', 'b" /Before %d /Index'),
        ("for place in (at, end))", "for place in (end, at))"),
    ],
    PACKET: [
        ('.replace(b"<", b"&lt;")', ""),
        ('.replace(b"&gt;", b">").replace(b"&amp;", b"&")', '.replace(b"&amp;", b"&").replace(b"&gt;", b">")'),
    ],
    MODEL_FILE: [
        ("slice(1, -1) if op_type", "slice(2, None) if op_type"),
        ('"QLinearConv": 3', '"QLinearConv": 1'),
        ("(first, second * groups) if op_type", "(second * groups, first) if op_type"),
        ("scope.lists.get(node.input[2], output)", "output"),
        ("list(output[2:])", "list(output[:2])"),
        ("yield from _layers(graph.node, scope.inner(graph)", "yield from _layers(graph.node, scope"),
        ("for function in model.functions:", "for function in model.functions[:0]:"),
        ("if any(attribute.ref_attr_name", "if all(attribute.ref_attr_name"),
    ],
    INFERENCE: [
        ("result.functions.extend(functions)", "result.functions.extend(functions[:0])"),
        ("<= MOST_NODES", ">= 0"),
        ("prod(tensor.dims) > MOST_ELEMENTS", "prod(tensor.dims) < 0"),
        ("(used & STAND_INS.keys()) - unlike", "used & STAND_INS.keys()"),
        ("data_prop=True", "data_prop=False"),
        ("model = onnx.inliner.inline_local_functions(model)", "pass"),
        ("Y = GlobalAveragePool (X)", "Y = Identity (X)"),
    ],
    JS_ARITHMETIC: [
        ("last * this.stride < this.input_size", "last * this.stride <= this.input_size"),
        ("2 * (size - 1) - place", "2 * size - 1 - place"),
        ("this.rotated ? this.kernel_size - 1 - j : j", "j"),
        ("rest > gcd(input_size, output_size) ? 1 : 0", "rest > 1 ? 1 : 0"),
        ("layer.count_include_pad ? count : values.length", "count"),
        ("(bits << 15) & 0xefc60000", "(bits << 14) & 0xefc60000"),
        ("100 * misses + 5 * different", "100 * misses + 6 * different"),
    ],
    JS_NOTATION: [
        ("2 * size > kernel_size[n]", "2 * size >= kernel_size[n]"),
        ('given.flag("count_include_pad", layer.operation', 'given.flag("count_include_pad", layer.name'),
        ("oddAfter ? [less, more] : [more, less]", "[less, more]"),
        ("inner.signed || ", ""),
    ],
    CALL: [
        ("""replace("'", '"')""", """replace("'", "'")"""),
        ("isinstance(expression, ast.Tuple) and", "False and"),
        ("expression = expression.func", "expression = expression.func.func"),
        ("for inner in expression.args if", "for inner in expression.args[:1] if"),
    ],
    COST: [
        ("layer.input_size if layer.transposed else layer.output_size", "layer.output_size"),
        ("axis.input_size + axis.output_size - gcd(", "axis.input_size + axis.output_size - 1 + 0 * gcd("),
        ("Channels(ins, ins, ins)", "Channels(ins, outs, ins)"),
        ("self.activations + other.activations", "other.activations"),
    ],
    COVERAGE: [
        ('if cell.kind == "input" else None', "or 0"),
        ("min(first + last, len(self.elements))", "first"),
    ],
    NETWORK: [
        ("self.first + self.jump * own.first", "self.first + own.first"),
        ("min(one.first for one in along)", "along[0].first"),
        ("max(one.last for one in along)", "along[-1].last"),
    ],
    MODEL: [
        ('[: 2 if node.op_type == "BatchNormalization" else None]', ""),
        ('"Concat", "Div"', '"Div"'),
        ("axis % rank - 1", "axis % rank"),
    ],
    REMARKS: [
        ("if least < most:", "if least <= most:"),
        ("if counted.unreached > end:", "if counted.unreached:"),
        ("below = own.kernel_size // own.stride * own.stride", "below = own.kernel_size // own.stride"),
    ],
    MESSAGES: [
        ("lambda m: _joined([int(m[1])], [int(m[2])], m[0]),\n    ),\n    Pattern(\n        r\"Sizes",
         "lambda m: _joined([int(m[2])], [int(m[1])], m[0]),\n    ),\n    Pattern(\n        r\"Sizes"),
        ("other != shape and _is_whole(lines, other)", "other != shape"),
    ],
    CHAIN: [
        ("if expected != arrived:", "if expected < arrived:"),
        ("2 * shape[0] if operator", "shape[0] if operator"),
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
    # A pool's workers are daemons, which may not start processes as the tests of models do; `daemon` itself can only be
    # set before a process starts.
    multiprocessing.current_process()._config["daemon"] = False  # type: ignore[attr-defined]
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
