"""Published networks as tables: the shapes and costs of their stages, computed from lists of layers.

`report/networks.toml` names each layer as PyTorch writes it.
"""

import tomllib
from collections.abc import Iterable
from dataclasses import dataclass

from scripts.core.cost import cost
from scripts.core.figures import layer_of
from scripts.core.keys import check
from scripts.core.layers import Layer
from scripts.errors import UserError
from scripts.notation.frameworks import layer
from scripts.notation.sizes import parse_size
from scripts.project import Project


@dataclass(frozen=True)
class Stage:
    """A stage of a network: `times` blocks, the kernels of one of them, and what all of them cost together.

    `shape` is that of the output, channels first; `weights` leave out biases and normalisation, and
    `multiplications` are multiply-adds for one input.
    """

    name: str
    times: int
    kernels: tuple[str, ...]
    shape: tuple[int, ...]
    weights: int
    multiplications: int


def stages(project: Project, name: str) -> list[Stage]:
    """The stages of a network; raises `UserError` for a layer that does not fit its input."""
    file = project.report / "networks.toml"
    network = tomllib.loads(file.read_text(encoding="utf-8"))[name]
    shape = parse_size(network["input"])
    found = []
    for stage in network["stages"]:
        times, texts = stage.get("times", 1), stage["layers"]
        weights = multiplications = 0
        shortcut = [stage["shortcut"]] if "shortcut" in stage else []
        for block in (shortcut, stage.get("first", texts), *[texts] * (times - 1)):
            layers = list(_chained(block, shape))
            weights += sum(cost(one).weights for one, _ in layers)
            multiplications += sum(cost(one).multiply_adds for one, _ in layers)
            if block is not shortcut:
                shape = layers[-1][1]
        kernels = tuple("×".join(map(str, one.kernel_size)) for one, _ in layers)
        found.append(Stage(stage["name"], times, kernels, shape, weights, multiplications))
    return found


def _chained(texts: Iterable[str], shape: tuple[int, ...]) -> Iterable[tuple[Layer, tuple[int, ...]]]:
    """Layers that follow each other, each with the shape of its output."""
    for text in texts:
        try:
            one = layer_of(check({"title": text, **layer(text, (1, *shape)).keys}, text))
        except UserError as error:
            raise UserError(f"report/networks.toml: {error}") from None
        channels = one.channels.out_channels if one.channels else shape[0]
        shape = (channels, *one.output_size)
        yield one, shape
