"""Frames: the terms of each explain its value."""

import numpy as np
import pytest

from scripts.core.arithmetic import LayerAxis
from scripts.core.frames import frames
from scripts.core.layers import Layer
from scripts.core.operations import OPERATIONS


@pytest.mark.parametrize("operation", ["convolution", "transposed_convolution"])
def test_the_sum_over_a_frames_terms_is_its_value(operation: str) -> None:
    """output = Σ kernel[kernel_index] · input[input_index], with the layer's own kernel elements."""
    layer = Layer(OPERATIONS[operation], (LayerAxis(4, 3, 2, (1, 1)), LayerAxis(5, 2, 1, (0, 1), 2)))
    rng = np.random.default_rng(3)
    values, kernel = rng.integers(-5, 6, layer.input_size), rng.integers(-5, 6, layer.kernel_size)
    output = layer.output(values, kernel)
    found = list(frames(layer, output))
    assert [frame.output_index for frame in found] == list(np.ndindex(layer.output_size))
    for frame in found:
        met = [(term.kernel_index, term.input_index) for term in frame.terms if term.input_index is not None]
        assert sum(kernel[k] * values[i] for k, i in met) == frame.value
        assert len(frame.terms) == kernel.size


def test_a_window_stands_where_its_terms_are() -> None:
    layer = Layer(OPERATIONS["convolution"], (LayerAxis(5, 2, 1, (1, 1), 3),))
    frame = list(frames(layer, None))[1]
    assert frame.windows == ((1, 4),)
    assert [term.position for term in frame.terms] == [(1,), (4,)]
    assert [term.input_index for term in frame.terms] == [(0,), (3,)]
    assert frame.value is None
