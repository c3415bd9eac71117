"""The overlap view: how many products of an input and a kernel element add up to each output element."""

from math import prod

import numpy as np

from scripts.core.figures import Figure
from scripts.core.frames import check_extent
from scripts.core.layers import Layer, Values
from scripts.views.limits import Extent, check_layer, check_size, check_weighted
from scripts.views.maps import as_rows, in_words, number_map, once, sizes
from scripts.views.scene import Scene


def overlap(layer: Layer) -> Values:
    """The number of products of each output element, of shape `output_shape`."""
    return layer.output(np.ones(layer.input_shape, int), np.ones(layer.kernel_shape, int))


def scene(figure: Figure) -> Scene:
    """The scene of a convolution of one or two axes, transposed or not; raises `LayerError`.

    Its static part is a `NumberMap`.
    """
    layer = figure.layer
    check_layer(layer, "overlap")
    check_weighted(layer, "overlap")
    check_size(layer, lambda layer: Extent(max(layer.output_size), parts=prod(layer.output_size)))
    check_extent(layer)
    counts = as_rows(overlap(layer))
    label = f"kernel {sizes(layer.kernel_size)}, stride {once(axis.stride for axis in layer.axes)}"
    return Scene(
        figure,
        number_map(label, counts),
        sentence="Each output element shows how many products of an input and a kernel element add up to it.",
        alternative=f"How many products add up to each output element, row by row: {in_words(counts)}.",
    )
