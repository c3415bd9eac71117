"""Raster formats, opened by another program: every frame as it is, for as long as it is to be shown."""

import hashlib
import subprocess
from collections.abc import Callable, Sequence
from io import BytesIO

import numpy as np
import numpy.typing as npt
import png as pypng
import pytest
from imageio_ffmpeg import get_ffmpeg_exe
from PIL import Image, ImageSequence

from scripts.core.figures import figure
from scripts.core.keys import FigureFile
from scripts.errors import UserError
from scripts.formats import FORMATS
from scripts.formats.apng import apng
from scripts.formats.gif import gif
from scripts.formats.mp4 import mp4
from scripts.formats.webp import webp
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


def still(frames: Pixels) -> list[Image.Image]:
    """Frames as a figure has them."""
    images = indexed(frames)
    for image in images:
        image.info["dpi"] = (DPI, DPI)
    return images


def rgb(frames: Pixels) -> npt.NDArray[np.uint8]:
    """The frames' red, green and blue, the last axis."""
    return frames.astype("<u4").view(np.uint8).reshape(*frames.shape, 4)[..., :3]


def psnr(found: npt.NDArray[np.uint8], asked: npt.NDArray[np.uint8]) -> float:
    """The peak signal-to-noise ratio in decibels."""
    error = np.mean((found.astype(float) - asked) ** 2)
    return float(10 * np.log10(255**2 / error)) if error else np.inf


def shown_by_ffmpeg(content: bytes) -> list[tuple[int, str]]:
    """The frames of an animation as another program decodes it: milliseconds, and a fingerprint of the RGBA pixels."""
    options = [
        "-fps_mode",
        "passthrough",
        "-enc_time_base",
        "1:1000",
        "-pix_fmt",
        "rgba",
        "-f",
        "framehash",
        "-hash",
        "md5",
    ]
    lines = [line.split(",") for line in decoded(content, *options).decode().splitlines() if not line.startswith("#")]
    return [(int(milliseconds), fingerprint.strip()) for _, _, _, milliseconds, _, fingerprint in lines]


def decoded(content: bytes, *options: str) -> bytes:
    """What ffmpeg makes of a file."""
    command = [get_ffmpeg_exe(), "-v", "error", "-i", "pipe:0", *options, "pipe:1"]
    return subprocess.run(command, input=content, check=True, capture_output=True).stdout


def fingerprints(frames: Pixels) -> list[str]:
    return [hashlib.md5(frame.astype("<u4").tobytes()).hexdigest() for frame in frames]  # noqa: S324


@pytest.mark.parametrize("durations", [[0.5, 0.02, 3.0], [2.0]])
@pytest.mark.parametrize("make", [gif, webp, apng])
def test_an_animation_shows_each_image_for_its_duration_without_end(
    make: Callable[[Sequence[Image.Image], Sequence[float]], bytes], durations: list[float]
) -> None:
    asked = pixels(len(durations), COLOURS)
    content = make(still(asked), durations)
    found = shown_by_ffmpeg(content)
    assert [fingerprint for _, fingerprint in found] == fingerprints(asked)
    if len(durations) > 1:  # what is shown alone has no duration
        assert [milliseconds for milliseconds, _ in found] == [1000 * seconds for seconds in durations]
        assert Image.open(BytesIO(content)).info["loop"] == 0


@pytest.mark.parametrize("make", [webp, apng])
def test_what_is_behind_a_transparent_animation_shows_through(
    make: Callable[[Sequence[Image.Image], Sequence[float]], bytes],
) -> None:
    asked = pixels(3, COLOURS)
    asked[asked % 2 == 0] &= 0x80FFFFFF
    assert [fingerprint for _, fingerprint in shown_by_ffmpeg(make(still(asked), [1.0, 1.0, 1.0]))] == fingerprints(
        asked
    )


