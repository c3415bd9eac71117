"""Recipes in files of all kinds: other programs open these as before, and nothing in them is believed or run."""

import subprocess
import zlib
from base64 import b64encode
from dataclasses import replace
from io import BytesIO
from pathlib import Path
from xml.etree import ElementTree

import pikepdf
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageSequence

from scripts.errors import UserError
from scripts.recipes import CONTAINERS, container_of
from scripts.recipes.comparison import difference
from scripts.recipes.container import HEADER
from scripts.recipes.reading import Opened, opened, with_keys
from scripts.recipes.recipe import LONGEST_PLAIN, MOST_BYTES, Recipe, check_line, sealed
from tests.conftest import FIGURES, limits

TINY = FIGURES["tiny"]
RECIPE = Recipe("1.2.3", "0123456789abcdef", {"theme": "classic"}, {"tiny": TINY}, "tiny.gif", "gif")
# All that a recipe may have to be written around: quotes, brackets, tags, entities, and letters of other scripts.
PLAIN = f'{TINY}# \'\' """ (a\\b) ) <b>&gt;</b> %PDF ]]>\n'
RECIPES = {
    "plain": RECIPE,
    "awkward": replace(RECIPE, figures={"tiny": PLAIN}),
    "awkward, of other scripts": replace(RECIPE, figures={"tiny": f"{PLAIN}# × 図 𝔸"}),
    "with quotes": replace(RECIPE, figures={"tiny": f"{TINY}# '''\n"}),
    "of two figures": replace(RECIPE, figures={name: FIGURES[name] for name in ("tiny_transposed", "tiny")}),
}
AWKWARD = RECIPES["awkward, of other scripts"]


def images(*colours: str, mode: str = "RGB") -> list[Image.Image]:
    found = []
    for number, colour in enumerate(colours):
        image = Image.new(mode, (31, 20), "white" if mode == "RGB" else (0, 0, 0, 0))
        image.paste(colour, (number, 3, number + 9, 13))
        found.append(image)
    return found


def saved(kind: str, *frames: Image.Image, **options: object) -> bytes:
    """Images as a still or as an animation, in which each is shown half a second longer than the one before."""
    stream = BytesIO()
    if len(frames) > 1:
        durations = [500 * number for number in range(1, len(frames) + 1)]
        options |= {"save_all": True, "append_images": frames[1:], "duration": durations, "loop": 0}
    frames[0].save(stream, kind, **options)
    return stream.getvalue()


def pdf(object_streams: bool, title: str | None) -> bytes:
    stream = BytesIO()
    with pikepdf.new() as document:
        document.add_blank_page(page_size=(30, 20))
        if title is not None:
            document.docinfo["/Title"] = title
        mode = pikepdf.ObjectStreamMode.generate if object_streams else pikepdf.ObjectStreamMode.disable
        document.save(stream, deterministic_id=True, object_stream_mode=mode)
    return stream.getvalue()


def box(kind: bytes, content: bytes) -> bytes:
    return (len(content) + 8).to_bytes(4, "big") + kind + content


OPAQUE, CLEAR = images("red", "lime", "blue"), images("red", "lime", "blue", mode="RGBA")
NAMESPACE = 'xmlns="http://www.w3.org/2000/svg"'
SVG = f'<svg {NAMESPACE} viewBox="0 0 9 9">\n<title>A &lt; B</title>\n<desc>Both</desc><path d="M0 0"/></svg>'
PICTURES = {
    "PNG": saved("PNG", OPAQUE[0], dpi=(150, 150)),
    "APNG": saved("PNG", *CLEAR),
    "GIF": saved("GIF", *OPAQUE),
    "transparent GIF": saved("GIF", *CLEAR, disposal=2),
    "GIF of one frame": saved("GIF", OPAQUE[0], comment=b"of another program"),
    "WebP": saved("WEBP", *CLEAR, lossless=True),
    "opaque WebP of one frame": saved("WEBP", OPAQUE[0], lossless=True),
    "transparent WebP of one frame": saved("WEBP", CLEAR[0], lossless=True),
    "MP4": box(b"ftyp", b"isom0000") + b"\0\0\0\1mdat" + (19).to_bytes(8, "big") + b"abc" + box(b"moov", b"x" * 99),
    "PDF": pdf(True, None),
    "PDF with a title": pdf(True, "A (title) of Étienne"),
    "PDF with a plain table": pdf(False, "A title"),
    "SVG": SVG.encode(),
    "SVG without a title": f'<?xml version="1.0"?>\n<svg {NAMESPACE}><g/></svg>'.encode(),
    "TeX": b"\\documentclass{beamer}\n\\begin{document}\n\\end{document}\n",
}
IMAGES = [name for name, content in PICTURES.items() if content[:4] in (b"\x89PNG", b"GIF8", b"RIFF")]


