"""The tables that the site's JavaScript shares with Python: operations, keys and bounds of the arithmetic."""

from typing import Any

from scripts.core import arithmetic, frames, inverse, keys, values
from scripts.core.keys import FigureFile
from scripts.core.operations import OPERATIONS
from scripts.core.parameters import SHOWN_KEYS
from scripts.notation import call, keras, onnx, pytorch
from scripts.notation.frameworks import HINTS, READABLE, SIGNATURES

# The largest number of a layer in the browser: JavaScript's numbers are exact up to the products of two.
LARGEST = 10_000_000
# Keys of figures that the browser does not draw.
OTHER_KEYS = {"transpose_of", "layers", "output_gradient", "mask", "offset"}
BOUNDS = {
    "largest": LARGEST,
    "longest": arithmetic.LONGEST,
    "most_elements": arithmetic.MOST_ELEMENTS,
    "most_frames": frames.MOST_FRAMES,
    "most_terms": frames.MOST_TERMS,
    "most_cells": frames.MOST_CELLS,
    "most_levels": values.MOST_LEVELS,
    "most_value": values.MOST_VALUE,
}


def tables() -> dict[str, Any]:
    """What `arithmetic(tables)` in templates/site/arithmetic.js takes, for JSON."""
    return {
        "operations": {
            name: {
                "name": name,
                "words": operation.words,
                "keys": sorted(operation.keys),
                "operand": None if operation.operand is None else operation.operand.key,
                "padding_names": operation.padding_names,
                "reduction": operation.reduction,
                "transposed": operation.transposed,
                "adaptive": operation.adaptive,
            }
            for name, operation in OPERATIONS.items()
        },
        "keys": {
            name: {
                "default": field.default,
                "description": str(field.description).replace(str(keys.LARGEST), str(LARGEST)),
            }
            for name, field in FigureFile.model_fields.items()
            if name not in SHOWN_KEYS | OTHER_KEYS
        },
        "padding_names": arithmetic.PADDING_NAMES,
        "padding_modes": arithmetic.PADDING_MODES,
        "bounds": BOUNDS,
        "usual": {"operations": inverse.USUAL_OPERATIONS, "kernels": inverse.USUAL_KERNELS},
        **_notation(),
    }


def _notation() -> dict[str, Any]:
    """What `notation(tables, arithmetic)` in templates/site/notation.js takes beside."""
    # Layers that differ only in their names and numbers of axes are together.
    shared: dict[tuple[Any, ...], dict[str, int | None]] = {}
    for name, signature in SIGNATURES.items():
        reader = f"{signature.read_keys.__module__.rpartition('.')[2]}.{signature.read_keys.__name__}"
        optional = " ".join(signature.optional).removesuffix(keras.IGNORED).rstrip()
        arguments = (" ".join(signature.required), optional)
        key = (signature.operation, *arguments, reader, signature.keyword_only)
        shared.setdefault(key, {})[name] = signature.axes
    names = ("operation", "required", "optional", "read", "keyword_only")
    return {
        "signatures": [{"names": axes, **dict(zip(names, key, strict=True))} for key, axes in shared.items()],
        "ignored": keras.IGNORED.split(),
        "operators": list(onnx.OPERATORS),
        "wrappers": call.WRAPPERS,
        "hints": HINTS,
        "readable": READABLE,
        "most_characters": call.MOST_CHARACTERS,
        "patterns": {
            "label": call.LABEL.pattern,
            "node": onnx.NODE.pattern,
            "type": onnx.TYPE.pattern,
            "unknown_channels": pytorch.UNKNOWN_CHANNELS.pattern,
        },
    }
