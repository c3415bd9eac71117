"""What the explorer's page needs from Python: the arithmetic's tables, the report's relationships, and looks."""

import ast
import json
import re
from collections.abc import Iterable
from dataclasses import asdict
from typing import Any

import numpy as np

from scripts.core.arithmetic import PADDING_MODES, PADDING_NAMES
from scripts.core.figures import Figure
from scripts.core.layers import Layer
from scripts.core.operations import OPERATIONS
from scripts.project import Project
from scripts.site.tables import tables
from scripts.stages.templates import templates
from scripts.text.relationships import content

# Expressions of report/relationships.toml as the page's script takes them.
OPERATORS: dict[type[ast.AST], str] = {
    ast.Add: "+",
    ast.Sub: "-",
    ast.Mult: "*",
    ast.Div: "/",
    ast.Lt: "<",
    ast.LtE: "<=",
    ast.GtE: ">=",
}
# Quantities that the explorer knows the value of.
QUANTITIES = ("o", "o_ceil", "o_prime", "p_least", "e_first", "e_last")
# The lengths and vectors of templates/styles.tex that pictures in the browser have too, by their names there.
LENGTHS = {
    "plane_gap": "planegap",
    "flat_gap": "flatgap",
    "row_gap": "rowgap",
    "row_lift": "rowlift",
    "row_pitch": "rowpitch",
    "value_width": "valuewidth",
}
FONTS = {"value_size": "valuefont", "small_size": "kernelfont"}
CENTIMETRES = {"": 1, "cm": 1, "pt": 2.54 / 72.27}

# Notations to compare with each other, for a layer of n axes with these numbers along them.
NOTATIONS = {
    "convolution": (
        'Conv{n}d(1, 1, [{kernel_size}], stride=[{stride}], padding="same", dilation=[{dilation}])',
        'Conv{n}D(1, [{kernel_size}], strides=[{stride}], padding="same", dilation_rate=[{dilation}])',
        'Conv(kernel_shape=[{kernel_size}], strides=[{stride}], auto_pad="SAME_LOWER", dilations=[{dilation}])',
        'Conv{n}D(1, [{kernel_size}], strides=[{stride}], padding="valid", dilation_rate=[{dilation}])',
    ),
    "transposed_convolution": (
        "ConvTranspose{n}d(1, 1, [{kernel_size}], stride=[{stride}])",
        'Conv{n}DTranspose(1, [{kernel_size}], strides=[{stride}], padding="valid")',
        'Conv{n}DTranspose(1, [{kernel_size}], strides=[{stride}], padding="same")',
        'ConvTranspose(kernel_shape=[{kernel_size}], strides=[{stride}], auto_pad="SAME_LOWER")',
    ),
    "max_pooling": (
        "MaxPool{n}d([{kernel_size}])",
        "MaxPool(kernel_shape=[{kernel_size}])",
        "MaxPool{n}d([{kernel_size}], stride=[{stride}], ceil_mode=True)",
        'MaxPooling{n}D([{kernel_size}], strides=[{stride}], padding="same")',
        'MaxPool(kernel_shape=[{kernel_size}], strides=[{stride}], auto_pad="SAME_LOWER")',
    ),
    "average_pooling": (
        "AvgPool{n}d([{kernel_size}])",
        "AveragePool(kernel_shape=[{kernel_size}])",
        "AvgPool{n}d([{kernel_size}], stride=[{stride}], padding=1, ceil_mode=True)",
        'AveragePooling{n}D([{kernel_size}], strides=[{stride}], padding="same")',
        'AveragePool(kernel_shape=[{kernel_size}], strides=[{stride}], auto_pad="SAME_LOWER")',
    ),
}

Expression = Any


def page(project: Project) -> str:
    """The page."""
    # In a script element, only < can end or open anything.
    text = json.dumps(data(project), ensure_ascii=False, separators=(",", ":")).replace("<", "\\u003c")
    return templates(project).fill(
        "site/explore.html.j2",
        top="../",
        operations=[(name, operation.words) for name, operation in OPERATIONS.items()],
        padding_names=PADDING_NAMES,
        padding_modes=[(mode, mode) for mode in PADDING_MODES],
        data=text,
    )


def address(figure: Figure) -> str:
    """What follows the page's address for the layer of a figure; empty for a stack, and for a layer of three axes."""
    if figure.is_stack or len(figure.layer.axes) > 2:
        return ""
    layer, keys = figure.layer, keys_of(figure.layer)
    if layer.channels is None:
        for name in ("input_values", "kernel_values", "indices"):
            values = getattr(figure, name)
            keys |= {} if values is None else {name: np.atleast_2d(values).tolist()}
    parts = [f"{name}={_encoded(name, value)}" for name, value in keys.items()]
    return f"#{'&'.join(parts)}{'&view=numerical' if 'input_values' in keys else ''}"


