"""Layers as frameworks write them: the keys that they mean, the errors of wrong ones, and the code of a layer."""

import ast
import json
import re
from collections.abc import Sequence
from math import prod
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from hypothesis import given, reject, settings
from hypothesis import strategies as st
from onnx import TensorProto, helper

from scripts.core.arithmetic import LayerAxis, adapted
from scripts.core.figures import Figure, layer_of, load
from scripts.core.keys import FigureFile
from scripts.core.layers import Channels, Layer, Values
from scripts.core.operations import OPERATIONS
from scripts.errors import LayerError, UserError
from scripts.notation.call import MOST_CHARACTERS
from scripts.notation.frameworks import FRAMEWORKS, SIGNATURES, layer, written
from scripts.notation.frameworks import code as all_code
from scripts.notation.model_file import ModelLayer, layers
from scripts.notation.onnx import onnx_operator
from scripts.notation.signature import Keys, NamedLayer
from scripts.notation.sizes import parse_size
from tests import oracle
from tests.conftest import PROJECT
from tests.oracle import run

CONVOLUTION, TRANSPOSED = {"operation": "convolution"}, {"operation": "transposed_convolution"}
MAXIMUM, AVERAGE, NORM = ({"operation": f"{kind}_pooling"} for kind in ("max", "average", "lp"))
WITHOUT_PADDING = {"count_include_pad": False}


def figure(found: NamedLayer, folder: Path) -> Figure:
    """The figure of a layer's keys, by way of a file."""
    lines = [f"{key} = {json.dumps(value)}" for key, value in {"title": found.name, **found.keys}.items()]
    file = folder / f"{found.name}.toml"
    file.write_text("\n".join(lines))
    return load(file)


# Text, input size, the other keys, output size.
Row = tuple[str, tuple[int, ...], Keys, tuple[int, ...]]

