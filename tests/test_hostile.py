"""An attack list: untrusted files that would run commands, read or overwrite files, or exhaust the machine.

Each entry says what it tries to do, and its test proves that it did not.
"""

import json
import os
import re
import subprocess
import sys
from collections import deque
from collections.abc import Iterator
from contextlib import suppress
from html.parser import HTMLParser
from itertools import product
from pathlib import Path
from typing import Any

import onnx
import pytest
from markdown_it import MarkdownIt
from onnx import TensorProto, helper

from scripts import describe
from scripts.core.figures import layer_of, load
from scripts.core.keys import check
from scripts.errors import FigureError, LayerError, ToolError, UserError
from scripts.explaining.chain import lines_of
from scripts.explaining.messages import mismatch
from scripts.explaining.single import layer_section
from scripts.notation import model_file
from scripts.notation.frameworks import layer
from scripts.notation.listing import table
from scripts.notation.sizes import parse_size
from scripts.stages.templates import escape_markdown
from scripts.tex.latexmk import latexmk
from scripts.views import VIEWS, scene_of
from tests import networks
from tests.conftest import PROJECT, RECOLOUR, Checkout, limits

LAYER = 'operation = "convolution"\ninput_size = 5\nkernel_size = 3\n'
ONE_FRAME = 'operation = "convolution"\ninput_size = 2\nkernel_size = 2\n'
FIGURE = f'title = "T"\n{LAYER}'

# No proper message is longer.
MOST_CHARACTERS = 6000

# Bombs, which try to exhaust memory or time, or to flood the terminal.
BOMBS = {
    "nested lists": FIGURE + "input_values = " + "[" * 100_000 + "]" * 100_000,
    "lists nested as deep as can be read": FIGURE + "input_values = " + "[" * 300 + "1" + "]" * 300,
    "nested tables": FIGURE + "a = " + "{a = " * 50_000 + "1" + "}" * 50_000,
    "a key of many parts": FIGURE + ".".join(["a"] * 150_000) + " = 1",
    "keys of many parts": FIGURE + "".join(f"a{n}{'.a' * 500} = 1\n" for n in range(300)),
    "a table's key of many parts": FIGURE + "[" + ".".join(["a"] * 150_000) + "]\nx = 1",
    "an inline key of many parts": FIGURE + "a = {" + ".".join(["a"] * 150_000) + " = 1}",
    "a key of many quoted parts": FIGURE + ".".join(['""'] * 100_000) + " = 1",
    "a key of many parts behind quotes": FIGURE + 'a = [""" x """", {' + ".".join(["a"] * 150_000) + " = 1}]",
    "quotes that do not end": FIGURE + '"' * 300_000,
    "escaped quotes that do not end": FIGURE + '"' + '\\"' * 150_000,
    "a key of one long part": FIGURE + "a" * 300_000 + " = 1",
    "many keys": FIGURE + "".join(f"k{n} = 1\n" for n in range(30_000)),
    "many tables": FIGURE + "".join(f"[a{n}]\n" for n in range(30_000)),
    "a decimal integer of many digits": FIGURE + "stride = " + "9" * 300_000,
    "a hexadecimal integer of many digits": FIGURE + "stride = 0x" + "F" * 300_000,
    "a binary integer of many digits": FIGURE + "seed = 0b" + "1" * 300_000,
    "an integer of many digits in a list": FIGURE + "padding = [[0x" + "F" * 8000 + "]]",
    "a float of many digits": FIGURE + "frame_duration = " + "9" * 300_000 + ".0",
    "a float that is infinite": FIGURE + "frame_duration = 1e999999999",
    "a float that is no number": FIGURE.replace("convolution", "lp_pooling") + "norm = nan",
    "a list of many wrong sizes": FIGURE + "stride = [" + '"a",' * 90_000 + "]",
    "a list of many wrong sides": FIGURE + "padding = [" + "[-1,-1]," * 40_000 + "]",
    "a list of many values": FIGURE + "input_values = [" + "[1]," * 90_000 + "]",
    "a list of many lists": FIGURE + "input_values = [" + "[]," * 120_000 + "]",
    "a long name": 'title = "T"\ntranspose_of = "' + "x" * 300_000 + '"',
    "a long title": f'title = "{"x" * 300_000}"\n{LAYER}',
    "a large file": FIGURE + "#" * 1_000_000,
    "many random values": FIGURE.replace("= 5", "= 10000").replace("= 3", "= 9999") + 'values = "random"',
    "many channels with values": FIGURE + 'in_channels = 10000\nout_channels = 10000\nvalues = "random"',
    "random values far apart": FIGURE.replace("= 5", "= 1000000000") + 'stride = 1000000000\nvalues = "random"',
    "random values in a huge unpooling": FIGURE.replace("convolution", "max_unpooling").replace("5", "10000")
    + 'output_size = 10000\nvalues = "random"',
    "nothing but brackets": "[" * 300_000,
    "zeros": "\0" * 300_000,
}


