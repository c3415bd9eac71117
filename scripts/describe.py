"""What a figure is, as one line of JSON per file: parameters, sizes, values, caption and every frame."""

import json
import sys
from pathlib import Path
from typing import Any

from scripts import cli
from scripts.arithmetic import Layer, Values
from scripts.errors import CombinedError, UserError
from scripts.frames import Frame, frames
from scripts.render import caption
from scripts.spec import Figure, load


def describe(figure: Figure) -> dict[str, Any]:
    """The figure as JSON's types; indices count from 0, the first axis first."""
    layer = figure.layer
    return {
        "name": figure.name,
        "title": figure.title,
        "operation": layer.operation,
        "caption": caption(figure),
        **_parameters(layer),
        "output_size": layer.output_size,
        **({"equivalent": _equivalent(layer)} if layer.transposed else {}),
        "input": _list(figure.input_values),
        "kernel": _list(figure.kernel_values),
        "output": _list(figure.output_values),
        "frames": [_frame(frame) for frame in frames(layer, figure.output_values)],
    }


def _parameters(layer: Layer) -> dict[str, Any]:
    names = ("input_size", "kernel_size", "stride", "padding", "dilation", "output_padding")
    return {name: [getattr(axis, name) for axis in layer.axes] for name in names}


def _equivalent(layer: Layer) -> dict[str, Any]:
    """The direct convolution that is drawn for a transposed one; negative padding crops."""
    names = ("input_size", "input_dilation", "kernel_size", "stride", "padding", "dilation", "output_size")
    return {
        "operation": "convolution",
        **{name: [getattr(axis, name) for axis in layer.direct] for name in names},
        "kernel_rotated": True,
    }


def _frame(frame: Frame) -> dict[str, Any]:
    terms = [{"kernel_index": term.kernel_index, "input_index": term.input_index} for term in frame.terms]
    return {"output_index": frame.output_index, "value": frame.value, "terms": terms}


def _list(values: Values | None) -> Any:
    return None if values is None else values.tolist()


def main() -> None:
    """Describe the files on the command line; a bad one prints its mistake, the others still print."""
    command = cli.parser(__doc__)
    command.add_argument("files", nargs="+", type=Path, metavar="FILE.toml")
    problems = list[UserError]()
    for file in command.parse_args().files:
        try:
            line = json.dumps(describe(load(file)), ensure_ascii=False)
        except UserError as error:
            problems.append(error)
        else:
            sys.stdout.write(line + "\n")
    if problems:
        raise CombinedError(problems)


if __name__ == "__main__":
    cli.run(main)
