"""Files of ONNX models: their layers that can be drawn, with the sizes that the model gives."""

import re
import stat
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from scripts.errors import FigureError, UserError
from scripts.notation.onnx import OPERATORS, onnx_operator
from scripts.notation.signature import NamedLayer
from scripts.notation.sizes import expanded

if TYPE_CHECKING:
    import onnx

# The limit of a protocol buffer.
MOST_BYTES = 2**31 - 1
LONGEST_NAME = 120
# Batch, channels and three spatial axes.
MOST_AXES = 5

Shape = tuple[int | None, ...]
Shapes = dict[str, Shape]


@dataclass(frozen=True)
class ModelLayer:
    """A node of a model, with None for sizes that the model leaves open.

    `input_size` is without batch and channels; `channels` are a convolution's (in, out).
    """

    name: str
    op_type: str
    attributes: dict[str, Any]
    input_size: Shape | None
    channels: tuple[int, int] | None

    def named(self, input_size: tuple[int, ...] | None = None) -> NamedLayer:
        """The keys of its figure, with another size of its input if one is given; raises `UserError`."""
        try:
            found = onnx_operator(self.op_type, self.attributes, self._size(input_size), self.channels)
        except UserError as error:
            raise UserError(f"{self.name}: {error}") from None
        return replace(found, name=_file_name(self.name) or found.name)

    def _size(self, given: tuple[int, ...] | None) -> tuple[int, ...]:
        known = self.input_size or ()
        if given is None:
            size = tuple(number for number in known if number is not None)
            if not size or len(size) < len(known):
                raise UserError("the model leaves the size of its input open. Give one, as in INPUT=5x7.")
            return size
        return expanded(given, len(known)) if known else given


def layers(file: Path) -> list[ModelLayer]:
    """The nodes of a model's main graph that can be drawn, without opening any file that the model names.

    Raises `FigureError` if the file is not a valid model.
    """
    import onnx  # slow to import, and only needed here
    from google.protobuf.message import DecodeError

    try:
        if not stat.S_ISREG(file.stat().st_mode):
            raise FigureError(file, "is not a file. Name an ONNX model.")
        if file.stat().st_size > MOST_BYTES:
            raise FigureError(file, "is larger than 2 GB. Save the model with its weights as external data.")
        model = onnx.load(file, format="protobuf", load_external_data=False)
        if not model.graph.node:
            raise FigureError(file, "is not an ONNX model: it has no nodes. Export the model again.")
        return list(_layers(onnx.shape_inference.infer_shapes(model).graph))
    except OSError as error:
        raise FigureError(file, f"cannot be read: {error.strerror}. Name an ONNX model.") from None
    except (DecodeError, ValueError, onnx.shape_inference.InferenceError) as error:
        reason = (str(error).splitlines() or [""])[0]
        raise FigureError(file, f"is not a valid ONNX model ({reason}). Export the model again.") from None


def _layers(graph: "onnx.GraphProto") -> Iterator[ModelLayer]:
    shapes = dict(_shapes(graph))
    for position, node in enumerate(graph.node):
        if node.op_type in OPERATORS and node.domain in ("", "ai.onnx"):
            yield _layer(node, position, shapes)


def _shapes(graph: "onnx.GraphProto") -> Iterator[tuple[str, Shape]]:
    """The known shapes of a graph's tensors with no more axes than a layer has."""
    for value in (*graph.value_info, *graph.input, *graph.output):
        shape = value.type.tensor_type.shape
        if value.type.tensor_type.HasField("shape") and len(shape.dim) <= MOST_AXES:
            sizes = (dimension.dim_value for dimension in shape.dim)
            yield value.name, tuple(size if size > 0 else None for size in sizes)
    for weights in graph.initializer:
        if len(weights.dims) <= MOST_AXES:
            yield weights.name, tuple(weights.dims)


def _layer(node: "onnx.NodeProto", position: int, shapes: Shapes) -> ModelLayer:
    attributes = _attributes(node)
    operands = [shapes.get(name) for name in node.input]
    weights = operands[1] if node.op_type in ("Conv", "ConvTranspose") and len(operands) > 1 else None
    groups, channels = attributes.get("group", 1), None
    if weights is not None and len(weights) > 2 and isinstance(groups, int) and groups >= 1:
        first, second, *kernel = (size or 0 for size in weights)
        if all(kernel):
            attributes.setdefault("kernel_shape", kernel)
        if first and second:
            channels = (second * groups, first) if node.op_type == "Conv" else (first, second * groups)
    size = operands[0] if operands else None
    return ModelLayer(
        name="".join(c if c.isprintable() else "?" for c in _text(node.name)[:LONGEST_NAME])
        or f"{node.op_type}_{position}",
        op_type=node.op_type,
        attributes=attributes,
        input_size=None if size is None else size[2:],
        channels=channels,
    )


def _attributes(node: "onnx.NodeProto") -> dict[str, Any]:
    import onnx

    attributes = {}
    for attribute in node.attribute:
        value = onnx.helper.get_attribute_value(attribute)
        attributes[_text(attribute.name)] = _text(value) if isinstance(value, bytes) else value
    return attributes


def _text(value: str | bytes) -> str:
    """A string of a model, which the library returns as bytes if it is not UTF-8."""
    return value.decode(errors="replace") if isinstance(value, bytes) else value


def _file_name(name: str) -> str:
    """A node's name with only the characters of a file's name."""
    return re.sub("[^a-z0-9]+", "_", name.lower()).strip("_")