PYTORCH: list[Row] = [
    ("Conv2d(1, 1, 3)", (5, 7), CONVOLUTION | {"kernel_size": 3}, (3, 5)),
    ("Conv2d(1,1,(3,2),[2,1],1,bias=False),", (5,),
     CONVOLUTION | {"kernel_size": [3, 2], "stride": [2, 1], "padding": 1}, (3, 6)),
    ("Conv1d(1, 1, 3, 1, 2, 2)", (8,), CONVOLUTION | {"kernel_size": 3, "padding": 2, "dilation": 2}, (8,)),
    ("torch.nn.Conv3d(1, 1, kernel_size=2, device=torch.device('cpu'))", (3,), CONVOLUTION | {"kernel_size": 2},
     (2, 2, 2)),
    ("self.conv1 = nn.Conv2d(1, 1, 3)", (5,), CONVOLUTION | {"kernel_size": 3}, (3, 3)),
    ("(0): Conv2d(1, 1, kernel_size=(3, 3), stride=(1, 1), padding=same, padding_mode=circular)", (5,),
     CONVOLUTION | {"kernel_size": 3, "padding": "same_upper", "padding_mode": "circular"}, (5, 5)),
    ("nn.Conv2d(1, 1, 4, padding='same')", (5,), CONVOLUTION | {"kernel_size": 4, "padding": "same_upper"}, (5, 5)),
    ("nn.Conv2d(1, 1, 4, padding='valid')", (5,), CONVOLUTION | {"kernel_size": 4}, (2, 2)),
    ("Conv2d(2, 4, 1, 1, 0, 1, 2)", (2,),
     CONVOLUTION | {"kernel_size": 1, "in_channels": 2, "out_channels": 4, "groups": 2}, (2, 2)),
    ("LazyConv2d(0, 3, kernel_size=(3, 3), stride=(2, 2))", (5,),
     CONVOLUTION | {"kernel_size": 3, "stride": 2}, (2, 2)),
    ("LazyConv2d(3, 3, 2)", (5,), CONVOLUTION | {"kernel_size": 3, "stride": 2}, (2, 2)),
    ("ConvTranspose1d(1, 1, 3, 2, 1, 1, 1, True, 1)", (4,),
     TRANSPOSED | {"kernel_size": 3, "stride": 2, "padding": 1, "output_padding": 1}, (8,)),
    ("MaxPool2d(3)", (7,), MAXIMUM | {"kernel_size": 3, "stride": 3}, (2, 2)),
    ("MaxPool1d(2, 1, 0, 2, True, True)", (5,), MAXIMUM | {"kernel_size": 2, "dilation": 2, "ceil_mode": True}, (3,)),
    ("AvgPool2d(kernel_size=2, stride=2, padding=0)", (5,), AVERAGE | {"kernel_size": 2, "stride": 2}, (2, 2)),
    ("AvgPool2d(2, None, 1, True, False, None)", (5,),
     AVERAGE | WITHOUT_PADDING | {"kernel_size": 2, "stride": 2, "padding": 1, "ceil_mode": True}, (3, 3)),
    ("AvgPool1d(kernel_size=(2,), stride=(2,), padding=(0,))", (6,), AVERAGE | {"kernel_size": 2, "stride": 2}, (3,)),
    ("LPPool2d(norm_type=3, kernel_size=2, stride=None, ceil_mode=False)", (4,),
     NORM | {"kernel_size": 2, "stride": 2, "norm": 3}, (2, 2)),
    ("LPPool1d(1.5, 3, 2)", (7,), NORM | {"kernel_size": 3, "stride": 2, "norm": 1.5}, (3,)),
    ("MaxUnpool2d(kernel_size=(2, 2), stride=(2, 2), padding=(0, 0))", (2, 3),
     {"operation": "max_unpooling", "kernel_size": 2, "stride": 2}, (4, 6)),
    ("AdaptiveAvgPool2d(output_size=(1, 1))", (7,), {"operation": "global_average_pooling"}, (1, 1)),
    ("AdaptiveMaxPool2d(output_size=1)", (7, 5), {"operation": "global_max_pooling"}, (1, 1)),
    ("AdaptiveAvgPool2d((None, 2))", (3, 6), AVERAGE | {"kernel_size": [1, 3], "stride": [1, 3]}, (3, 2)),
    ("AdaptiveAvgPool2d((7, 7))", (13,), {"operation": "adaptive_average_pooling", "output_size": 7}, (7, 7)),
    ("AdaptiveAvgPool2d((None, 2))", (3, 5), {"operation": "adaptive_average_pooling", "output_size": [3, 2]}, (3, 2)),
    ("AdaptiveMaxPool1d(4)", (7,), {"operation": "adaptive_max_pooling", "output_size": 4}, (4,)),
    ("AdaptiveMaxPool3d((2, 3, 1))", (4,), {"operation": "adaptive_max_pooling", "output_size": [2, 3, 1]}, (2, 3, 1)),
    # Larger than the input.
    ("AdaptiveAvgPool2d(8)", (7,), {"operation": "adaptive_average_pooling", "output_size": 8}, (8, 8)),
]  # fmt: skip
KNOWN: list[Row] = [
    # ResNet's first layers
    ("(conv1): Conv2d(3, 64, kernel_size=(7, 7), stride=(2, 2), padding=(3, 3), bias=False)", (4,),
     CONVOLUTION | {"kernel_size": 7, "stride": 2, "padding": 3, "in_channels": 3, "out_channels": 64}, (2, 2)),
    ("Conv2d(1, 1, kernel_size=(7, 7), stride=(2, 2), padding=(3, 3), bias=False)", (14,),
     CONVOLUTION | {"kernel_size": 7, "stride": 2, "padding": 3}, (7, 7)),
    ("(maxpool): MaxPool2d(kernel_size=3, stride=2, padding=1, dilation=1, ceil_mode=False)", (14,),
     MAXIMUM | {"kernel_size": 3, "stride": 2, "padding": 1}, (7, 7)),
    # MobileNet
    ("Conv2d(32, 32, kernel_size=(3, 3), stride=(1, 1), padding=(1, 1), groups=32, bias=False)", (5,),
     CONVOLUTION | {"kernel_size": 3, "padding": 1, "in_channels": 32, "out_channels": 32, "groups": 32}, (5, 5)),
    # VGG, AlexNet (of 63) and GoogLeNet
    ("Conv2d(64, 8, kernel_size=(3, 3), stride=(1, 1), padding=(1, 1))", (6,),
     CONVOLUTION | {"kernel_size": 3, "padding": 1, "in_channels": 64, "out_channels": 8}, (6, 6)),
    ("Conv2d(1, 1, kernel_size=(11, 11), stride=(4, 4), padding=(2, 2))", (63,),
     CONVOLUTION | {"kernel_size": 11, "stride": 4, "padding": 2}, (15, 15)),
    ("MaxPool2d(kernel_size=3, stride=2, padding=0, dilation=1, ceil_mode=True)", (14,),
     MAXIMUM | {"kernel_size": 3, "stride": 2, "ceil_mode": True}, (7, 7)),
    # WaveNet and EfficientNet
    ('Conv1D(32, 2, dilation_rate=4, padding="causal")', (9,),
     CONVOLUTION | {"kernel_size": 2, "padding": "causal", "dilation": 4}, (9,)),
    ('layers.DepthwiseConv2D(3, strides=2, padding="same", use_bias=False)', (8,),
     CONVOLUTION | {"kernel_size": 3, "stride": 2, "padding": "same_upper"}, (4, 4)),
]  # fmt: skip
# Layers with more channels than a figure can have: their sizes are checked without channels.
LARGE: list[Row] = [
    ("ConvTranspose2d(1024, 512, kernel_size=(2, 2), stride=(2, 2))", (4,),
     TRANSPOSED | {"kernel_size": 2, "stride": 2, "in_channels": 1024, "out_channels": 512}, (8, 8)),
    ("ConvTranspose2d(100, 512, kernel_size=(4, 4), stride=(1, 1), bias=False)", (1,),
     TRANSPOSED | {"kernel_size": 4, "in_channels": 100, "out_channels": 512}, (4, 4)),
    ("ConvTranspose2d(512,256,4,2,1)", (4,),
     TRANSPOSED | {"kernel_size": 4, "stride": 2, "padding": 1, "in_channels": 512, "out_channels": 256}, (8, 8)),
    ("Conv2d(3, 64, kernel_size=(11, 11), stride=(4, 4), padding=(2, 2))", (63,),
     CONVOLUTION | {"kernel_size": 11, "stride": 4, "padding": 2, "in_channels": 3, "out_channels": 64}, (15, 15)),
]  # fmt: skip
# Subclasses that other libraries print.
SUBCLASSES: list[Row] = [
    ("Conv2dSame(1, 1, kernel_size=(3, 3), stride=(2, 2), bias=False)", (224,),
     CONVOLUTION | {"kernel_size": 3, "stride": 2, "padding": "same_upper"}, (112, 112)),
    ("ScaledStdConv2d(1, 1, kernel_size=(3, 3), stride=(2, 2), padding=(1, 1))", (224,),
     CONVOLUTION | {"kernel_size": 3, "stride": 2, "padding": 1}, (112, 112)),
    ("StdConv2d(1, 1, 1, eps=1e-8)", (7,), CONVOLUTION | {"kernel_size": 1}, (7, 7)),
    ("StdConv2dSame(1, 1, kernel_size=(7, 7), stride=(2, 2), bias=False)", (224,),
     CONVOLUTION | {"kernel_size": 7, "stride": 2, "padding": "same_upper"}, (112, 112)),
    ("ScaledStdConv2dSame(1, 1, 4, 2, padding='SAME', gamma=1.7)", (9,),
     CONVOLUTION | {"kernel_size": 4, "stride": 2, "padding": "same_upper"}, (5, 5)),
    ("ScaledStdConv2dSame(1, 1, kernel_size=(3, 3), stride=(1, 1), padding=(1, 1))", (8,),
     CONVOLUTION | {"kernel_size": 3, "padding": 1}, (8, 8)),
    ("MaxPool2dSame(kernel_size=(3, 3), stride=(2, 2), padding=(0, 0), dilation=(1, 1), ceil_mode=False)", (112,),
     MAXIMUM | {"kernel_size": 3, "stride": 2, "padding": "same_upper"}, (56, 56)),
    ("AvgPool2dSame(kernel_size=(2, 2), stride=(2, 2), padding=(0, 0), count_include_pad=False)", (7,),
     AVERAGE | {"kernel_size": 2, "stride": 2, "padding": "same_upper"}, (4, 4)),
    ("QuantizedConv2d(1, 1, kernel_size=(3, 3), stride=(2, 2), scale=1.0, zero_point=0, padding=(1, 1))", (8,),
     CONVOLUTION | {"kernel_size": 3, "stride": 2, "padding": 1}, (4, 4)),
    ("QuantizedConvReLU1d(1, 1, kernel_size=(3,), stride=(1,), scale=0.5, zero_point=64)", (8,),
     CONVOLUTION | {"kernel_size": 3}, (6,)),
    ("QuantizedConvTranspose2d(1, 1, kernel_size=(2, 2), stride=(2, 2), scale=1.0, zero_point=0)", (4,),
     TRANSPOSED | {"kernel_size": 2, "stride": 2}, (8, 8)),
]  # fmt: skip
# What people copy with a layer.
FORMS: list[Row] = [
    ("(0-2): 3 x Conv2d(128, 128, kernel_size=(3, 3), stride=(1, 1), padding=(1, 1))", (7,),
     CONVOLUTION | {"kernel_size": 3, "padding": 1, "in_channels": 128, "out_channels": 128}, (7, 7)),
    ("(3): 2 x MaxPool2d(kernel_size=2, stride=2, padding=0, dilation=1, ceil_mode=False)", (8,),
     MAXIMUM | {"kernel_size": 2, "stride": 2}, (4, 4)),
    ('x = layers.Conv2D(32, 3, padding="same")(x)', (7,), CONVOLUTION | {"kernel_size": 3, "padding": "same_upper"},
     (7, 7)),
    ("nn.MaxPool2d(2)(torch.randn(1, 3, 8, 8))", (8,), MAXIMUM | {"kernel_size": 2, "stride": 2}, (4, 4)),
    ("model.add(keras.layers.Conv2D(32, (3, 3), activation='relu', input_shape=(28, 28, 1)))", (28,),
     CONVOLUTION | {"kernel_size": 3}, (26, 26)),
    ("x = TimeDistributed(layers.MaxPooling2D(2))(x)", (8,), MAXIMUM | {"kernel_size": 2, "stride": 2}, (4, 4)),
    ("self.layers.append(nn.MaxPool1d(2))", (8,), MAXIMUM | {"kernel_size": 2, "stride": 2}, (4,)),
    ("self.add_module('pool', nn.MaxPool1d(2))", (8,), MAXIMUM | {"kernel_size": 2, "stride": 2}, (4,)),
    ("self.conv = weight_norm(nn.Conv1d(1, 1, 5), dim=2)", (16000,), CONVOLUTION | {"kernel_size": 5}, (15996,)),
    ("nn.Conv2d(1, 1, 3),  # the stem", (5,), CONVOLUTION | {"kernel_size": 3}, (3, 3)),
    # Batch and channels before the size.
    ("Conv2d(3, 8, 3)", (1, 3, 7, 5), CONVOLUTION | {"kernel_size": 3, "in_channels": 3, "out_channels": 8}, (5, 3)),
    ("Conv2d(1, 1, 3)", (16, 1, 7, 7), CONVOLUTION | {"kernel_size": 3}, (5, 5)),
    ("LazyConv2d(8, 3)", (1, 4, 7, 5),
     CONVOLUTION | {"kernel_size": 3, "in_channels": 4, "out_channels": 8}, (5, 3)),
    ("MaxPool1d(2)", (1, 64, 8), MAXIMUM | {"kernel_size": 2, "stride": 2}, (4,)),
    ("Conv2D(8, 3, groups=2)", (1, 4, 7, 5),
     CONVOLUTION | {"kernel_size": 3, "in_channels": 4, "out_channels": 8, "groups": 2}, (5, 3)),
    ("Conv2DTranspose(8, 2, 2)", (1, 4, 7, 5),
     TRANSPOSED | {"kernel_size": 2, "stride": 2, "in_channels": 4, "out_channels": 8}, (14, 10)),
    ("DepthwiseConv2D(3, depth_multiplier=2)", (1, 4, 7, 5),
     CONVOLUTION | {"kernel_size": 3, "in_channels": 4, "out_channels": 8, "groups": 4}, (5, 3)),
    ("SeparableConv2D(9, 3)", (1, 4, 7, 5),
     CONVOLUTION | {"kernel_size": 3, "in_channels": 4, "out_channels": 4, "groups": 4}, (5, 3)),
    ("Conv(kernel_shape=[3, 3])", (1, 4, 7, 5), CONVOLUTION | {"kernel_size": 3}, (5, 3)),
    ("GlobalMaxPool()", (1, 4, 7, 5), {"operation": "global_max_pooling"}, (1, 1)),
    ("AveragePool(kernel_shape=[3, 3], pads=[2, 2, 2, 2])", (5,),
     AVERAGE | WITHOUT_PADDING | {"kernel_size": 3, "padding": 2}, (7, 7)),
    # Larger than any drawing.
    ("Conv1d(20480, 40960, 4, padding=3, groups=20480)", (1_000_000,),
     CONVOLUTION | {"kernel_size": 4, "padding": 3, "in_channels": 20480, "out_channels": 40960, "groups": 20480},
     (1_000_003,)),
]  # fmt: skip
KERAS: list[Row] = [
    ("tf.keras.layers.Conv2D(32, (3, 3), activation=tf.nn.relu, input_shape=(28, 28, 1))", (5,),
     CONVOLUTION | {"kernel_size": 3}, (3, 3)),
    ("Convolution2D(8, 3, 2, 'SAME', None, 1, 4, 'relu')", (5,),
     CONVOLUTION | {"kernel_size": 3, "stride": 2, "padding": "same_upper"}, (3, 3)),
    ("Conv3D(8, 2, kernel_initializer=keras.initializers.HeNormal(), name='c')", (3,),
     CONVOLUTION | {"kernel_size": 2}, (2, 2, 2)),
    ("SeparableConv2D(8, 3, dilation_rate=2)", (7,), CONVOLUTION | {"kernel_size": 3, "dilation": 2}, (3, 3)),
    ("SeparableConv1D(8, 3, padding=same)", (7,), CONVOLUTION | {"kernel_size": 3, "padding": "same_upper"}, (7,)),
    ("DepthwiseConv1D(3, 1, 'valid', 2, None, 2)", (7,), CONVOLUTION | {"kernel_size": 3, "dilation": 2}, (3,)),
    ("MaxPooling2D()", (5,), MAXIMUM | {"kernel_size": 2, "stride": 2}, (2, 2)),
    ("MaxPool1D(3, 2, 'same', name='p')", (6,),
     MAXIMUM | {"kernel_size": 3, "stride": 2, "padding": "same_upper"}, (3,)),
    ("AveragePooling2D((2, 3))", (6,), AVERAGE | {"kernel_size": [2, 3], "stride": [2, 3]}, (3, 2)),
    ("AvgPool3D(2, padding='same')", (3,),
     AVERAGE | WITHOUT_PADDING | {"kernel_size": 2, "stride": 2, "padding": "same_upper"}, (2, 2, 2)),
    ("GlobalMaxPooling2D()", (3, 4), {"operation": "global_max_pooling"}, (1, 1)),
    ("GlobalAvgPool1D(keepdims=True)", (3,), {"operation": "global_average_pooling"}, (1,)),
    ("Conv2DTranspose(8, 3, 2, 'same')", (3,), TRANSPOSED | {"kernel_size": 3, "stride": 2, "padding": "same_upper"},
     (6, 6)),
    # Without padding, a kernel smaller than its stride leaves zeros after it.
    ("Conv2DTranspose(8, 1, 2)", (3,), TRANSPOSED | {"kernel_size": 1, "stride": 2, "output_padding": 1}, (6, 6)),
    ("Conv1DTranspose(8, 3, 2)", (3,), TRANSPOSED | {"kernel_size": 3, "stride": 2}, (7,)),
    ("Conv1DTranspose(8, 3, 2, output_padding=1)", (3,),
     TRANSPOSED | {"kernel_size": 3, "stride": 2, "output_padding": 1}, (8,)),
    ("Conv1DTranspose(8, 3, 2, 'same', 0)", (3,), TRANSPOSED | {"kernel_size": 3, "stride": 2, "padding": 1}, (5,)),
    ("Conv1DTranspose(8, 3, 2, 'same', 1)", (3,),
     TRANSPOSED | {"kernel_size": 3, "stride": 2, "padding": [[0, 1]]}, (6,)),
    ("Conv1DTranspose(8, 1, 3, 'same', 2)", (3,), TRANSPOSED | {"kernel_size": 1, "stride": 3, "output_padding": 2},
     (9,)),
    ("Conv1DTranspose(8, 3, dilation_rate=2)", (3,), TRANSPOSED | {"kernel_size": 3, "dilation": 2}, (7,)),
    ("Conv3DTranspose(8, 2, 2, 'valid', None, 1)", (2,),
     TRANSPOSED | {"kernel_size": 2, "stride": 2, "output_padding": 1}, (5, 5, 5)),
]  # fmt: skip
ONNX: list[Row] = [
    ("Conv(kernel_shape=[3, 3], pads=[1,1,1,1])", (5,), CONVOLUTION | {"kernel_size": 3, "padding": 1}, (5, 5)),
    ("Conv(kernel_shape=[3, 2], pads=[0,1,2,1], dilations=[1, 2])", (5, 7),
     CONVOLUTION | {"kernel_size": [3, 2], "padding": [[0, 2], 1], "dilation": [1, 2]}, (5, 7)),
    ("y = Conv <kernel_shape = [3, 3], group: int = 1> (x, w)", (5,), CONVOLUTION | {"kernel_size": 3}, (3, 3)),
    ('["/c/Conv"] "1" = Conv <auto_pad: string = "SAME_LOWER", kernel_shape: ints = [4]> ("/x", w)', (5,),
     CONVOLUTION | {"kernel_size": 4, "padding": "same_lower"}, (5,)),
    ("%y = Conv[auto_pad = 'VALID', kernel_shape = [3, 3]](%x, %w)", (5,), CONVOLUTION | {"kernel_size": 3}, (3, 3)),
    ("%12 = GlobalAveragePool(%/x/1)", (3, 4), {"operation": "global_average_pooling"}, (1, 1)),
    ("GlobalLpPool(p=3)", (3, 4), {"operation": "global_lp_pooling", "norm": 3}, (1, 1)),
    ("GlobalMaxPool()", (3,), {"operation": "global_max_pooling"}, (1,)),
    ("MaxPool(kernel_shape=[2, 2], strides=[2, 2], ceil_mode=1, storage_order=1)", (5,),
     MAXIMUM | {"kernel_size": 2, "stride": 2, "ceil_mode": True}, (3, 3)),
    ("AveragePool(kernel_shape=[2], pads=[1, 0])", (4,),
     AVERAGE | WITHOUT_PADDING | {"kernel_size": 2, "padding": [[1, 0]]}, (4,)),
    ("AveragePool(kernel_shape=[2], count_include_pad=1)", (4,), AVERAGE | {"kernel_size": 2}, (3,)),
    ("LpPool(kernel_shape=[2], p=1, auto_pad=SAME_UPPER)", (4,),
     NORM | {"kernel_size": 2, "padding": "same_upper", "norm": 1}, (4,)),
    ("MaxUnpool(kernel_shape=[2, 2], strides=[2, 2])", (2,),
     {"operation": "max_unpooling", "kernel_size": 2, "stride": 2}, (4, 4)),
    ("ConvTranspose(kernel_shape=[3], strides=[2], pads=[1, 0], output_padding=[1])", (3,),
     TRANSPOSED | {"kernel_size": 3, "stride": 2, "padding": [[1, 0]], "output_padding": 1}, (7,)),
    ("ConvTranspose(kernel_shape=[3], strides=[2], auto_pad='SAME_UPPER')", (3,),
     TRANSPOSED | {"kernel_size": 3, "stride": 2, "padding": "same_upper"}, (6,)),
    # The odd cell is cropped at the beginning, except with SAME_UPPER.
    ("ConvTranspose(kernel_shape=[3], strides=[2], output_shape=[6])", (3,),
     TRANSPOSED | {"kernel_size": 3, "stride": 2, "padding": [[1, 0]]}, (6,)),
    ("ConvTranspose(kernel_shape=[3], strides=[2], output_shape=[6], auto_pad='SAME_UPPER')", (3,),
     TRANSPOSED | {"kernel_size": 3, "stride": 2, "padding": [[0, 1]]}, (6,)),
    ("ConvTranspose(kernel_shape=[2], strides=[2], output_shape=[7])", (3,),
     TRANSPOSED | {"kernel_size": 2, "stride": 2, "output_padding": 1}, (7,)),
    ("ConvTranspose(kernel_shape=[3], strides=[2], output_padding=[1], auto_pad='SAME_UPPER')", (3,),
     TRANSPOSED | {"kernel_size": 3, "stride": 2, "padding": 1, "output_padding": 1}, (6,)),
]  # fmt: skip


