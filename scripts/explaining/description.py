"""What an explanation says, as plain data: texts are plain, but for equations, which are TeX."""

from collections.abc import Sequence
from dataclasses import dataclass

from scripts.core.cost import Cost
from scripts.core.layers import Index
from scripts.notation.frameworks import Code


@dataclass(frozen=True)
class Work:
    """One of the report's relationships, by its number and title, worked with a layer's numbers.

    `conditions` and `equation` are TeX.
    """

    number: str
    title: str
    conditions: tuple[str, ...]
    equation: str


@dataclass(frozen=True)
class AxisWork:
    """How the output size follows along axes that are alike.

    `steps` are relationships for the size of the output, those with the most conditions first; `others` are the numbers
    of further ones that hold and give the same.  `sides` are relationships about other quantities.
    """

    axes: tuple[str, ...]
    input_size: int
    output_size: int
    steps: tuple[Work, ...]
    others: tuple[str, ...]
    sides: tuple[Work, ...]


@dataclass(frozen=True)
class CostRow:
    """The cost of a layer in one form; `share` is its multiply-adds as a part of the first row's."""

    form: str
    cost: Cost
    share: float


@dataclass(frozen=True)
class Remark:
    """What a reader should know: `topic` is a word or two, `text` sentences; `is_warning` if something is lost."""

    topic: str
    text: str
    is_warning: bool = False


@dataclass(frozen=True)
class Choice:
    """Layers, as PyTorch writes them, that give an output of some size; `wish` says what for."""

    wish: str
    output_size: Index
    layers: tuple[str, ...]


@dataclass(frozen=True)
class Drawing:
    """The figure of a layer: its name, which its files have, and its caption; `problem` if it cannot be drawn."""

    name: str
    caption: str
    problem: str = ""


@dataclass(frozen=True)
class LayerSheet:
    """The explanation of one layer.

    `source` is the text that it was read from, `words` a sentence or two; `parameters` are names with values.
    `equivalent` are the parameters of the direct convolution that a transposed one equals, empty for other layers.
    """

    name: str
    source: str
    operation: str
    words: str
    input_shape: Index
    output_shape: Index
    parameters: tuple[tuple[str, str], ...]
    axes: tuple[AxisWork, ...]
    equivalent: tuple[tuple[str, str], ...]
    costs: tuple[CostRow, ...]
    code: Sequence[Code]
    remarks: tuple[Remark, ...]
    choices: tuple[Choice, ...]
    drawing: Drawing | None = None


@dataclass(frozen=True)
class Row:
    """A step of a network in the table of all: its output's shape, cost and receptive field.

    The field's size, its jump from element to element and its start for the first element are in input elements, once
    for axes that are alike; "all" is the whole input, and "?" unknown.  `section` is the number of its layer's section;
    `problem` says why there is none.
    """

    number: int
    name: str
    operator: str
    output_shape: Index | None
    cost: Cost
    field: str
    jump: str
    start: str
    section: int | None
    problem: str = ""


@dataclass(frozen=True)
class Section:
    """A distinct layer of a network, and the names of the steps that are such layers."""

    number: int
    places: tuple[str, ...]
    sheet: LayerSheet


@dataclass(frozen=True)
class Warned:
    """A warning, and the names of the steps that it is about."""

    remark: Remark
    places: tuple[str, ...]


@dataclass(frozen=True)
class Book:
    """The explanation of a stack or of a model; `drawing` shows what an element of a small stack sees of its input."""

    name: str
    source: str
    rows: tuple[Row, ...]
    total: Cost
    sections: tuple[Section, ...]
    warnings: tuple[Warned, ...]
    drawing: Drawing | None = None
