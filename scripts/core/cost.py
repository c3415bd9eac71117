"""What a layer costs: weights, multiply-adds, elements held in memory.

Pure functions of a layer, for one example (a batch of 1).  Formulas: a convolution multiplies each of its weights once
per place of the output, so it has c_out · c_in / g · Πk weights and Πo times as many multiply-adds; a transposed
convolution does so once per place of its *input*.  V. Sze et al. count in this way, "Efficient processing of deep
neural networks", arXiv:1703.09039 (2017), section III, and so does `torch.utils.flop_counter`, with two operations for
each multiply-add.  Depthwise separable layers: A. G. Howard et al., "MobileNets", arXiv:1704.04861 (2017), section 3.1.
"""

from dataclasses import dataclass, replace
from math import gcd, prod

from scripts.core.arithmetic import AdaptiveAxis, LayerAxis, WindowAxis
from scripts.core.layers import Channels, Layer
from scripts.core.operations import OPERATIONS

# Bytes of a number with 32 bits.
FLOAT = 4


@dataclass(frozen=True)
class Cost:
    """What computing a layer, or several in a row, takes for one example.

    `weights` are those of kernels; a bias would add one number per output channel, `biases` in all.  `multiply_adds`
    include those with padding, as counters do, but not with the zeros between the elements of a transposed layer's
    input, which no framework multiplies; `operations` are the comparisons or additions of a pooling.  `inputs` and
    `activations` are the elements of the input and of the output.
    """

    weights: int = 0
    biases: int = 0
    multiply_adds: int = 0
    operations: int = 0
    inputs: int = 0
    activations: int = 0

    @property
    def bytes(self) -> int:
        """Memory for weights, biases, input and output, in numbers of 32 bits."""
        return FLOAT * (self.weights + self.biases + self.inputs + self.activations)

    def then(self, other: "Cost") -> "Cost":
        """The cost of both, the other one taking the output of this; all outputs are held."""
        return Cost(
            self.weights + other.weights,
            self.biases + other.biases,
            self.multiply_adds + other.multiply_adds,
            self.operations + other.operations,
            self.inputs,
            self.activations + other.activations,
        )


def cost(layer: Layer, channels: int = 1) -> Cost:
    """The cost of a layer; `channels` are those of a layer that keeps their number, such as a pooling."""
    if not layer.weighted:
        inputs, outputs = channels * prod(layer.input_size), channels * prod(layer.output_size)
        elements = prod(map(_window_elements, layer.window_axes, layer.axes))
        is_copied = layer.reduction is None
        return Cost(operations=0 if is_copied else channels * elements, inputs=inputs, activations=outputs)
    weights, outputs = prod(layer.kernel_shape), prod(layer.output_shape)
    places = prod(layer.input_size if layer.transposed else layer.output_size)
    return Cost(
        weights,
        1 if layer.channels is None else layer.channels.out_channels,
        weights * places,
        inputs=prod(layer.input_shape),
        activations=outputs,
    )


def _window_elements(axis: WindowAxis, own: LayerAxis) -> int:
    """The number of elements in all windows along an axis, with padding."""
    if isinstance(axis, AdaptiveAxis):
        # Each of the o − 1 borders between parts that cuts an element counts it twice; gcd(i, o) − 1 of them cut none.
        return axis.input_size + axis.output_size - gcd(axis.input_size, axis.output_size)
    return axis.output_size * own.kernel_size


def dense(layer: Layer) -> Layer:
    """The same convolution without groups."""
    ins, outs = _counts(layer)
    return replace(layer, channels=Channels(ins, outs))


def depthwise(layer: Layer) -> Layer | None:
    """The same convolution with a group for each input channel; None where the output's are no multiple of these."""
    ins, outs = _counts(layer)
    return None if outs % ins else replace(layer, channels=Channels(ins, outs, ins))


def separable(layer: Layer) -> tuple[Layer, Layer]:
    """A depthwise convolution that keeps the number of channels, and a pointwise one that mixes them."""
    ins, outs = _counts(layer)
    axes = tuple(LayerAxis(size, 1) for size in layer.output_size)
    pointwise = Layer(OPERATIONS["convolution"], axes, Channels(ins, outs))
    return replace(layer, channels=Channels(ins, ins, ins)), pointwise


def fully_connected(layer: Layer) -> Cost:
    """A layer in which each output element has a weight of its own for each input element."""
    inputs, outputs = prod(layer.input_shape), prod(layer.output_shape)
    return Cost(inputs * outputs, outputs, inputs * outputs, inputs=inputs, activations=outputs)


def _counts(layer: Layer) -> tuple[int, int]:
    channels = layer.channels or Channels(1, 1)
    return channels.in_channels, channels.out_channels
