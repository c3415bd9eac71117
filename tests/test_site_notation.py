"""The notation in JavaScript equals Python's: what texts mean, which are refused, and how layers are written."""

import json
import random
import re

import pytest
from py_mini_racer import MiniRacer

from scripts.core.figures import figure
from scripts.core.keys import check
from scripts.core.layers import Channels, Layer
from scripts.errors import UserError
from scripts.notation.frameworks import code, layer
from tests.test_notation import ERRORS, FORMS, HOSTILE, KERAS, KNOWN, LARGE, MARKS, ONNX, PYTORCH, SUBCLASSES, VALID
from tests.test_site_arithmetic import Keys, catalogue, in_javascript, new_engine, random_keys

ROWS = [row for rows in (PYTORCH, KNOWN, LARGE, SUBCLASSES, FORMS, KERAS, ONNX) for row in rows]

# What may be in the place of a number.
ARGUMENTS = [
    "0",
    "1",
    "2",
    "3",
    "4",
    "5",
    "8",
    "-1",
    "--1",
    "2.5",
    "1e1",
    "1_0",
    "012",
    "None",
    "True",
    "'same'",
    "same",
]
ARGUMENTS += ["(2,1)", "(2,)", "[3]", "()", "x.y", "f(1)", "(1)", "2*3", "{}", "{1:2}"]

HARNESS = """
const n = notation(JSON.parse(TABLES), a);
function asked([text, size]) {
  try {
    return n.read(text, size);
  } catch (error) {
    if (!(error instanceof a.LayerError || error instanceof n.NotationError)) throw error;
    return { error: error.message };
  }
}
function written(keys) {
  const layer = a.layerOf(keys);
  return [n.codes(layer), n.call(layer)];
}
"""


@pytest.fixture(scope="module")
def engine() -> MiniRacer:
    """A JavaScript engine with the site's arithmetic and notation."""
    return new_engine("notation.js", HARNESS)


def meant(text: str, size: tuple[int, ...]) -> Keys:
    """What Python reads."""
    try:
        return layer(text, size).keys
    except UserError as error:
        return {"error": str(error)}


def compare(engine: MiniRacer, asked: list[tuple[str, tuple[int, ...]]], messages: bool = False) -> int:
    """How many of the texts are layers, in Python and in JavaScript alike.

    What is wrong with the others is said in the same words if `messages` are compared, but for the remedies.
    """
    layers = 0
    for (text, size), found in zip(asked, in_javascript(engine, "asked", asked), strict=True):
        expected = json.loads(json.dumps(meant(text, size)))
        if "error" not in expected:
            layers += 1
            assert found == expected, text
        else:
            assert "error" in found, text
            assert not messages or found["error"].partition(". ")[0] == expected["error"].partition(". ")[0]
    return layers


def test_layers_are_read_alike(engine: MiniRacer) -> None:
    rows = [(text, size) for text, size, *_ in ROWS]
    assert compare(engine, rows) == len(rows)


def test_texts_are_refused_alike(engine: MiniRacer) -> None:
    assert compare(engine, [(text, size) for text, size, _ in ERRORS], messages=True) == 0
    assert (
        compare(
            engine, [(text.replace("{{", "{").replace("}}", "}"), (5,)) for text in HOSTILE if "\ud800" not in text]
        )
        == 0
    )


def test_corrupted_layers_are_read_or_refused_alike(engine: MiniRacer, full: bool, seed: int) -> None:
    choice = random.Random(seed)  # noqa: S311
    asked = []
    for _ in range(20_000 if full else 3_000):
        text = choice.choice(VALID)
        for _ in range(choice.randint(1, 2)):
            numbers = [found.span() for found in re.finditer(r"\b\d+\b", text)]
            if numbers and choice.random() < 0.7:
                start, end = choice.choice(numbers)
                text = text[:start] + choice.choice(ARGUMENTS) + text[end:]
            else:
                place = choice.randint(0, len(text))
                text = text[:place] + choice.choice([*MARKS, ""]) + text[place + choice.randint(0, 3) :]
        asked.append((text, choice.choice([(5,), (5, 7), (1, 3, 8, 8)])))
    assert compare(engine, asked) > len(asked) // 10


def test_layers_are_written_alike(engine: MiniRacer, seed: int) -> None:
    """Those of the catalogue and random ones; and Python reads the shortest call back to the same layer."""
    choice = random.Random(seed)  # noqa: S311
    drawn = [random_keys(choice) for _ in range(3000)]
    keys = list(catalogue())
    keys += [one for one in map(without_values, drawn) if is_small(of(one))]
    calls = 0
    for one, (lines, call) in zip(
        keys, in_javascript(engine, "written", [without_values(one) for one in keys]), strict=True
    ):
        expected = of(without_values(one))
        assert expected is not None
        assert lines == [[one.framework, list(one.lines), one.reason] for one in code(expected)]
        if call is not None:
            calls += 1
            read = of(layer(call, expected.input_size).keys)
            assert read is not None
            assert same_windows(read, expected), call
    assert calls > 0.8 * len(keys)


def without_values(keys: Keys) -> Keys:
    return {
        key: value
        for key, value in keys.items()
        if key not in ("input_values", "kernel_values", "indices", "values", "seed")
    }


def of(keys: Keys) -> Layer | None:
    try:
        return figure("layer", check({"title": "A layer", **keys}, "")).layer
    except UserError:
        return None


def is_small(found: Layer | None) -> bool:
    return found is not None and all(max(axis.extent, axis.output_size) < 1000 for axis in found.window_axes)


def same_windows(one: Layer, other: Layer) -> bool:
    """Whether two layers do the same: pooling windows of equal sizes may be adaptive or not."""
    return (
        one.output_size == other.output_size
        and (one.channels or Channels(1, 1)) == (other.channels or Channels(1, 1))
        and one.reduction == other.reduction
        and one.norm == other.norm
        and one.padding_value == other.padding_value
        and all(a.grid == b.grid for a, b in zip(one.window_axes, other.window_axes, strict=True))
    )
