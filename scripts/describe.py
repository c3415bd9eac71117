"""Describes figures as JSON, one line per file: parameters, sizes, values, caption and every frame."""

import json
import sys
from dataclasses import asdict
from math import isinf
from pathlib import Path
from typing import Any

import numpy as np

from scripts import cli
from scripts.core.figures import Figure, load
from scripts.core.frames import Frame, frames
from scripts.core.layers import Layer, Values
from scripts.core.parameters import check_extent
from scripts.errors import CombinedError, FigureError, LayerError, UserError
from scripts.project import Project
from scripts.stages.render import caption


def describe(project: Project, figure: Figure) -> dict[str, Any]:
    """The figure in JSON's types; indices count from 0, channels first, then the first axis.

    A number that JSON does not have (−∞, a maximum over padding alone) is null.  Of a stack, only the `layers` are
    described, without frames.
    """
    if len(figure.layers) > 1:
        return {
            "name": figure.name,
            "title": figure.title,
            "caption": caption(project, figure),
            "layers": [{"operation": layer.operation.name, **_parameters(layer)} for layer in figure.layers],
        }
    layer = figure.layer
    check_extent(layer)
    return {
        "name": figure.name,
        "title": figure.title,
        "operation": layer.operation.name,
        "caption": caption(project, figure),
        **_parameters(layer),
        **({"equivalent": _equivalent(layer)} if layer.transposed else {}),
        "input": _list(figure.input_values),
        "kernel": _list(figure.kernel_values),
        **({"indices": _list(figure.indices)} if "indices" in layer.operation.keys else {}),
        "output": _list(figure.output_values),
        "frames": [_frame(frame) for frame in frames(layer, figure.output_values, figure.indices)],
    }


def _parameters(layer: Layer) -> dict[str, Any]:
    """A layer's sizes, parameters and options.

    The kernel size of an adaptive pooling is that of its largest window; it has no stride.
    """
    names = ("input_size", "kernel_size", "stride", "padding", "dilation", "output_padding")
    parameters: dict[str, Any] = {name: [getattr(axis, name) for axis in layer.axes] for name in names}
    if layer.operation.adaptive:
        parameters["stride"] = None
    return {**parameters, **_options(layer), "output_size": layer.output_size}


def _options(layer: Layer) -> dict[str, Any]:
    """The options that only some operations have."""
    options: dict[str, Any] = {}
    if "padding_mode" in layer.operation.keys:
        options["padding_mode"] = layer.padding_mode
    if layer.reduction is not None:
        options["ceil_mode"] = layer.ceil_mode
    if layer.reduction == "average":
        options["count_include_pad"] = layer.count_include_pad
    if layer.reduction == "norm":
        options["norm"] = layer.norm
    if layer.channels is not None:
        options |= asdict(layer.channels)
    return options


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
    value = None if frame.value is None or isinf(frame.value) else frame.value
    return {"output_index": frame.output_index, "value": value, "terms": terms}


def _list(values: Values | None) -> Any:
    if values is None:
        return None
    plain = values.astype(object)
    plain[~np.isfinite(values)] = None
    return plain.tolist()


def main() -> None:
    """Describe the files on the command line; invalid ones are reported after the others."""
    command = cli.parser(__doc__)
    command.add_argument("files", nargs="+", type=Path, metavar="FILE.toml")
    project, problems = Project(), list[UserError]()
    for file in command.parse_args().files:
        try:
            line = json.dumps(describe(project, load(file)), ensure_ascii=False, allow_nan=False)
        except LayerError as error:
            problems.append(FigureError(file, str(error)))
        except UserError as error:
            problems.append(error)
        else:
            sys.stdout.write(line + "\n")
    if problems:
        raise CombinedError(problems)


if __name__ == "__main__":
    cli.run(main)