@pytest.mark.parametrize("bomb", BOMBS)
def test_a_bomb_is_a_short_message(bomb: str, tmp_path: Path) -> None:
    file = tmp_path / "bomb.toml"
    file.write_text(BOMBS[bomb])
    with limits(), pytest.raises(UserError) as caught:
        try:
            scene_of(load(file))
        except LayerError as error:
            raise FigureError(file, str(error)) from None
    assert len(str(caught.value)) < MOST_CHARACTERS
    assert all(line.startswith(f"{file}") for line in str(caught.value).splitlines())


# Layers as large as can be, which try to have all of their elements computed or drawn.
LARGEST = FIGURE.replace("= 5", "= [1000000000, 1000000000, 1000000000]")
HUGE = {
    "huge axes": LARGEST.replace("= 3", "= 1000000000"),
    "many windows": LARGEST,
    "one long axis": FIGURE.replace("= 5", "= [1000000000]"),
    "a huge stride of a transposed layer": FIGURE.replace("convolution", "transposed_convolution").replace("5", "10000")
    + "stride = 1000000000",
    "a huge kernel of a cropped layer": FIGURE.replace("convolution", "transposed_convolution").replace(
        "= 3", "= 900000"
    )
    + "padding = 450000",
    "a huge dilation": FIGURE + "dilation = 1000000000\npadding = 1000000000",
    "huge padding": FIGURE + "padding = [[1000000000, 1000000000], [1000000000, 1000000000]]",
    "huge copied padding": LARGEST + 'padding = 900000000\npadding_mode = "reflect"',
    "huge windows of a pooling": FIGURE.replace("convolution", "max_pooling").replace("= 3", "= 1000000000")
    + 'padding = "same_upper"\nceil_mode = true\ndilation = 1000000000',
    "a huge remainder": LARGEST.replace("convolution", "average_pooling") + "stride = 999999999\nceil_mode = true",
    "many channels": FIGURE + "in_channels = 1000000000\nout_channels = 1000000000",
    "a huge unpooling": FIGURE.replace("convolution", "max_unpooling").replace("= 5", "= 400000000") + "stride = 2",
    "a stack of huge layers": 'title = "T"\ninput_size = [1000000000]\nlayers = ['
    + "{ kernel_size = 3, padding = 1 }, " * 100
    + "]",
}


@pytest.mark.parametrize("layer", HUGE)
def test_a_huge_layer_is_described_by_its_sizes_and_keeps_no_view_busy(layer: str, tmp_path: Path) -> None:
    file = tmp_path / "huge.toml"
    for view in VIEWS:
        file.write_text(f'view = "{view}"\n{HUGE[layer]}')
        with limits():
            figure = load(file)
            described = json.loads("".join(describe.described(PROJECT, figure)))
            assert described.get("frames") is None
            # Some views show only what is small: the outputs, or a window along one axis.
            with suppress(LayerError):
                assert scene_of(figure).count < 200


