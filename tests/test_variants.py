"""Partial and deformable convolutions, compared with other ways to compute them; and keys that do not go together."""

from itertools import product
from typing import Any

import numpy as np
import onnx.helper
import onnxruntime
import pytest

from scripts.core.figures import Figure, figure
from scripts.core.keys import FigureFile
from scripts.errors import LayerError
from scripts.views import scene_of

RANDOM = np.random.default_rng(0)


def made(**keys: Any) -> Figure:
    return figure("made", FigureFile.model_validate({"title": "Made", "operation": "convolution"} | keys))


def values(*shape: int) -> Any:
    return RANDOM.integers(-9, 9, shape).tolist()


@pytest.mark.parametrize("axes", [1, 2, 3])
def test_a_partial_convolution_renormalises_what_is_valid(axes: int) -> None:
    sizes, window = (5, 4, 6)[:axes], (2, 3, 1)[:axes]
    mask = (RANDOM.random(sizes) < 0.4).astype(int)
    keys = {"input_values": values(*sizes), "kernel_values": values(*window), "stride": 2, "padding": 1}
    found = made(mask=mask.tolist(), **keys).output_values
    assert found is not None
    padded, valid = np.pad(np.array(keys["input_values"]), 1), np.pad(mask, 1)
    holes = 0
    for index in np.ndindex(*found.shape):
        place = tuple(slice(2 * o, 2 * o + k) for o, k in zip(index, window, strict=True))
        weights = np.array(keys["kernel_values"]) * valid[place]
        share = valid[place].mean()
        holes += share == 0
        assert found[index] == pytest.approx((weights * padded[place]).sum() / share if share else 0)
    assert holes


def test_a_mask_of_ones_changes_nothing() -> None:
    keys = {"input_values": values(4, 5), "kernel_values": values(3, 2)}
    whole, masked = made(**keys), made(mask=np.ones((4, 5), int).tolist(), **keys)
    assert whole.output_values is not None
    assert masked.output_values is not None
    assert np.array_equal(whole.output_values, masked.output_values)


@pytest.mark.parametrize("reach", [0, 1, 4])
def test_a_deformable_convolution_is_that_of_onnxruntime(reach: float) -> None:
    for sizes, window, stride, dilation, padding in product(
        [(5, 6), (3, 7)], [(2, 3), (1, 2)], [(1, 1), (2, 1)], [(1, 2)], [[[0, 0], [0, 0]], [[1, 0], [0, 2]]]
    ):
        keys = {"stride": [*stride], "dilation": [*dilation], "padding": padding}
        keys |= {"input_values": values(*sizes), "kernel_values": values(*window)}
        outputs = made(**keys).layer.output_size
        offset = RANDOM.uniform(-reach, reach, (2 * np.prod(window), *outputs)).round(2)
        found = made(offset=offset.tolist(), **keys).output_values
        expected = by_onnxruntime(keys, offset)
        assert found == pytest.approx(expected, abs=1e-3)


def by_onnxruntime(keys: dict[str, Any], offset: Any) -> Any:
    (top, bottom), (left, right) = keys["padding"]
    node = onnx.helper.make_node(
        "DeformConv",
        ["x", "w", "offset"],
        ["y"],
        strides=keys["stride"],
        dilations=keys["dilation"],
        pads=[top, left, bottom, right],
    )
    arrays = {"x": keys["input_values"], "w": keys["kernel_values"], "offset": offset}
    feeds = {name: np.array(array, np.float32) for name, array in arrays.items()}
    feeds = {name: array[None] if name == "offset" else array[None, None] for name, array in feeds.items()}
    inputs = [onnx.helper.make_tensor_value_info(name, 1, array.shape) for name, array in feeds.items()]
    graph = onnx.helper.make_graph([node], "graph", inputs, [onnx.helper.make_tensor_value_info("y", 1, None)])
    model = onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", 19)], ir_version=9)
    return onnxruntime.InferenceSession(model.SerializeToString()).run(None, feeds)[0][0, 0]


GIVEN = {"input_values": [[1, 2], [3, 4]], "kernel_values": [[2]]}
MASK, OFFSET = [[1, 0], [1, 1]], np.zeros((2, 2, 2)).tolist()


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ({"mask": [[1, 2], [0, 1]]}, "mask: holds 2. It is 1 where the input is valid, and 0 in its holes"),
        ({"mask": [1, 1]}, "mask: has the shape [2]. The layer's is [2, 2]"),
        ({"mask": MASK, "offset": OFFSET}, "offset: is given beside a mask. Remove one of the two keys"),
        ({"offset": [[1]]}, "offset: has the shape [1, 1]. The layer's is [2, 2, 2]"),
        (
            {"mask": MASK, "in_channels": 1, "out_channels": 1, "input_values": [[[1, 2]]], "kernel_values": [[[[1]]]]},
            "mask: is given for a layer with channels",
        ),
        ({"offset": OFFSET, "padding_mode": "circular"}, "offset: is given beside padding_mode circular"),
        ({"operation": "transposed_convolution", "mask": MASK}, "mask: does not belong to transposed_convolution"),
        ({"mask": MASK}, 'mask: is not drawn by the numerical view. Set view = "partial", or remove the key'),
        ({"view": "partial", "offset": OFFSET}, 'offset: is not drawn by the partial view. Set view = "deformable"'),
        ({"view": "partial"}, "mask: is missing. The partial view needs one"),
        ({"view": "deformable"}, "offset: is missing. The deformable view needs it"),
        (
            {"view": "deformable", "input_values": [1, 2], "kernel_values": [2], "offset": [[0, 0]]},
            "view: the deformable view draws layers of 2 axes",
        ),
        (
            {"view": "deformable", "offset": np.full((2, 2, 2), 300).tolist()},
            "offset: leads to 302 cells in a row. A drawing has at most 200",
        ),
        (
            {"view": "partial", "mask": MASK, "input_size": 2, "kernel_size": 1} | dict.fromkeys(GIVEN),
            "view: the partial view draws values",
        ),
        (
            {"view": "deformable", "offset": OFFSET, "input_size": 2, "kernel_size": 1} | dict.fromkeys(GIVEN),
            "view: the deformable view draws values",
        ),
    ],
)
def test_what_does_not_go_together_is_refused(keys: dict[str, Any], message: str) -> None:
    with pytest.raises(LayerError) as refused:
        scene_of(made(**GIVEN | keys))
    assert message in str(refused.value)