@pytest.mark.parametrize("row", [*PYTORCH, *KNOWN, *SUBCLASSES, *FORMS, *KERAS, *ONNX], ids=lambda row: row[0])
def test_a_layer_is_read(row: Row, tmp_path: Path) -> None:
    text, input_size, keys, output_size = row
    found = layer(text, input_size)
    size = found.keys["input_size"]
    assert found.keys | {"note": ""} == {"input_size": size, "note": ""} | keys
    assert size == list(input_size * len(size) if len(input_size) == 1 else input_size[-len(size) :])
    assert figure(found, tmp_path).layer.output_size == output_size


@pytest.mark.parametrize("row", LARGE, ids=lambda row: row[0])
def test_a_layer_with_many_channels_is_read(row: Row, tmp_path: Path) -> None:
    text, input_size, keys, output_size = row
    found = layer(text, input_size)
    assert found.keys == {"input_size": [*input_size, *input_size]} | keys
    assert FigureFile(title="T", **found.keys)
    plain = {key: value for key, value in found.keys.items() if "channels" not in key}
    assert figure(NamedLayer(found.name, plain), tmp_path).layer.output_size == output_size


SEPARABLE = "This is the depthwise half. A pointwise convolution to 8 channels follows."


@pytest.mark.parametrize(
    ("text", "input_size", "note"),
    [
        ("Conv2D(32, 3)", (7,), "One of 32 output channels is shown."),
        ("Conv2D(32, 3)", (1, 3, 7, 7), ""),
        ("Conv2D(1, 3)", (7,), ""),
        ("Conv2DTranspose(32, 3)", (7,), "One of 32 output channels is shown."),
        ("DepthwiseConv2D(3)", (7,), "One channel is shown; each has a kernel of its own."),
        ("DepthwiseConv2D(3)", (1, 4, 7, 7), ""),
        ("SeparableConv2D(8, 3)", (7,), f"One channel is shown; each has a kernel of its own. {SEPARABLE}"),
        ("SeparableConv2D(8, 3)", (1, 4, 7, 7), SEPARABLE),
        ("Conv2d(3, 64, 7)", (7,), ""),
    ],
)
def test_what_a_figure_of_a_layer_does_not_show_is_noted(text: str, input_size: tuple[int, ...], note: str) -> None:
    assert layer(text, input_size).keys.get("note", "") == note


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("7", (7,)),
        ("5x7", (5, 7)),
        ("4×5,6", (4, 5, 6)),
        ("1x3x224x224", (1, 3, 224, 224)),
        ("1x3x16x112x112", (1, 3, 16, 112, 112)),
        ("1000000000", (1_000_000_000,)),
    ],
)
def test_a_size_is_read(text: str, size: tuple[int, ...]) -> None:
    assert parse_size(text) == size