@pytest.mark.full("prints hundreds of megabytes")
@pytest.mark.parametrize(
    "keys",
    [
        "input_size = 259\nkernel_size = 4",
        "input_size = [262144]\nkernel_size = 10\nstride = 4",
        "input_size = [4, 1024]\nkernel_size = [4, 8]\nin_channels = 2\nout_channels = 8",
    ],
)
def test_the_frames_of_the_largest_layers_take_little_memory(keys: str, tmp_path: Path) -> None:
    file = tmp_path / "large.toml"
    file.write_text(f'title = "T"\noperation = "convolution"\nvalues = "random"\n{keys}\n')
    with limits():
        parts = describe.described(PROJECT, load(file))
        assert deque(parts, maxlen=1) == deque(["]}"])


# Text that tries to control a terminal, or to show a reader something else than the file contains.
UNPRINTABLE = ["\\u001b[2J", "\\u001b]0;owned\\u0007", "\\u202Eexe.png", "\\u2066", "\\u0000", "\\u0085", "\\u200B"]


def test_nothing_unprintable_reaches_a_title_or_the_terminal(tmp_path: Path) -> None:
    keys = ['title = "{}"', '"{}" = 1', 'transpose_of = "{}"', '["{}"]\na = 1\n["{}"]']
    files = [tmp_path / f"figure{number}.toml" for number in range(len(keys) * len(UNPRINTABLE))]
    for file, (key, text) in zip(files, product(keys, UNPRINTABLE), strict=True):
        title = "" if "title" in key else 'title = "T"\n'
        file.write_text(f"{title}{key.replace('{}', text)}\n")
    files.append(tmp_path / "\x1b[2J\u202e.toml")
    files[-1].write_text(FIGURE)
    command = [sys.executable, "-m", "scripts.describe", *map(str, files)]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (result.returncode, result.stdout) == (1, "")
    assert all(character.isprintable() or character == "\n" for character in result.stderr)
    assert all(str(file) in result.stderr for file in files[:-1])
    assert r"\x1b[2J\u202e.toml: " in result.stderr
    assert "Traceback" not in result.stderr


# Titles: what they try to do in TeX, HTML, Markdown, Jinja, Make, the shell and Python.  `pwned` is a file that they
# would make, SECRET what they would show.
SECRET = "the-secret-of-this-machine"  # noqa: S105
TITLES = [
    r"\input{secret.txt}",
    r"\immediate\write18{touch pwned}",
    r"\input|\"touch pwned\"",
    r"\immediate\openout5=pwned.tex\immediate\write5{x}",
    r"^^5cinput{secret.txt} ^^5cwrite18{touch pwned}",
    r"\catcode`\|=0 |input{secret.txt}",
    r"\end{document} \stop \bye",
    r"} \csname input\endcsname{secret.txt} {",
    r"$\loop\iftrue\repeat$ % a comment & # ~ _ ^",
    r"\directlua{os.execute('touch pwned')}",
    r"<< environment.__class__ >> <% include 'secret.txt' %> <%# a comment #%>",
    r"{{ 7 * 7 }} {% raw %} << 7 * 7 >>",
    r"$(shell touch pwned) $$(touch pwned) `touch pwned`",
    r"'; touch pwned; '",
    r"<script>alert(1)</script><img src=x onerror=alert(1)>",
    r"</a></td></table><!-- a comment -->",
    r"&lt;b&gt; &#x3c;script&#62;",
    r"](javascript:alert(1)) [x](https://example.org) ![x](y)",
    r"`code` *star* _line_ ~~gone~~ <https://example.org>",
    r"__import__('os').system('touch pwned') {0.__class__}",
]


