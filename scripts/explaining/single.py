"""The explanation of one layer."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from math import prod

from sympy import Rational

from scripts.core.arithmetic import LayerAxis
from scripts.core.cost import Cost, cost, dense, depthwise, fully_connected, separable
from scripts.core.inverse import solutions, usual_bounds
from scripts.core.layers import Channels, Index, Layer
from scripts.errors import LayerError
from scripts.explaining.description import AxisWork, Choice, CostRow, LayerSheet, Work
from scripts.explaining.remarks import AXES, remarks
from scripts.notation.frameworks import code
from scripts.notation.pytorch import shortest
from scripts.project import Project
from scripts.stages.templates import templates
from scripts.text.relationships import Relationship, quantities, relationships, window

# Special cases of the output's size that are worked on a sheet; others that hold are cited.
MOST_SPECIAL = 2
# Layers that are listed for each size that a reader may wish for, and the largest input for which they are sought.
MOST_CHOICES = 3
LARGEST_SOLVED = 100_000


def layer_sheet(project: Project, name: str, source: str, layer: Layer, channels: int | None = None) -> LayerSheet:
    """The explanation of a layer, without its figure; `source` is the text that it was read from.

    `channels` are those of the input of a layer that keeps their number, if they are known.
    """
    found = layer_section(project, name, source, layer, channels)
    return replace(found, code=code(layer), choices=tuple(_choices(layer, channels)))


def layer_section(project: Project, name: str, source: str, layer: Layer, channels: int | None) -> LayerSheet:
    """What a book says of a layer: the sheet without code and without other layers."""
    return LayerSheet(
        name=name,
        source=source,
        operation=layer.operation.words,
        words=templates(project).fill("explain/words.txt.j2", layer=layer).strip(),
        input_shape=layer.input_shape,
        output_shape=layer.output_shape,
        parameters=_listed(project, "parameters", layer),
        axes=tuple(_axis_works(project, layer)),
        equivalent=_listed(project, "equivalent", layer) if layer.transposed else (),
        costs=tuple(_costs(layer, channels or 1)),
        code=(),
        remarks=remarks(layer),
        choices=(),
    )


def _listed(project: Project, template: str, layer: Layer) -> tuple[tuple[str, str], ...]:
    """The names and values that a template gives, a line for each."""
    text = templates(project).fill(f"explain/{template}.txt.j2", layer=layer).strip()
    pairs = (line.partition("|") for line in text.splitlines())
    return tuple((name, value) for name, _, value in pairs)


def _axis_works(project: Project, layer: Layer) -> Iterator[AxisWork]:
    """How the output size follows, once for all axes that are alike."""
    groups: dict[LayerAxis, list[int]] = {}
    for place, axis in enumerate(layer.axes):
        groups.setdefault(axis, []).append(place)
    for places in groups.values():
        names = tuple(AXES[len(layer.axes)][place] for place in places)
        steps, others, sides = _works(project, layer, places[0])
        sizes = layer.input_size[places[0]], layer.output_size[places[0]]
        yield AxisWork(names, *sizes, tuple(steps), tuple(others), tuple(sides))


def _works(project: Project, layer: Layer, place: int) -> tuple[list[Work], list[str], list[Work]]:
    """Relationships worked for the output size, the numbers of others that hold, and some about other quantities."""
    known, values = relationships(project), quantities(layer, place)
    if layer.operation.adaptive:
        values |= window(layer, layer.output_size[place] // 2, place)
        return [_work(known[name], values) for name in ("adaptive_first", "adaptive_last")], [], []
    is_backward = layer.transposed or not layer.direct
    quantity = "o_prime" if is_backward else "o_ceil" if layer.ceil_mode else "o"
    # Both have the same formula.
    hidden = "pooling" if layer.reduction is None else "no_padding_strides"
    holding = [
        one for one in known.values() if one.quantity.name == quantity and one.name != hidden and one.holds(values)
    ]
    special = sorted((one for one in holding if one.conditions), key=lambda one: len(one.formula.free_symbols))
    distinct = list({one.tex: one for one in reversed(special)}.values())[::-1]
    shown = [*distinct[:MOST_SPECIAL], *[one for one in holding if not one.conditions][:1]]
    others = [one.number for one in holding if one not in shown]
    telling = {
        "left_over": values["s"] > 1 and not is_backward,
        "effective_kernel": values["d"] > 1,
        "border": values["d"] == 1,
        "dilated_border": values["d"] > 1,
        "stretched": values["s"] > 1,
    }
    sides = [known[name] for name, is_telling in telling.items() if is_telling and known[name].holds(values)]
    return [_work(one, values) for one in shown], others, [_work(one, values) for one in sides]


def _work(one: Relationship, values: Mapping[str, Rational]) -> Work:
    return Work(one.number, one.title, tuple(one.conditions_tex), one.worked(values))


def _costs(layer: Layer, kept: int) -> Iterator[CostRow]:
    """The cost of a layer, over `kept` channels if it has none of its own, and of others between the same sizes."""
    own = cost(layer, kept)
    yield CostRow("this layer", own, 1)
    if not layer.weighted:
        return
    channels = layer.channels or Channels(1, 1)
    forms: dict[str, Sequence[Layer]] = {}
    if channels.groups > 1:
        forms["without groups"] = [dense(layer)]
    if 1 < channels.in_channels != channels.groups:
        if (other := depthwise(layer)) is not None:
            forms["depthwise"] = [other]
        forms["depthwise separable"] = separable(layer)
    for form, layers in forms.items():
        whole = cost(layers[0])
        for following in layers[1:]:
            whole = whole.then(cost(following))
        yield CostRow(form, whole, _share(whole, own))
    connected = fully_connected(layer)
    yield CostRow("fully connected", connected, _share(connected, own))


def _share(other: Cost, own: Cost) -> float:
    return other.multiply_adds / own.multiply_adds


def _choices(layer: Layer, channels: int | None) -> Iterator[Choice]:
    """Layers that keep, halve or double the size: those with this layer's kind and kernel, then usual ones."""
    sizes = layer.input_size
    if max(sizes) > LARGEST_SOLVED:
        return
    wishes = {
        "keep the size": sizes,
        "halve it": tuple(-(-size // 2) for size in sizes),
        "double it": tuple(2 * size for size in sizes),
    }
    for wish, output_size in wishes.items():
        found = [one for one in _between(layer, output_size, channels) if _is_sensible(one, layer)]
        alike = [one for one in found if _is_alike(one, layer)][:2]
        chosen = [*alike, *(one for one in found if one not in alike)][:MOST_CHOICES]
        yield Choice(wish, output_size, tuple(map(shortest, chosen)))


def _between(layer: Layer, output_size: Index, channels: int | None) -> list[Layer]:
    """Layers with the same parameters along each axis that lead to an output, with as many channels."""
    first, last = layer.input_size[0], output_size[0]
    kept = layer.channels or (Channels(channels, channels) if channels else None)
    found = []
    for one in solutions((first,), (last,), usual_bounds((first,), (last,))):
        axes = tuple(replace(one.axes[0], input_size=size) for size in layer.input_size)
        try:
            candidate = Layer(one.operation, axes, kept if one.weighted else None, ceil_mode=one.ceil_mode)
        except LayerError:
            continue
        if candidate.output_size == output_size:
            found.append(candidate)
    return found


def _is_sensible(one: Layer, layer: Layer) -> bool:
    """Whether it leaves no element out between windows, and enlarges if it alone is transposed."""
    is_dense = all(axis.stride <= axis.reach + 1 for axis in one.axes)
    return is_dense and (not one.transposed or layer.transposed or prod(one.output_size) > prod(one.input_size))


def _is_alike(one: Layer, layer: Layer) -> bool:
    is_same = one.operation is layer.operation or (one.weighted and layer.weighted)
    return is_same and one.kernel_size == layer.kernel_size and one.axes[0].dilation == layer.axes[0].dilation
