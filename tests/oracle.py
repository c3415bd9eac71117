"""Engines that people run in production, as oracles: the layer of a figure's file through onnxruntime or PyTorch.

Nothing of scripts/ is used here, and an engine works out for itself whatever it can: sizes, the paddings
that it has names for, its own limits.  What an engine lacks is put to it in another way (or not at all:
None); what it refuses raises `Refused`.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from importlib import import_module
from importlib.util import find_spec
from itertools import count
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import onnx.helper
import onnxruntime
from onnxruntime.capi import onnxruntime_pybind11_state as onnxruntime_errors

torch: Any = import_module("torch") if find_spec("torch") else None

File = dict[str, Any]
Array = npt.NDArray[Any]
Pair = tuple[int, int]


class Refused(Exception):  # noqa: N818 — an engine's answer, not a fault
    """No such layer, says the engine."""


@dataclass(frozen=True)
class Axis:
    """What a figure's file says of a layer along one axis."""

    size: int
    kernel: int
    stride: int
    dilation: int
    sides: Pair
    output_padding: int
    wanted: int | None

    @property
    def span(self) -> int:
        """From the window's first to its last cell."""
        return self.dilation * (self.kernel - 1) + 1

    @property
    def fit(self) -> int:
        """The smallest output that takes all that a transposed convolution or an unpooling scatters."""
        return self.stride * (self.size - 1) + self.span - sum(self.sides)

    @property
    def same(self) -> Pair:
        """The least padding that gives as many windows as the stride fits into the input; less of it before."""
        outputs = len(range(0, self.size, self.stride))
        totals = (t for t in count() if len(range(0, self.size + t - self.span + 1, self.stride)) >= outputs)
        total = next(totals)
        return total // 2, total - total // 2

    def named(self, name: str) -> Pair:
        """The padding of a name as numbers, for engines that do not have the name."""
        match name:
            case "half":
                return self.span // 2, self.span // 2
            case "full":
                return self.span - 1, self.span - 1
            case "causal":
                return self.span - 1, 0
            case "same_upper":
                return self.same
            case "same_lower":
                return self.same[::-1]
        return 0, 0