class Shown(HTMLParser):
    """The text that a page shows, and the tags that it is in."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.text, self.tags = "", list[str]()
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(" ".join([tag, *(f"{name}={value}" for name, value in attrs)]))

    def handle_data(self, data: str) -> None:
        self.text += data


def letters(text: str) -> str:
    """A text without the differences that typesetting makes: spaces, and the forms of quotes and minus signs."""
    for typeset, plain in (("‘", "'"), ("’", "'"), ("“", '"'), ("”", '"'), ("`", "'"), ("–", "--")):
        text = text.replace(typeset, plain)
    return re.sub(r"\s+|-", "", text)


def test_titles_are_shown_letter_by_letter(checkout: Checkout) -> None:
    """In the report, and in the gallery's Markdown."""
    (checkout.top / "secret.txt").write_text(SECRET)
    (checkout.top / "build" / "report" / "secret.txt").write_text(SECRET)
    for number, title in enumerate(TITLES):
        quoted = title.replace("\\", "\\\\").replace('"', '\\"')
        (checkout.top / "figures" / f"title{number}.toml").write_text(f'title = "{quoted}"\n{ONE_FRAME}')
    shown = "".join(rf"\showfigure{{title{number}}}\clearpage" for number in range(len(TITLES)))
    checkout.edit("report/report.tex", r"\end{document}", rf"\clearpage{shown}\end{{document}}")
    printed = checkout.run("report")
    text = subprocess.run(
        ["pdftotext", "-layout", checkout.top / "build/report.pdf", "-"], capture_output=True, text=True, check=True
    ).stdout
    for title in TITLES:
        assert letters(title) in letters(text), title
    assert SECRET not in printed + text
    assert not list(checkout.top.rglob("*pwned*"))


@pytest.mark.parametrize("title", TITLES)
def test_titles_are_shown_letter_by_letter_in_the_gallery(title: str) -> None:
    page = Shown(MarkdownIt("gfm-like", {"linkify": False}).render(f"[{escape_markdown(title)}](../figures/x.toml)"))
    assert page.tags == ["p", "a href=../figures/x.toml"]
    assert page.text.strip() == title


# Names that Make or the shell would execute.
NAMES = [
    "$(shell\ttouch\tpwned)",
    "`>pwned`",
    "a`>pwned`",
    "a;>pwned;",
    "a|tee<>pwned",
    "a&>pwned&",
    "$(error\tpwned)",
    "${PATH}",
    "a\n\ttouch pwned",
    "a:b",
    "a%b",
    "a#b",
    "a'b",
    'a"b',
    "a*",
    "a=b",
    "-rf",
    "--help",
    "é",
    "\u202egpj",
    "a b",
]


def test_names_are_refused_before_the_shell_or_tex_sees_them(checkout: Checkout) -> None:
    before = sorted(checkout.top.iterdir())
    files = [checkout.top / "figures" / f"{name}.toml" for name in NAMES]
    for file in files:
        file.write_text(FIGURE)
        assert "A name in figures/ is not a valid name of a figure: figures/" in checkout.run("build", fails=True)
        assert ".toml: a figure's name has 1 to 80 letters, digits, _ and -" in checkout.run("report", fails=True)
        file.unlink()
    for file in files:
        file.write_text(FIGURE)
    for goal in ("gifs", "report", "gallery"):
        checkout.make(goal, fails=True)
    checkout.make("list")
    assert sorted(checkout.top.iterdir()) == before


@pytest.mark.parametrize("name", ["../secret", "/etc/passwd", "..", "a/../../b", "secret.toml", "~", "con\\n", ""])
def test_names_in_a_figure_stay_in_its_folder(tmp_path: Path, name: str) -> None:
    (tmp_path / "figures").mkdir()
    (tmp_path / "secret.toml").write_text(FIGURE)
    file = tmp_path / "figures" / "figure.toml"
    file.write_text(f'title = "T"\ntranspose_of = "{name}"')
    with pytest.raises(UserError, match="transpose_of: there is no figure"):
        load(file)


def test_links_and_devices_show_nothing_and_do_not_wait(tmp_path: Path) -> None:
    """They try to show a file in a message, or to keep the build waiting for input."""
    secret, folder = tmp_path / "credentials", tmp_path / "figures"
    folder.mkdir()
    os.mkfifo(folder / "pipe.toml")
    links: dict[str, Path | str] = {
        "secret": secret,
        "passwd": "/etc/passwd",
        "null": "/dev/null",
        "zero": "/dev/zero",
        "tty": "/dev/stdin",
    }
    links |= {"nowhere": "/nowhere/at/all", "folder": "/etc", "itself": "itself.toml", "memory": "/proc/self/mem"}
    for name, target in links.items():
        (folder / f"{name}.toml").symlink_to(target)
    for content in (f"[default]\nkey = {SECRET}\n", f"{SECRET}\n", f'token = "{SECRET}"\n', f"# {SECRET}\n"):
        secret.write_text(content)
        for name in ("pipe", *links):
            with limits(), pytest.raises(UserError) as caught:
                load(folder / f"{name}.toml")
            assert SECRET not in str(caught.value)
            assert "root:" not in str(caught.value)
            assert len(str(caught.value)) < MOST_CHARACTERS


