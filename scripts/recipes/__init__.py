"""What a picture was made from, its recipe, in its own file.  `CONTAINERS` lists the kinds of files that carry one."""

from scripts.recipes.binary import GIF, MP4, PNG, WEBP
from scripts.recipes.container import Container
from scripts.recipes.documents import PDF, SVG, TEX

CONTAINERS = (PNG, GIF, WEBP, MP4, PDF, SVG, TEX)


def container_of(content: bytes) -> Container | None:
    """The kind of a file, by its first bytes; None if it is none that carries a recipe."""
    return next((one for one in CONTAINERS if one.recognises(content)), None)
