"""GIFs, from images made here: every frame as it is, for as long as it is to be shown."""

from io import BytesIO

import numpy as np
import pytest
from PIL import Image, ImageSequence

from scripts.core.figures import figure
from scripts.core.keys import FigureFile
from scripts.formats import FORMATS
from scripts.formats.gif import COLOURS, gif
from scripts.views import scene_of
from tests.conftest import PROJECT


def images(count: int, colours: int) -> list[Image.Image]:
    """Images that between them have so many colours; not square."""
    random = np.random.default_rng(0)
    palette = random.integers(0, 256, (colours, 3), dtype=np.uint8)
    return [Image.fromarray(palette[random.integers(0, colours, (20, 30))]) for _ in range(count)]


@pytest.mark.parametrize("durations", [[0.5, 0.02, 3.0], [2.0]])
def test_a_gif_shows_each_image_for_its_duration_without_end(durations: list[float]) -> None:
    shown = images(len(durations), COLOURS)
    animation = Image.open(BytesIO(gif(shown, durations)))
    assert animation.info["loop"] == 0
    found = [(frame.info["duration"], frame.convert("RGB")) for frame in ImageSequence.Iterator(animation)]
    assert [milliseconds for milliseconds, _ in found] == [1000 * seconds for seconds in durations]
    for image, (_, frame) in zip(shown, found, strict=True):
        assert np.array_equal(np.asarray(frame), np.asarray(image))


def test_more_colours_than_a_palette_holds_become_near_ones() -> None:
    (image,) = images(1, 4 * COLOURS)
    animation = Image.open(BytesIO(gif([image], [1.0])))
    found, asked = (np.asarray(one.convert("RGB"), int) for one in (animation, image))
    palette = np.unique(found.reshape(-1, 3), axis=0)
    assert len(palette) == COLOURS
    # Of each pixel, the nearest that the palette has.
    distances = ((asked[:, :, None] - palette) ** 2).sum(axis=-1)
    assert np.array_equal(((asked - found) ** 2).sum(axis=-1), distances.min(axis=-1))


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