@pytest.mark.parametrize("text", ["", "x", "5x", "5y7", "-5", "5 7", "5.0", "1x2x3x4x5x6", "٥", "9" * 400])
def test_a_wrong_size_is_refused(text: str) -> None:
    with pytest.raises(UserError, match=r"^INPUT: cannot be .{2,60}\. It is a size such as 7, 5x7 or 1x3x224x224\.$"):
        parse_size(text)


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("nn.Conv2d(3, 64, 7)", "conv2d"),
        ("Conv1DTranspose(1, 2)", "conv1dtranspose"),
        ("LpPool(kernel_shape=[2])", "lppool"),
    ],
)
def test_names(text: str, name: str) -> None:
    assert layer(text, (9,)).name == name


ERRORS = [
    ("Conv2d(1, 1, 3, padding='same', stride=2)", (5,), "stride 1 only"),
    ("Conv2d(1, 1, 3, paddin=1)", (5,), "paddin: is not an argument of Conv2d. Did you mean padding?"),
    ("Conv2d(1, 1, 3, kernel_size=3)", (5,), "kernel_size: is given twice"),
    ("Conv2d(1, 1)", (5,), "kernel_size: is missing"),
    ("Conv2d(1, 1, None)", (5,), "kernel_size: cannot be None"),
    ("Conv2d(1, 1, True)", (5,), "kernel_size: cannot be True"),
    ("Conv2d(1, 1, 3.0)", (5,), "kernel_size: cannot be 3.0"),
    ("Conv2d(1, 1, 10**9)", (5,), "kernel_size: is not a plain value"),
    ("Conv2d(1, 1, 10000000000)", (5,), "kernel_size: cannot be 10000000000"),
    ("Conv2d(1, 1, (3, 3, 3))", (5,), "kernel_size: has 3 entries for 2 axes"),
    ("Conv2d(inplanes, 1, 3)", (5,), "in_channels: cannot be 'inplanes'"),
    ("Conv2d(3, 4, 3, groups=2)", (5,), "groups: is 2 for in_channels = 3"),
    ("Conv2d(1, 1, 3, **more)", (5,), "**: is not an argument"),
    ("Conv2d(1, 1, 3, padding=-1)", (5,), "padding: cannot be -1"),
    ("Conv2d(1, 1, 3, padding='full')", (5,), "padding: cannot be 'full'. It is one of valid, same"),
    ("Conv2d(1, 1, 3, padding_mode='symmetric')", (5,), "padding_mode: cannot be 'symmetric'"),
    ("ConvTranspose2d(1, 1, 3, padding_mode='reflect')", (5,), "It is always zeros"),
    ("ConvTranspose2d(1, 1, 3, padding='same')", (5,), "padding: cannot be 'same'"),
    ("MaxPool2d(2, ceil_mode=2)", (5,), "ceil_mode: cannot be 2"),
    ("AvgPool2d(2, divisor_override=3)", (5,), "divisor_override: cannot be drawn"),
    ("LPPool2d(norm_type=inf, kernel_size=2)", (5,), "norm_type: cannot be 'inf'"),
    ("AdaptiveAvgPool2d(0)", (7,), "output_size: cannot be 0"),
    ("AdaptiveAvgPool2d((1, 1, 1))", (7,), "output_size: has 3 entries for 2 axes"),
    ("Conv2d(1, 1, 3)", (5, 6, 7), "input_size: has 3 numbers for 2 axes. Give one per axis, as in INPUT=5x7"),
    ("Conv2d(3, 8, 3)", (1, 4, 7, 7), "input_size: has 4 channels for a layer of in_channels = 3. Give both the same"),
    ("Conv2d(1, 1, 3)", (1, 4, 7, 7), "input_size: has 4 channels for a layer of in_channels = 1"),
    ("Conv2d(1, 1, 3)", (0, 1, 7, 7), "input_size: cannot be 0"),
    ("Conv2D(8, 3, groups=3)", (1, 4, 7, 7), "groups: is 3 for in_channels = 4"),
    ("MaxPool2d(3, padding=2)", (5,), "padding: is 2 for a pooling window of 3. PyTorch allows at most half"),
    ("StdConv2d(3, 8, 3)", (5,), "padding: is missing. StdConv2d works it out"),
    ("Conv2d(1, 1, 3)", (), "input_size: has 0 numbers"),
    ("Conv2d(1, 1, 3)", (0,), "input_size: cannot be 0"),
    ("Conv2D(8, 3, strides=2, dilation_rate=2)", (5,), "only one of them"),
    ("Conv2D(8, 3, padding='causal')", (5,), "padding: cannot be 'causal'"),
    ("Conv2D(8)", (5,), "kernel_size: is missing"),
    ("Conv1DTranspose(8, 3, 2, output_padding=2)", (5,), "less than the stride"),
    ("Conv1DTranspose(8, 4, 1, 'same', 0)", (1,), "asks for an output size of 0"),
    ("Conv2D(8, 3, kernel=2)", (5,), "Did you mean kernel_size"),
    ("Conv([3, 3])", (5,), "takes at most 0 positional arguments"),
    ("Conv(group=1)", (5,), "kernel_shape: is missing"),
    ("Conv(kernel_shape=3)", (5,), "kernel_shape: cannot be 3"),
    ("Conv(kernel_shape=[3, 3, 3, 3])", (5,), "kernel_shape: has 4 axes"),
    ("Conv(kernel_shape=[3], pads=[1, 1], auto_pad='SAME_UPPER')", (5,), "pads: are given with auto_pad"),
    ("Conv(kernel_shape=[3], pads=[1])", (5,), "pads: has 1 entries"),
    ("ConvTranspose(kernel_shape=[2], strides=[2], output_shape=[8])", (3,), "It is 1 to 7"),
    ("GlobalMaxPool()", (5,) * 6, "input_size: has 4 axes"),
    ("Linear(3, 4)", (5,), "'Linear' is not a layer of PyTorch, Keras or ONNX that can be drawn. Use a convolution"),
    ("F.conv2d(x, w, padding=1)", (5,), "It is a function, which takes its input. Write the layer Conv2d."),
    ("F.max_pool2d(x, 2)", (5,), "It is a function, which takes its input. Write the layer MaxPool2d."),
    ("F.adaptive_avg_pool2d(x, 1)", (5,), "Write the layer AdaptiveAvgPool2d."),
    ("WSConv2d(3, 4, 3)", (5,), "If it has the arguments of Conv2d and computes as that does, write Conv2d."),
    ("MyConvTranspose2d(3, 4, 3)", (5,), "as that does, write ConvTranspose2d."),
    ("DeformConv2d(3, 4, 3)", (5,), "Its windows depend on its input"),
    ("Conv2dNormActivation(3, 4)", (5,), "It holds several layers. Write one of them."),
    ("CONV2D(1, 1, 3)", (5,), "Did you mean Conv2d?"),
    ("MaxPoll2d(2)", (5,), "Did you mean MaxPool2d?"),
    ("", (5,), "is not a layer"),
    ("Conv2d", (5,), "is not a layer"),
    ("Conv2d(1, 1, 3", (5,), "is not a layer"),
    ("Conv2d(1, 1, 3)(x)(y)", (5,), "is not a layer"),
    ("model.add(x)", (5,), "'add' is not a layer"),
    ("model.add(Dense(3))", (5,), "'Dense' is not a layer"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "input_size", "message"), ERRORS, ids=[row[0] for row in ERRORS])