@dataclass(frozen=True)
class Asked:
    """The layer of a figure's file, as engines take it."""

    operation: str
    axes: list[Axis]
    name: str  # of the padding
    mode: str
    channels: tuple[int, int, int] | None
    ceil: bool
    include: bool
    norm: float

    @classmethod
    def of(cls, file: File) -> "Asked":
        channels = (file["in_channels"], file["out_channels"], file.get("groups", 1)) if "in_channels" in file else None
        skip = 0 if channels is None else 1
        size = file.get("input_size", np.shape(file.get("input_values", 0))[skip:])
        n = 2 if isinstance(size, int) else len(size)
        kernel = file.get("kernel_size", np.shape(file.get("kernel_values", 0))[2 * skip :] or 1)
        padding = file.get("padding", 0)
        name = padding if isinstance(padding, str) else ""

        def per_axis(value: Any) -> list[Any]:
            return list(value) if isinstance(value, list | tuple) else [value] * n

        rows = zip(
            *map(per_axis, (size, kernel, file.get("stride", 1), file.get("dilation", 1))),
            [(p, p) if isinstance(p, int) else tuple(p) for p in per_axis(0 if name else padding)],
            *(per_axis(file.get(key, default)) for key, default in (("output_padding", 0), ("output_size", None))),
            strict=True,
        )
        axes = [Axis(*row) for row in rows]
        return cls(
            file["operation"],
            [replace(axis, sides=axis.named(name)) for axis in axes] if name else axes,
            name,
            file.get("padding_mode", "zeros"),
            channels,
            file.get("ceil_mode", False),
            file.get("count_include_pad", True),
            file.get("norm", 2),
        )

    def each(self, key: str) -> list[Any]:
        return [getattr(axis, key) for axis in self.axes]

    def any(self, rule: Callable[[Axis], bool]) -> bool:
        return any(map(rule, self.axes))

    @property
    def input_shape(self) -> list[int]:
        """With a batch of one, and with channels."""
        return [1, self.channels[0] if self.channels else 1, *self.each("size")]

    @property
    def kernel_shape(self) -> list[int]:
        ins, outs, groups = self.channels or (1, 1, 1)
        first, second = (ins, outs) if self.operation == "transposed_convolution" else (outs, ins)
        return [first, max(second // max(groups, 1), 1), *self.each("kernel")]

    @property
    def symmetric(self) -> bool:
        return not self.any(lambda axis: axis.sides[0] != axis.sides[1])

    @property
    def dilated(self) -> bool:
        return self.any(lambda axis: axis.dilation > 1)

    @property
    def gaps(self) -> bool:
        """Whether the windows leave some elements out."""
        return self.any(lambda axis: axis.span < axis.stride)


def output(
    engine: str, asked: Asked, x: Array | None = None, w: Array | None = None, indices: Array | None = None
) -> Array | None:
    """What an engine makes of a layer; of zeros, where only its opinion is asked."""
    found = ENGINES[engine](
        asked,
        np.zeros(asked.input_shape) if x is None else x.reshape(asked.input_shape).astype(float),
        np.zeros(asked.kernel_shape) if w is None else w.reshape(asked.kernel_shape).astype(float),
        np.zeros(asked.input_shape, int) if indices is None else indices.reshape(asked.input_shape),
    )
    if found is None:
        return None
    if found.size == 0:
        raise Refused("an output of no elements")
    if found.shape[1] != (asked.channels[1] if asked.channels else 1):
        raise Refused("an output of other channels")
    return np.asarray(found[0] if asked.channels else found[0, 0])


# onnxruntime

OPTIONS = onnxruntime.SessionOptions()
OPTIONS.intra_op_num_threads = 1
OPTIONS.log_severity_level = 4
REFUSALS = (onnxruntime_errors.Fail, onnxruntime_errors.InvalidArgument, onnxruntime_errors.RuntimeException)


def run(operator: str, *inputs: Array, outputs: int = 1, opset: int = 22, **attributes: Any) -> list[Array]:
    """One operator of ONNX in onnxruntime, in its single precision: exact for small integers and quarters."""
    arrays = [array.astype(np.int64 if array.dtype.kind == "i" else np.float32) for array in inputs]
    feeds = {f"input{n}": array for n, array in enumerate(arrays)}
    kinds = {"output": onnx.TensorProto.FLOAT, "indices": onnx.TensorProto.INT64}
    names = list(kinds)[:outputs]
    information = onnx.helper.make_tensor_value_info
    graph = onnx.helper.make_graph(
        [onnx.helper.make_node(operator, list(feeds), names, **attributes)],
        operator,
        [information(name, onnx.helper.np_dtype_to_tensor_dtype(a.dtype), a.shape) for name, a in feeds.items()],
        [information(name, kinds[name], None) for name in names],
    )
    model = onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", opset)], ir_version=10)
    try:
        session = onnxruntime.InferenceSession(model.SerializeToString(), OPTIONS, providers=["CPUExecutionProvider"])
        return list(session.run(None, feeds))
    except REFUSALS as error:
        raise Refused(str(error)) from None


def onnxruntime_output(asked: Asked, x: Array, w: Array, indices: Array) -> Array | None:
    match asked.operation:
        case "convolution":
            return _convolution(asked, x, w)
        case "transposed_convolution":
            return _transposed(asked, x, w)
        case "max_unpooling":
            return _unpooling(asked, x, indices)
        case "max_pooling" | "global_max_pooling":
            pooled = _pooling(asked, x, "MaxPool", -np.inf)
            # The lowest number is what it gives for a window of padding alone.
            return np.where(pooled == np.finfo(np.float32).min, -np.inf, pooled)
        case "global_average_pooling":
            return _pooling(asked, x, "AveragePool")
        case "adaptive_max_pooling":
            return _adaptive(asked, x, "GlobalMaxPool")
        case "adaptive_average_pooling":
            return _adaptive(asked, x, "GlobalAveragePool")
        case "average_pooling":
            if asked.include or not _padded_too_far(asked):
                return _pooling(asked, x, "AveragePool", count_include_pad=int(asked.include))
            total, part = (_pooling(asked, a, "AveragePool", count_include_pad=1) for a in (x, np.ones_like(x)))
            return np.divide(total, part, out=np.zeros_like(total), where=part > 0)
    # Its norms are whole numbers: others are the norm 1 of powers.
    if float(asked.norm).is_integer():
        return _pooling(asked, x, "LpPool", p=int(asked.norm))
    return np.asarray(_pooling(asked, np.abs(x) ** asked.norm, "LpPool", p=1) ** (1 / asked.norm))


def _words(asked: Asked, **words: Any) -> dict[str, Any]:
    return {"strides": asked.each("stride"), "dilations": asked.each("dilation"), **words}


def _pads(asked: Asked) -> list[int]:
    """Before each axis, then after each."""
    return [side for sides in zip(*asked.each("sides"), strict=True) for side in sides]


def _cut(array: Array, *slices: slice) -> Array:
    """The last axes, cut."""
    index: tuple[Any, ...] = (..., *slices)
    return np.asarray(array[index])


def _convolution(asked: Asked, x: Array, w: Array) -> Array:
    words = _words(asked, group=asked.channels[2] if asked.channels else 1)
    if asked.mode != "zeros":
        mode = {"reflect": "reflect", "replicate": "edge", "circular": "wrap"}[asked.mode]
        before, after = zip(*asked.each("sides"), strict=True)
        return run("Conv", run("Pad", x, np.array([0, 0, *before, 0, 0, *after]), mode=mode)[0], w, **words)[0]
    if asked.name.startswith("same"):
        # It refuses a dilation beside these names, so the kernel brings its zeros along.
        spread = np.zeros((*w.shape[:2], *asked.each("span")))
        _cut(spread, *(slice(None, None, axis.dilation) for axis in asked.axes))[...] = w
        return run("Conv", x, spread, **words | {"dilations": None}, auto_pad=asked.name.upper())[0]
    return run("Conv", x, w, **words, pads=_pads(asked))[0]


def _transposed(asked: Asked, x: Array, w: Array) -> Array:
    words = _words(asked, group=asked.channels[2] if asked.channels else 1)
    # ONNX's output_shape sets the padding; PyTorch's output_size is reached beside it.
    extra = [axis.output_padding if axis.wanted is None else axis.wanted - axis.fit for axis in asked.axes]
    if asked.name.startswith("same"):
        if not asked.gaps:
            return run("ConvTranspose", x, w, **words, auto_pad=asked.name.upper(), output_padding=extra)[0]
        # It gives fewer than s · i outputs where the windows leave gaps.
        whole = run("ConvTranspose", x, w, **words)[0]
        totals = [size - axis.stride * axis.size for size, axis in zip(whole.shape[2:], asked.axes, strict=True)]
        halves = [(max(t, 0) // 2, t - max(t, 0) // 2) for t in totals]
        lower = asked.name == "same_lower"
        return _cropped(whole, [pair[::-1] if lower and min(pair) >= 0 else pair for pair in halves])
    rows = list(zip(extra, asked.axes, strict=True))
    if any(e >= axis.stride for e, axis in rows) and all(0 <= e < max(axis.stride, axis.dilation) for e, axis in rows):
        # It takes no output padding of a stride or more.
        whole = run("ConvTranspose", x, w, **words)[0]
        return _cropped(whole, [(axis.sides[0], axis.sides[1] - e) for e, axis in rows])
    return run("ConvTranspose", x, w, **words, pads=_pads(asked), output_padding=extra)[0]


def _cropped(whole: Array, sides: list[Pair]) -> Array:
    """Without so many elements before and after each axis; with zeros after it where negative."""
    larger = np.pad(whole, [(0, 0), (0, 0), *((0, max(-after, 0)) for _, after in sides)])
    return _cut(
        larger,
        *(
            slice(before, max(size - max(after, 0), before))
            for size, (before, after) in zip(larger.shape[2:], sides, strict=True)
        ),
    )


def _padded_too_far(asked: Asked) -> bool:
    """Whether a dilated window has room for a padding that is refused: the limit does not count the dilation."""
    return asked.dilated and asked.any(lambda axis: max(axis.sides) >= axis.kernel)


def _pooling(asked: Asked, x: Array, operator: str, filler: float = 0, **words: Any) -> Array:
    if asked.operation.startswith("global"):
        # onnxruntime has no later version of the last.
        return run(f"Global{operator}", x, **words, opset=21 if operator == "LpPool" else 22)[0]
    words |= _words(asked, kernel_shape=asked.each("kernel"), ceil_mode=int(asked.ceil))
    # It pads wrongly by these names where windows are dilated, and not at all where they leave gaps.
    if asked.name == "valid" or (asked.name.startswith("same") and not asked.dilated and not asked.gaps):
        return run(operator, x, **words, auto_pad=asked.name.upper())[0]
    if not _padded_too_far(asked):
        return run(operator, x, **words, pads=_pads(asked))[0]
    padded = np.pad(x, [(0, 0), (0, 0), *asked.each("sides")], constant_values=filler)
    pooled = run(operator, padded, **words)[0]
    if not asked.ceil:
        return pooled
    # What is an input to it now is padding, after which no window starts.
    starts = [len(range(0, axis.size + axis.sides[0], axis.stride)) for axis in asked.axes]
    return _cut(pooled, *map(slice, starts))


def _adaptive(asked: Asked, x: Array, operator: str) -> Array:
    """It has no such layer: each output element is a pooling of all that its part of the input touches.

    An output element of an axis of i inputs is i parts long, an input element o parts: equal ones.
    """
    axes = [(axis.size, axis.wanted or 1) for axis in asked.axes]
    output = np.empty([1, 1, *(o for _, o in axes)])
    for index in np.ndindex(*output.shape[2:]):
        touched = [
            sorted({part // o for part in range(t * i, (t + 1) * i)}) for t, (i, o) in zip(index, axes, strict=True)
        ]
        cut = _cut(x, *(slice(places[0], places[-1] + 1) for places in touched))
        output[(0, 0, *index)] = run(operator, cut)[0].item()
    return output


def _unpooling(asked: Asked, x: Array, indices: Array) -> Array:
    words: dict[str, Any] = {"kernel_shape": asked.each("kernel"), "strides": asked.each("stride")}
    wanted = asked.each("wanted")
    if None in wanted:
        return run("MaxUnpool", x, indices, **words, pads=_pads(asked))[0]
    if not asked.dilated and not asked.any(lambda axis: axis.fit < 1 or (axis.wanted or 0) < axis.fit):
        return run("MaxUnpool", x, indices, np.array([1, 1, *wanted]), **words, pads=_pads(asked))[0]
    # It knows no dilation, and fills nothing smaller than what fits: fill more, and cut.
    if np.prod(wanted) <= indices.max():
        raise Refused("an index beyond the output")
    whole = [max(axis.fit + sum(axis.sides), axis.wanted or 0) for axis in asked.axes]
    places = np.asarray(np.ravel_multi_index(np.unravel_index(indices.ravel(), wanted), whole)).reshape(indices.shape)
    return _cut(run("MaxUnpool", x, places, np.array([1, 1, *whole]), **words)[0], *map(slice, wanted))


def pooled_with_indices(asked: Asked, x: Array) -> list[Array]:
    """The maxima of an input without channels, and the places that onnxruntime took them from."""
    words = _words(asked, kernel_shape=asked.each("kernel"), ceil_mode=int(asked.ceil), pads=_pads(asked))
    pooled = run("MaxPool", x[None, None].astype(float), outputs=2, **words)
    if pooled[0].size == 0:
        raise Refused("an output of no elements")
    return [found[0, 0] for found in pooled]


def matrix(asked: Asked, w: Array) -> Array:
    """A convolution as a matrix: a row of its flattened output for each element of its flattened input."""
    size = int(np.prod(asked.input_shape))
    units = np.eye(size).reshape(size, *asked.input_shape[1:])
    return _convolution(asked, units, w.reshape(asked.kernel_shape).astype(float)).reshape(size, -1)


# PyTorch


def torch_output(asked: Asked, x: Array, w: Array, indices: Array) -> Array | None:
    try:
        with torch.no_grad():
            found = _torch(asked, *map(torch.from_numpy, (x, w, indices)))
    except (RuntimeError, ValueError, ZeroDivisionError) as error:
        raise Refused(str(error)) from None
    return None if found is None else np.asarray(found.numpy())


def _torch(asked: Asked, x: Any, w: Any, indices: Any) -> Any:
    n = len(asked.axes)
    functions, operation = torch.nn.functional, asked.operation
    kernel, stride, dilation = (asked.each(key) for key in ("kernel", "stride", "dilation"))
    padding: Any = [before for before, _ in asked.each("sides")]
    if operation == "convolution":
        if asked.mode != "zeros" or not asked.symmetric:
            sides = [side for pair in reversed(asked.each("sides")) for side in pair]
            x, padding = functions.pad(x, sides, mode=asked.mode.replace("zeros", "constant")), 0
        elif asked.name == "valid" or (asked.name == "same_upper" and max(stride) == 1):
            padding = asked.name.removesuffix("_upper")
        groups = asked.channels[2] if asked.channels else 1
        return getattr(functions, f"conv{n}d")(x, w, None, stride, padding, dilation, groups)
    if operation == "global_max_pooling":
        return getattr(functions, f"adaptive_max_pool{n}d")(x, 1)
    if operation == "global_average_pooling":
        return getattr(functions, f"adaptive_avg_pool{n}d")(x, 1)
    if operation.startswith("adaptive"):
        name = "max" if operation == "adaptive_max_pooling" else "avg"
        return getattr(functions, f"adaptive_{name}_pool{n}d")(x, *_lp(asked.each("wanted")))
    if operation == "global_lp_pooling":
        return getattr(functions, f"lp_pool{n}d")(x.abs(), asked.norm, *_lp(asked.each("size")))
    if not asked.symmetric or (_pools(asked) and asked.any(lambda axis: 2 * max(axis.sides) > axis.kernel)):
        # It limits the padding of a pooling to half of the window.
        return None
    if operation == "transposed_convolution":
        if asked.name.startswith("same"):
            return None
        ins, outs, groups = asked.channels or (1, 1, 1)
        module = getattr(torch.nn, f"ConvTranspose{n}d")
        extra = asked.each("output_padding")
        layer = module(ins, outs, kernel, stride, padding, extra, groups, bias=False, dilation=dilation)
        layer.weight = torch.nn.Parameter(w)
        return layer(x, output_size=None if asked.axes[0].wanted is None else asked.each("wanted"))
    if operation == "max_unpooling":
        size = None if asked.axes[0].wanted is None else asked.each("wanted")
        return getattr(functions, f"max_unpool{n}d")(x, indices, kernel, stride, padding, size)
    if operation == "max_pooling":
        return getattr(functions, f"max_pool{n}d")(x, kernel, stride, padding, dilation, asked.ceil)
    if asked.dilated:
        return None
    if operation == "average_pooling":
        # In three dimensions it wants an input that fills the window without its padding.
        if n == 3 and asked.any(lambda axis: axis.kernel > axis.size):
            return None
        return getattr(functions, f"avg_pool{n}d")(x, kernel, stride, padding, asked.ceil, asked.include)
    # Its norm needs positive numbers, and scales up a window that hangs over the end.
    if max(padding) or asked.ceil:
        return None
    return getattr(functions, f"lp_pool{n}d")(x.abs(), asked.norm, *_lp(kernel, stride))


def _lp(*lists: list[int]) -> list[Any]:
    """Along one axis, its norm takes no lists."""
    return [numbers if len(numbers) > 1 else numbers[0] for numbers in lists]


ENGINES: dict[str, Callable[[Asked, Array, Array, Array], Array | None]] = {
    "onnxruntime": onnxruntime_output,
    "PyTorch": torch_output,
}


# What is rejected although an engine accepts it


class Stricter(NamedTuple):
    """Why, of which layers, under which key, and what is so of some axis."""

    why: str
    layers: Callable[[Asked], bool]
    key: str
    rule: Callable[[Axis], bool]


def _pools(asked: Asked) -> bool:
    return asked.operation.endswith("_pooling")


def _unpools(asked: Asked) -> bool:
    return asked.operation == "max_unpooling"


BOTH = (
    Stricter(
        "no pooling has such a padding, so no unpooling has",
        _unpools,
        "padding",
        lambda axis: max(axis.sides) >= axis.kernel,
    ),
    Stricter(
        "each window of unpooling has a place in its output",
        _unpools,
        "output_size",
        lambda axis: axis.wanted is not None and axis.stride * (axis.size - 1) - axis.sides[0] >= axis.wanted,
    ),
)
STRICTER: dict[str, Iterable[Stricter]] = {
    "PyTorch": BOTH,
    "onnxruntime": (
        *BOTH,
        Stricter(
            "onnxruntime's own limit, which it does not have for input that is padded before",
            _pools,
            "padding",
            lambda axis: max(axis.sides) >= axis.kernel,
        ),
        Stricter(
            "PyTorch's circular padding goes around once; ONNX's goes on",
            lambda asked: asked.mode == "circular",
            "padding",
            lambda axis: max(axis.sides) > axis.size,
        ),
        Stricter(
            "PyTorch's output_size is less than a stride off; ONNX's output_shape need not be",
            lambda asked: _unpools(asked) or asked.operation == "transposed_convolution",
            "output_size",
            lambda axis: axis.wanted is not None and abs(axis.wanted - axis.fit) >= axis.stride,
        ),
        Stricter(
            "a window that does not fit has no place; onnxruntime rounds their negative number towards zero",
            _pools,
            "kernel_size",
            lambda axis: axis.span > axis.size + sum(axis.sides),
        ),
        Stricter(
            "same_… says the output's size, which is all that output_padding does",
            lambda asked: asked.name.startswith("same"),
            "output_padding",
            lambda axis: axis.output_padding > 0,
        ),
    ),
}
# Paddings whose name the project has for direct operations only; the engine was given its numbers.
UNNAMED = {"transposed_convolution": {"causal"}, "max_unpooling": {"causal", "same_upper", "same_lower"}}
MOST_FRAMES = 65_536


def stricter(engine: str, asked: Asked, found: Array, message: str) -> bool:
    """Whether a message about a layer that the engine accepts has one of these reasons."""
    key = message.partition(":")[0]
    return (
        (key == "input_size" and found.size > MOST_FRAMES)
        or (key == "padding" and asked.name in UNNAMED.get(asked.operation, ()))
        or any(key == row.key and row.layers(asked) and asked.any(row.rule) for row in STRICTER[engine])
    )
