"""How a picture differs from the one that its recipe makes."""

import warnings
from io import BytesIO

from PIL import Image

from scripts.recipes import container_of
from scripts.recipes.binary import GIF, PNG, WEBP
from scripts.recipes.reading import Opened


def difference(picture: Opened, made: Opened) -> list[str]:
    """How a picture differs from the one that was `made` from its recipe; empty if they are equal to the byte."""
    if picture.content == made.content:
        return []
    found = []
    was, now = picture.recipe, made.recipe
    if not picture.is_intact:
        found.append("The file or its recipe has been changed since it was made.")
    if was.version != now.version:
        found.append(f"It was made by version {was.version}; this is {now.version}.")
    # A changed recipe may name another figure.
    if was.inputs != now.inputs and picture.is_intact:
        found.append("It was made with other templates or other code.")
    if not found and picture.bare != made.bare:
        found.append("It was made with other tools, or by other code of its format.")
    return [*found, _compared(picture.bare, made.bare)]


def _compared(picture: bytes, made: bytes) -> str:
    """How far two files without their recipes show the same."""
    if picture == made:
        return "But for its recipe, it is equal to the byte."
    if container_of(made) not in (PNG, GIF, WEBP):
        return "What it shows may differ: it is not equal to the byte."
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            return _compared_pixels(picture, made)
    # Pillow raises errors of many kinds at damaged files, IndexError and struct.error among them.
    except Exception:
        return "It is damaged: not all of it can be read."


def _compared_pixels(picture: bytes, made: bytes) -> str:
    kinds = ("PNG", "GIF", "WEBP")
    with Image.open(BytesIO(picture), formats=kinds) as one, Image.open(BytesIO(made), formats=kinds) as other:
        # Before anything is unpacked.
        if one.size != other.size:
            return f"It has {one.width} × {one.height} pixels instead of {other.width} × {other.height}."
        counts = [getattr(image, "n_frames", 1) for image in (one, other)]
        if counts[0] != counts[1]:
            return f"Number of frames: {counts[0]} instead of {counts[1]}."
        changed, times = 0, 0
        for number in range(counts[0]):
            one.seek(number)
            other.seek(number)
            changed += one.convert("RGBA").tobytes() != other.convert("RGBA").tobytes()
            times += one.info.get("duration") != other.info.get("duration")
    if changed:
        return f"Frames that show something else: {changed} of {counts[0]}." if counts[0] > 1 else "Its pixels differ."
    return "Every pixel is the same" + (", but frames are shown for other times." if times else ".")