def test_a_wrong_layer_gets_one_clear_message(text: str, input_size: tuple[int, ...], message: str) -> None:
    with pytest.raises(UserError) as error:
        layer(text, input_size)
    assert message in str(error.value)
    assert "\n" not in str(error.value)


HOSTILE = [
    "__import__('os').system('touch {file}')",
    "__import__('os').system('touch {file}').Conv2d(1, 1, 3)",
    "Conv2d(1, 1, __import__('os').system('touch {file}'))",
    "Conv2d(1, 1, kernel_size=open('{file}', 'w'))",
    "(lambda: 1)()",
    "Conv2d(1, 1, lambda: 1)",
    "Conv2d(1, 1, [n for n in (3, 3)])",
    "Conv2d(1, 1, *[3])",
    "Conv2d(1, 1, [1] * 10**9)",
    "Conv2d(1, 1, 9**9**9)",
    "Conv2d(1, 1, f'{{3}}')",
    "Conv2d(1, 1, (k := 3))",
    "Conv2d(1, 1, {{[]: 1}})",
    "Conv2d(1, 1, 'same')",
    "Conv2d(1, 1, " + "9" * 400 + ")",
    "Conv2d(1, 1, " + "-" * 400 + "1)",
    "Conv2d(1, 1, " + "(" * 240 + "3" + ")" * 240 + ")",
    "(" * 10_000,
    "Conv2d" + "(" * 480,
    "a." * 240 + "b()",
    "~" * 490,
    "Conv2d(1, 1, 3)\0",
    "Conv2d(1, 1, '\ud800')",
    "\\d('\\d')",
]


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
@pytest.mark.filterwarnings("error")
def test_text_that_is_not_a_layer_is_refused_without_evaluating_it(text: str, tmp_path: Path) -> None:
    file = tmp_path / "made"
    with pytest.raises(UserError):
        layer(text.replace("{file}", str(file)).replace("{{", "{").replace("}}", "}"), (5,))
    assert not file.exists()