def test_there_is_a_picture_of_each_kind() -> None:
    assert {container_of(content) for content in PICTURES.values()} == set(CONTAINERS)


@pytest.mark.parametrize("name", PICTURES)
@pytest.mark.parametrize("kind", RECIPES)
def test_a_recipe_is_put_in_and_taken_out_without_a_trace(name: str, kind: str, tmp_path: Path) -> None:
    content, recipe = PICTURES[name], RECIPES[kind]
    (tmp_path / "file").write_bytes(sealed(content, recipe))
    found = opened(tmp_path / "file")
    assert found.recipe == recipe
    assert found.is_intact
    assert found.bare == content
    assert len(found.content) < len(content) + 4 * len(recipe.text.encode()) + 1100


@pytest.mark.parametrize("name", IMAGES)
def test_pillow_sees_the_same_frames_for_the_same_times(name: str) -> None:
    pictures = [Image.open(BytesIO(content)) for content in (PICTURES[name], sealed(PICTURES[name], AWKWARD))]
    kept = ("duration", "loop", "dpi", "transparency", "background", "disposal")
    frames = [
        [
            (frame.mode, frame.convert("RGBA").tobytes(), [frame.info.get(key) for key in kept])
            for frame in ImageSequence.Iterator(picture)
        ]
        for picture in pictures
    ]
    assert frames[0] == frames[1]
    assert len(frames[0]) == (1 if "one" in name or name == "PNG" else 3)


def test_other_programs_read_the_recipe() -> None:
    content = {name: sealed(PICTURES[name], AWKWARD) for name in PICTURES}
    text = {name: (kind.take(content[name]) or (b"",))[0] for name in PICTURES if (kind := container_of(content[name]))}
    for name in ("PNG", "APNG"):
        with Image.open(BytesIO(content[name])) as image:
            image.load()
            assert image.info["Recipe"] == text[name].decode()
    with Image.open(BytesIO(content["GIF"])) as image:
        assert image.info["comment"] == text["GIF"]
    for name in ("PDF", "PDF with a title", "PDF with a plain table"):
        with pikepdf.open(BytesIO(content[name])) as document:
            assert document.docinfo["/Recipe"] == text[name].decode()
            assert document.check_pdf_syntax() == []
    for name in ("SVG", "SVG without a title"):
        assert ElementTree.fromstring(content[name]).findtext("{*}metadata") == text[name].decode()  # noqa: S314 — ours
    with Image.open(BytesIO(content["WebP"])) as image:
        packet = image.info["xmp"]
    for name, xmp in (("WebP", packet), ("MP4", content["MP4"][content["MP4"].index(b"<x:xmpmeta") :])):
        (source,) = ElementTree.fromstring(xmp).iter("{http://purl.org/dc/elements/1.1/}source")  # noqa: S314 — ours
        assert source.text == text[name].decode()


def test_what_comes_first_stays_there() -> None:
    """Some readers look for a PNG's header, or for what makes a GIF endless, only in the first place."""
    assert sealed(PICTURES["PNG"], RECIPE)[12:16] == b"IHDR"
    gif = sealed(PICTURES["GIF"], RECIPE)
    assert gif.index(b"NETSCAPE2.0") < gif.index(HEADER)


