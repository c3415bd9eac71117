"""Random layers, as figure files, against onnxruntime and PyTorch."""

import json
import re
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import pytest
from hypothesis import HealthCheck, currently_in_test_context, given, note, settings
from hypothesis import strategies as st

from scripts.core.figures import Figure, load
from scripts.core.frames import Frame, frames
from scripts.core.operations import OPERATIONS
from scripts.errors import UserError
from tests import oracle
from tests.oracle import Array, Asked, File, Refused, run

T = TypeVar("T")

ENGINES = [
    "onnxruntime",
    pytest.param("PyTorch", marks=pytest.mark.skipif(oracle.torch is None, reason="PyTorch is not installed")),
]
# How many layers of each kind to compare in value with onnxruntime; PyTorch lacks some.
LAYERS = {
    "convolution": 300,
    "transposed_convolution": 250,
    "max_pooling": 120,
    "average_pooling": 120,
    "lp_pooling": 100,
    "global_max_pooling": 30,
    "global_average_pooling": 30,
    "global_lp_pooling": 30,
    "adaptive_max_pooling": 60,
    "adaptive_average_pooling": 60,
    "max_unpooling": 100,
}
TRANSPOSES = 60
FULL = 20

# The largest input, window, stride or dilation, and padding, by the number of axes.
LARGEST = {1: (8, 4, 3, 4), 2: (5, 3, 3, 2), 3: (3, 2, 2, 1)}
NAMES = ("valid", "half", "full", "same_upper", "same_lower", "causal")


@st.composite
def per_axis(draw: st.DrawFn, n: int, least: int, most: int) -> list[int]:
    """A number for each axis, often the same one."""
    numbers = st.integers(least, most)
    return [draw(numbers)] * n if draw(st.booleans()) else [draw(numbers) for _ in range(n)]


def spelled(draw: st.DrawFn, values: list[Any], n: int) -> Any:
    """One number if all are equal."""
    return values[0] if n == 2 and len(set(map(str, values))) == 1 and draw(st.booleans()) else values


@st.composite
def paddings(draw: st.DrawFn, n: int, operation: str, spans: list[int], most: int) -> Any:
    """A name, or a number or pair for each axis; a pooling's are seldom as large as the window."""
    if draw(st.integers(0, 3)) == 0:
        return draw(st.sampled_from(NAMES))
    limits = [
        min(most + 1, span - 1 + (draw(st.integers(0, 9)) == 0)) if "pool" in operation else most for span in spans
    ]
    if draw(st.booleans()):
        return spelled(draw, [draw(st.integers(0, limit)) for limit in limits], n)
    return [[draw(st.integers(0, limit)), draw(st.integers(0, limit))] for limit in limits]


@st.composite
def files(draw: st.DrawFn, operation: str) -> File:
    """A figure's file: a layer that may exist or not."""
    n = draw(st.integers(1, 3))
    largest, window, step, padding = LARGEST[n]
    file: File = {"title": "A layer", "operation": operation}
    sizes, kernel = draw(per_axis(n, 1, largest)), draw(per_axis(n, 1, window))
    stride, dilation = draw(per_axis(n, 1, step)), draw(per_axis(n, 1, step))
    if operation == "max_unpooling":
        dilation = [1] * n
    spans = [d * (k - 1) + 1 for d, k in zip(dilation, kernel, strict=True)]
    if operation.startswith("adaptive"):
        file["output_size"] = spelled(draw, draw(per_axis(n, 1, largest)), n)
    elif not operation.startswith("global"):
        file["kernel_size"] = spelled(draw, kernel, n)
        if max(stride) > 1:
            file["stride"] = spelled(draw, stride, n)
        if max(dilation) > 1:
            file["dilation"] = spelled(draw, dilation, n)
        if draw(st.integers(0, 3)):
            file["padding"] = draw(paddings(n, operation, spans, padding))
    if operation == "convolution":
        file["padding_mode"] = draw(st.sampled_from(["zeros", "zeros", "reflect", "replicate", "circular"]))
    if operation == "transposed_convolution":
        same = str(file.get("padding")).startswith("same")
        match draw(st.integers(0, 8 if same else 3)):
            case 1:
                limits = [max(s, d) - (draw(st.integers(0, 5)) > 0) for s, d in zip(stride, dilation, strict=True)]
                file["output_padding"] = [draw(st.integers(0, limit)) for limit in limits]
            case 2 if not same:
                beyond = draw(st.integers(0, 5)) == 0
                extra = [draw(st.integers(-1, s) if beyond else st.integers(0, s - 1)) for s in stride]
                fits = Asked.of({**file, "input_size": sizes}).each("fit")
                file["output_size"] = [max(fit + e, 1) for fit, e in zip(fits, extra, strict=True)]
    if operation in ("max_pooling", "average_pooling", "lp_pooling"):
        file["ceil_mode"] = draw(st.booleans())
    if operation == "average_pooling":
        file["count_include_pad"] = draw(st.booleans())
    if "lp_pooling" in operation:
        file["norm"] = draw(st.sampled_from([1, 2, 3, 4, 0.5, 1.5, 2.5, 7, 16]))
    if operation == "max_unpooling":
        return draw(unpoolings(file, n, sizes, stride))
    if operation.endswith("convolution") and draw(st.integers(0, 2)) == 0:
        groups = draw(st.integers(1, 3))
        uneven = draw(st.integers(0, 9)) == 0
        file["in_channels"] = groups * draw(st.integers(1, 2)) + uneven
        file["out_channels"] = groups * draw(st.integers(1, 2))
        file["groups"] = groups
    return draw(valued(file, n, sizes, kernel))