MARKS = ["(", ")", "[", "]", "<", ">", ",", "=", ":", "%", "-", "{", "*", "'", "\n", "é", "0", "3", "2.5", "99999"]
NAMES = sorted({name for found in SIGNATURES.values() for name in found.arguments})
WORDS = [*MARKS, *NAMES, *SIGNATURES, "None", "True", "same"]
VALID = [row[0] for row in (*PYTORCH, *KNOWN, *LARGE, *SUBCLASSES, *FORMS, *KERAS, *ONNX)]


@st.composite
def mutated(draw: st.DrawFn) -> str:
    """A valid layer with some of its characters replaced."""
    text = draw(st.sampled_from(VALID))
    for _ in range(draw(st.integers(1, 4))):
        start = draw(st.integers(0, len(text)))
        end = start + draw(st.integers(0, 4))
        text = text[:start] + draw(st.sampled_from(WORDS)) + text[end:]
    return text


@settings(max_examples=600, deadline=None)
@given(
    mutated() | st.text(max_size=MOST_CHARACTERS + 1) | st.lists(st.sampled_from(WORDS)).map("".join),
    st.lists(st.integers(-1, 20), max_size=4).map(tuple),
)
def test_any_text_is_a_layer_or_an_error(text: str, input_size: tuple[int, ...]) -> None:
    try:
        found = layer(text, input_size)
    except UserError as error:
        assert str(error)
    else:
        assert FigureFile(title="T", **found.keys)


# Models


def save(folder: Path, nodes: list[onnx.NodeProto], shape: list[Any], weights: dict[str, tuple[int, ...]]) -> Path:
    """Save a model with the input x and weights of ones."""
    initializers = [
        helper.make_tensor(name, TensorProto.FLOAT, dims, [1.0] * prod(dims)) for name, dims in weights.items()
    ]
    graph = helper.make_graph(
        nodes,
        "graph",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, shape)],
        [helper.make_tensor_value_info(nodes[-1].output[0], TensorProto.FLOAT, None)],
        initializers,
    )
    file = folder / "model.onnx"
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 22)]), file)
    return file


def test_the_layers_of_a_model(tmp_path: Path) -> None:
    nodes = [
        helper.make_node("Conv", ["x", "w"], ["a"], name="/stem/Conv", strides=[2, 2], pads=[1, 1, 1, 1]),
        helper.make_node("Relu", ["a"], ["b"]),
        helper.make_node("Conv", ["b", "depthwise"], ["c"], kernel_shape=[3, 3], group=4, auto_pad="SAME_UPPER"),
        helper.make_node("ConvTranspose", ["c", "up"], ["d"], strides=[2, 2]),
        helper.make_node("GlobalAveragePool", ["d"], ["y"]),
    ]
    file = save(
        tmp_path, nodes, ["batch", 3, 8, 10], {"w": (4, 3, 3, 3), "depthwise": (4, 1, 3, 3), "up": (4, 2, 2, 2)}
    )
    found = layers(file)
    assert found == [
        ModelLayer("/stem/Conv", "Conv", {"pads": [1] * 4, "strides": [2, 2], "kernel_shape": [3, 3]}, (8, 10), (3, 4),
                   (4, 5)),
        ModelLayer("Conv_2", "Conv", {"auto_pad": "SAME_UPPER", "group": 4, "kernel_shape": [3, 3]}, (4, 5), (4, 4),
                   (4, 5)),
        ModelLayer("ConvTranspose_3", "ConvTranspose", {"strides": [2, 2], "kernel_shape": [2, 2]}, (4, 5), (4, 2),
                   (8, 10)),
        ModelLayer("GlobalAveragePool_4", "GlobalAveragePool", {}, (8, 10), None, (1, 1)),
    ]  # fmt: skip
    stem, depthwise, up, last = (node.named() for node in found)
    assert stem == NamedLayer(
        "stem_conv",
        {"operation": "convolution", "input_size": [8, 10], "kernel_size": 3, "stride": 2, "padding": 1,
         "in_channels": 3, "out_channels": 4},
    )  # fmt: skip
    assert depthwise.keys["groups"] == 4
    assert up.name == "convtranspose_3"
    sizes = [figure(named, tmp_path).layer.output_size for named in (stem, depthwise, up, last)]
    assert sizes == [(4, 5), (4, 5), (8, 10), (1, 1)]


def test_sizes_that_a_model_leaves_open_must_be_given(tmp_path: Path) -> None:
    file = save(tmp_path, [helper.make_node("MaxPool", ["x"], ["y"], kernel_shape=[2, 2])], ["n", 1, "h", 6], {})
    (pool,) = layers(file)
    assert pool.input_size == (None, 6)
    with pytest.raises(UserError, match="MaxPool_0: the model leaves the size of its input open"):
        pool.named()
    assert pool.named((5,)).keys["input_size"] == [5, 5]
    assert pool.named((4, 3)).keys["input_size"] == [4, 3]
    with pytest.raises(UserError, match="MaxPool_0: input_size: has 3 numbers for 2 axes"):
        pool.named((4, 3, 2))


def test_one_channel_each_is_left_out(tmp_path: Path) -> None:
    file = save(tmp_path, [helper.make_node("Conv", ["x", "w"], ["y"])], [1, 1, 5], {"w": (1, 1, 3)})
    assert layers(file)[0].named().keys == {"operation": "convolution", "input_size": [5], "kernel_size": 3}


def test_weights_of_unknown_shape(tmp_path: Path) -> None:
    file = save(tmp_path, [helper.make_node("Conv", ["x", "x2"], ["y"])], [1, 1, 5], {})
    (found,) = layers(file)
    assert found.channels is None
    with pytest.raises(UserError, match="Conv_0: kernel_shape: is missing"):
        found.named()


def test_files_named_in_a_model_are_not_opened(tmp_path: Path) -> None:
    file = save(tmp_path, [helper.make_node("Conv", ["x", "w"], ["y"])], [1, 2, 5], {"w": (1, 2, 3)})
    model = onnx.load(file)
    (weights,) = model.graph.initializer
    weights.ClearField("float_data")
    weights.data_location = TensorProto.EXTERNAL
    weights.external_data.add(key="location", value="../../no/such/file")
    file.write_bytes(model.SerializeToString())
    assert layers(file)[0].channels == (2, 1)


def test_groups_must_be_positive(tmp_path: Path) -> None:
    file = save(tmp_path, [helper.make_node("Conv", ["x", "w"], ["y"], group=0)], [1, 2, 5], {"w": (1, 2, 3)})
    with pytest.raises(UserError):
        layers(file)[0].named()


@pytest.mark.parametrize("content", [b"", b"no model", b"\x08\x0a" * 3, bytes(range(256)) * 9])
def test_a_broken_model_is_refused(content: bytes, tmp_path: Path) -> None:
    file = tmp_path / "broken.onnx"
    file.write_bytes(content)
    with pytest.raises(UserError, match=r"broken\.onnx: is n") as error:
        layers(file)
    assert "Export the model again" in str(error.value)


def test_a_truncated_model_names_its_file(tmp_path: Path) -> None:
    file = save(tmp_path, [helper.make_node("Conv", ["x", "w"], ["y"])], [1, 2, 5], {"w": (1, 2, 3)})
    data = file.read_bytes()
    for end in range(0, len(data), 3):
        file.write_bytes(data[:end])
        try:
            layers(file)
        except UserError as error:
            assert "model.onnx" in str(error)


def test_a_missing_model_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="No such file"):
        layers(tmp_path / "missing.onnx")


def test_an_operator_that_cannot_be_drawn() -> None:
    with pytest.raises(UserError, match="'Gemm' is not an operator"):
        onnx_operator("Gemm", {}, (5,))
    with pytest.raises(UserError, match=r"stride: is not an argument of Conv\. Did you mean strides"):
        onnx_operator("Conv", {"kernel_shape": [3], "stride": [1]}, (5,))


