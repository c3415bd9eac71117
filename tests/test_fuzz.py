"""Any file can be drawn or is reported as an error: corrupted real files, and random ones."""

import random
import re
import resource
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from hypothesis import note
from hypothesis import strategies as st

from scripts.core.figures import load
from scripts.core.keys import FigureFile
from scripts.core.operations import OPERATIONS
from scripts.errors import FigureError, LayerError, UserError
from scripts.explaining.model import axes_of_model, model_steps
from scripts.explaining.network import book
from scripts.files import write_whole
from scripts.notation import model_file
from scripts.notation.listing import table
from scripts.project import Outputs
from scripts.stages.render import caption, render
from scripts.stages.templates import templates
from scripts.tex.latexmk import dump_format, latexmk
from scripts.views import scene_of
from tests.conftest import PROJECT, limits
from tests.test_draw import save_model
from tests.test_engines import ask_many, files, toml
from tests.test_hostile import MOST_CHARACTERS, TITLES

REAL = {file.name: file.read_bytes() for file in sorted(PROJECT.figures.glob("*.toml"))}

NUMBERS = "0 1 2 3 7 15 99 200 999 1000 10001 -1 1.5 -0.0 1e9 1e999 nan inf true 0x1f 2147483648 18446744073709551616"
WORDS = [
    *(word.encode() for word in NUMBERS.split()),
    *(f"\n{key} = ".encode() for key in FigureFile.model_fields),
    *(f'"{word}"'.encode() for word in (*OPERATIONS, "same_upper", "causal", "reflect", "numerical", "random", "")),
    *(f"'{title}'".encode() for title in TITLES if "'" not in title),
    *b"[ ] [[ ]] { } = , . # \" ' \"\"\" ''' \\ \\u0000 \\u202e : - _ << >> <% %> $ % & ~ ^ \n \r\n \t".split(b" "),
    *(b"\x00", b"\xff", b"\xed\xa0\x80", b"\xef\xbb\xbf", "é ∞ 卷 \u202e".encode()),
    *(b"9" * 5000, b"[" * 500, b"a." * 90),
]  # fmt: skip


def spoilt(seed: int) -> bytes:
    """A real file with some corruption."""
    choice = random.Random(seed)  # noqa: S311
    content = choice.choice(list(REAL.values()))
    for _ in range(choice.choice((1, 1, 1, 2, 3, 8))):
        place = choice.randint(0, len(content))
        numbers = list(re.finditer(rb"\d+", content))
        match choice.randrange(8):
            case 0 | 1 | 2 if numbers:
                number = choice.choice(numbers)
                content = content[: number.start()] + choice.choice(WORDS[:22]) + content[number.end() :]
            case 3:
                content = content[:place] + choice.choice(WORDS) + content[place:]
            case 4:
                content = content[:place] + content[place + choice.randint(1, 20) :]
            case 5:
                content = content[:place] + bytes([choice.randrange(256)]) + content[place + 1 :]
            case 6:
                lines = content.splitlines(keepends=True)
                content = b"".join(choice.sample(lines, choice.randint(0, len(lines))))
            case _:
                content += choice.choice(choice.choice(list(REAL.values())).splitlines() or [b""]) + b"\n"
    return content


ODD = st.one_of(
    st.sampled_from(
        [0, -1, 4, 100, 999, 10_000, 10_001, 2**63, -(10**400), 0.5, 1e308, True, "", "half", [], [[]], [0]]
    ),
    st.integers(),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(max_size=20),
    st.recursive(st.integers(-3, 12), lambda inner: st.lists(inner, max_size=4), max_leaves=12),
)


@st.composite
def made_up(draw: st.DrawFn) -> bytes:
    """A layer that may exist or not, often with keys that make no sense."""
    keys = draw(st.sampled_from(list(OPERATIONS)).flatmap(files))
    keys["title"] = draw(st.sampled_from(TITLES))
    if draw(st.booleans()):
        keys.pop("in_channels", None), keys.pop("out_channels", None), keys.pop("groups", None)
    for key in draw(st.lists(st.sampled_from(list(FigureFile.model_fields)), max_size=2)):
        keys[key] = draw(ODD)
    return toml(keys).encode(errors="surrogatepass")


