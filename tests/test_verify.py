"""`make verify` and `make draw FILE=`: from a built picture back to its figure."""

from collections.abc import Callable
from pathlib import Path

import pytest

from scripts.core.figures import load
from scripts.formats import FORMATS
from scripts.recipes.reading import opened
from scripts.record.freshness import Record
from tests.conftest import FIGURES, RECOLOUR, Checkout
from tests.test_recipes import RECIPE, TINY, forged


def draw_all(checkout: Checkout) -> dict[str, list[Path]]:
    """The files of a figure in all formats."""
    picture = checkout.top / "build" / "gif" / "tiny_transposed.gif"
    checkout.run("draw", f"--file={picture}", f"--formats={' '.join(FORMATS)}", "--name=again")
    record = Record(checkout.project, "_draw_again")
    return {name: record.files(name) for name in FORMATS}


def test_files_of_every_format_carry_their_recipe(checkout: Checkout) -> None:
    texts = {"again": FIGURES["tiny_transposed"], "tiny": TINY}
    for name, files in draw_all(checkout).items():
        for found in map(opened, files):
            assert found.is_intact
            assert (found.recipe.format, found.recipe.file) == (name, found.file.name)
            assert found.recipe.figures == texts


@pytest.mark.full("compiles a figure once for each format")
def test_files_of_every_format_are_as_built(checkout: Checkout) -> None:
    for files in draw_all(checkout).values():
        assert f"{files[-1]}: as built" in checkout.run("verify", str(files[-1]))


def test_verify_needs_nothing_of_the_build(checkout: Checkout) -> None:
    """Neither the figure nor what was built; and it writes nothing."""
    picture = checkout.top / "mine \x1b[2J\u202e"
    (checkout.top / "build" / "gif" / "tiny_transposed.gif").rename(picture)
    for file in (checkout.top / "figures").iterdir():
        file.unlink()
    before = checkout.contents("**/*")
    assert checkout.make("verify", f"FILE={picture}") == f"{checkout.top}/mine \\x1b[2J\\u202e: as built\n"
    assert checkout.contents("**/*") == before


def test_verify_tells_what_has_changed_here(checkout: Checkout) -> None:
    picture = checkout.top / "build" / "gif" / "tiny.gif"
    checkout.edit(*RECOLOUR)
    version = opened(picture).recipe.version
    checkout.edit("CHANGELOG.md", f"\n## [{version}]", "\n## [77.0.1]")
    printed = checkout.run("verify", str(picture), fails=True)
    assert printed.splitlines() == [
        f"{picture}: is not as built.",
        f"  It was made by version {version}; this is 77.0.1.",
        "  It was made with other templates or other code.",
        "  Frames that show something else: 4 of 4.",
    ]


def test_a_picture_is_drawn_again(checkout: Checkout) -> None:
    picture = checkout.top / "picture"
    (checkout.top / "build" / "gif" / "tiny_transposed.gif").rename(picture)
    checkout.make("draw", f"FILE={picture}", "VIEW=matrix", "THEME=dark", "FORMATS=svg", "NAME=mine")
    folder = checkout.top / "build" / "themes" / "dark" / "draw" / "mine"
    assert (folder / "tiny.toml").read_text() == TINY
    assert (folder / "mine.toml").read_text() == 'view = "matrix"\n' + FIGURES["tiny_transposed"]
    assert load(folder / "mine.toml").layer == load(checkout.top / "figures" / "tiny_transposed.toml").layer
    found = opened(folder / "mine_00.svg")
    assert found.recipe.options["theme"] == "dark"
    # Again, in its own theme and format.
    checkout.run("draw", f"--file={folder / 'mine_00.svg'}", "--name=other")
    assert (folder.parent / "other" / "other_00.svg").is_file()
    text = checkout.run("draw", f"--file={picture}", "--name=tiny", fails=True)
    assert "NAME: cannot be 'tiny'. The figure refers to another one of that name." in text
    text = checkout.run("draw", f"--file={picture}", "--input=5", fails=True)
    assert "FILE: has a layer of its own. Leave out LAYER, INPUT and ONNX." in text


def test_recipes_follow_a_figure_s_file_without_tex(checkout: Checkout) -> None:
    before = checkout.outputs("work/*/*.pdf")
    checkout.edit("figures/tiny.toml", 'title = "Tiny"\n', 'title = "Tiny"\n# Mine.\n')
    checkout.run("build")
    for name in ("tiny", "tiny_transposed"):
        assert "# Mine.\n" in opened(checkout.top / "build" / "gif" / f"{name}.gif").recipe.figures["tiny"]
    assert checkout.outputs("work/*/*.pdf") == before


@pytest.mark.parametrize("damage", [lambda content: content[:-1], lambda _: b""], ids=["cut off", "empty"])
def test_a_damaged_file_is_made_again(checkout: Checkout, damage: Callable[[bytes], bytes]) -> None:
    file = checkout.top / "build" / "gif" / "tiny.gif"
    content = file.read_bytes()
    file.write_bytes(damage(content))
    assert "[1/1] tiny, 4 frames" in checkout.run("build")
    assert file.read_bytes() == content


def test_what_a_recipe_names_must_be_known(checkout: Checkout, tmp_path: Path) -> None:
    for old, new, message in (
        ('"gif"', '"bmp"', "there is no format 'bmp' in this version."),
        ('"classic"', '"secret"', "THEME: cannot be 'secret'. It is one of"),
        ("theme =", "magic =", "MAGIC: is no option of this version. The options are theme"),
        ('"tiny.gif"', '"values.gif"', "its figure has no picture 'values.gif' in this version."),
    ):
        (tmp_path / "picture").write_bytes(forged(RECIPE.text.replace(old, new)))
        printed = checkout.run("verify", str(tmp_path / "picture"), fails=True)
        assert message in printed
        assert "Traceback" not in printed