@st.composite
def valued(draw: st.DrawFn, file: File, n: int, sizes: list[int], kernel: list[int]) -> File:
    """With random values, or with given ones, from which the sizes may follow."""
    seed = draw(st.integers(0, 2**32 - 1))
    if draw(st.booleans()):
        return file | {"input_size": spelled(draw, sizes, n), "values": "random", "seed": seed}
    parts = draw(st.sampled_from([1, 4]))
    random = np.random.default_rng(seed)
    asked = Asked.of({**file, "input_size": sizes, "kernel_size": kernel})
    skip = asked.channels is None

    def given_values(shape: list[int]) -> Any:
        values = random.integers(-5 * parts, 5 * parts + 1, shape)
        return (values if parts == 1 else values / parts).tolist()

    if draw(st.booleans()):
        file["input_size"] = spelled(draw, sizes, n)
    file["input_values"] = given_values(asked.input_shape[1 + skip :])
    if file["operation"].endswith("convolution"):
        file["kernel_values"] = given_values(asked.kernel_shape[2 * skip :])
        if draw(st.booleans()):
            del file["kernel_size"]
    return file


@st.composite
def unpoolings(draw: st.DrawFn, file: File, n: int, sizes: list[int], stride: list[int]) -> File:
    """Of what the engine pooled from an input, or of random values."""
    seed = draw(st.integers(0, 2**32 - 1))
    asked = Asked.of({**file, "input_size": sizes, "ceil_mode": draw(st.booleans())})
    if draw(st.booleans()):
        try:
            values, indices = oracle.pooled_with_indices(asked, np.random.default_rng(seed).integers(-5, 6, sizes))
        except Refused:
            pass
        else:
            pooled = {"input_values": values.astype(int).tolist(), "indices": indices.tolist()}
            return file | {"output_size": sizes} | pooled
    if draw(st.booleans()):
        beyond = draw(st.integers(0, 5)) == 0
        extra = [draw(st.integers(-s, s) if beyond else st.integers(0, s - 1)) for s in stride]
        file["output_size"] = [max(fit + e, 1) for fit, e in zip(asked.each("fit"), extra, strict=True)]
    return file | {"input_size": spelled(draw, sizes, n), "values": "random", "seed": seed}


def toml(file: File) -> str:
    """A figure's file."""
    return "".join(f"{key} = {in_toml(value)}\n" for key, value in file.items())


def in_toml(value: Any) -> str:
    """JSON's numbers, texts and lists of them are TOML's too."""
    if isinstance(value, list):
        return f"[{', '.join(map(in_toml, value))}]"
    if isinstance(value, dict):
        return f"{{ {', '.join(f'{key} = {in_toml(inner)}' for key, inner in value.items())} }}"
    return json.dumps(value)


def written(folder: Path, **contents: File) -> list[Path]:
    """Figures in one folder, shown where a test fails."""
    show = note if currently_in_test_context() else print
    for name, file in contents.items():
        (folder / f"{name}.toml").write_text(toml(file))
        show(f"{name}.toml, to be saved and drawn:\n\n{toml(file)}")
    return [folder / f"{name}.toml" for name in contents]