@dataclass
class Fuzzer:
    """Try files in a folder that also holds the real ones; each `sample`th figure is typeset."""

    folder: Path
    sample: int
    seen: Counter[str] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        for name, content in REAL.items():
            (self.folder / name).write_bytes(content)
        self.outputs = Outputs(self.folder / "build", self.folder / "work")
        source = self.folder / "preamble.tex"
        source.write_text(templates(PROJECT).fill("preamble.tex.j2"))
        dump_format(source, self.folder / "figure.fmt")

    def check(self, content: bytes) -> bool:
        """Whether a file is a figure that can be drawn."""
        file = self.folder / "fuzz.toml"
        file.write_bytes(content)
        note(repr(content))
        with limits():
            try:
                figure = load(file)
                try:
                    scene = scene_of(figure)
                    sources = render(PROJECT, scene, self.outputs)
                except LayerError as error:
                    raise FigureError(file, str(error)) from None
            except UserError as error:
                self.seen["refused"] += 1
                assert len(str(error)) < MOST_CHARACTERS
                assert all(re.match(r"\S+\.toml(, line \d+)?: \S", line) for line in str(error).splitlines())
                return False
        document = self.outputs.document("fuzz")
        assert all(
            character.isprintable() or character == "\n" for character in sources[document] + caption(PROJECT, figure)
        )
        assert len(sources) == scene.count + 1
        self.seen["rendered"] += 1
        if self.seen["rendered"] % self.sample == 0:
            write_whole(document, sources[document])
            latexmk(document, self.folder / "figure.fmt")
            self.seen["typeset"] += 1
        return True


def test_any_file_is_a_figure_or_a_mistake(tmp_path: Path, full: bool, notes: list[str]) -> None:
    """Each is read and rendered, and every 20th valid one typeset, within limits of memory and time."""
    fuzzer = Fuzzer(tmp_path, sample=20)
    ask_many(
        500 if full else 200,
        full,
        st.binary(min_size=8, max_size=8).map(lambda b: spoilt(int.from_bytes(b))) | made_up(),
        fuzzer.check,
    )
    counts = ", ".join(f"{count} {what}" for what, count in fuzzer.seen.items())
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    notes.append(f"figure files fuzzed: {counts}; {most >> 10} MB at most")
    assert min(fuzzer.seen[what] for what in ("refused", "rendered")) > sum(fuzzer.seen.values()) // 10
    assert fuzzer.seen["typeset"]


def test_any_model_is_read_or_a_mistake(tmp_path: Path, full: bool) -> None:
    """A real model with some of its bytes changed, lost or doubled."""
    save_model(tmp_path / "model.onnx")
    model = (tmp_path / "model.onnx").read_bytes()
    seen = Counter[str]()

    def check(seed: int) -> bool:
        choice, content = random.Random(seed), bytearray(model)  # noqa: S311
        for _ in range(choice.randint(1, 5)):
            place = choice.randrange(len(content))
            match choice.randrange(3):
                case 0:
                    content[place] = choice.choice((0, 1, 127, 128, 255, choice.randrange(256)))
                case 1:
                    del content[place : place + choice.randint(1, 8)]
                case _:
                    content[place:place] = content[place : place + choice.randint(1, 30)]
        (tmp_path / "fuzz.onnx").write_bytes(content)
        with limits():
            try:
                printed = table(model_file.layers(tmp_path / "fuzz.onnx"))
                steps, warnings, inputs = model_steps(tmp_path / "fuzz.onnx")
                explanation = book(PROJECT, "fuzz", "fuzz.onnx", steps, warnings, axes_of_model(steps), inputs)
                for kind in ("tex", "md"):
                    filled = templates(PROJECT).fill(f"explain/book.{kind}.j2", explanation=explanation)
                    assert all(character.isprintable() or character == "\n" for character in filled)
            except UserError as error:
                printed = str(error)
                seen["refused"] += 1
        assert len(printed) < MOST_CHARACTERS
        assert all(character.isprintable() or character == "\n" for character in printed)
        return True

    count = ask_many(200, full, st.integers(0, 2**63), check)
    assert 0 < seen["refused"] < count
