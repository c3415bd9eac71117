"""Raster formats, opened by another program: every frame as it is, for as long as it is to be shown."""

from io import BytesIO

import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image, ImageSequence

from scripts.core.figures import figure
from scripts.core.keys import FigureFile
from scripts.formats import FORMATS
from scripts.formats.gif import gif
from scripts.stages.drawn import DPI
from scripts.stages.palette import COLOURS, indexed
from scripts.stages.raster import OPAQUE, Pixels, rasterised
from scripts.views import scene_of
from tests.conftest import PROJECT, Checkout


def pixels(count: int, colours: int) -> Pixels:
    """Frames that between them have so many colours; not square, and partly unchanged."""
    random = np.random.default_rng(0)
    palette = random.integers(0, 1 << 24, colours, dtype=np.uint32) | OPAQUE
    found = palette[random.integers(0, colours, (count, 20, 30))]
    found[1:, :5] = found[0, :5]
    return found


def rgb(frames: Pixels) -> npt.NDArray[np.uint8]:
    """The frames' red, green and blue, the last axis."""
    return frames.astype("<u4").view(np.uint8).reshape(*frames.shape, 4)[..., :3]


def psnr(found: npt.NDArray[np.uint8], asked: npt.NDArray[np.uint8]) -> float:
    """The peak signal-to-noise ratio in decibels."""
    error = np.mean((found.astype(float) - asked) ** 2)
    return float(10 * np.log10(255**2 / error)) if error else np.inf


@pytest.mark.parametrize("durations", [[0.5, 0.02, 3.0], [2.0]])
def test_a_gif_shows_each_image_for_its_duration_without_end(durations: list[float]) -> None:
    shown = pixels(len(durations), COLOURS)
    animation = Image.open(BytesIO(gif(indexed(shown), durations)))
    assert animation.info["loop"] == 0
    found = [(frame.info["duration"], frame.convert("RGB")) for frame in ImageSequence.Iterator(animation)]
    assert [milliseconds for milliseconds, _ in found] == [1000 * seconds for seconds in durations]
    for asked, (_, frame) in zip(rgb(shown), found, strict=True):
        assert np.array_equal(np.asarray(frame), asked)


def test_more_colours_than_a_palette_holds_become_near_ones() -> None:
    asked = pixels(3, 4 * COLOURS)
    images = indexed(asked)
    palettes = {tuple(image.getpalette("RGBA") or ()) for image in images}
    (entries,) = palettes
    palette = np.reshape(entries, (COLOURS, 4))[:, :3]
    for image, frame in zip(images, rgb(asked).astype(int), strict=True):
        # Of each pixel, the nearest that the palette has.
        distances = ((frame[:, :, None] - palette) ** 2).sum(axis=-1)
        found = np.asarray(image.convert("RGB"), int)
        assert np.array_equal(((frame - found) ** 2).sum(axis=-1), distances.min(axis=-1))


def test_the_last_step_is_shown_for_another_time() -> None:
    keys = {"title": "T", "operation": "convolution", "input_size": [4], "kernel_size": 2}
    scene = scene_of(figure("t", FigureFile.model_validate(keys | {"frame_duration": 0.5, "last_frame_duration": 2})))
    assert scene.durations == (0.5, 0.5, 2)


def test_formats_have_names_and_files_of_their_own() -> None:
    """`make NAMEs` finds a format by its module; formats that share a folder might overwrite each other."""
    modules = {path.stem for path in (PROJECT.root / "scripts" / "formats").glob("[!_]*.py")}
    assert set(FORMATS) == modules
    assert all(name == kind.name for name, kind in FORMATS.items())
    assert len({kind.folder for kind in FORMATS.values()}) == len(FORMATS)
    assert {name for kind in FORMATS.values() for name in kind.beside} <= set(FORMATS)


def test_palette_images_hardly_differ_from_what_poppler_draws(built: Checkout) -> None:
    for document in sorted(built.top.glob("build/work/*/*.pdf")):
        frames = sorted(built.top.glob(f"build/png/{document.stem}_[0-9]*.png"))
        asked = rgb(np.stack(rasterised(document, len(frames), DPI)))
        with Image.open(built.top / f"build/gif/{document.stem}.gif") as animation:
            gifs = [np.asarray(frame.convert("RGB")) for frame in ImageSequence.Iterator(animation)]
        for file, animated, drawn in zip(frames, gifs, asked, strict=True):
            with Image.open(file) as still:
                assert psnr(np.asarray(still.convert("RGB")), drawn) >= 40
            assert psnr(animated, drawn) >= 40