def keys_of(layer: Layer) -> dict[str, Any]:
    """The keys of a layer, with numbers for each axis whatever they come from."""
    keys: dict[str, Any] = {"operation": layer.operation.name, "input_size": list(layer.input_size)}
    if "kernel_size" in layer.operation.keys:
        names = [name for name in ("kernel_size", "stride", "dilation") if name in layer.operation.keys]
        keys |= {name: [getattr(axis, name) for axis in layer.axes] for name in names}
        keys["padding"] = [list(axis.padding) for axis in layer.axes]
    if layer.transposed:
        keys["output_padding"] = [axis.output_padding for axis in layer.axes]
    if layer.operation.adaptive or layer.operation.name == "max_unpooling":
        keys["output_size"] = list(layer.output_size)
    options = ("padding_mode", "ceil_mode", "count_include_pad", "norm")
    keys |= {name: getattr(layer, name) for name in options if name in layer.operation.keys}
    return keys if layer.channels is None else keys | asdict(layer.channels)


def _encoded(name: str, value: Any) -> str:
    """The value of a key in an address: x between axes and commas between sides, or ; between rows."""
    if isinstance(value, bool):
        return str(value).lower()
    if not isinstance(value, list):
        return str(value)
    inner = (",".join(map(str, one)) if isinstance(one, list) else str(one) for one in value)
    return (";" if name.endswith("_values") or name == "indices" else "x").join(inner)


def data(project: Project) -> dict[str, Any]:
    """The data of the page's script, for JSON."""
    return {**tables(), "looks": looks(project), "formulas": formulas(project), "notations": NOTATIONS}


def looks(project: Project) -> dict[str, Any]:
    """The geometry of views, in centimetres and cells."""
    styles = (project.templates / "styles.tex").read_text(encoding="utf-8")
    vectors = {
        name: [float(number) for number in found[1].split(",")]
        for name in ("plane", "flat")
        if (found := re.search(rf"^  {name}/\.style={{.*?cm={{([^(]*),\(", styles, re.MULTILINE))
    }
    lengths = {}
    for name, command in LENGTHS.items():
        found = re.search(rf"\\newcommand\\{command}{{([\d.]+)(\w*)}}", styles)
        if found is None:
            raise ValueError(f"styles.tex does not define \\{command}")
        lengths[name] = round(float(found[1]) * CENTIMETRES[found[2]], 6)
    sizes = {
        name: float(found[1])
        for name, command in FONTS.items()
        if (found := re.search(rf"\\newcommand\\{command}{{\\figuretype\\fontsize{{([\d.]+)}}", styles))
    }
    return {"plane": vectors["plane"], "flat": vectors["flat"][0], **lengths, **sizes}


def formulas(project: Project) -> dict[str, Any]:
    """The relationships that give what the explorer knows, with the symbols in them."""
    found = content(project)
    chosen = [
        {
            "name": name,
            "title": plain(entry["title"]),
            "quantity": entry["equation"][0],
            "formula": parsed(entry["equation"][1]),
            "conditions": [parsed(condition) for condition in entry.get("conditions", [])],
        }
        for name, entry in found["relationships"].items()
        if entry["equation"][0] in QUANTITIES
    ]
    used = {name for one in chosen for name in _symbols([one["quantity"], one["formula"], *one["conditions"]])}
    return {
        "relationships": chosen,
        "symbols": {
            name: {
                **symbol(entry["tex"]),
                "meaning": plain(entry.get("meaning", "")),
                **({"default": entry["default"]} if "default" in entry else {}),
            }
            for name, entry in found["symbols"].items()
            if name in used
        },
    }


def parsed(text: str) -> Expression:
    """An expression in SymPy's notation: a number, a symbol's name, or [function, …expressions]."""
    return _converted(ast.parse(text, mode="eval").body)


def _converted(tree: ast.expr) -> Expression:
    match tree:
        case ast.Constant(value=int() as number):
            return number
        case ast.Name(id=name):
            return name
        case ast.BinOp(left=left, op=operator, right=right) if type(operator) in OPERATORS:
            return [OPERATORS[type(operator)], _converted(left), _converted(right)]
        case ast.Compare(left=left, ops=[operator], comparators=[right]):
            return [OPERATORS[type(operator)], _converted(left), _converted(right)]
        case ast.Call(func=ast.Name(id=name), args=arguments):
            return [name, *map(_converted, arguments)]
    raise ValueError(f"{ast.unparse(tree)} is not among the expressions that the explorer writes")


def _symbols(expressions: Iterable[Expression]) -> set[str]:
    found = set[str]()
    for expression in expressions:
        if isinstance(expression, str):
            found.add(expression)
        elif isinstance(expression, list):
            found |= _symbols(expression[1:])
    return found


def symbol(tex: str) -> dict[str, str]:
    """A symbol's letter with its accents, and the text below it, from its TeX."""
    base, _, below = tex.partition("_")
    base = re.sub(r"\\hat ?(\w)", "\\1\u0302", base).replace("\\ell", "ℓ").replace("'", "′")
    return {"base": base, "below": re.sub(r"\\text{(\w+)}|{(.*)}", r"\1\2", below)}


def plain(tex: str) -> str:
    """A title or a meaning without TeX's commands."""
    return re.sub(r"\\texttt{([^}]*)}", r"\1", tex).replace("$", "").replace("\\lceil", "⌈").replace("\\rceil", "⌉")