# Writing

CATALOGUE = {
    figure.name: figure.layer for figure in map(load, sorted(PROJECT.figures.glob("*.toml"))) if not figure.is_stack
}
WRITABLE = {
    name: found
    for name, found in CATALOGUE.items()
    if found.weighted and found.channels is None and found.padding_mode == "zeros"
}
READABLE = [framework.name for framework in FRAMEWORKS if framework.signatures]


def read_back(line: str, input_size: tuple[int, ...]) -> Layer:
    """The layer of one line of code."""
    return layer_of(FigureFile.model_validate({"title": "Read back", **layer(line, input_size).keys}))


def surrounded(values: Values, sides: list[tuple[int, int]]) -> Values:
    """Values with zeros before and after each axis, or without some elements where sides are negative."""
    padded = np.pad(values, [(max(before, 0), max(after, 0)) for before, after in sides])
    return padded[tuple(slice(max(-before, 0), min(after, 0) or None) for before, after in sides)]


def computed(lines: list[str], values: Values, kernel: Values) -> Values:
    """The output of code in PyTorch, Keras or ONNX; its padding and cropping layers are computed here."""
    for line in lines:
        around = re.fullmatch(r"(ZeroPad|ZeroPadding|Cropping)\d[dD]\((.*)\)", line)
        if around is None:
            values = read_back(line, values.shape).output(values, kernel)
            continue
        sides = [(before, after) for before, after in np.reshape(ast.literal_eval(around[2]), (-1, 2)).tolist()]
        if around[1] == "Cropping":
            assert min(map(min, sides)) >= 0
            sides = [(-before, -after) for before, after in sides]
        values = surrounded(values, sides[::-1] if around[1] == "ZeroPad" else sides)
    return values


def computed_by_jax(line: str, values: Values, kernel: Values) -> Values:
    """The output of a call of `jax.lax`, by its documentation."""
    call = ast.parse(line, mode="eval").body
    assert isinstance(call, ast.Call)
    assert [ast.unparse(argument) for argument in call.args] == ["x", "w"]
    given = {str(keyword.arg): ast.literal_eval(keyword.value) for keyword in call.keywords}
    n = values.ndim
    if ast.unparse(call.func) == "lax.conv_transpose":
        strides = given.pop("strides")
        spread = np.zeros([stride * (size - 1) + 1 for size, stride in zip(values.shape, strides, strict=True)], int)
        spread[tuple(slice(None, None, stride) for stride in strides)] = values
        assert given.pop("transpose_kernel") is True
        assert [len(layout) for layout in given.pop("dimension_numbers")] == [2 + n] * 3
        values, kernel, strides = spread, np.flip(kernel), (1,) * n
    else:
        assert ast.unparse(call.func) == "lax.conv_general_dilated"
        strides = given.pop("window_strides")
    dilation = given.pop("rhs_dilation", (1,) * n)
    padded = surrounded(values, given.pop("padding"))
    assert not given
    spans = [d * (size - 1) + 1 for size, d in zip(kernel.shape, dilation, strict=True)]
    windows = np.lib.stride_tricks.sliding_window_view(padded, spans)
    steps = tuple(slice(None, None, step) for step in (*strides, *dilation))
    return np.asarray((windows[steps] * kernel).sum(axis=tuple(range(-n, 0))))


def check_code(original: Layer) -> None:
    """Compare the outputs of the code for a layer, in every framework, with its own."""
    random = np.random.default_rng(0)
    values, kernel = random.integers(1, 99, original.input_size), random.integers(1, 99, original.kernel_size)
    expected = original.output(values, kernel)
    code = written(original)
    (line,) = code["JAX"]
    assert np.array_equal(computed_by_jax(line, values, kernel), expected)
    for name in READABLE:
        if name in code:
            assert np.array_equal(computed(code[name], values, kernel), expected), code[name]
    strided, dilated = (max(getattr(axis, key) for axis in original.axes) > 1 for key in ("stride", "dilation"))
    missing = {"Keras"} if strided and dilated else set()
    assert set(code) == {framework.name for framework in FRAMEWORKS} - missing


@pytest.mark.parametrize("name", WRITABLE)
def test_code_computes_what_the_figure_shows(name: str) -> None:
    check_code(WRITABLE[name])


@st.composite
def convolutions(draw: st.DrawFn) -> Layer:
    """Convolutions and transposed convolutions with one to three axes."""
    transposed = draw(st.booleans())
    axes = []
    for _ in range(draw(st.integers(1, 3))):
        stride, dilation = draw(st.integers(1, 3)), draw(st.integers(1, 3))
        padding = draw(st.tuples(st.integers(0, 3), st.integers(0, 3)))
        added = draw(st.integers(0, max(stride, dilation) - 1)) if transposed else 0
        axes.append(LayerAxis(draw(st.integers(1, 5)), draw(st.integers(1, 3)), stride, padding, dilation, added))
    try:
        return Layer(OPERATIONS["transposed_convolution" if transposed else "convolution"], tuple(axes))
    except LayerError:
        reject()


@settings(max_examples=300, deadline=None)
@given(convolutions())
def test_code_computes_what_a_random_layer_does(original: Layer) -> None:
    check_code(original)


@pytest.mark.parametrize("name", WRITABLE)
def test_code_reads_back_as_the_same_layer(name: str) -> None:
    original, code = WRITABLE[name], written(WRITABLE[name])
    equal = all(before == after for before, after in (axis.padding for axis in original.axes))
    for framework in ("PyTorch", "ONNX") if equal else ("ONNX",):
        (line,) = code[framework]
        assert read_back(line, original.input_size).axes == original.axes


def test_the_code_that_the_report_shows() -> None:
    assert written(CATALOGUE["padding_strides_odd"]) == {
        "PyTorch": ["Conv2d(1, 1, kernel_size=(3, 3), stride=(2, 2), padding=(1, 1))"],
        "Keras": [
            "ZeroPadding2D(((1, 1), (1, 1)))",
            'Conv2D(1, (3, 3), strides=(2, 2), padding="valid")',
        ],
        "JAX": ["lax.conv_general_dilated(x, w, window_strides=(2, 2), padding=[(1, 1), (1, 1)])"],
        "ONNX": ["Conv(kernel_shape=[3, 3], strides=[2, 2], pads=[1, 1, 1, 1])"],
    }
    assert written(CATALOGUE["padding_strides_odd_transposed"]) == {
        "PyTorch": ["ConvTranspose2d(1, 1, kernel_size=(3, 3), stride=(2, 2), padding=(1, 1), output_padding=(1, 1))"],
        "Keras": [
            'Conv2DTranspose(1, (3, 3), strides=(2, 2), padding="valid")',
            "Cropping2D(((1, 0), (1, 0)))",
        ],
        "JAX": [
            "lax.conv_transpose(x, w, strides=(2, 2), padding=[(1, 2), (1, 2)], transpose_kernel=True, "
            'dimension_numbers=("NCHW", "OIHW", "NCHW"))'
        ],
        "ONNX": ["ConvTranspose(kernel_shape=[3, 3], strides=[2, 2], pads=[1, 1, 1, 1], output_padding=[1, 1])"],
    }