def without_line(error: object) -> str:
    """An error message without the line of its key."""
    return re.sub(r"(?<=\.toml), line \d+", "", str(error))


def compare(engine: str, file: File, folder: Path) -> bool:
    """Whether the layer could be compared in value: it exists, and the engine has it."""
    asked = Asked.of(file)
    try:
        figure = load(written(folder, figure=file)[0])
    except UserError as error:
        message = without_line(error).removeprefix(f"{folder / 'figure.toml'}: ")
        try:
            found = oracle.output(engine, asked)
        except Refused:
            return False
        assert found is None or oracle.stricter(engine, asked, found, message), f"{engine} accepts it, but {message}"
        return False
    try:
        found = oracle.output(engine, asked, figure.input_values, figure.kernel_values, figure.indices)
    except Refused as refusal:
        raise AssertionError(f"{engine} refuses what is accepted here: {refusal}") from None
    if found is None:
        return False
    agree(figure, found)
    explain(figure)
    return True


def agree(figure: Figure, found: Array) -> None:
    output = figure.output_values
    assert output is not None
    assert output.shape == found.shape
    if figure.layer.reduction in ("average", "norm"):
        np.testing.assert_allclose(output, found, rtol=1e-6, atol=1e-6)
    else:
        np.testing.assert_array_equal(output, found)


def explain(figure: Figure) -> None:
    """Every output element has one frame, whose terms give its value."""
    layer, output = figure.layer, figure.output_values
    assert output is not None
    steps = list(frames(layer, output, figure.indices))
    assert [step.output_index for step in steps] == list(np.ndindex(output.shape))
    for step in steps:
        assert step.value == output[step.output_index]
        assert step.value == pytest.approx(value_of(step, figure), rel=1e-9)


def value_of(step: Frame, figure: Figure) -> Any:
    """What a frame's terms say."""
    layer, values, kernel = figure.layer, figure.input_values, figure.kernel_values
    assert values is not None
    met = [(term.kernel_index, values[term.input_index].item()) for term in step.terms if term.input_index is not None]
    held = [value for _, value in met]
    if kernel is not None:
        assert len({(term.kernel_index, term.position) for term in step.terms}) == len(step.terms)
        return sum(kernel[index].item() * value for index, value in met)
    match layer.reduction:
        case "maximum":
            return max(held, default=-np.inf)
        case "average":
            return sum(held) / max(len(step.terms) if layer.count_include_pad else len(held), 1)
        case "norm":
            return sum(abs(value) ** layer.norm for value in held) ** (1 / layer.norm)
    assert len(set(held)) <= 1
    return held[0] if held else 0