def test_a_link_in_the_place_of_an_output_is_replaced_not_followed(checkout: Checkout) -> None:
    precious = checkout.top / "precious"
    precious.write_text("mine")
    gif = checkout.top / "build" / "gif" / "tiny.gif"
    before = gif.read_bytes()
    gif.unlink()
    gif.symlink_to(precious)
    checkout.edit(*RECOLOUR)
    checkout.run("build", "tiny")
    assert precious.read_text() == "mine"
    assert not gif.is_symlink()
    assert gif.read_bytes() != before


# What TeX would do if a text ever got through to it: the last line of defence, which is not complete.  pdfTeX lets
# \pdfobj take any file that the user may read into a PDF, whatever openin_any says; texts have to be escaped.
TEX = {
    "run a command": r"\immediate\write18{touch pwned}",
    "run a command by a pipe": r'\input{|"touch pwned"}',
    "run a command by an output": r'\immediate\openout5="|touch TOP/pwned"\immediate\write5{x}',
    "write into the folder above": r"\immediate\openout5=../pwned\immediate\write5{x}\immediate\closeout5",
    "write to an absolute place": r"\immediate\openout5=TOP/pwned\immediate\write5{x}\immediate\closeout5",
    "write a hidden file": r"\immediate\openout5=.pwned\immediate\write5{x}\immediate\closeout5",
    "input from the folder above": r"\input{../secret}",
    "input an absolute file": r"\input{TOP/secret}",
    "read from the folder above": r"\newread\r\openin\r=../secret \ifeof\r\else\read\r to\x \x\fi",
    "read an absolute file": r"\newread\r\openin\r=TOP/secret.tex \ifeof\r\else\read\r to\x \x\fi",
    "read a hidden file": r"\newread\r\openin\r=.secret \ifeof\r\else\read\r to\x \x\fi",
    "dump a file": r"\message{\pdffiledump offset 0 length 100 {../secret.tex}}",
}


@pytest.mark.parametrize("attempt", TEX)
def test_tex_stays_in_its_folder(attempt: str, tmp_path: Path) -> None:
    folder = tmp_path / "work" / "figure"
    folder.mkdir(parents=True)
    for file in (tmp_path / "secret.tex", folder.parent / "secret.tex", folder / ".secret"):
        file.write_text(SECRET)
    body = TEX[attempt].replace("TOP", str(tmp_path))
    source = folder / "figure.tex"
    source.write_text(rf"\documentclass{{article}}\pdfcompresslevel=0 \begin{{document}}x {body}\end{{document}}")
    message = ""
    try:
        latexmk(source)
    except ToolError as error:
        message = str(error)
    pdf = source.with_suffix(".pdf")
    text = subprocess.run(["pdftotext", pdf, "-"], capture_output=True, text=True, check=False).stdout
    assert SECRET not in message + text
    assert SECRET.encode() not in b"".join(file.read_bytes() for file in folder.iterdir() if file.name != ".secret")
    assert not list(tmp_path.rglob("*pwned*"))


def test_lines_of_layers_are_data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    lines = [
        *(f"{text}\t7" for text in LAYERS if "\n" not in text and text.isprintable()),
        f"Conv2d(1, 1, 3)\t{'9' * 1_000_000}",
        f"Conv2d(1, 1, 3)\t{'7x' * 1_000_000}7",
        "\t" * 100_000,
        "",
    ]
    with limits():
        found = [describe.described_layer(line) for line in lines]
    assert all("error" in described for described in found)
    assert all(len(described["error"]) < MOST_CHARACTERS for described in found)
    assert not list(tmp_path.iterdir())


