"""Deliberate errors in templates, views, captions and number formatting, one at a time: a test has to fail at each.

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
# In this order: what pictures and captions mean, then their text.
TESTS = ("tests/test_pictures.py", "tests/test_render.py")
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
PLANE = "templates/plane.tex.j2"
NUMERICAL = "templates/numerical.tex.j2"
STEP = "templates/step.tex.j2"
DOCUMENT = "templates/figure.tex.j2"
REPORT = "templates/figures.tex.j2"
THEME = "templates/theme.tex"
RENDER = "scripts/stages/render.py"
DRAWING = "scripts/views/drawing.py"

ERRORS: dict[str, list[tuple[str, str]]] = {
    MAPS: [
        # Columns and rows confused.
        ("(<< column >>,<< row >>) << verb >>", "(<< row >>,<< column >>) << verb >>"),
        ("+(<< width >>,<< height >>)", "+(<< height >>,<< width >>)"),
        (r"\fill[output] (0,0) rectangle (<< size[1] >>,<< size[0] >>)",
         r"\fill[output] (0,0) rectangle (<< size[0] >>,<< size[1] >>)"),
        (r"\draw[outline] (0,0) grid (<< size[1] >>,<< size[0] >>)",
         r"\draw[outline] (0,0) grid (<< size[0] >>,<< size[1] >>)"),
        # Cells of the wrong kind.
        ('["input", "padding", "inserted"]', '["input", "padding"]'),
        ('"holding", "input", "padding")', '"holding", "padding")'),
        ('"holding", "input", "cropped")', '"positions", "input", "cropped")'),
        ('path("rectangle", given_rows, given_columns)', 'path("rectangle", rows, columns)'),
        (r"\draw[cropped] (0,0) grid (<< whole_width >>,<< whole_height >>)",
         r"\draw[cropped] (0,0) grid (<< width >>,<< height >>)"),
        (r'  \fill[papercolor]<< path("rectangle", kept_rows, kept_columns) >>', ""),
        (r"\draw[overhang] (<< width >>,0) grid", r"\draw[overhang] (0,0) grid"),
        (r"\draw[overhang] (0,<< height >>) grid", r"\draw[overhang] (0,<< width >>) grid"),
        ("if whole_width > width", "if whole_width < width"),
        ("if whole_height > height", "if whole_height > whole_width"),
        ("if (copied_rows, copied_columns) != (rows, columns)", "if (copied_rows, copied_columns) == (rows, columns)"),
        ('path("rectangle", copied_rows, copied_columns)', 'path("rectangle", copied_rows, columns)'),
        (r'\draw[padding]<< path("grid", kept_rows, kept_columns) >>',
         r'\draw[padding]<< path("rectangle", kept_rows, kept_columns) >>'),
        (r"\draw[padding]", r"\draw[outline]"),
        (r'\fill[input]<< path("rectangle", rows, columns) >>',
         r'\fill[input]<< path("rectangle", kept_rows, kept_columns) >>'),
        (r'\draw[outline]<< path("grid", rows, columns) >>',
         r'\draw[outline]<< path("grid", kept_rows, kept_columns) >>'),
        # The output beside its place.
        ("<< inputs[0] if", "<< 0 if"),
        ("axis.windows | length) / 2", "axis.windows | length) // 2"),
        ('"padding", "inserted", "overhang") %>', '"padding", "inserted") %>'),
        ('"input", "padding", "inserted", "overhang")', '"input", "padding", "inserted", "overhang", "cropped")'),
        # The table of parameters.
        (r", rotated 180\textdegree", ""),
        ('<< words.per_axis(axes, "stride") | tex >> & << words.per_axis(direct, "stride") | tex >>',
         '<< words.per_axis(direct, "stride") | tex >> & << words.per_axis(axes, "stride") | tex >>'),
        ('inputs << words.per_axis(direct, "input_dilation")', 'inputs << words.per_axis(direct, "dilation")'),
        ('axes | map(attribute="stride") | max > 1', 'axes | map(attribute="stride") | min > 1'),
        ("<< words.padding(axes) | tex >> & << words.padding(direct) | tex >>",
         "<< words.padding(direct) | tex >> & << words.padding(axes) | tex >>"),
        ('map(attribute="output_padding") | max > 0', 'map(attribute="output_padding") | max > 1'),
        ('<< words.per_axis(axes, "dilation") | tex >> &', '<< words.per_axis(axes, "stride") | tex >> &'),
        ('"" if layer.weighted else', '"" if not layer.weighted else'),
    ],
    WORDS: [
        ('"%.12g" | format(value + 0)', '"%.3g" | format(value + 0)'),
        ('"%.12g" | format(value + 0)', '"%.12g" | format(value)'),
        ('format(value)) | replace("-", "−")', "format(value))"),
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
        ("if not sides or layer.unpooling", "if layer.unpooling"),
        ('"kernel " if layer.weighted else "window "', '"window " if layer.weighted else "kernel "'),
        ('parts.append("stride " ~ per_axis(axes, "stride"))', 'parts.append("stride " ~ per_axis(axes, "dilation"))'),
        ('if axes | map(attribute="dilation") | max > 1', 'if axes | map(attribute="dilation") | min > 1'),
        ('parts.append("dilation " ~ per_axis(axes, "dilation"))', 'parts.append("dilation " ~ axes[0].dilation)'),
        ('"output padding " ~ per_axis(axes, "output_padding")', '"output padding " ~ per_axis(axes, "stride")'),
        ('"norm " ~ number(layer.norm)', '"norm " ~ layer.norm | int'),
        ("if layer.ceil_mode", "if not layer.ceil_mode"),
        ("layer.channels.groups > 1", "layer.channels.groups > 2"),
        ('"" if channels == 1 else "s"', '"s" if channels == 1 else ""'),
        ('"lp_pooling": "LP pooling"', '"lp_pooling": "average pooling"'),
    ],
    CAPTION: [
        ("<< operation[0] | upper >>", "<< operation[0] >>"),
        ("an input of << words.map_size(layer.input_size,", "an input of << words.map_size(layer.output_size,"),
        ("layer.channels.in_channels if", "layer.channels.out_channels if"),
        ("stride 1, padding << words.padding(direct) >>", "stride 1, padding << words.padding(axes) >>"),
        ('inputs << words.per_axis(direct, "input_dilation")', 'inputs << words.per_axis(direct, "stride")'),
        (', dilation << words.per_axis(direct, "dilation") >>', ', dilation << direct[0].dilation >>'),
        ('", rotated" if layer.transposed', '", rotated" if not layer.transposed'),
        ('figure.view == "numerical" and figure.kernel_values is not none', "figure.kernel_values is not none"),
        ('figure.view == "numerical" and layer.unpooling', "layer.unpooling"),
        ('parts[:-1] | join(", ")', 'parts[1:] | join(", ")'),
    ],
    PLANE: [
        ("output plane={<< maps.offset(grid[1]) >>}{<< maps.offset(grid[0]) >>}",
         "output plane={<< maps.offset(grid[0]) >>}{<< maps.offset(grid[1]) >>}"),
        ('maps.path("rectangle", covered_rows, covered_columns)',
         'maps.path("rectangle", covered_columns, covered_rows)'),
        ('maps.path("grid", covered_rows, covered_columns)', 'maps.path("rectangle", covered_rows, covered_columns)'),
        ('(row, height), (column, width) = frame', '(column, width), (row, height) = frame'),
        ("frame.output_index[0] + maps.offset(rows) | float", "frame.output_index[0]"),
        ("[(0, 0), (1, 0), (0, 1), (1, 1)]", "[(0, 0), (1, 0), (1, 1), (1, 1)]"),
        ("<< row + y * height >>", "<< row + y >>"),
        ("<< output_row + y >>,1)", "<< output_row + y >>)"),
        (r"\fill[window] (<< frame.output_index[1] >>,<< frame.output_index[0] >>)",
         r"\fill[window] (<< frame.output_index[0] >>,<< frame.output_index[1] >>)"),
        (r"\liftoutput{<< columns.cells | length >>,0}", r"\liftoutput{<< rows.cells | length >>,0}"),
        ("{input << words.sizes(layer.input_size)", "{input << words.sizes(layer.output_size)"),
        (r"at ([plane]<< (columns.cells | length) / 2 >>,", r"at ([plane]<< (rows.cells | length) / 2 >>,"),
        ("anchor=south east", "anchor=north west"),
    ],
    NUMERICAL: [
        ("text | length <= 3", "text | length <= 30"),
        ('"−∞" if value == -infinity', '"−∞" if value == infinity'),
        ('if drawing.layer.reduction == "maximum"', 'if drawing.layer.reduction'),
        ("drawing.output_values | decimals", "1"),
        ("length == 1 and drawing.layer.output_size[0]", "length == 1 or drawing.layer.output_size[0]"),
        (r"<< columns.cells | length >>+\flatgap", r"<< columns.windows | length >>+\flatgap"),
        ("<< (rows.cells | length - rows.windows | length) / 2 >>", "0"),
        ("{<< position[1] + 0.5 >>}{<< position[0] + 0.5 >>}", "{<< position[0] + 0.5 >>}{<< position[1] + 0.5 >>}"),
        ("{<< position[1] + 1 >>}{<< position[0] + 1 >>}", "{<< position[0] + 1 >>}{<< position[1] + 1 >>}"),
        ('words.number(number), "kernelwidth"', 'words.number(number), "valuewidth"'),
        ("drawing.cells.items() if content.number is not none", "drawing.cells.items() if content.number"),
        ('"copied value" if content.kind == "copy"', '"copied value" if content.kind == "padding"'),
        ('small("value", position, drawing.indices[position].item())',
         'small("value", position, drawing.input_values[position].item())'),
        ('["input", "copy", "padding"]', '["input", "padding"]'),
        (r"\fill[window over << kind >>]", r"\fill[window over input]"),
        ("(<< term.position[1] >>,<< term.position[0] >>)", "(<< term.position[0] >>,<< term.position[1] >>)"),
        ('"padding value" if kind == "padding"', '"padding value" if kind == "copy"'),
        ("<% if number is not none %>", "<% if number %>"),
        ("drawing.kernel_values[term.kernel_index]", "drawing.kernel_values[::-1, ::-1][term.kernel_index]"),
        ("drawing.indices[term.position].item()", "drawing.input_values[term.position].item()"),
        ('maps.path("grid", rows, columns)', 'maps.path("grid", columns, rows)'),
        ("(<< column + width >>,1)", "(<< column + width - 1 >>,1)"),
        ("frame.output_index[1] + maps.offset(drawing.layer.grid[1]) | float", "frame.output_index[1]"),
        ("drawing.output_values[index].item()", "drawing.output_values.T[index].item()"),
        ("(<< frame.output_index[1] >>,<< frame.output_index[0] >>)",
         "(<< frame.output_index[0] >>,<< frame.output_index[1] >>)"),
        ('value("window value", frame.output_index', 'value("value", frame.output_index'),
        ('"output " ~ words.sizes(layer.output_size)', '"output " ~ words.sizes(layer.input_size)'),
        (r"anchor=south] at ([flat]<< (drawing.layer.grid[1].cells",
         r"anchor=south] at ([flat]<< (drawing.layer.grid[0].cells"),
    ],
    STEP: [
        ("<< view.moving(drawing, frame) >>\n<< view.above(drawing) >>",
         "<< view.above(drawing) >>\n<< view.moving(drawing, frame) >>"),
        ("<< view.result(drawing, frame) >>", ""),
        ("<< maps.parameters(figure.layer) >>", "<< figure.title >>"),
    ],
    DOCUMENT: [
        ("drawing.frames[:most]", "drawing.frames[-most:]"),
        ("<< loop.index0 % columns >>", "<< loop.index0 // columns >>"),
        ("<% if loop.first %>", "<% if loop.last %>"),
        ("\\usebox\\abovebox\n<< overlay(view.result(drawing, frame)) >>",
         "<< overlay(view.result(drawing, frame)) >>\n\\usebox\\abovebox"),
        ("<< overlay(view.moving(drawing, frame)) >>", "<< overlay(view.moving(drawing, drawing.frames[0])) >>"),
        ("\\begin{lrbox}{\\abovebox}\n<< overlay(view.above(drawing)) >>",
         "\\begin{lrbox}{\\abovebox}\n<< overlay(view.below(drawing)) >>"),
        ("<< maps.parameters(figure.layer) >>};", "};"),
    ],
    REPORT: [
        ("The first << shown >> of << figure.count >> steps.", "The first << figure.count >> of << shown >> steps."),
        ("if figure.count > shown", "if figure.count >= shown"),
    ],
    THEME: [
        ("draw=outlinecolor!50!papercolor, dash pattern=on 0.4pt off 1.6pt", "draw=outlinecolor!50!papercolor"),
        ("cropped input/.style={fill=inputcolor!20!papercolor}", "cropped input/.style={fill=inputcolor}"),
        ("flat/.style={cm={0.7,0,0,-0.7,(0,0)}}", "flat/.style={cm={0.7,0,0,0.7,(0,0)}}"),
        ("shift={(#1,#2,1)}", "shift={(#2,#1,1)}"),
    ],
    RENDER: [
        ("ROUND_HALF_UP))", '"ROUND_HALF_EVEN"))'),
        ("for digits in range(3):", "for digits in range(2):"),
        ("for digits in range(3):", "for digits in range(1, 3):"),
        ("return 1 if np.abs", "return 2 if np.abs"),
        (".min() >= 0.1 else 2", ".max() >= 0.1 else 2"),
        (r'"−": r"\textminus{}"', '"−": "-"'),
    ],
    DRAWING: [
        ('"input" if kinds == {"input"} else "copy"', '"input"'),
        ('Content("padding", self.layer.padding_value)', 'Content("padding", 0)'),
        ('Content("overhang", None)', 'Content("overhang", self.layer.padding_value)'),
        ('Content("cropped", None if None in index else self.input_values[index].item())', 'Content("cropped", None)'),
        ("if joined and sum(joined[-1]) == position:", "if joined and sum(joined[-1]) >= position - 1:"),
        ("positions[-1] - positions[0] + 1", "positions[-1] - positions[0]"),
        ("axis.cells[position].input_index is not None", "axis.cells[position].input_index"),
    ],
}  # fmt: skip
MUTANTS = [Mutant(file, *error) for file, errors in ERRORS.items() for error in errors]


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
                ["-x", "-q", "--assert=plain", "--tb=no", "-p", "no:cacheprovider", f"--rootdir={folder}", *TESTS],
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
