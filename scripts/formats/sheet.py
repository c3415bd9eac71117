"""Contact sheets: all frames of a figure for print, as PDF and as PNG, there with one page below the other."""

import numpy as np
import pikepdf

from scripts.formats.png import png
from scripts.stages.composed import composed
from scripts.stages.drawn import DPI, Drawn, Several
from scripts.stages.palette import indexed
from scripts.stages.raster import rasterised


def sheet(drawn: Drawn) -> dict[str, bytes]:
    """NAME.pdf and NAME.png; raises `SourceError` and `ToolError`."""
    source = drawn.document.with_name(f"{drawn.name}_sheet.tex")
    values: dict[str, object] = {"steps": drawn.steps, "size": drawn.size}
    document = composed(drawn, "sheet.tex.j2", source, drawn.project.tex_format, **values)
    with pikepdf.open(source.with_suffix(".pdf")) as made:
        count = len(made.pages)
    dpi = DPI * drawn.project.scale
    pages = rasterised(source.with_suffix(".pdf"), count, dpi, drawn.project.is_transparent)
    width = max(page.shape[1] for page in pages)
    whole = [np.pad(page, ((0, 0), (0, width - page.shape[1])), mode="edge") for page in pages]
    (image,) = indexed(np.concatenate(whole)[None])
    image.info["dpi"] = (dpi, dpi)
    return {f"{drawn.name}.pdf": document, f"{drawn.name}.png": png(image)}


FORMAT = Several("sheet", "sheet", sheet, has_words=True)
