"""SVG: each frame, and all of them as an animation that needs no script; text is paths.

The animation is CSS alone, which also runs where a page shows the file as an image.  What all frames share is painted
throughout, and the rest of each frame while it is shown.  It pauses under the pointer, where the file is part of a page
or opened itself; for readers who want no motion, and in programs without animation, it is the first frame.
"""

from collections.abc import Sequence
from itertools import accumulate
from xml.etree import ElementTree
from xml.etree.ElementTree import Element, SubElement

from scripts.files import digest
from scripts.stages.drawn import Drawn, Several
from scripts.stages.markup import Layer, Names, layers, paint
from scripts.stages.vector import COMMON, Vectors, vectors

# Some programs do not know the shorter href yet.
NAMESPACES = {"xmlns": "http://www.w3.org/2000/svg", "xmlns:xlink": "http://www.w3.org/1999/xlink"}

# Under all that TeX paints: a theme whose paper has another colour paints all of the page itself.
PAPER = "#fff"


def svg(drawn: Drawn) -> dict[str, bytes]:
    """A file for each frame, NAME_00.svg, and the animation, NAME.svg; raises `ToolError`."""
    pictures = vectors(drawn.document, len(drawn.steps))
    count = len(drawn.steps)
    files = {}
    for number, (step, page) in enumerate(zip(drawn.steps, pictures.pages, strict=True), start=1):
        title = f"{drawn.title}, step {number} of {count}" if count > 1 else drawn.title
        files[f"{step}.svg"] = _written(drawn, pictures, [Layer(None, page)], [], title)
    animation = list(layers(pictures.pages))
    files[f"{drawn.name}.svg"] = _written(drawn, pictures, animation, drawn.durations, drawn.title)
    return files


def _written(drawn: Drawn, pictures: Vectors, layers: Sequence[Layer], durations: Sequence[float], title: str) -> bytes:
    """The file; without durations a still one."""
    description = drawn.alternative
    # Several files in one page must not share names, and equal files should be equal on every build.
    prefix = f"f{digest(repr((pictures[:2], layers, durations, title, description)))[:7]}"
    width, height = pictures.width, pictures.height
    root = Element("svg", NAMESPACES)
    root.attrib |= {"width": f"{width}pt", "height": f"{height}pt", "viewBox": f"0 0 {width} {height}", **COMMON}
    root.attrib |= {"id": prefix, "role": "img", "aria-labelledby": f"{prefix}t {prefix}d"}
    for tag, text in (("title", title), ("desc", description)):
        SubElement(root, tag, id=f"{prefix}{tag[0]}").text = text
    style, definitions = Element("style"), Element("defs")
    names = Names(prefix, definitions)
    root.extend([style, definitions])
    if not drawn.project.is_transparent:
        root.append(Element("rect", width="100%", height="100%", fill=PAPER))
    moving = paint(root, layers, names, lambda frame: {"class": f"{prefix} {prefix}-{frame}"})
    style.text = _timing(prefix, sorted(moving), durations)
    for element in (style, definitions):
        if not element.text and not len(element):
            root.remove(element)
    return ElementTree.tostring(root, encoding="unicode").encode() + b"\n"


def _timing(prefix: str, moving: Sequence[int], durations: Sequence[float]) -> str:
    """The rules by which each of the moving frames is visible for its duration."""
    if not moving:
        return ""
    *starts, total = accumulate(durations, initial=0)
    shares = [f"{100 * time / total:.4f}".rstrip("0").rstrip(".") for time in (*starts, total)]
    rules = [f".{prefix}{{animation:{round(total, 3):g}s step-end infinite}}"]
    for frame in moving:
        # Before its first rule, a frame has the visibility of its group; after its last one, that of the rule.
        begin = f"{shares[frame]}%{{visibility:visible}}" if frame > 0 else ""
        end = f"{shares[frame + 1]}%{{visibility:hidden}}" if frame + 1 < len(durations) else ""
        rules.append(f".{prefix}-{frame}{{animation-name:{prefix}-{frame}}}")
        rules.append(f"@keyframes {prefix}-{frame}{{{begin}{end}}}")
    rules.append(f"#{prefix}:hover .{prefix}{{animation-play-state:paused}}")
    rules.append(f"@media (prefers-reduced-motion:reduce){{.{prefix}{{animation:none}}}}")
    return "".join(rules)


FORMAT = Several("svg", "svg", svg, beside=("pdf",), has_durations=True, has_words=True)
