"""Describes figures or layers as JSON, one line for each: parameters, sizes, values, caption and every frame.

With `--layers FILE`, each line of FILE is a layer as in PyTorch, Keras or ONNX, a tab, and the size of its input; what
is printed of it are its sizes, and the keys that a figure's file needs.
"""

import json
import sys
from collections.abc import Iterator
from dataclasses import asdict
from math import isinf
from pathlib import Path
from typing import Any

import numpy as np

from scripts import cli
from scripts.core.figures import Figure, layer_of, load
from scripts.core.frames import Frame, check_extent, frames
from scripts.core.keys import check, title_of
from scripts.core.layers import Branches, Layer, Stack, Values
from scripts.errors import CombinedError, LayerError, UserError
from scripts.notation.frameworks import layer
from scripts.notation.sizes import parse_size
from scripts.project import Project, frame_names
from scripts.stages.render import caption
from scripts.views import scene_of, view_name

ENCODER = json.JSONEncoder(ensure_ascii=False, allow_nan=False)


def described(project: Project, figure: Figure) -> Iterator[str]:
    """A figure as parts of one line of JSON; indices count from 0, channels first, then the first axis.

    A number that JSON does not have (−∞, a maximum over padding alone) is null, as are the grid and the frames of a
    layer with too many elements, and the drawing where the figure's view refuses it.  Of a stack, only the `layers`,
    with `branches`, and the drawing are described.
    """
    names, words = {"name": figure.name, "title": figure.title}, {"caption": caption(project, figure)}
    if figure.is_stack:
        yield _json({**names, **words, "layers": _stack(figure.layers), **_drawing(figure)})
        return
    layer = figure.layer
    head = {
        **names,
        "operation": layer.operation.name,
        **words,
        **_parameters(layer),
        **({"equivalent": _equivalent(layer)} if layer.transposed else {}),
        "input": _list(figure.input_values),
        "kernel": _list(figure.kernel_values),
        **({"indices": _list(figure.indices)} if "indices" in layer.operation.keys else {}),
        "output": _list(figure.output_values),
        **_drawing(figure),
    }
    yield _json(head).removesuffix("}")
    try:
        check_extent(layer)
    except LayerError:
        yield ', "grid": null, "frames": null}'
        return
    yield f', "grid": {_json([[cell._asdict() for cell in axis.cells] for axis in layer.grid])}'
    # A frame at a time: all together may take gigabytes.
    separator = ', "frames": ['
    for frame in frames(layer, figure.output_values, figure.indices):
        yield separator + _json(_frame(frame))
        separator = ", "
    yield "]}"


def _stack(layers: Stack) -> list[dict[str, Any]]:
    return [
        {"branches": [_stack(branch) for branch in layer.branches]}
        if isinstance(layer, Branches)
        else {"operation": layer.operation.name, **_parameters(layer)}
        for layer in layers
    ]


def _drawing(figure: Figure) -> dict[str, Any]:
    """The view, and for each of its steps the duration in seconds and the name of its files without their ending."""
    try:
        scene = scene_of(figure)
    except LayerError:
        return dict.fromkeys(("view", "durations", "files"))
    return {
        "view": view_name(figure),
        "durations": scene.durations,
        "files": frame_names(figure.name, scene.count),
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
    names = ("kernel_index", "input_index", "position")
    terms = [{name: getattr(term, name) for name in names} for term in frame.terms]
    value = None if frame.value is None or isinf(frame.value) else frame.value
    return {"output_index": frame.output_index, "value": value, "windows": frame.windows, "terms": terms}


def _list(values: Values | None) -> Any:
    if values is None:
        return None
    plain = values.astype(object)
    plain[~np.isfinite(values)] = None
    return plain.tolist()


def _json(content: Any) -> str:
    return ENCODER.encode(content)


def described_layer(line: str) -> dict[str, Any]:
    """The layer in a line `LAYER<tab>INPUT` with its sizes and the keys of its figure; or its error."""
    text, tab, size = line.partition("\t")
    try:
        if not tab:
            raise UserError("INPUT: is missing. Write the layer, a tab, and the size of its input.")
        found = layer(text, parse_size(size))
        keys = {"title": title_of(text, found.name), **found.keys}
        described = layer_of(check(keys, text))
    except UserError as error:
        return {"layer": text, "error": str(error)}
    return {
        "layer": text,
        "input_size": described.input_size,
        "output_size": described.output_size,
        "figure": keys,
    }


def _describe_layers(file: Path) -> None:
    """Describe the layers in the lines of a file; exits with status 1 if any is refused."""
    refused = False
    with file.open(encoding="utf-8", errors="backslashreplace") as lines:
        for line in lines:
            described = described_layer(line.rstrip("\n"))
            refused = refused or "error" in described
            sys.stdout.write(_json(described) + "\n")
    if refused:
        sys.exit(1)


def _describe_files(files: list[Path]) -> None:
    """Describe figures; invalid ones are reported after the others."""
    project, problems = Project(), list[UserError]()
    for file in files:
        try:
            figure = load(file)
        except UserError as error:
            problems.append(error)
        else:
            sys.stdout.writelines(described(project, figure))
            sys.stdout.write("\n")
    if problems:
        raise CombinedError(problems)


def main() -> None:
    """Describe the files, or the layers, on the command line."""
    command = cli.parser(__doc__)
    what = command.add_mutually_exclusive_group(required=True)
    what.add_argument("files", nargs="*", type=Path, metavar="FILE.toml", default=[])
    what.add_argument("--layers", type=Path, metavar="FILE", help="a file of layers, one a line")
    options = command.parse_args()
    if options.layers is not None:
        _describe_layers(options.layers)
    else:
        _describe_files(options.files)


if __name__ == "__main__":
    cli.run(main)
