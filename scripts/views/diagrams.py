"""What the report's still figures show of a layer, or of a stack of layers, besides its frames."""

import tomllib
from dataclasses import dataclass, replace

import numpy as np

from scripts.core.figures import Figure, figure
from scripts.core.frames import frames
from scripts.core.keys import FigureFile
from scripts.core.layers import Index, Layer, Values
from scripts.project import Project


def along(layer: Layer, axis: int = -1) -> Layer:
    """One axis of a layer, as a single row."""
    return replace(layer, axes=(layer.axes[axis],), channels=None).with_unit_axis()


def with_unit_stride(layer: Layer) -> Layer:
    """The same layer with stride 1."""
    return replace(layer, axes=tuple(replace(axis, stride=1) for axis in layer.axes))


def matrix(layer: Layer) -> list[list[Index | None]]:
    """The layer as a matrix from its flattened input to its flattened output.

    Each row is an output element, each column an input element; what stands there is the index of the
    kernel element by which they are connected, None where they are not.
    """
    rows = []
    for frame in frames(layer, None):
        row: list[Index | None] = [None] * int(np.prod(layer.input_shape))
        for term in frame.terms:
            if term.input_index is not None:
                row[int(np.ravel_multi_index(term.input_index, layer.input_shape))] = term.kernel_index
        rows.append(row)
    return rows


def products(figure: Figure, number: int) -> tuple[list[tuple[float, float]], float]:
    """A frame of a convolution with values: the pairs of weight and input that are multiplied, and their sum."""
    if figure.input_values is None or figure.kernel_values is None:
        raise ValueError(f"{figure.name} has no values")
    frame = list(frames(figure.layer, figure.output_values))[number]
    pairs = [
        (figure.kernel_values[term.kernel_index].item(), figure.input_values[term.input_index].item())
        for term in frame.terms
        if term.input_index is not None
    ]
    return pairs, sum(weight * value for weight, value in pairs)


def scattered(layer: Layer, input_values: Values, kernel_values: Values) -> list[tuple[float, list[tuple[int, float]]]]:
    """A transposed layer of one axis: each input element, and what it adds at which place of the output.

    Places before 0 and from the output's size on are cropped.
    """
    (axis,) = layer.axes
    first = range(-axis.padding[0], axis.stride * axis.input_size, axis.stride)
    return [
        (value, [(start + axis.dilation * j, value * weight) for j, weight in enumerate(kernel_values.tolist())])
        for start, value in zip(first, input_values.tolist(), strict=False)
    ]


def overlap(layer: Layer) -> Values:
    """How many products of an input and a kernel element add to each output element; of shape `output_shape`."""
    return layer.output(np.ones(layer.input_shape, int), np.ones(layer.kernel_shape, int))


@dataclass(frozen=True)
class Level:
    """The elements between two layers of a stack, along its axis.

    `centres` are those of their receptive fields, counted in input elements; `seen` are the elements
    that matter to the one at the top, and `links` tells which elements below each of those sees.
    """

    centres: tuple[float, ...]
    seen: frozenset[int]
    links: dict[int, list[int]]


def stack(project: Project, name: str) -> list[Layer]:
    """The layers of a stack in `report/stacks.toml`, each with the output of the one before as its input."""
    content = tomllib.loads((project.report / "stacks.toml").read_text(encoding="utf-8"))[name]
    size, layers = content["input_size"], list[Layer]()
    for keys in content["layers"]:
        file = FigureFile(title=name, operation="convolution", input_size=[size], **keys)
        layers.append(figure(name, file).layer)
        (size,) = layers[-1].output_size
    return layers


def levels(layers: list[Layer], centres: list[list[float]]) -> list[Level]:
    """The levels of a stack from its input up, traced from the middle element of its output.

    `centres` are those of all elements of each level.
    """
    (outputs,) = layers[-1].output_size
    seen, found = {outputs // 2}, list[Level]()
    for layer, places in zip(reversed(layers), reversed(centres[1:]), strict=True):
        (axis,) = layer.grid
        links = {
            n: [index for element in axis.windows[n] if (index := axis.cells[element.position].input_index) is not None]
            for n in sorted(seen)
        }
        found.append(Level(tuple(places), frozenset(seen), links))
        seen = {index for below in links.values() for index in below}
    return [Level(tuple(centres[0]), frozenset(seen), {}), *reversed(found)]
