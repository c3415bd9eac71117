"""From scenes to TikZ: a source for each step that compiles by itself, and a document with all steps."""

from collections.abc import Callable
from pathlib import Path

from jinja2.runtime import Macro

from scripts.core.figures import Figure
from scripts.errors import LayerError, SourceError
from scripts.project import Outputs, Project, frame_names
from scripts.stages.templates import templates
from scripts.tex.latexmk import TexError
from scripts.tex.log import source_error
from scripts.views import scene_of, view_name
from scripts.views.scene import Scene

# What TeX reads before all documents; the document of all frames, and the environment that each of them is in.
FORMAT, DOCUMENT = "format.tex.j2", "figure.tex.j2"
# What a paper loads to show steps.
PACKAGE = "convfigures.sty.j2"
BEGIN_FRAME, END_FRAME = r"\begin{framepage}", r"\end{framepage}"


def caption(project: Project, figure: Figure) -> str:
    """The figure's caption, plain text."""
    try:
        scene = scene_of(figure)
    except LayerError:
        # A figure that its view cannot draw can still be described.
        scene = Scene(figure, None, ())
    return templates(project).fill("caption.txt.j2", scene=scene).strip()


def format_source(project: Project) -> str:
    """The source of TeX's format for all figures; raises `SourceError` at an error in a template."""
    return templates(project).fill(FORMAT)


def package(project: Project) -> str:
    """The LaTeX package by which a paper shows steps; raises `SourceError` at an error in a template."""
    return templates(project).fill(PACKAGE)


def render(project: Project, scene: Scene, outputs: Outputs) -> dict[Path, str]:
    """The sources of a figure's steps and of the document with all of them, by file.

    In a folder of its own, a figure has a package of its own.
    Raises `SourceError` at an error in a template.
    """
    figure, fill = scene.figure, templates(project).fill
    names = frame_names(figure.name, scene.count)
    sources, once = {}, _Once()
    current = None
    try:
        for current, (name, step) in enumerate(zip(names, scene.steps, strict=True)):
            sources[outputs.file("tex", f"{name}.tex")] = fill(
                "step.tex.j2",
                scene=scene,
                view_name=view_name(figure),
                name=name,
                frame=step,
                number=current + 1,
                once=once,
            )
        current = None
        sources[outputs.document(figure.name)] = _document(project, scene)
        if outputs.together:
            sources[outputs.package] = package(project)
    except SourceError as error:
        raise error.shown_in(_shown(scene, current)) from None
    return sources


class _Once:
    """Calls each macro once, for what all steps of a figure have in common."""

    def __init__(self) -> None:
        self._filled: dict[Macro, str] = {}

    def __call__(self, macro: Macro, *values: object) -> str:
        if macro not in self._filled:
            self._filled[macro] = macro(*values)
        return self._filled[macro]


def document_error(project: Project, source: Path, failed: TexError, refill: Callable[[], str]) -> SourceError:
    """TeX's error in a filled template, with its line there; `refill` fills it again."""
    name, line = failed.stop.where(source)
    place = None
    if line is not None and name == source.name:
        place = templates(project).origin(source.read_text(encoding="utf-8"), line, refill)
    return source_error(failed.stop, failed.log, place, templates(project).files(), project.theme_file)


def tex_error(project: Project, scene: Scene, failed: TexError, outputs: Outputs) -> SourceError:
    """TeX's error in a figure's document, with its line of a template and the frame that TeX was drawing."""
    source = outputs.document(scene.figure.name)
    text = source.read_text(encoding="utf-8")
    name, line = failed.stop.where(source)
    place, number = None, None
    if line is not None and name == source.name:
        place = templates(project).origin(text, line, lambda: _document(project, scene))
        before = "\n".join(text.split("\n")[:line])
        begun = before.count(BEGIN_FRAME)
        number = begun - 1 if begun > before.count(END_FRAME) else None
    error = source_error(failed.stop, failed.log, place, templates(project).files(), project.theme_file)
    return error.shown_in(_shown(scene, number))


def _document(project: Project, scene: Scene) -> str:
    return templates(project).fill(DOCUMENT, scene=scene, view_name=view_name(scene.figure))


def _shown(scene: Scene, number: int | None) -> str:
    """A figure, or one of its frames, for messages; numbers count from 0, as in the files' names."""
    name = scene.figure.name
    frame = "" if number is None else f", frame {frame_names(name, scene.count)[number]}"
    return f"figure {name}{frame}"
