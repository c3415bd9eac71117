"""Stacks and models: what each step costs and sees, and each distinct layer explained once."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from dataclasses import field as field_default
from fractions import Fraction
from math import floor
from typing import NamedTuple

from scripts.core.cost import Cost
from scripts.core.layers import Index, Layer
from scripts.core.receptive import Reach, field, reach
from scripts.errors import LayerError
from scripts.explaining.description import Book, Remark, Row, Section, Warned
from scripts.explaining.single import layer_section
from scripts.files import digest
from scripts.notation.signature import Keys
from scripts.project import Project


class Span(NamedTuple):
    """What the elements of a map see of the input along an axis.

    Element n sees from `first` + n · `jump` to `last` + n · `jump`; where layers spread their input, at most.
    """

    jump: Fraction = Fraction(1)
    first: Fraction = Fraction(0)
    last: Fraction = Fraction(0)

    def after(self, step: Reach) -> "Span":
        """The span after a layer: a field of fields."""
        own = field([step])
        return Span(self.jump * own.jump, self.first + self.jump * own.first, self.last + self.jump * own.last)

    @property
    def size(self) -> int:
        """Number of input elements, at most."""
        return floor(self.last - self.first) + 1


# The span along each axis; None if it is unknown; WHOLE if each element sees the whole input.
Spans = tuple[Span, ...] | None
WHOLE: tuple[Span, ...] = ()


# Distinct layers that have sections of their own, each with a figure.
MOST_SECTIONS = 120


@dataclass(frozen=True)
class Step:
    """A layer of a stack, or a node of a model.

    `inputs` and `output` name the maps that it takes and makes.  `reaches` are one for each axis, none for what acts on
    elements alone, "whole" for what sees the whole map, or "unknown".  `layer`, its `source` text and its `keys` are
    those of a layer with a sheet of its own; `problem` says why it could not be read.
    """

    name: str
    operator: str
    inputs: tuple[str, ...]
    output: str
    output_shape: Index | None
    cost: Cost = field_default(default_factory=Cost)
    reaches: tuple[Reach, ...] | str = ()
    layer: Layer | None = None
    source: str = ""
    keys: Keys | None = None
    problem: str = ""
    is_listed: bool = True


def reaches_of(layer: Layer) -> tuple[Reach, ...] | str:
    """What a layer does to the field; "whole" for a global pooling."""
    if layer.operation.name.startswith("global"):
        return "whole"
    return tuple(map(reach, layer.window_axes))


def book(
    project: Project,
    name: str,
    source: str,
    steps: Sequence[Step],
    warnings: Sequence[Warned],
    axes: int,
    inputs: Sequence[str],
) -> Book:
    """The description of a network whose maps named `inputs` have so many axes."""
    spans: dict[str, Spans] = {one: (Span(),) * axes for one in inputs}
    rows, sections, numbers = list[Row](), dict[str, tuple[Step, list[str]]](), dict[str, int]()
    found = list(warnings)
    for step in steps:
        joined, problem = _joined([spans.get(one) for one in step.inputs])
        if problem:
            found.append(Warned(Remark("Branches out of step", problem, is_warning=True), (step.name,)))
        spans[step.output] = _through(joined, step.reaches)
        if not step.is_listed:
            continue
        key = ""
        if step.layer is not None and len(numbers) < MOST_SECTIONS:
            key = digest(json.dumps(step.keys))
            numbers.setdefault(key, len(numbers) + 1)
            sections.setdefault(key, (step, []))[1].append(step.name)
        rows.append(
            Row(
                number=len(rows) + 1,
                name=step.name,
                operator=step.operator,
                output_shape=step.output_shape,
                cost=step.cost,
                field=_field_text(spans[step.output]),
                jump=_jump_text(spans[step.output]),
                start=_start_text(spans[step.output]),
                section=numbers.get(key),
                problem=step.problem,
            )
        )
    if len(numbers) == MOST_SECTIONS:
        text = f"Only the first {MOST_SECTIONS} distinct layers have a section."
        found.append(Warned(Remark("A large network", text), (rows[-1].name,)))
    explained = [_section(project, numbers[key], *one) for key, one in sections.items()]
    for one in explained:
        found += [Warned(remark, one.places) for remark in one.sheet.remarks if remark.is_warning]
    return Book(
        name=name,
        source=source,
        rows=tuple(rows),
        total=_total([step.cost for step in steps]),
        sections=tuple(explained),
        warnings=tuple(_gathered(found)),
    )


def _joined(spans: Sequence[Spans]) -> tuple[Spans, str]:
    """What a sum or a concatenation of maps sees, and what is wrong with it."""
    if not spans or any(one is None for one in spans):
        return None, ""
    if any(one == WHOLE for one in spans):
        return WHOLE, ""
    known = [one for one in spans if one]
    merged = []
    for along in zip(*known, strict=False):
        jumps = {one.jump for one in along}
        if len(jumps) > 1:
            return None, f"Maps are joined whose elements are {_list(sorted(jumps))} input elements apart."
        merged.append(Span(along[0].jump, min(one.first for one in along), max(one.last for one in along)))
    return tuple(merged), ""


def _list(values: Sequence[object]) -> str:
    return " and ".join(map(str, values))


def _through(spans: Spans, reaches: tuple[Reach, ...] | str) -> Spans:
    if reaches == "whole":
        return WHOLE if spans is not None else None
    if isinstance(reaches, str) or spans is None:
        return None
    if not reaches or spans == WHOLE:
        return spans
    try:
        return tuple(span.after(step) for span, step in zip(spans, reaches, strict=True))
    except (LayerError, ValueError):
        # Too many phases, or another number of axes.
        return None


def _once(values: Sequence[object]) -> str:
    """One value where all are equal, else all of them."""
    texts = list(dict.fromkeys(map(str, values)))
    return texts[0] if len(texts) == 1 else " × ".join(map(str, values))


def _field_text(spans: Spans) -> str:
    return "?" if spans is None else "all" if spans == WHOLE else _once([one.size for one in spans])


def _jump_text(spans: Spans) -> str:
    return "" if not spans else _once([one.jump for one in spans])


def _start_text(spans: Spans) -> str:
    return "" if not spans else _once([floor(one.first) for one in spans]).replace("-", "−")


def _total(costs: Sequence[Cost]) -> Cost:
    whole = Cost()
    for one in costs:
        whole = whole.then(one)
    return whole


def _section(project: Project, number: int, step: Step, places: Sequence[str]) -> Section:
    if step.layer is None:
        raise ValueError("only layers have sections")
    kept = step.output_shape[0] if step.output_shape and len(step.output_shape) > len(step.layer.axes) else None
    sheet = layer_section(project, f"layer_{number:02}", step.source, step.layer, kept)
    return Section(number, tuple(places), sheet)


def _gathered(found: Sequence[Warned]) -> list[Warned]:
    """Each warning once, with all of its places."""
    places: dict[Remark, list[str]] = {}
    for one in found:
        places.setdefault(one.remark, []).extend(one.places)
    return [Warned(remark, tuple(dict.fromkeys(names))) for remark, names in places.items()]


def joined_sizes(step_name: str, shapes: Sequence[Index | None], axis: int | None) -> Warned | None:
    """The warning that maps of different sizes are joined: added, or concatenated along an axis of their shapes."""
    known = [shape for shape in shapes if shape is not None and len(shape) > 1]
    sizes = {tuple(size for place, size in enumerate(shape) if place != axis) for shape in known}
    if len(known) < 2 or len({len(size) for size in sizes}) > 1:
        return None
    clashes = [set(along) - {1} if axis is None else set(along) for along in zip(*sizes, strict=True)]
    if all(len(clash) < 2 for clash in clashes):
        return None
    listed = _list([" × ".join(map(str, shape)) for shape in dict.fromkeys(known)])
    text = (
        f"Maps of {listed} are joined, which do not fit. A layer before halves an odd size and rounds; an input whose "
        "size is a multiple of all strides together avoids it, or cropping or padding one of the maps."
    )
    return Warned(Remark("Broken skip connection", text, is_warning=True), (step_name,))


def checked(layer: Layer) -> str:
    """Why a layer's field is unknown; empty if it is known."""
    try:
        reaches_of(layer)
    except (LayerError, TypeError) as error:
        return str(error)
    return ""