@st.composite
def any_layers(draw: st.DrawFn) -> Layer:
    """Layers of all operations but unpooling, with channels and groups, padding modes, ceil mode and norms."""
    name = draw(st.sampled_from([name for name in OPERATIONS if name != "max_unpooling"]))
    operation, axes = OPERATIONS[name], []
    for _ in range(draw(st.integers(1, 2))):
        size, kernel, stride = draw(st.tuples(st.integers(2, 6), st.integers(1, 3), st.integers(1, 3)))
        axis = LayerAxis(size, kernel)
        if operation.adaptive:
            axis = adapted(axis, draw(st.integers(1, size)))
        elif name.startswith("global"):
            axis = LayerAxis(size, size)
        else:
            most = kernel - 1 if operation.reduction else 1
            padding = draw(st.tuples(st.integers(0, most), st.integers(0, most)))
            added = draw(st.integers(0, stride - 1)) if operation.transposed else 0
            axis = LayerAxis(size, kernel, stride, padding, draw(st.integers(1, 2)), added)
        axes.append(axis)
    groups, ins, outs = draw(st.tuples(st.integers(1, 2), st.integers(1, 2), st.integers(1, 2)))
    modes = ("zeros", "reflect", "replicate", "circular") if name == "convolution" else ("zeros",)
    try:
        return Layer(
            operation,
            tuple(axes),
            Channels(groups * ins, groups * outs, groups) if "groups" in operation.keys else None,
            padding_mode=draw(st.sampled_from(modes)),
            ceil_mode="ceil_mode" in operation.keys and draw(st.booleans()),
            count_include_pad="count_include_pad" not in operation.keys or draw(st.booleans()),
            norm=draw(st.integers(1, 3)) if operation.reduction == "norm" else 2,
        )
    except LayerError:
        reject()


def words_of(line: str) -> tuple[str, list[Any], dict[str, Any]]:
    """A call's function, and its plain arguments."""
    call = ast.parse(line, mode="eval").body
    assert isinstance(call, ast.Call)
    given = {str(keyword.arg): ast.literal_eval(keyword.value) for keyword in call.keywords}
    return ast.unparse(call.func), [ast.literal_eval(argument) for argument in call.args], given


def run_by_onnxruntime(lines: Sequence[str], x: Values, w: Values | None) -> Values:
    for line in lines:
        operator, _, given = words_of(line)
        if operator == "Pad":
            n = len(given["pads"]) // 2
            x = np.pad(x, list(zip(given["pads"][:n], given["pads"][n:], strict=True)), mode=given["mode"])
        else:
            # The newest version of GlobalLpPool is not in onnxruntime yet.
            (x,) = run(operator, x, *([] if w is None else [w]), opset=18 if "Lp" in operator else 22, **given)
    return x


def run_by_torch(lines: Sequence[str], x: Values, w: Values | None) -> Values:
    import torch  # type: ignore[import-not-found, unused-ignore]

    value = torch.from_numpy(x)
    for line in lines:
        # Its only expression besides plain values.
        name, positional, given = words_of(line.replace('float("-inf")', "-1e999"))
        module = getattr(torch.nn, name)(*positional, **given | ({"bias": False} if name.startswith("Conv") else {}))
        if name.startswith("Conv"):
            module.weight = torch.nn.Parameter(torch.from_numpy(w))
        value = module(value)
    return np.asarray(value.detach().numpy())


ENGINES = {
    "ONNX": run_by_onnxruntime,
    "PyTorch": run_by_torch,
}


@pytest.mark.parametrize(
    "framework",
    [
        "ONNX",
        pytest.param("PyTorch", marks=pytest.mark.skipif(oracle.torch is None, reason="PyTorch is not installed")),
    ],
)
@settings(max_examples=200, deadline=None)
@given(any_layers())
def test_code_that_is_run_computes_what_any_layer_does(framework: str, original: Layer) -> None:
    (code,) = (one for one in all_code(original) if one.framework == framework)
    if code.reason or code.differences:
        reject()
    random = np.random.default_rng(0)
    values = random.integers(1, 9, original.input_shape).astype(np.float64)
    kernel = random.integers(1, 9, original.kernel_shape).astype(np.float64) if original.weighted else None
    one = values[None] if original.channels else values[None, None]
    weights = kernel if kernel is None or original.channels else kernel[None, None]
    made = ENGINES[framework](code.lines, one, weights)
    found = made[0] if original.channels else made[0, 0]
    expected = original.output(values, kernel)
    # Of padding alone, the one has no maximum, and the other the lowest number.
    both = np.where(np.isinf(expected), found, expected)
    np.testing.assert_allclose(found, both, rtol=1e-5)


@pytest.mark.parametrize(
    ("framework", "original", "reason"),
    [
        ("ONNX", Layer(OPERATIONS["adaptive_max_pooling"], (adapted(LayerAxis(5, 5), 3),)), "operation"),
        ("PyTorch", Layer(OPERATIONS["average_pooling"], (LayerAxis(5, 2, dilation=2),)), "dilation"),
        (
            "PyTorch",
            Layer(OPERATIONS["average_pooling"], (LayerAxis(5, 3, 1, (0, 1)),), count_include_pad=False),
            "count",
        ),
        ("Keras", Layer(OPERATIONS["convolution"], (LayerAxis(9, 3, 2, dilation=2),)), "dilation"),
        ("Keras", Layer(OPERATIONS["transposed_convolution"], (LayerAxis(9, 3),), Channels(2, 2, 2)), "groups"),
        ("Keras", Layer(OPERATIONS["lp_pooling"], (LayerAxis(9, 3),)), "operation"),
        ("JAX", Layer(OPERATIONS["transposed_convolution"], (LayerAxis(9, 3),), Channels(2, 2, 2)), "groups"),
        ("JAX", Layer(OPERATIONS["max_unpooling"], (LayerAxis(9, 2, 2),)), "operation"),
    ],
)
def test_what_a_framework_does_not_have_has_a_reason(framework: str, original: Layer, reason: str) -> None:
    (code,) = (one for one in all_code(original) if one.framework == framework)
    assert code.lines == ()
    assert code.reason.startswith(reason)
    assert framework not in written(original)


def test_code_of_keras_and_jax_for_poolings() -> None:
    layer = Layer(OPERATIONS["max_pooling"], (LayerAxis(7, 3, 2, (1, 1)), LayerAxis(8, 3, 2, (1, 1))))
    assert written(layer)["Keras"] == [
        'x = ops.pad(x, [(0, 0), (1, 1), (1, 1), (0, 0)], mode="constant", constant_values=float("-inf"))',
        'MaxPooling2D((3, 3), strides=(2, 2), padding="valid")',
    ]
    same = Layer(OPERATIONS["average_pooling"], (LayerAxis(7, 3, 2, (1, 1)),), count_include_pad=False)
    assert written(same)["Keras"] == ['AveragePooling1D((3,), strides=(2,), padding="same")']
    assert written(same)["JAX"] == [
        "total = lax.reduce_window(x, 0.0, lax.add, window_dimensions=(1, 1, 3), window_strides=(1, 1, 2), "
        "padding=[(0, 0), (0, 0), (1, 1)])",
        "total / lax.reduce_window(jnp.ones_like(x), 0.0, lax.add, window_dimensions=(1, 1, 3), "
        "window_strides=(1, 1, 2), padding=[(0, 0), (0, 0), (1, 1)])",
    ]


def test_where_the_obvious_code_of_keras_means_another_layer_that_is_said() -> None:
    strided = Layer(OPERATIONS["convolution"], (LayerAxis(8, 3, 2, (1, 1)),))
    (sentence,) = next(one for one in all_code(strided) if one.framework == "Keras").differences
    assert "pad 0 before and 1 after, instead of 1 and 1" in sentence


def test_each_name_belongs_to_one_framework() -> None:
    assert len(SIGNATURES) == sum(len(framework.signatures) for framework in FRAMEWORKS)
