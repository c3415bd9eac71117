"""Contact sheets: all frames of a figure for print, as PDF and as PNG, there with one page below the other."""

import pikepdf
from PIL import Image

from scripts.formats.png import png
from scripts.stages.composed import composed
from scripts.stages.drawn import Drawn, Several, rasterised


def sheet(drawn: Drawn) -> dict[str, bytes]:
    """NAME.pdf and NAME.png; raises `SourceError` and `ToolError`."""
    source = drawn.document.with_name(f"{drawn.name}_sheet.tex")
    values: dict[str, object] = {"steps": drawn.steps, "size": drawn.size}
    document = composed(drawn, "sheet.tex.j2", source, drawn.project.tex_format, **values)
    with pikepdf.open(source.with_suffix(".pdf")) as made:
        count = len(made.pages)
    pages = rasterised(source.with_suffix(".pdf"), count)
    whole = Image.new("RGB", (max(page.width for page in pages), sum(page.height for page in pages)), "white")
    top = 0
    for page in pages:
        whole.paste(page, (0, top))
        top += page.height
    return {f"{drawn.name}.pdf": document, f"{drawn.name}.png": png(whole)}


FORMAT = Several("sheet", "sheet", sheet, has_words=True)
