"""The kinds of files that figures are made into: a module each, and this list of them."""

from scripts.formats import gif, pdf, png, strip, svg
from scripts.stages.drawn import Format

FORMATS: dict[str, Format] = {module.FORMAT.name: module.FORMAT for module in (pdf, png, gif, svg, strip)}