def test_a_pixel_of_a_gif_is_transparent_where_it_is_mostly_so() -> None:
    asked = pixels(3, COLOURS)
    asked[asked % 3 == 0] &= 0x7FFFFFFF
    asked[asked % 3 == 1] &= 0x80FFFFFF
    animation = Image.open(BytesIO(gif(still(asked), [1.0, 1.0, 1.0])))
    for frame, drawn in zip(ImageSequence.Iterator(animation), asked, strict=True):
        found = np.asarray(frame.convert("RGBA"))
        assert np.array_equal(found[..., 3], np.where(drawn >> 24 < 128, 0, 255))
        assert np.array_equal(found[..., :3][found[..., 3] > 0], rgb(drawn[None])[0][found[..., 3] > 0])


def test_a_video_shows_each_image_for_its_duration() -> None:
    squares: Pixels = pixels(3, 8)[:, 5:9, :6]
    asked = squares.repeat(16, axis=1).repeat(17, axis=2)[:, :-1].astype(np.uint32)
    content = mp4(still(asked), [0.5, 0.3, 2.0])
    assert content == mp4(still(asked), [0.5, 0.3, 2.0])
    # One side is odd, and becomes even.
    size = (64, 102, 3)
    raw = decoded(content, "-f", "rawvideo", "-pix_fmt", "rgb24", "-fps_mode", "passthrough")
    frames = np.frombuffer(raw, np.uint8).reshape(-1, *size)
    assert asked.shape[1:] == (size[0] - 1, size[1])
    assert len(frames) == 28
    for number, frame in enumerate(frames):
        # Colours have half the resolution, so that they are compared inside the squares.
        drawn = rgb(asked)[0 if number < 5 else 1 if number < 8 else 2]
        assert frame[8::16, 8::17].astype(int) == pytest.approx(drawn[8::16, 8::17].astype(int), abs=9)
    stream = subprocess.run([get_ffmpeg_exe(), "-i", "pipe:0"], input=content, capture_output=True, check=False).stderr
    assert b"h264" in stream
    assert b"yuv420p(tv, bt709" in stream
    assert b"10 fps" in stream


def test_a_video_of_transparent_images_is_refused() -> None:
    with pytest.raises(UserError, match="BACKGROUND: a video cannot be transparent"):
        mp4(still(pixels(1, 3) & np.uint32(0x7FFFFFFF)), [1.0])


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


def test_pngs_are_read_alike_by_another_decoder(built: Checkout) -> None:
    file = built.top / "build/png/tiny_00.png"
    width, height, rows, _ = pypng.Reader(filename=str(file)).asRGB8()
    with Image.open(file) as image:
        assert np.array_equal(np.vstack(list(rows)).reshape(height, width, 3), np.asarray(image.convert("RGB")))
        assert image.info["dpi"] == pytest.approx((DPI, DPI), abs=0.1)


def test_images_have_a_scale_and_a_background(unbuilt: Checkout) -> None:
    unbuilt.make("apngs", "FIGURES=tiny")
    unbuilt.make("apngs", "FIGURES=tiny", "THEME=dark", "BACKGROUND=transparent", "SCALE=2")
    build = unbuilt.top / "build"
    plain, scaled = (Image.open(folder / "apng/tiny.png") for folder in (build, build / "themes/dark/transparent/2x"))
    assert scaled.size == pytest.approx((2 * plain.width, 2 * plain.height), abs=1)
    assert scaled.info["dpi"] == pytest.approx((2 * DPI, 2 * DPI), abs=0.1)
    opacity = np.asarray(scaled.convert("RGBA"))[..., 3]
    assert opacity[0, 0] == 0
    assert opacity.max() == 255
    assert not plain.has_transparency_data


@pytest.mark.parametrize(("option", "value"), [("scale", "9"), ("scale", "two"), ("background", "white")])
def test_an_option_that_cannot_be_is_named(option: str, value: str) -> None:
    with pytest.raises(UserError, match=f"{option.upper()}: cannot be '{value}'. It is one of"):
        PROJECT.looking({option: value})
