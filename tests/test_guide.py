"""docs/extending.md: its examples, followed to the letter, work and need no other file."""

import re

from PIL import Image

from tests.conftest import TOP, Checkout

GUIDE = (TOP / "docs" / "extending.md").read_text(encoding="utf-8")


def block(language: str, word: str) -> str:
    """The only code in that language that contains a word."""
    found = re.findall(rf"^( *)```{language}\n(.*?)^\1```", GUIDE, re.MULTILINE | re.DOTALL)
    (code,) = [re.sub(rf"^{indent}", "", text, flags=re.MULTILINE) for indent, text in found if word in text]
    return code


def test_a_view_is_a_module_a_template_and_an_entry(unbuilt: Checkout) -> None:
    (unbuilt.top / "scripts" / "views" / "coverage.py").write_text(block("python", "The coverage view"))
    (unbuilt.top / "templates" / "views" / "coverage.tex.j2").write_text(block("tex", "The coverage view"))
    (unbuilt.top / "figures" / "coverage.toml").write_text(block("toml", "coverage"))
    views = "scripts/views/__init__.py"
    unbuilt.edit(views, "    channels,\n", "    channels,\n    coverage,\n")
    unbuilt.edit(
        views, '    "kernel": kernel.scene,\n', f"""    "kernel": kernel.scene,\n{block("python", "coverage.scene,")}"""
    )
    assert "[1/1] coverage, 25 frames" in unbuilt.make("gifs", "FIGURES=coverage")
    # Reflected padding covers an element twice in one window, which counts once.
    layer = "Conv2d(1, 1, 3, padding=1, padding_mode='reflect')"
    unbuilt.make("draw", f"LAYER={layer}", "INPUT=4x5", "VIEW=coverage", "NAME=reflected", "FORMATS=pdf")
    source = (unbuilt.top / "build" / "draw" / "reflected" / "reflected_00.tex").read_text()
    numbers = {int(number) for number in re.findall(r"\\cellnode\{input value\}\{[\d.]+\}\{[\d.]+\}\{(\d+)\}", source)}
    assert max(numbers) == 9


def test_a_format_is_a_module_and_an_entry(checkout: Checkout) -> None:
    (checkout.top / "scripts" / "formats" / "tiff.py").write_text(block("python", "TIFF"))
    formats = "scripts/formats/__init__.py"
    checkout.edit(formats, "strip, svg", "strip, svg, tiff")
    checkout.edit(formats, "svg, strip)", "svg, strip, tiff)")
    assert "[1/1] tiny, 4 frames" in checkout.make("tiffs", "FIGURES=tiny")
    assert checkout.make("tiffs", "FIGURES=tiny") == "Figures up to date: 1\n"
    for number in range(4):
        tiff = Image.open(checkout.top / "build" / "tiff" / f"tiny_{number:02}.tif")
        png = Image.open(checkout.top / "build" / "png" / f"tiny_{number:02}.png")
        assert tiff.convert("RGB").tobytes() == png.convert("RGB").tobytes()
    (checkout.top / "figures" / "tiny.toml").unlink()
    (checkout.top / "figures" / "tiny_transposed.toml").unlink()
    checkout.make("pngs")
    assert checkout.outputs("tiff/*") == {}


def test_a_theme_is_one_file(checkout: Checkout) -> None:
    themes = checkout.top / "templates" / "themes"
    colour = "{RGB}{220,50,47}"
    text = (themes / "classic.tex").read_text()
    (themes / "mine.tex").write_text(text.replace("{inputcolor}{RGB}{38,139,210}", f"{{inputcolor}}{colour}"))
    before = checkout.outputs("gif/*")
    checkout.make("gifs", "THEME=mine", "FIGURES=tiny")
    gif = Image.open(checkout.top / "build" / "themes" / "mine" / "gif" / "tiny.gif").convert("RGB")
    assert (220, 50, 47) in {colour for _, colour in gif.getcolors(1 << 16) or []}
    assert checkout.outputs("gif/*") == before
