"""One PDF for each frame, and a page that shows the figure without motion: the strip of its first frames."""

from scripts.stages.drawn import Drawn, Several


def pdf(drawn: Drawn) -> dict[str, bytes]:
    """The pages as they are; the strip, NAME.pdf, is the still twin of the figure's animations."""
    (strip,) = drawn.strip
    return {f"{drawn.name}.pdf": strip} | {
        f"{step}.pdf": page for step, page in zip(drawn.steps, drawn.frames, strict=True)
    }


FORMAT = Several("pdf", "pdf", pdf)
