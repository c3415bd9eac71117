"""Convolutions over other elements than those in their windows, for layers without channels.

A partial one takes only those that a mask lets through, a deformable one samples at offsets from them.
"""

from collections.abc import Iterator
from itertools import product
from math import prod
from typing import NamedTuple

import numpy as np

from scripts.core.layers import Index, Layer, Values
from scripts.core.sampling import interpolated
from scripts.errors import LayerError


def check_mask(mask: Values) -> None:
    """Raise `LayerError` for a mask of other numbers than 0 and 1."""
    other = mask[(mask != 0) & (mask != 1)]
    if other.size:
        raise LayerError("mask", f"holds {other[0].item()}", "It is 1 where the input is valid, and 0 in its holes")


def valid_elements(layer: Layer, mask: Values) -> Values:
    """For each output element the number of valid input elements in its window; padding with zeros has none."""
    return layer.output(mask, np.ones(layer.kernel_shape, int))


def partial_output(layer: Layer, input_values: Values, kernel_values: Values, mask: Values) -> Values:
    """The output of a partial convolution: sums over valid elements, times the window's size by their number.

    A window without valid elements gives 0, and leaves a hole.  Source: G. Liu et al., "Image inpainting for irregular
    holes using partial convolutions", arXiv:1804.07723 (2018).
    """
    valid = valid_elements(layer, mask)
    sums = layer.output(np.where(mask, input_values, 0), kernel_values)
    return sums * prod(layer.kernel_size) / np.maximum(valid, 1)


class Sample(NamedTuple):
    """What a deformable convolution finds for a kernel element: where, in input elements, and the value there."""

    kernel_index: Index
    place: tuple[float, ...]
    value: float


def offset_shape(layer: Layer) -> Index:
    """The shape of a layer's offsets in the layout of torchvision's deform_conv2d.

    For each kernel element, row by row, one number for each axis, for each output element.
    """
    return len(layer.axes) * prod(layer.kernel_size), *layer.output_size


def samples(layer: Layer, input_values: Values, offset: Values, output_index: Index) -> Iterator[Sample]:
    """The samples that an output element sums, weighted by the kernel: linear between elements, 0 beyond them.

    Kernel element k is offset from the place s·o − p + d·k.  Source: J. Dai et al., "Deformable convolutional
    networks", arXiv:1703.06211 (2017).
    """
    n = len(layer.axes)
    shifts = np.moveaxis(offset, 0, -1)[output_index].reshape(-1, n).tolist()
    for kernel_index, shift in zip(np.ndindex(*layer.kernel_size), shifts, strict=True):
        place = tuple(
            axis.stride * o - axis.padding[0] + axis.dilation * k + by
            for axis, o, k, by in zip(layer.axes, output_index, kernel_index, shift, strict=True)
        )
        value = 0.0
        for sources in product(*map(interpolated, place)):
            if all(0 <= source.element < size for source, size in zip(sources, layer.input_size, strict=True)):
                index = tuple(source.element for source in sources)
                value += float(prod(source.share for source in sources)) * input_values[index].item()
        yield Sample(kernel_index, place, value)


def deformable_output(layer: Layer, input_values: Values, kernel_values: Values, offset: Values) -> Values:
    """The output of a deformable convolution."""
    output = np.zeros(layer.output_size)
    for index in np.ndindex(*layer.output_size):
        found = samples(layer, input_values, offset, index)
        output[index] = sum(kernel_values[sample.kernel_index] * sample.value for sample in found)
    return output
