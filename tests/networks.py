"""Known networks as ONNX models, built node by node with weights of zeros: for `make explain ONNX=`."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import onnx
from onnx import TensorProto, helper


class Network:
    """A model that grows node by node; each method returns the name of the tensor that it adds."""

    def __init__(self, *input_shape: int) -> None:
        self.nodes, self.weights = list[onnx.NodeProto](), list[onnx.TensorProto]()
        self.channels = {"x": input_shape[1]}
        self.inputs = [helper.make_tensor_value_info("x", TensorProto.FLOAT, input_shape)]

    def add(self, operator: str, inputs: Sequence[str], channels: int, **attributes: Any) -> str:
        name = f"{operator.lower()}_{len(self.nodes)}"
        self.nodes.append(helper.make_node(operator, inputs, [name], name=name, **attributes))
        self.channels[name] = channels
        return name

    def weight(self, *sizes: int) -> str:
        """Data in another file, which is never there: sizes are all that a model says of its weights."""
        name = f"w{len(self.weights)}"
        tensor = TensorProto(name=name, data_type=TensorProto.FLOAT, dims=sizes, data_location=TensorProto.EXTERNAL)
        tensor.external_data.add(key="location", value="weights.bin")
        self.weights.append(tensor)
        return name

    def conv(self, x: str, outs: int, kernel: int, stride: int = 1, groups: int = 1, relu: bool = True) -> str:
        """A convolution with batch normalisation, padded by half of the kernel."""
        p = kernel // 2
        operands = [x, self.weight(outs, self.channels[x] // groups, kernel, kernel)]
        words: dict[str, Any] = {
            "kernel_shape": [kernel] * 2,
            "strides": [stride] * 2,
            "pads": [p] * 4,
            "group": groups,
        }
        y = self.add("Conv", operands, outs, **words)
        y = self.add("BatchNormalization", [y, *(self.weight(outs) for _ in range(4))], outs)
        return self.add("Relu", [y], outs) if relu else y

    def up(self, x: str, outs: int, kernel: int = 2, stride: int = 2) -> str:
        """A transposed convolution with a bias."""
        operands = [x, self.weight(self.channels[x], outs, kernel, kernel), self.weight(outs)]
        return self.add("ConvTranspose", operands, outs, kernel_shape=[kernel] * 2, strides=[stride] * 2)

    def pool(self, x: str, kernel: int, stride: int, padding: int = 0) -> str:
        words = {"kernel_shape": [kernel] * 2, "strides": [stride] * 2, "pads": [padding] * 4}
        return self.add("MaxPool", [x], self.channels[x], **words)

    def classify(self, x: str, classes: int) -> str:
        ins = self.channels[x]
        y = self.add("Flatten", [self.add("GlobalAveragePool", [x], ins)], ins)
        return self.add("Gemm", [y, self.weight(classes, ins), self.weight(classes)], classes, transB=1)

    def save(self, file: Path) -> Path:
        outputs = [helper.make_tensor_value_info(self.nodes[-1].output[0], TensorProto.FLOAT, None)]
        graph = helper.make_graph(self.nodes, "network", self.inputs, outputs, self.weights)
        onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 22)], ir_version=10), file)
        return file


def resnet50(file: Path) -> Path:
    """K. He et al., "Deep residual learning for image recognition" (2016), with the stride in the 3 × 3 layers."""
    net = Network(1, 3, 224, 224)
    x = net.pool(net.conv("x", 64, 7, 2), 3, 2, 1)
    for width, blocks, first in ((64, 3, 1), (128, 4, 2), (256, 6, 2), (512, 3, 2)):
        for block in range(blocks):
            stride = first if block == 0 else 1
            y = net.conv(net.conv(net.conv(x, width, 1), width, 3, stride), 4 * width, 1, relu=False)
            skip = net.conv(x, 4 * width, 1, stride, relu=False) if block == 0 else x
            x = net.add("Relu", [net.add("Add", [y, skip], 4 * width)], 4 * width)
    net.classify(x, 1000)
    return net.save(file)


def mobilenet(file: Path) -> Path:
    """A. G. Howard et al., "MobileNets" (2017), table 1."""
    net = Network(1, 3, 224, 224)
    x = net.conv("x", 32, 3, 2)
    widths = ((64, 1), (128, 2), (128, 1), (256, 2), (256, 1), (512, 2), *[(512, 1)] * 5, (1024, 2), (1024, 1))
    for outs, stride in widths:
        ins = net.channels[x]
        x = net.conv(net.conv(x, ins, 3, stride, groups=ins), outs, 1)
    net.classify(x, 1000)
    return net.save(file)


def unet(file: Path, size: int = 64, depth: int = 3) -> Path:
    """O. Ronneberger et al., "U-Net" (2015), padded, of so many levels below the first."""
    net, skips, width = Network(1, 1, size, size), list[str](), 16
    x = "x"
    for level in range(depth):
        x = net.conv(net.conv(x, width << level, 3), width << level, 3)
        skips.append(x)
        x = net.pool(x, 2, 2)
    x = net.conv(net.conv(x, width << depth, 3), width << depth, 3)
    for level in reversed(range(depth)):
        outs = width << level
        x = net.add("Concat", [skips[level], net.up(x, outs)], 2 * outs, axis=1)
        x = net.conv(net.conv(x, outs, 3), outs, 3)
    net.conv(x, 2, 1, relu=False)
    return net.save(file)