def ask_many(count: int, full: bool, strategy: st.SearchStrategy[T], check: Callable[[T], bool]) -> int:
    """Of so many examples, the same ones each time or a full test's random ones, how many could be compared."""
    compared = 0

    @settings(
        max_examples=count * (FULL if full else 1),
        derandomize=not full,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(strategy)
    def example(drawn: T) -> None:
        nonlocal compared
        compared += check(drawn)

    example()
    return compared


@pytest.mark.parametrize("operation", OPERATIONS)
@pytest.mark.parametrize("engine", ENGINES)
def test_layers_are_those_of_the_engine(
    engine: str, operation: str, full: bool, tmp_path: Path, compared: Counter[str]
) -> None:
    """Twice as many are drawn as wanted, since some are impossible in all frameworks."""
    count = ask_many(2 * LAYERS[operation], full, files(operation), lambda file: compare(engine, file, tmp_path))
    compared[engine] += count
    # PyTorch lacks asymmetric padding, and some dilations.
    assert count >= LAYERS[operation] * (FULL if full else 1) // (1 if engine == "onnxruntime" else 5)


def test_a_thousand_layers_make_a_test() -> None:
    assert sum(LAYERS.values()) >= 1000


@st.composite
def originals(draw: st.DrawFn, operation: str) -> tuple[File, File]:
    """A figure, with values or without, and the figure of its transpose."""
    first = draw(files(operation))
    if operation == "convolution":
        first["padding_mode"] = "zeros"
    if "values" in first and draw(st.booleans()):
        del first["values"]
    return first, {
        "title": "Its transpose",
        "transpose_of": "first",
        "values": "random",
        "seed": draw(st.integers(0, 2**32 - 1)),
    }


def compare_transpose(first: File, transpose: File, folder: Path) -> bool:
    """Of a convolution, with its matrix transposed; of a max pooling, with where the engine took its values from."""
    files = written(folder, first=first, second=transpose)
    try:
        original = load(files[0])
    except UserError:
        return False
    asked = Asked.of(first)
    if asked.operation == "convolution":
        figure = load(files[1])
        assert figure.input_values is not None
        assert figure.kernel_values is not None
        found = oracle.matrix(asked, figure.kernel_values) @ figure.input_values.ravel()
        agree(figure, found.reshape(figure.layer.output_shape))
    else:
        x = np.zeros(asked.each("size")) if original.input_values is None else original.input_values
        try:
            values, indices = oracle.pooled_with_indices(asked, x)
        except Refused:
            return False
        if indices.min() < 0:
            with pytest.raises(UserError, match=r"second\.toml: padding: "):
                load(files[1])
            return False
        figure = load(files[1])
        if original.input_values is None:
            assert figure.input_values is not None
            assert figure.indices is not None
            values, indices = figure.input_values, figure.indices
        axes = [replace(axis, size=i, wanted=axis.size) for axis, i in zip(asked.axes, values.shape, strict=True)]
        unpooled = oracle.output(
            "onnxruntime", replace(asked, operation="max_unpooling", axes=axes), values, indices=indices
        )
        assert unpooled is not None
        agree(figure, unpooled)
    explain(figure)
    return True


@pytest.mark.parametrize("operation", ["convolution", "max_pooling"])
def test_transposes_are_those_of_the_engine(operation: str, full: bool, tmp_path: Path, compared: Counter[str]) -> None:
    count = ask_many(2 * TRANSPOSES, full, originals(operation), lambda pair: compare_transpose(*pair, folder=tmp_path))
    compared["onnxruntime"] += count
    assert count >= TRANSPOSES * (FULL if full else 1)


CONVOLUTION: File = {"operation": "convolution", "input_size": [5], "kernel_size": [3]}
TRANSPOSED: File = {"operation": "transposed_convolution", "input_size": [4], "kernel_size": [3]}
MAXIMUM: File = {"operation": "max_pooling", "input_size": [5], "kernel_size": [3]}
AVERAGE: File = {"operation": "average_pooling", "input_size": [5], "kernel_size": [3]}
NORM: File = {"operation": "lp_pooling", "input_size": [5], "kernel_size": [3]}
UNPOOLING: File = {"operation": "max_unpooling", "kernel_size": [2], "stride": [2], "input_values": [1, 2]}
BOTH = ("onnxruntime", "PyTorch")


@pytest.mark.parametrize(
    ("file", "engines", "message"),
    [
        (CONVOLUTION | {"stride": 0}, BOTH, "stride: cannot be 0. It is a whole number from 1"),
        (CONVOLUTION | {"stride": -1}, BOTH, "stride: cannot be -1"),
        (CONVOLUTION | {"dilation": 0}, BOTH, "dilation: cannot be 0"),
        (CONVOLUTION | {"padding": -1}, BOTH, "padding: cannot be -1"),
        (CONVOLUTION | {"kernel_size": [0]}, BOTH, "kernel_size: cannot be [0]"),
        (CONVOLUTION | {"input_size": [0]}, BOTH, "input_size: cannot be [0]"),
        (CONVOLUTION | {"kernel_size": [6]}, BOTH, "kernel_size: the window spans 6, the padded input only 5"),
        (CONVOLUTION | {"dilation": 3}, BOTH, "kernel_size: the window spans 7, the padded input only 5"),
        (CONVOLUTION | {"in_channels": 1, "out_channels": 1, "groups": 0}, BOTH, "groups: cannot be 0"),
        (CONVOLUTION | {"in_channels": 3, "out_channels": 2, "groups": 2}, BOTH, "groups: is 2 for in_channels = 3"),
        (CONVOLUTION | {"in_channels": 2, "out_channels": 3, "groups": 2}, BOTH, "groups: is 2 for out_channels = 3"),
        (CONVOLUTION | {"padding": 5, "padding_mode": "reflect"}, BOTH, "padding: is 5 for an input of 5"),
        (CONVOLUTION | {"padding": 6, "padding_mode": "circular"}, ["PyTorch"], "padding: is 6 for an input of 5"),
        (TRANSPOSED | {"stride": 0}, BOTH, "stride: cannot be 0"),
        (TRANSPOSED | {"output_padding": -1}, BOTH, "output_padding: cannot be -1"),
        (TRANSPOSED | {"output_padding": 2, "stride": 2}, BOTH, "output_padding: is 2, with stride 2 and dilation 1"),
        (
            TRANSPOSED | {"output_padding": 3, "stride": 2, "dilation": 3},
            BOTH,
            "output_padding: is 3, with stride 2 and dilation 3. It is at least 0 and smaller than the larger",
        ),
        (TRANSPOSED | {"padding": 3}, BOTH, "padding: [3, 3] crops the whole output (its size would be 0)"),
        (TRANSPOSED | {"padding": 4}, BOTH, "padding: [4, 4] crops the whole output (its size would be -2)"),
        (TRANSPOSED | {"output_size": 5}, BOTH, "output_size: is 5 for an input of 4. It is 6 here"),
        (TRANSPOSED | {"output_size": 7}, BOTH, "output_size: is 7"),
        (TRANSPOSED | {"output_size": 7, "dilation": 2}, BOTH, "output_size: is 7"),
        (
            TRANSPOSED | {"in_channels": 2, "out_channels": 3, "groups": 2},
            BOTH,
            "groups: is 2 for out_channels = 3. It divides out_channels evenly",
        ),
        (MAXIMUM | {"stride": 0}, BOTH, "stride: cannot be 0"),
        (MAXIMUM | {"dilation": 0}, BOTH, "dilation: cannot be 0"),
        (MAXIMUM | {"padding": 3}, BOTH, "padding: is 3 for a pooling window of 3. It is less than that"),
        (MAXIMUM | {"kernel_size": [6]}, BOTH, "kernel_size: the window spans 6"),
        (MAXIMUM | {"kernel_size": [7], "stride": 2, "ceil_mode": True}, BOTH, "kernel_size: the window spans 7"),
        (MAXIMUM | {"kernel_size": [6], "stride": 2}, ["PyTorch"], "kernel_size: the window spans 6"),
        (AVERAGE | {"stride": 0}, BOTH, "stride: cannot be 0"),
        (AVERAGE | {"padding": 3}, BOTH, "padding: is 3 for a pooling window of 3"),
        (NORM | {"norm": 0}, ["PyTorch"], "norm: cannot be 0. It is a number from 0.1"),
        (NORM | {"norm": -1}, [], "norm: cannot be -1"),
        (UNPOOLING | {"indices": [0, 4]}, BOTH, "indices: puts element [1] at 4. Its window holds 2, 3"),
        (UNPOOLING | {"indices": [0, 1]}, [], "indices: puts element [1] at 1. Its window holds 2, 3"),
        (UNPOOLING | {"indices": [0, 1], "stride": 0}, ["onnxruntime"], "stride: cannot be 0"),
        (UNPOOLING | {"indices": [0, 2], "output_size": 6}, ["PyTorch"], "output_size: is 6 for an input of 2"),
        (UNPOOLING | {"indices": [0, 1], "output_size": 2}, ["PyTorch"], "output_size: is 2 for an input of 2"),
        (
            UNPOOLING | {"input_values": [1, 2, 3], "indices": [0, 1, 1], "padding": 2},
            ["onnxruntime"],
            "padding: ",
        ),
    ],
)  # fmt: skip
def test_what_an_engine_rejects_is_rejected_with_the_rule(
    file: File, engines: list[str], message: str, tmp_path: Path
) -> None:
    """And the engines that are not named accept it, where this project is stricter."""
    with pytest.raises(UserError) as caught:
        load(written(tmp_path, figure={"title": "A layer"} | file)[0])
    assert f"figure.toml: {message}" in without_line(caught.value)
    given_values = [
        np.array(file[key]) if key in file else None for key in ("input_values", "kernel_values", "indices")
    ]
    for engine in BOTH if oracle.torch else BOTH[:1]:
        try:
            accepted = oracle.output(engine, Asked.of(file), *given_values) is not None
        except Refused:
            accepted = False
        assert accepted == (engine not in engines)


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize(
    "file",
    [
        CONVOLUTION | {"kernel_size": [5]},
        CONVOLUTION | {"kernel_size": [2], "dilation": 4},
        CONVOLUTION | {"padding": 4, "padding_mode": "reflect"},
        CONVOLUTION | {"padding": 5, "padding_mode": "circular"},
        CONVOLUTION | {"padding": 7, "padding_mode": "replicate"},
        CONVOLUTION | {"in_channels": 4, "out_channels": 8, "groups": 4},
        TRANSPOSED | {"output_padding": 1, "stride": 2},
        TRANSPOSED | {"output_padding": 2, "stride": 2, "dilation": 3},
        TRANSPOSED | {"padding": 3, "stride": 2, "kernel_size": [1]},
        TRANSPOSED | {"output_size": 10, "stride": 2},
        MAXIMUM | {"padding": 1},
        MAXIMUM | {"kernel_size": [6], "stride": 2, "ceil_mode": True},
        MAXIMUM | {"kernel_size": [2], "padding": 1, "stride": 2, "ceil_mode": True},
        AVERAGE | {"kernel_size": [6], "stride": 2, "ceil_mode": True},
        AVERAGE | {"kernel_size": [4], "padding": 2, "stride": 4, "count_include_pad": False, "ceil_mode": True},
        NORM | {"norm": 0.5},
        UNPOOLING | {"indices": [1, 3], "output_size": 5},
        UNPOOLING | {"indices": [1, 2], "output_size": 3},
    ],
)
def test_what_an_engine_just_accepts_is_accepted(engine: str, file: File, tmp_path: Path) -> None:
    assert compare(engine, {"title": "A layer", "values": "random"} | file, tmp_path)


# Layers of which the engines differ, or the project from one of them.  None: rejected; ...: it has no such layer.
DIFFERENCES: dict[str, tuple[File, Any, Any, Any]] = {
    "a norm is of absolute values": (
        {"operation": "lp_pooling", "input_values": [-1, -2], "kernel_size": [2], "norm": 3},
        [9 ** (1 / 3)],
        (lambda x, _: run("LpPool", x, kernel_shape=[2], p=3), [9 ** (1 / 3)]),
        (lambda torch, x, _: torch.lp_pool1d(x, 3, 2), [np.nan]),
    ),
    "a norm may be fractional": (
        {"operation": "lp_pooling", "input_values": [1, 4], "kernel_size": [2], "norm": 0.5},
        [9],
        ...,
        (lambda torch, x, _: torch.lp_pool1d(x, 0.5, 2), [9]),
    ),
    "a window that hangs over the end has the norm of what it holds": (
        {"operation": "lp_pooling", "input_values": [3, 4, 1], "kernel_size": [2], "stride": [2], "ceil_mode": True},
        [5, 1],
        (lambda x, _: run("LpPool", x, kernel_shape=[2], strides=[2], ceil_mode=1), [5, 1]),
        (lambda torch, x, _: torch.lp_pool1d(x, 2, 2, ceil_mode=True), [5, 2**0.5]),
    ),
    "a pooling is padded by less than its window": (
        {"operation": "max_pooling", "input_values": [1, 2, 3], "kernel_size": [3], "padding": 2},
        [1, 2, 3, 3, 3],
        (lambda x, _: run("MaxPool", x, kernel_shape=[3], pads=[2, 2]), [1, 2, 3, 3, 3]),
        (lambda torch, x, _: torch.max_pool1d(x, 3, 1, 2), None),
    ),
    "a dilated pooling is padded by less than its elements, not its span": (
        {"operation": "max_pooling", "input_values": [1, 2, 3], "kernel_size": [2], "dilation": 3, "padding": 2},
        None,
        (lambda x, _: run("MaxPool", x, kernel_shape=[2], dilations=[3], pads=[2, 2]), None),
        (lambda torch, x, _: torch.max_pool1d(x, 2, 1, 2, 3), None),
    ),
    "padding that SAME works out is not limited": (
        {"operation": "max_pooling", "input_values": [1, 2, 3], "kernel_size": [2], "dilation": 4,
         "padding": "same_upper"},
        [3, -np.inf, 1],
        (lambda x, _: run("MaxPool", x, kernel_shape=[2], dilations=[4], pads=[2, 2]), None),
        (lambda torch, x, _: torch.max_pool1d(torch.pad(x, (2, 2), value=-np.inf), 2, 1, 0, 4), [3, -np.inf, 1]),
    ),
    "the maximum of padding alone is -inf": (
        {"operation": "max_pooling", "input_values": [5], "kernel_size": [2], "dilation": 2, "padding": 1},
        [-np.inf],
        (lambda x, _: run("MaxPool", x, kernel_shape=[2], dilations=[2], pads=[1, 1]), [np.finfo(np.float32).min]),
        (lambda torch, x, _: torch.max_pool1d(x, 2, 1, 1, 2), [-np.inf]),
    ),
    "padding counts in an average unless it is told otherwise": (
        {"operation": "average_pooling", "input_values": [3, 6], "kernel_size": [2], "padding": 1},
        [1.5, 4.5, 3],
        (lambda x, _: run("AveragePool", x, kernel_shape=[2], pads=[1, 1]), [3, 4.5, 6]),
        (lambda torch, x, _: torch.avg_pool1d(x, 2, 1, 1), [1.5, 4.5, 3]),
    ),
    "an average may be dilated, and that of nothing is 0": (
        {"operation": "average_pooling", "input_values": [5], "kernel_size": [2], "dilation": 2, "padding": 1,
         "count_include_pad": False},
        [0],
        (lambda x, _: run("AveragePool", x, kernel_shape=[2], dilations=[2], pads=[1, 1]), [0]),
        ...,
    ),
    "an average's window may be larger than the input without its padding": (
        {"operation": "average_pooling", "input_values": [[[4]]], "kernel_size": [1, 1, 2], "padding": [0, 0, 1]},
        [[[2, 2]]],
        (lambda x, _: run("AveragePool", x, kernel_shape=[1, 1, 2], pads=[0, 0, 1, 0, 0, 1], count_include_pad=1),
         [[[2, 2]]]),
        (lambda torch, x, _: torch.avg_pool3d(x, (1, 1, 2), 1, (0, 0, 1)), None),
    ),
    "padding may differ before and after": (
        {"operation": "max_pooling", "input_values": [1, 2], "kernel_size": [2], "padding": [[1, 0]]},
        [1, 2],
        (lambda x, _: run("MaxPool", x, kernel_shape=[2], pads=[1, 0]), [1, 2]),
        (lambda torch, x, _: torch.max_pool1d(x, 2, 1, (1, 0)), None),
    ),
    "a pooling window larger than the input does not fit, whatever the stride": (
        {"operation": "max_pooling", "input_values": [1, 2, 3], "kernel_size": [5], "stride": 3},
        None,
        (lambda x, _: run("MaxPool", x, kernel_shape=[5], strides=[3]), [3]),
        (lambda torch, x, _: torch.max_pool1d(x, 5, 3), None),
    ),
    "same_upper of a dilated pooling keeps the size": (
        {"operation": "max_pooling", "input_values": [1, 2, 3, 4], "kernel_size": [2], "dilation": 2,
         "padding": "same_upper"},
        [2, 3, 4, 3],
        (lambda x, _: run("MaxPool", x, kernel_shape=[2], dilations=[2], auto_pad="SAME_UPPER"), [3, 4, 3]),
        ...,
    ),
    "same_upper of a pooling whose windows leave gaps is no padding": (
        {"operation": "max_pooling", "input_values": [1, 2], "kernel_size": [1], "stride": 2, "padding": "same_upper"},
        [1],
        (lambda x, _: run("MaxPool", x, kernel_shape=[1], strides=[2], auto_pad="SAME_UPPER"), None),
        ...,
    ),
    "same_upper of a dilated convolution keeps the size": (
        {"operation": "convolution", "input_values": [1, 2, 3], "kernel_values": [1, 1], "dilation": 2,
         "padding": "same_upper"},
        [2, 4, 2],
        (lambda x, w: run("Conv", x, w, dilations=[2], auto_pad="SAME_UPPER"), None),
        (lambda torch, x, w: torch.conv1d(x, w, dilation=2, padding="same"), [2, 4, 2]),
    ),
    "same_upper of a convolution with a stride has i / s outputs, rounded up": (
        {"operation": "convolution", "input_values": [1, 2, 3], "kernel_values": [1, 1], "stride": 2,
         "padding": "same_upper"},
        [3, 3],
        (lambda x, w: run("Conv", x, w, strides=[2], auto_pad="SAME_UPPER"), [3, 3]),
        (lambda torch, x, w: torch.conv1d(x, w, stride=2, padding="same"), None),
    ),
    "circular padding goes around once": (
        {"operation": "convolution", "input_values": [1, 2], "kernel_values": [1], "padding": 3,
         "padding_mode": "circular"},
        None,
        (lambda x, _: run("Pad", x, np.array([0, 0, 3, 0, 0, 3]), mode="wrap"), [2, 1, 2, 1, 2, 1, 2, 1]),
        (lambda torch, x, _: torch.pad(x, (3, 3), mode="circular"), None),
    ),
    "output_padding is less than stride or dilation": (
        {"operation": "transposed_convolution", "input_values": [1, 2], "kernel_values": [1, 1], "dilation": 2,
         "output_padding": 1},
        [1, 2, 1, 2, 0],
        (lambda x, w: run("ConvTranspose", x, w, dilations=[2], output_padding=[1]), None),
        (lambda torch, x, w: torch.conv_transpose1d(x, w, dilation=2, output_padding=1), [1, 2, 1, 2, 0]),
    ),
    "output_size is reached beside the padding": (
        {"operation": "transposed_convolution", "input_values": [1, 2], "kernel_values": [1, 2, 3], "stride": 2,
         "padding": [[2, 0]], "output_size": 4},
        [5, 4, 6, 0],
        (lambda x, w: run("ConvTranspose", x, w, strides=[2], pads=[2, 0], output_shape=[4]), [2, 5, 4, 6]),
        ...,
    ),
    "same_upper of a transposed convolution whose windows leave gaps has s * i outputs": (
        {"operation": "transposed_convolution", "input_values": [1, 2], "kernel_values": [1], "stride": 3,
         "padding": "same_upper"},
        [1, 0, 0, 2, 0, 0],
        (lambda x, w: run("ConvTranspose", x, w, strides=[3], auto_pad="SAME_UPPER"), [1, 0, 0, 2]),
        ...,
    ),
    "the output of unpooling is less than a stride larger": (
        UNPOOLING | {"indices": [0, 2], "output_size": 6},
        None,
        (lambda x, _: run("MaxUnpool", x, np.array([[[0, 2]]]), np.array([1, 1, 6]), kernel_shape=[2], strides=[2]),
         [1, 0, 2, 0, 0, 0]),
        (lambda torch, x, _: torch.max_unpool1d(x, oracle.torch.tensor([[[0, 2]]]), 2, 2, output_size=[6]), None),
    ),
    "the output of unpooling may be smaller than its windows": (
        UNPOOLING | {"indices": [0, 2], "output_size": 3},
        [1, 0, 2],
        (lambda x, _: run("MaxUnpool", x, np.array([[[0, 2]]]), np.array([1, 1, 3]), kernel_shape=[2], strides=[2]),
         None),
        (lambda torch, x, _: torch.max_unpool1d(x, oracle.torch.tensor([[[0, 2]]]), 2, 2, output_size=[3]), [1, 0, 2]),
    ),
    "an unpooled value stays in its window": (
        UNPOOLING | {"indices": [3, 0]},
        None,
        (lambda x, _: run("MaxUnpool", x, np.array([[[3, 0]]]), kernel_shape=[2], strides=[2]), [2, 0, 0, 1]),
        (lambda torch, x, _: torch.max_unpool1d(x, oracle.torch.tensor([[[3, 0]]]), 2, 2), [2, 0, 0, 1]),
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", DIFFERENCES)
def test_where_engines_differ(name: str, tmp_path: Path) -> None:
    file, ours, onnx, pytorch = DIFFERENCES[name]
    try:
        found = load(written(tmp_path, figure={"title": "A layer"} | file)[0]).output_values
    except UserError:
        found = None
    assert_same(found, ours)
    x, w = (np.array(file.get(key, [0]), float)[None, None] for key in ("input_values", "kernel_values"))
    if onnx is not ...:
        assert_same(refusable(lambda: onnx[0](x, w)[0]), onnx[1])
    if pytorch is not ... and oracle.torch is not None:
        tensors = map(oracle.torch.from_numpy, (x, w))
        assert_same(refusable(lambda: pytorch[0](oracle.torch.nn.functional, *tensors)), pytorch[1])


def refusable(call: Callable[[], Any]) -> Array | None:
    try:
        found: Array = np.asarray(call())[0, 0]
    except (Refused, RuntimeError, ValueError):
        return None
    return found


def assert_same(found: Array | None, expected: Any) -> None:
    assert (found is None) == (expected is None)
    if found is not None:
        np.testing.assert_allclose(found, expected, rtol=1e-6)