def test_a_webp_of_one_frame_says_whether_it_is_transparent() -> None:
    flags = {name: sealed(PICTURES[name], RECIPE)[20] for name in PICTURES if "WebP of one frame" in name}
    assert flags == {"opaque WebP of one frame": 0x04, "transparent WebP of one frame": 0x14}


def test_a_pdf_keeps_its_title_and_poppler_reads_it(tmp_path: Path) -> None:
    for name in ("PDF with a title", "PDF with a plain table"):
        (tmp_path / "a.pdf").write_bytes(sealed(PICTURES[name], RECIPE))
        result = subprocess.run(
            ["pdfinfo", "-custom", "a.pdf"], cwd=tmp_path, capture_output=True, text=True, check=True
        )
        assert result.stderr == ""
        assert "Title:           A " in result.stdout
        assert TINY in result.stdout
        result = subprocess.run(["pdfinfo", "a.pdf"], cwd=tmp_path, capture_output=True, text=True, check=True)
        assert "Pages:           1\n" in result.stdout


def test_the_title_comes_first_for_screen_readers() -> None:
    tags = [element.tag.partition("}")[2] for element in ElementTree.fromstring(sealed(SVG.encode(), RECIPE))]  # noqa: S314
    assert tags == ["title", "desc", "metadata", "path"]


@pytest.mark.parametrize("comment", ["#" * LONGEST_PLAIN, "# \u202e\ufffe\x7f"[:-1]], ids=["long", "unprintable"])
def test_long_and_unprintable_recipes_are_packed(comment: str, tmp_path: Path) -> None:
    recipe = replace(RECIPE, figures={"tiny": f"{TINY}{comment}\n"})
    for name in PICTURES:
        content = sealed(PICTURES[name], recipe)
        assert len(content) < len(PICTURES[name]) + 2500
        assert "\u202e".encode() not in content
        (tmp_path / "file").write_bytes(content)
        assert opened(tmp_path / "file").recipe == recipe


def test_a_recipe_has_bounds() -> None:
    with pytest.raises(UserError, match="tiny: with the figures that it refers to, it is over 1000000 bytes"):
        sealed(PICTURES["PNG"], replace(RECIPE, figures={"tiny": TINY, "other": "#" * MOST_BYTES}))


def as_picture(content: bytes, recipe: Recipe, folder: Path) -> Opened:
    (folder / "picture").write_bytes(sealed(content, recipe))
    return opened(folder / "picture")


def test_what_differs_is_told(tmp_path: Path) -> None:
    red, lime, blue = OPAQUE
    made = as_picture(PICTURES["GIF"], RECIPE, tmp_path)
    assert difference(made, made) == []
    version = as_picture(PICTURES["GIF"], replace(RECIPE, version="1.0.0"), tmp_path)
    assert difference(version, made) == [
        "It was made by version 1.0.0; this is 1.2.3.",
        "But for its recipe, it is equal to the byte.",
    ]
    tools = "It was made with other tools, or by other code of its format."
    stream = BytesIO()
    red.save(stream, "GIF", save_all=True, append_images=[lime, blue], duration=700, loop=0)
    for other, told in (
        (saved("GIF", *images("red", "lime", "black")), "Frames that show something else: 1 of 3."),
        (saved("GIF", red, lime), "Number of frames: 2 instead of 3."),
        (saved("GIF", *(image.resize((30, 20)) for image in OPAQUE)), "It has 30 × 20 pixels instead of 31 × 20."),
        (saved("GIF", *OPAQUE, comment=b"Mine"), "Every pixel is the same."),
        (stream.getvalue(), "Every pixel is the same, but frames are shown for other times."),
    ):
        assert difference(as_picture(other, RECIPE, tmp_path), made) == [tools, told]


