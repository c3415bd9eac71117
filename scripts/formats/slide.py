"""Slides for beamer: each frame an overlay, as TeX and as PDF; and TeX that plays them, for the package animate."""

import os

from scripts.errors import ToolError
from scripts.machine.needs import BEAMER, complaint, find
from scripts.stages.composed import composed, filled
from scripts.stages.drawn import Drawn, Several

TEMPLATE = "slides.tex.j2"


def slide(drawn: Drawn) -> dict[str, bytes]:
    """NAME.tex and NAME.pdf, and NAME_animate.tex, which is for the user to compile; raises `ToolError`."""
    if missing := complaint(find([BEAMER])):
        raise ToolError(missing)
    slides, frames = (drawn.outputs.file(kind, f"{drawn.name}.pdf").parent for kind in (FORMAT.folder, "pdf"))
    values: dict[str, object] = {
        "frames": list(zip(drawn.steps, drawn.durations, strict=True)),
        "folder": os.path.relpath(frames, slides),
    }
    source = drawn.document.with_name(f"{drawn.name}_slides.tex")
    document = composed(drawn, TEMPLATE, source, None, **values, animated=False)
    return {
        f"{drawn.name}.tex": source.read_bytes(),
        f"{drawn.name}.pdf": document,
        f"{drawn.name}_animate.tex": filled(drawn, TEMPLATE, **values, animated=True).encode(),
    }


FORMAT = Several("slide", "slides", slide, beside=("pdf",), has_durations=True, has_words=True)
