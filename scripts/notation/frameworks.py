"""The frameworks, and layers as they write them: read into the keys of a figure's file, and written as code.

The text of a layer is data: it is parsed, never evaluated, and only the arguments that a figure shows are read.
"""

import re
import reprlib
from collections.abc import Callable
from dataclasses import dataclass
from difflib import get_close_matches

from scripts.core.layers import Layer
from scripts.errors import LayerError, UserError
from scripts.notation import jax, keras, onnx, pytorch
from scripts.notation.call import parse
from scripts.notation.signature import NamedLayer, Signature


@dataclass(frozen=True)
class Framework:
    """A framework: its name, and how its notation is written and, if it has signatures, read.

    `write` raises `LayerError` for a layer that the framework does not have, and `differences` says where the framework
    computes something else than the layer; `as_call` turns a printed form into a call, and returns other texts as they
    are.
    """

    name: str
    write: Callable[[Layer], list[str]]
    differences: Callable[[Layer], list[str]]
    signatures: tuple[Signature, ...] = ()
    as_call: Callable[[str], str] = str


FRAMEWORKS = (
    Framework("PyTorch", pytorch.written, pytorch.differences, pytorch.SIGNATURES, pytorch.as_call),
    Framework("Keras", keras.written, keras.differences, keras.SIGNATURES),
    Framework("JAX", jax.written, jax.differences),
    Framework("ONNX", onnx.written, onnx.differences, tuple(onnx.OPERATORS.values()), onnx.as_call),
)

# What to say of layers whose names contain a pattern.
HINTS = {
    "Deform": "Its windows depend on its input; no figure shows them.",
    "Sequential|ModuleList|NormAct|ConvBN|ConvModule|Block": "It holds several layers. Write one of them.",
}

*_others, _last = (framework.name for framework in FRAMEWORKS if framework.signatures)
READABLE = f"{', '.join(_others)} or {_last}"
SIGNATURES = {signature.name: signature for framework in FRAMEWORKS for signature in framework.signatures}


def layer(text: str, input_size: tuple[int, ...]) -> NamedLayer:
    """Read a layer; one number of `input_size` stands for all axes.

    Raises `UserError` where the text is not a layer that can be drawn.
    """
    call = parse(text, [framework.as_call for framework in FRAMEWORKS])
    if call is None:
        raise UserError(
            f"{reprlib.repr(text)} is not a layer. Write it as {READABLE} do, "
            "such as Conv2d(1, 1, kernel_size=3, padding=1)."
        )
    signature = SIGNATURES.get(call.name)
    if signature is None:
        raise UserError(f"{reprlib.repr(call.name)} is not a layer of {READABLE} that can be drawn. {_hint(call.name)}")
    return signature.read(signature.bind(call), input_size)


def _hint(name: str) -> str:
    """What to write instead of an unknown layer."""
    for pattern, hint in HINTS.items():
        if re.search(pattern, name):
            return hint
    plain = name.replace("_", "").lower()
    same = next((known for known in SIGNATURES if known.lower() == plain), None)
    if same is not None and name.islower():
        return f"It is a function, which takes its input. Write the layer {same}."
    near = get_close_matches(name, SIGNATURES, n=1, cutoff=0.8)
    bases = [known for known in SIGNATURES if known in name]
    if bases and same is None:
        base = max(bases, key=len)
        return f"If it has the arguments of {base} and computes as that does, write {base}."
    if same or near:
        return f"Did you mean {same or near[0]}?"
    return "Use a convolution, a pooling or an unpooling, such as Conv2d."


@dataclass(frozen=True)
class Code:
    """A layer in a framework.

    It has lines of code, or the reason why there are none, and sentences on where it computes something else.
    """

    framework: str
    lines: tuple[str, ...]
    reason: str
    differences: tuple[str, ...]


def code(layer: Layer) -> list[Code]:
    """A layer in all frameworks."""
    found = []
    for framework in FRAMEWORKS:
        differences = tuple(framework.differences(layer))
        try:
            found.append(Code(framework.name, tuple(framework.write(layer)), "", differences))
        except LayerError as error:
            found.append(Code(framework.name, (), str(error), ()))
    return found


def one_line(layer: Layer) -> str:
    """A layer as PyTorch writes it, without arguments that are their defaults; its words where PyTorch lacks it."""
    try:
        *_, line = pytorch.written(layer) if not pytorch.has_short_form(layer) else [pytorch.shortest(layer)]
    except LayerError:
        return layer.operation.words
    return line


def written(layer: Layer) -> dict[str, list[str]]:
    """The lines of code for a layer, by the names of the frameworks that have it."""
    return {one.framework: list(one.lines) for one in code(layer) if one.lines}
