"""Draws one figure into a folder of its own: a layer whole, one of its channels or an excerpt."""

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from scripts.builds.figure import FigureBuild
from scripts.core.figures import Figure, figure
from scripts.core.keys import check
from scripts.errors import LayerError, UserError
from scripts.files import write_whole
from scripts.formats import FORMATS
from scripts.project import Project
from scripts.stages.render import caption
from scripts.stages.typeset import TexFormat
from scripts.views import scene_of, volume
from scripts.views.limits import longest

CHANNEL_KEYS = ("in_channels", "out_channels", "groups")
# The keys of what is too large, where a layer exists but cannot be drawn.
SIZE_KEYS = ("input_size", "kernel_size")
# Cells along an axis that can be told apart in a figure as wide as a column of text, and frames that anybody watches.
MOST_READABLE, MOST_WATCHED = 40, 100


def make(project: Project, drawn: Figure, texts: Mapping[str, str], wanted: Sequence[str]) -> None:
    """Draw a figure in some formats, with its file and those that it refers to, whose `texts` are given by name."""
    outputs = project.drawing(drawn.name)
    formats = list(dict.fromkeys(one for asked in wanted for one in (*FORMATS[asked].beside, asked)))
    tex_format = TexFormat(project)
    tex_format.check_tools()
    sources = {name: text.encode() for name, text in texts.items()}
    build = FigureBuild(project, drawn, f"_draw_{drawn.name}", formats, outputs, sources, tex_format.fingerprint)
    files = {outputs.top / f"{name}.toml": text for name, text in texts.items()}
    changed = [file for file, text in files.items() if file.is_file() and file.read_text(encoding="utf-8") != text]
    if changed:
        print(f"  replaces what {changed[0]} says, a drawing of the same name")
        _delete(build, files)
    build.render()
    try:
        tex_format.make()
        build.typeset()
        build.make_formats()
    except UserError:
        _delete(build, files)
        raise
    for file, text in files.items():
        write_whole(file, text)
    frames = f"{build.count} frame{'s' if build.count > 1 else ''}"
    print(f"  {caption(project, drawn)}\n  {outputs.top}: {frames}, as {', '.join(formats)}, TikZ and TOML")


def whole_or_excerpt(name: str, keys: Mapping[str, Any], source: str) -> tuple[Figure, str, str]:
    """The figure of a layer and the text of its file: an excerpt if it is too large to be drawn, or read, whole.

    Then, a note says so; otherwise it is empty.  A view that is asked for draws the whole layer, and so does that of
    three axes.  Raises `LayerError`.
    """
    if "view" in keys:
        return *_drawable(name, keys, source), ""
    only_whole = len(keys["input_size"]) == volume.AXES
    try:
        whole = _drawable(name, keys, source)
        cells, steps = longest(whole[0].layer), scene_of(whole[0]).count
        if only_whole or (cells <= MOST_READABLE and (steps <= MOST_WATCHED or "values" in keys)):
            return *whole, ""
        reason = f"has an axis of {cells} cells" if cells > MOST_READABLE else f"gives {steps} frames"
    except LayerError as error:
        if only_whole or error.key not in SIZE_KEYS:
            raise
        reason = error.rule
    without = {key: value for key, value in keys.items() if key != "values"}
    found = _drawable(name, without | {"view": "excerpt"}, source)
    numbers = ", without values" if "values" in keys else ""
    return *found, f"too large to be drawn whole ({reason}): an excerpt{numbers}"


def _drawable(name: str, keys: Mapping[str, Any], source: str) -> tuple[Figure, str]:
    """The figure of a layer, with all channels if its view draws them, else with one; and the text of its file.

    Raises `LayerError` if the view draws neither.
    """
    channels = {key: value for key, value in keys.items() if key in CHANNEL_KEYS}
    single = one_channel(keys)
    note = f"\n# One of its channels; for all of them, add:\n{_toml(channels, '# ')}" if channels else ""
    whole_error = None
    if channels:
        try:
            whole = figure(name, check(dict(keys), source))
            scene_of(whole)
        except LayerError as error:
            whole_error = error
        else:
            return whole, _toml(keys)
    drawn = figure(name, check(single, source))
    try:
        scene_of(drawn)
    except LayerError as error:
        # A view that draws channels may refuse them for another reason, such as their number.
        raise (whole_error if whole_error and whole_error.key != "view" == error.key else error) from None
    return drawn, _toml(single) + note


def one_channel(keys: Mapping[str, Any]) -> dict[str, Any]:
    """The keys of one of a layer's channels, with a note of how many the layer has."""
    single = {key: value for key, value in keys.items() if key not in CHANNEL_KEYS}
    if single.keys() == keys.keys():
        return single
    ins, outs, groups = (keys.get(key, 1) for key in CHANNEL_KEYS)
    grouped = f", in {groups} groups" if groups > 1 else ""
    note = f"One channel is shown, of {ins} in and {outs} out{grouped}."
    return single | {"note": " ".join(filter(None, (note, keys.get("note"))))}


def _delete(build: FigureBuild, files: Iterable[Path]) -> None:
    """Delete a drawing's files, and those that describe it."""
    build.record.forget()
    for file in files:
        file.unlink(missing_ok=True)


def _toml(keys: Mapping[str, Any], prefix: str = "") -> str:
    """Keys as lines of TOML, whose numbers, lists, strings and booleans are written as in JSON."""
    return "".join(f"{prefix}{key} = {json.dumps(value)}\n" for key, value in keys.items())