# Layers that try to be executed, to exhaust memory or time, or to flood the terminal.
LAYERS = [
    "__import__('os').system('touch pwned')",
    "Conv2d(1, 1, __import__('os').system('touch pwned'))",
    "Conv2d(1, 1, [open('pwned', 'w') for _ in [1]])",
    "Conv2d(1, 1, (lambda: open('pwned', 'w'))())",
    "Conv2d(1, 1, f'{open(chr(112))}')",
    "Conv2d(1, 1, 9**9**9**9)",
    "Conv2d(1, 1, 'a' * 10**10)",
    "Conv2d(1, 1, 1 << 10**10)",
    "Conv2d(1, 1, [3] * 10**10)",
    f"Conv2d(1, 1, {'9' * 450})",
    f"Conv2d(1, 1, 0x{'F' * 450})",
    f"Conv2d(1, 1, 1e{'9' * 400})",
    f"Conv2d(1, 1, {'[' * 200}3{']' * 200})",
    f"Conv2d(1, 1, {'(' * 230}3{')' * 230})",
    f"Conv2d(1, 1, {'-' * 450}3)",
    f"Conv2d(1, 1, {'not ' * 100}3)",
    f"Conv2d(1, 1, {'3' + '+3' * 200})",
    f"Conv2d(1, 1, {'a.' * 200}b)",
    "Conv2d" + "(1)" * 150,
    "Conv2d" + "(" * 490,
    "y = " * 100 + "Conv2d(1, 1, 3)",
    "[" * 490,
    "=" * 490,
    "y = Conv <" + "kernel_shape: ints = " * 20 + "> (x)",
    "Conv2d(" + "1, " * 150 + ")",
    "Conv2d(**{'kernel_size': 3})",
    "Conv2d(*range(10**10))",
    "Conv2d(1, 1, 3, 1, padding=10000000000000000000)",
    "\0\x1b]0;owned\7\u202e",
    "Conv2d(1, 1, '\x1b[2J\u202e')",
    "\udcff\udcfe",
    "x" * 10_000_000,
]


