"""The kinds of files that figures are built as: a module for each, and this list of them all."""

from scripts.formats import apng, gif, mp4, pdf, png, sheet, slide, strip, svg, webp
from scripts.stages.drawn import Format

FORMATS: dict[str, Format] = {
    module.FORMAT.name: module.FORMAT for module in (pdf, png, gif, webp, apng, mp4, sheet, slide, svg, strip)
}