def test_a_change_of_a_file_is_told(tmp_path: Path) -> None:
    made = as_picture(PICTURES["GIF"], RECIPE, tmp_path)
    changed = "The file or its recipe has been changed since it was made."
    for content, told in (
        (made.content.replace(b'"Tiny"', b'"Tidy"'), "But for its recipe, it is equal to the byte."),
        (made.content[:-20], "It is damaged: not all of it can be read."),
        (made.content + b"more", "Every pixel is the same."),
    ):
        (tmp_path / "changed").write_bytes(content)
        assert difference(opened(tmp_path / "changed"), made) == [changed, told]


def test_a_key_is_changed_where_it_is() -> None:
    text = 'title = "a"\nview = "plane" # flat\n[[layers]]\nkernel_size = 2\n'
    several = 'title = "a"\nframes = [ # ]\n  0,\n  [1],\n]\nstride = 2\n'
    assert with_keys(several, {"frames": [0, 3]}) == 'frames = [0, 3]\ntitle = "a"\nstride = 2\n'
    assert with_keys(text, {"view": "stack"}) == 'view = "stack"\ntitle = "a"\n[[layers]]\nkernel_size = 2\n'


# Hostile files


def forged(text: str, name: str = "PNG") -> bytes:
    """A picture with a recipe as anybody could write it."""
    content, body = PICTURES[name], text.encode()
    container = container_of(content)
    assert container is not None
    return container.put(content, HEADER + check_line(content, body) + body)


def refusal(content: bytes, folder: Path) -> str:
    """The message about a file that is refused; empty if it is not."""
    file = folder / "hostile"
    file.write_bytes(content)
    with limits():
        try:
            opened(file)
        except UserError as error:
            message = str(error)
            assert all(line.startswith(str(file)) for line in message.splitlines())
            assert all(character.isprintable() or character == "\n" for character in message)
            assert len(message) < 3000
            return message
    return ""


def packed(content: bytes) -> str:
    return f'packed = "{b64encode(zlib.compress(content, 9)).decode()}"\n'