@pytest.mark.parametrize("text", LAYERS, ids=lambda text: ascii(text[:30]))
def test_a_layer_is_data(text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with limits(), pytest.raises(UserError) as caught:
        layer(text, (7, 7))
    assert len(str(caught.value)) < MOST_CHARACTERS
    assert str(caught.value).isprintable()
    assert not list(tmp_path.iterdir())


def graph(node: onnx.NodeProto, weights: onnx.TensorProto, shape: list[int]) -> bytes:
    value = helper.make_tensor_value_info("x", TensorProto.FLOAT, shape)
    ends = [value], [helper.make_tensor_value_info("y", TensorProto.FLOAT, None)]
    return bytes(helper.make_model(helper.make_graph([node], "g", *ends, [weights])).SerializeToString())


def models(folder: Path) -> Iterator[tuple[str, bytes]]:
    """Models that try to read another file, to exhaust memory or time, or to flood the terminal."""
    weights = helper.make_tensor("w", TensorProto.FLOAT, (4, 3, 3, 3), [0.0] * 108)
    node = helper.make_node("Conv", ["x", "w"], ["y"], name="stem")
    shape = [1, 3, 9, 9]
    outside = helper.make_tensor("w", TensorProto.FLOAT, (4, 3, 3, 3), [0.0] * 108)
    outside.ClearField("float_data")
    outside.data_location = TensorProto.EXTERNAL
    outside.external_data.add(key="location", value=str(folder / "secret"))
    yield "weights in another file", graph(node, outside, shape)
    yield "sizes as large as can be", graph(node, weights, [2**63 - 1] * 4)
    yield "sizes below zero", graph(node, weights, [-(2**63)] * 4)
    yield "many axes", graph(node, weights, [1] * 100_000)
    odd: list[tuple[str, Any]] = [
        ("kernel_shape", [2**62] * 2),
        ("strides", [1] * 100_000),
        ("group", -(2**63)),
        ("pads", [-1] * 4),
    ]
    for name, value in odd:
        yield name, graph(helper.make_node("Conv", ["x", "w"], ["y"], name="stem", **{name: value}), weights, shape)
    named = helper.make_node("Conv", ["x", "w"], ["y"], name="\x1b[2J\u202e" * 100_000)
    yield "a long name of commands to the terminal", graph(named, weights, shape)
    deep = helper.make_graph([node], "g", [], [])
    for _ in range(60):
        deep = helper.make_graph(
            [helper.make_node("If", ["x"], ["y"], then_branch=deep, else_branch=deep)], "g", [], []
        )
        if deep.ByteSize() > 1_000_000:
            break
    yield "graphs in graphs", helper.make_model(deep).SerializeToString()
    for name, last in (("functions in a circle", "F0"), ("functions that call one another 2^40 times", "F40")):
        called = [*(f"F{n}" for n in range(1, 40)), last]
        calls = onnx.ModelProto.FromString(graph(helper.make_node("F0", ["x"], ["y"], domain="own"), weights, shape))
        for n, other in enumerate(called):
            body = [helper.make_node(other, *ends, domain="own") for ends in ((["X"], ["h"]), (["h"], ["Y"]))]
            imports = [helper.make_opsetid("own", 1)]
            calls.functions.append(helper.make_function("own", f"F{n}", ["X"], ["Y"], body, imports))
        yield name, calls.SerializeToString()
    chain = [helper.make_node("Concat", ["x", "x"], ["x0"], axis=0)]
    chain += [helper.make_node("Concat", [f"x{n}"] * 50, [f"x{n + 1}"], axis=0) for n in range(50)]
    deepest = helper.make_graph([helper.make_node("Shape", ["x"], ["x"]), *chain, node], "g", [], [])
    yield "sizes that fill the memory", helper.make_model(deepest).SerializeToString()
    yield "groups in groups", b"\x3b" * 1_000_000
    yield "lengths that are not there", b"\x3a\xff\xff\xff\xff\x07" * 1000
    yield "nothing", b""
    yield "text", SECRET.encode() * 1000


def test_a_model_is_data(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text(SECRET * 100)
    for number, (name, content) in enumerate(models(tmp_path)):
        file = tmp_path / f"{number}.onnx"
        file.write_bytes(content)
        with limits():
            try:
                printed = table(model_file.layers(file))
            except UserError as error:
                printed = str(error)
        assert len(printed) < MOST_CHARACTERS, name
        assert all(character.isprintable() or character == "\n" for character in printed), name
        assert SECRET not in printed, name


# Explanations


def test_an_explanation_shows_the_names_of_a_model_letter_by_letter(unbuilt: Checkout, tmp_path: Path) -> None:
    """And nothing in them is run, in the PDF or in Markdown."""
    net = networks.Network(1, 1, 6, 6)
    x = "x"
    names = [*TITLES, "日本語 \u202e\x1b[2J"]
    for name in names:
        x = net.conv(x, 1, 3, relu=False)
        net.nodes[-2].name = name
    file = net.save(tmp_path / "$(touch pwned) `x` & <b>.onnx")
    unbuilt.top.joinpath("secret.txt").write_text(SECRET)
    printed = unbuilt.run("explain", "--onnx", str(file), "--name=model")
    top = unbuilt.top / "build" / "explain" / "model"
    text = subprocess.run(
        ["pdftotext", "-layout", top / "model.pdf", "-"], capture_output=True, text=True, check=True
    ).stdout
    markdown = (top / "model.md").read_text()
    shown = Shown(MarkdownIt("gfm-like", {"linkify": False}).render(markdown))
    # The places of the only distinct layer.
    for name in TITLES[:12]:
        assert letters(name[:120]) in letters(text), name
        assert name[:120].strip() in shown.text, name
    allowed = {"h1", "h2", "p", "table", "thead", "tbody", "tr", "th", "td", "ul", "li", "strong", "em", "code"}
    assert {tag.split()[0] for tag in shown.tags} <= allowed
    assert SECRET not in printed + text + markdown
    assert not [*unbuilt.top.rglob("*pwned*"), *tmp_path.rglob("pwned")]
    assert all(character.isprintable() or character == "\n" for character in printed)


def test_an_explanation_shows_layers_and_messages_letter_by_letter(unbuilt: Checkout, tmp_path: Path) -> None:
    layer_text = "Conv2d(1, 1, 3, padding_mode='zeros', device=r'\\input{secret.txt}$<b>`')"
    unbuilt.run("explain", "--layer", layer_text, "--input=4", "--name=layer")
    top = unbuilt.top / "build" / "explain"
    text = subprocess.run(
        ["pdftotext", top / "layer/layer.pdf", "-"], capture_output=True, text=True, check=True
    ).stdout
    assert letters(layer_text) in letters(text)
    message = "mat1 and mat2 shapes cannot be multiplied (32x400 and 256x120) \\input{secret.txt} <script>"
    unbuilt.run("explain", f"--error={message}", "--name=message")
    assert "script" not in (top / "message/message.md").read_text()
    (tmp_path / "stack.txt").write_text(
        "Conv2d(1, 1, 3)  # \\input{secret.txt}\n__import__('os').system('touch pwned')\n"
    )
    refused = unbuilt.run("explain", f"--layers={tmp_path / 'stack.txt'}", "--input=1x1x9x9", fails=True)
    assert "stack.txt, line 2:" in refused
    assert not list(unbuilt.top.rglob("*pwned*"))


# What tries to take all time or memory: a layer and its input, or a message, or a stack.
EXPENSIVE = [
    ("AdaptiveAvgPool1d(200000)", "250000"),
    ("Conv2d(1000000, 1000000, 1000, padding=500)", "1000000"),
    ("ConvTranspose1d(1, 1, 100000, stride=99999)", "1000000000"),
    ("MaxPool2d(3, ceil_mode=True)", "999999999x999999999"),
]


@pytest.mark.parametrize("asked", EXPENSIVE, ids=str)
def test_a_large_layer_is_explained_in_little_memory(asked: tuple[str, str]) -> None:
    text, size = asked
    with limits():
        read = layer_of(check({"title": "T", **layer(text, parse_size(size)).keys}, text))
        try:
            layer_section(PROJECT, "large", text, read, None)
        except LayerError as error:
            assert "At most" in str(error)


@pytest.mark.parametrize(
    "message",
    [
        "(" * 4000,
        "x" * 100_000,
        "expected input" + "[1, " * 900,
        "mat1 and mat2 shapes cannot be multiplied (999999999999x999999999999 and 999999999998x1)",
        "Given input size: (" + "9" * 3000 + "). Calculated output size: (1). ",
        "A `Concatenate` layer requires inputs with matching shapes " + "[(1, 2), (3, " * 250,
        "shape '[" + "9" * 190 + "]' is invalid for input of size 999999999999",
    ],
    ids=lambda message: message[:30],
)
def test_any_message_is_answered_at_once(message: str) -> None:
    lines = lines_of("Conv2d(1, 1, 3)\n" * 1000)
    with limits():
        try:
            found = mismatch(message, lines, (1, 3000, 10**9))
            assert len(found.cause) + sum(map(len, found.fixes)) < MOST_CHARACTERS
        except UserError as error:
            assert len(str(error)) < MOST_CHARACTERS


def test_a_stack_without_end_is_refused(fresh: Checkout, tmp_path: Path) -> None:
    (tmp_path / "long.txt").write_text("ReLU()\n" * 5000)
    (tmp_path / "large.txt").write_text("#" * 2_000_000)
    for name, message in (
        ("long", "A stack has at most 1000"),
        ("large", "at most 1000000 bytes"),
        ("none", "not a file"),
    ):
        words = [f"--layers={tmp_path / name}.txt", "--input=1x1x9x9"]
        assert message in fresh.run("explain", *words, fails=True)
    assert "not a file" in fresh.run("explain", "--layers=/dev/zero", "--input=1x1x9x9", fails=True)
