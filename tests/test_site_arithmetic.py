"""The arithmetic in JavaScript equals Python's: for the catalogue's layers, and for random ones that may not exist."""

import json
import random
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict
from math import isclose, isinf, prod
from typing import Any

import pytest
from py_mini_racer import MiniRacer

from scripts.core.figures import Figure, figure, load
from scripts.core.frames import check_extent, frames
from scripts.core.inverse import Bounds, reachable, solutions, usual_bounds
from scripts.core.keys import check
from scripts.core.layers import Layer, Values, all_layers
from scripts.core.operations import OPERATIONS
from scripts.errors import CombinedError, LayerError
from scripts.notation.pytorch import shortest
from scripts.site.explorer import keys_of
from scripts.site.tables import tables
from tests.conftest import PROJECT, TOP

Keys = dict[str, Any]

# What JavaScript says of many layers, as `described` does in Python.
HARNESS = """
const a = arithmetic(JSON.parse(TABLES));
const shown = (count) => [...new Set([0, Math.floor(count / 2), count - 1])];
function described(keys) {
  try {
    const { layer, input, operand, output } = a.figure(keys);
    const { grid } = layer;
    a.checkExtent(layer);
    const elements = a.indicesOf(layer.output_shape);
    const indices = operand !== null && !layer.weighted ? operand : null;
    return {
      sizes: [layer.input_size, layer.kernel_size, layer.output_size, layer.input_shape, layer.kernel_shape],
      axes: layer.axes.map((axis) => [axis.stride, axis.padding, axis.dilation, axis.output_padding]),
      extents: layer.windowAxes.map((axis) => [axis.grid_size, axis.extent]),
      cells: grid.map((axis) => axis.cells.map((cell) => [cell.kind, cell.input_index])),
      windows: grid.map((axis) => axis.windows.map((w) => w.map((e) => [e.position, e.kernel_index]))),
      values: [input, operand, output].map((values) => values && values.data),
      terms: shown(elements.length).map((n) =>
        a.terms(layer, elements[n], indices).map((term) => [term.position, term.kernel_index, term.input_index])),
    };
  } catch (error) {
    if (!(error instanceof a.LayerError)) throw error;
    return { error: [error.key, error.message] };
  }
}
"""


def new_engine(*sources: str) -> MiniRacer:
    """A JavaScript engine with the site's arithmetic, and with further files of the site or source text."""
    engine = MiniRacer()
    engine.eval(f"const TABLES = {json.dumps(json.dumps(tables()))};")
    for source in ("arithmetic.js", HARNESS, *sources):
        file = TOP / "templates/site" / source
        engine.eval(file.read_text(encoding="utf-8") if source.endswith(".js") else source)
    return engine


@pytest.fixture(scope="module")
def engine() -> MiniRacer:
    """A JavaScript engine with the site's arithmetic."""
    return new_engine("notation.js", "const n = notation(JSON.parse(TABLES), a);")


def in_javascript(engine: MiniRacer, function: str, items: list[Any]) -> list[Any]:
    """The results of a JavaScript function for many items."""
    call = f"JSON.stringify(JSON.parse({json.dumps(json.dumps(items))}).map({function}))"
    found: list[Any] = json.loads(str(engine.eval(call)))
    return found


def described(keys: Keys) -> dict[str, Any]:
    """All that the arithmetic says of a layer."""
    try:
        found = figure("figure", check({"title": "A layer", **keys}, ""))
        return of_figure(found, found.layer)
    except LayerError as error:
        return {"error": [error.key, str(error)]}
    except CombinedError as error:
        return {"error": [str(error).split(": ")[1], None]}