TEXT = RECIPE.text
HOSTILE = {
    "a zip bomb": (packed(b"\0" * 200_000_000), "is larger than 1000000 bytes"),
    "what is packed twice": (packed(packed(TEXT.encode()).encode()), "version cannot be {'packed'"),
    "what is not packed": ('packed = "AAAA"\n', "is damaged"),
    "letters that pack nothing": ('packed = "\x1b[2J"\n', "is damaged"),
    "a path for a name": (TEXT.replace("tiny =", '"../../tiny" ='), "figures.../../tiny.[key] cannot be '../../tiny'"),
    "a path for a file": (TEXT.replace("tiny.gif", "../../pwned.gif"), "file cannot be '../../pwned.gif'"),
    "a path for a theme": (TEXT.replace("classic", "../../secret"), "options.theme cannot be '../../secret'"),
    "a path for a format": (TEXT.replace('"gif"', '"../../x"'), "format cannot be '../../x'"),
    "a version that controls the terminal": (TEXT.replace("1.2.3", "\\u001b[2J"), r"version cannot be '\x1b[2J'"),
    "an unknown key": ("run = 'touch pwned'\n" + TEXT, "run cannot be 'touch pwned'"),
    "no figure": (TEXT[: TEXT.index("[figures]")] + "[figures]\n", "figures cannot be {}"),
    "a figure that is none": (TEXT.replace("kernel_size = 2", "kernel_size = 9"), "kernel_size"),
    "an original that is missing": (TEXT.replace('operation = "convolution"', 'transpose_of = "x"'), "transpose_of"),
    "a figure of itself": (
        TEXT.replace('operation = "convolution"\ninput_size = 3\nkernel_size = 2', 'transpose_of = "tiny"'),
        "transpose_of: there is no figure 'tiny'",
    ),
    "nested lists": (TEXT + "a = " + "[" * 100_000, "is nested too deeply"),
    "keys of many parts": (TEXT + ".".join("a" * 100_000) + " = 1", "has a key of many parts"),
    "no text": ("\udcff".encode(errors="surrogateescape").decode("latin-1"), "is not valid TOML"),
    "nothing": ("", "version cannot be"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_recipe_is_a_short_message(name: str, tmp_path: Path) -> None:
    text, message = HOSTILE[name]
    assert message in refusal(forged(text), tmp_path)


def test_files_without_a_recipe_are_refused(tmp_path: Path) -> None:
    for name, content in PICTURES.items():
        assert "carries no recipe. It was not made by this project, or" in refusal(content, tmp_path), name
    for content in (b"", b"text", SVG.encode()[4:]):
        assert "is no picture of this project, which are PNG, GIF, " in refusal(content, tmp_path)
    with pytest.raises(UserError, match="cannot be read: No such file"):
        opened(tmp_path / "none.gif")
    with pytest.raises(UserError, match="is not a file"):
        opened(tmp_path)


# Structures that lead a reader astray or on for ever, by the kind of file.
BOMBS = {
    "chunks of no length": PICTURES["PNG"][:8] + b"\0\0\0\0iTXt\0\0\0\0" * 500_000,
    "a chunk that is longer than its file": PICTURES["PNG"][:8] + b"\xff\xff\xff\xffiTXtRecipe" + bytes(50),
    "comments of no length": PICTURES["GIF"][:13] + b"\x21\xfe\0" * 2_000_000,
    "a comment without end": PICTURES["GIF"][:13] + b"\x21\xfe" + b"\x01#" * 2_000_000,
    "chunks of a WebP": b"RIFF\0\0\0\0WEBP" + b"XMP \0\0\0\0" * 1_000_000,
    "boxes of no length": b"\0\0\0\x08ftyp" + b"\0\0\0\x08free" * 500_000,
    "a box that ends before it begins": b"\0\0\0\x08ftyp\0\0\0\x01uuid" + bytes(30),
    "metadata without end": SVG.encode() + (b"<metadata>" + HEADER) * 10_000,
    "updates of a PDF": PICTURES["PDF"] + b"% A recipe follows.\n7 0 obj\n<< /Recipe (" + b"(\\" * 1_000_000,
    "entities": b'<!DOCTYPE svg [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><svg><metadata>&b;</metadata></svg>',
}


@pytest.mark.parametrize("name", BOMBS)
def test_a_bomb_is_a_file_without_a_recipe(name: str, tmp_path: Path) -> None:
    assert "carries no recipe" in refusal(BOMBS[name], tmp_path)


SEALED = {name: sealed(content, AWKWARD) for name, content in PICTURES.items()}


@given(st.sampled_from(sorted(SEALED)), st.data())
@settings(max_examples=300, deadline=None)
def test_damaged_files_are_refused_or_told_apart(
    tmp_path_factory: pytest.TempPathFactory, name: str, data: st.DataObject
) -> None:
    """Cut off, or with some bytes changed, removed or put in: a message, or a recipe that is not taken for intact."""
    content = bytearray(SEALED[name])
    start = data.draw(st.integers(0, len(content) - 1))
    end = data.draw(st.integers(start, min(start + 40, len(content))) | st.just(len(content)))
    content[start:end] = data.draw(st.binary(max_size=40))
    folder = tmp_path_factory.getbasetemp()
    if content != SEALED[name] and not refusal(bytes(content), folder):
        found = opened(folder / "hostile")
        made = as_picture(PICTURES[name], AWKWARD, folder)
        # Of a PDF and a TeX file, what follows the recipe is of no account.
        assert difference(found, made) != []
        if found.is_intact:
            assert found.bare == made.bare
            assert found.recipe == made.recipe


def test_a_picture_of_too_many_pixels_is_not_unpacked(tmp_path: Path) -> None:
    huge = bytearray(PICTURES["PNG"])
    huge[16:24] = (60_000).to_bytes(4, "big") * 2
    huge[29:33] = zlib.crc32(huge[12:29]).to_bytes(4, "big")
    made = as_picture(PICTURES["PNG"], RECIPE, tmp_path)
    with limits():
        found = difference(as_picture(bytes(huge), RECIPE, tmp_path), made)
    assert found[-1] == "It is damaged: not all of it can be read."