def of_figure(found: Figure, layer: Layer) -> dict[str, Any]:
    operand = found.indices if found.kernel_values is None else found.kernel_values
    grid = layer.grid
    check_extent(layer)
    count = prod(layer.output_shape)
    numbers = dict.fromkeys((0, count // 2, count - 1))
    return {
        "sizes": [layer.input_size, layer.kernel_size, layer.output_size, layer.input_shape, layer.kernel_shape],
        "axes": [[axis.stride, axis.padding, axis.dilation, axis.output_padding] for axis in layer.axes],
        "extents": [[axis.grid_size, axis.extent] for axis in layer.window_axes],
        "cells": [axis.cells for axis in grid],
        "windows": [axis.windows for axis in grid],
        "values": [flat(values) for values in (found.input_values, operand, found.output_values)],
        "terms": [
            [[term.position, term.kernel_index, term.input_index] for term in frame.terms]
            for frame in frames(layer, None, found.indices, numbers)
        ],
    }


def flat(values: Values | None) -> list[float | None] | None:
    return None if values is None else [None if isinf(value) else value for value in values.ravel().tolist()]


def assert_equal(keys: Keys, expected: dict[str, Any], found: dict[str, Any]) -> None:
    if "error" in expected and expected["error"][1] is None:
        # The key is wrong by itself; the first of several may be another one.
        assert "error" in found, keys
        return
    same_values = all(map(close, expected.pop("values", ()), found.pop("values", ())))
    assert json.loads(json.dumps(expected)) == found, keys
    assert same_values, keys


def close(expected: list[float | None] | None, found: list[float | None] | None) -> bool:
    """Whether values agree: whole numbers exactly, and others but for the last digits, as sums may be in any order."""
    if expected is None or found is None:
        return expected is found
    pairs = zip(expected, found, strict=True)
    return all(
        one == other or (one is not None and other is not None and isclose(one, other, rel_tol=1e-12, abs_tol=1e-12))
        for one, other in pairs
    )


def catalogue() -> Iterator[Keys]:
    """The keys of all layers of the catalogue's figures, with sizes in numbers and with values."""
    for file in sorted(PROJECT.figures.glob("*.toml")):
        found = load(file)
        for layer in all_layers(found.layers):
            values = ((name, getattr(found, name)) for name in ("input_values", "kernel_values", "indices"))
            yield keys_of(layer) | {name: value.tolist() for name, value in values if value is not None}


def test_the_catalogue_is_the_same(engine: MiniRacer) -> None:
    layers = list(catalogue())
    assert len(layers) >= len(PROJECT.figure_names())
    for keys, answer in zip(layers, in_javascript(engine, "described", layers), strict=True):
        expected = described(keys)
        assert "error" not in expected
        assert_equal(keys, expected, answer)


def random_keys(choice: random.Random) -> Keys:
    """The keys of a layer, of which some make no sense."""
    n = choice.choice((1, 1, 2, 2, 2, 3))
    most = {1: 12, 2: 6, 3: 3}[n]

    def per_axis(least: int, largest: int) -> int | list[int]:
        sizes = [choice.randint(least, largest) for _ in range(n)]
        return sizes[0] if n == 2 and choice.random() < 0.4 else sizes

    operation = choice.choice(list(OPERATIONS))
    allowed = OPERATIONS[operation].keys
    keys: Keys = {"operation": operation, "input_size": per_axis(1, most)}
    if "kernel_size" in allowed:
        keys["kernel_size"] = per_axis(1, min(most, 4))
    options: Keys = {
        "stride": lambda: per_axis(1, 3),
        "padding": lambda: choice.choice((
            choice.choice(("valid", "half", "full", "same_upper", "same_lower", "causal")),
            per_axis(0, 2),
            [[choice.randint(0, 2), choice.randint(0, 2)] for _ in range(n)],
        )),
        "dilation": lambda: per_axis(1, 3),
        "padding_mode": lambda: choice.choice(("zeros", "reflect", "replicate", "circular")),
        "output_padding": lambda: per_axis(0, 2),
        "output_size": lambda: per_axis(1, 2 * most),
        "ceil_mode": lambda: choice.random() < 0.5,
        "count_include_pad": lambda: choice.random() < 0.5,
        "norm": lambda: choice.choice((1, 2, 3, 0.5, 2.5)),
        "in_channels": lambda: choice.choice((1, 2, 4)),
        "out_channels": lambda: choice.choice((1, 2, 4)),
        "groups": lambda: choice.choice((1, 1, 2, 3)),
    }  # fmt: skip
    needed = {"output_size"} if operation.startswith("adaptive") else set()
    channels = choice.random() < 0.15
    for name, draw in options.items():
        often = 0.2 if name in ("output_padding", "output_size") else 0.5
        if name in ("in_channels", "out_channels", "groups"):
            often = 0.95 if channels else 0
        if name in needed or choice.random() < (often if name in allowed else 0.003):
            keys[name] = draw()
    if choice.random() < 0.4:
        keys |= {"values": "random", "seed": choice.randrange(2**32)}
    if choice.random() < 0.15:
        given_values(choice, keys, n)
    if choice.random() < 0.05:
        spoil(choice, keys)
    return keys


def given_values(choice: random.Random, keys: Keys, n: int) -> None:
    """Give values for some of what has them, perhaps in another shape than the layer's."""

    def nested(sizes: Any) -> Any:
        if not sizes:
            return choice.choice((choice.randint(-5, 5), choice.randint(-9, 9) / 2 + 0.25))
        return [nested(sizes[1:]) for _ in range(sizes[0])]

    def shape(key: str) -> list[int]:
        size = keys.get(key, 2)
        return list(size) if isinstance(size, list) else [size] * n

    keys["input_values"] = nested(shape("input_size"))
    operand = OPERATIONS[keys["operation"]].operand
    if operand is not None and choice.random() < 0.8:
        keys[operand.key] = nested(shape("kernel_size"))
    if choice.random() < 0.3:
        keys.pop(choice.choice(("input_size", "kernel_size")), None)


def spoil(choice: random.Random, keys: Keys) -> None:
    """Put something wrong under a key."""
    odd: tuple[Any, ...] = (
        0,
        -1,
        True,
        "half",
        [],
        [1],
        [2, 2, 2],
        [[1, 1]],
        10**10,
        0.25,
        None,
        "random",
        [[0, 1], [2]],
        300_000,
    )
    key = choice.choice(sorted(keys))
    value = choice.choice(odd)
    if value is None:
        del keys[key]
    else:
        keys[key] = value


def test_random_layers_are_the_same(engine: MiniRacer, full: bool, seed: int, notes: list[str]) -> None:
    choice = random.Random(seed)  # noqa: S311
    layers = [random_keys(choice) for _ in range(20_000 if full else 4_000)]
    seen = Counter[str]()
    for start in range(0, len(layers), 1000):
        some = layers[start : start + 1000]
        for keys, found in zip(some, in_javascript(engine, "described", some), strict=True):
            expected = described(keys)
            seen["refused" if "error" in expected else "valued" if expected["values"][2] is not None else "sized"] += 1
            assert_equal(keys, expected, found)
    notes.append(f"{len(layers)} layers compared with JavaScript: {dict(seen)}")
    assert min(seen.values()) > len(layers) // 6


def test_the_inverse_is_the_same(engine: MiniRacer, seed: int) -> None:
    """All layers that turn one size into another, in the same order; and the sizes that any layer gives."""
    choice = random.Random(seed)  # noqa: S311
    asked: list[tuple[list[int], list[int], dict[str, int]]] = [
        ([56, 56], [28, 28], asdict(usual_bounds((56,), (28,))))
    ]
    for _ in range(30):
        n = choice.randint(1, 2)
        i, o = ([choice.randint(1, 12) for _ in range(n)] for _ in range(2))
        limits = {name: choice.randint(1, 3) for name in ("kernel_size", "stride", "padding", "dilation")}
        asked.append((i, o, limits))
    engine.eval("""
        function solved([i, o, bounds]) {
          const lines = a.solutions(i, o, bounds).map((layer) => n.call(layer));
          return [lines, a.reachable(i[0], bounds), a.usualBounds(i, o)];
        }
    """)
    for (i, o, limits), found in zip(asked, in_javascript(engine, "solved", asked), strict=True):
        bounds = Bounds(**limits)
        expected = [shortest(layer) for layer in solutions(tuple(i), tuple(o), bounds)]
        assert found == [expected, reachable(i[0], bounds), asdict(usual_bounds(i, o))]
