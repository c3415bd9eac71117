"""Lists the layers that turn an input of one size into an output of another, the most usual first.

A line for each, as PyTorch writes it with one channel: all convolutions, poolings and transposed convolutions within
bounds, which the options change.
"""

from argparse import Namespace
from bisect import bisect_left
from dataclasses import fields, replace

from scripts import cli
from scripts.core.inverse import MOST_CANDIDATES, Bounds, reachable, solutions, usual_bounds
from scripts.core.layers import Index
from scripts.errors import LayerError, UserError
from scripts.notation.pytorch import shortest
from scripts.notation.sizes import expanded, parse_size

MOST_SIZE = 100_000


def main() -> None:
    """Print the layers; raises `UserError` where there are none."""
    options = _options()
    input_size, output_size = _size("INPUT", options.input, options.axes), _size("OUTPUT", options.output, options.axes)
    n = max(len(input_size), len(output_size))
    try:
        input_size, output_size = expanded(input_size, n), expanded(output_size, n)
    except LayerError:
        counts = f"OUTPUT: has {len(output_size)} numbers, and INPUT {len(input_size)}"
        raise UserError(f"{counts}. Give both as many, or one for all axes.") from None
    bounds = usual_bounds(input_size, output_size)
    asked = {field.name: getattr(options, field.name) for field in fields(Bounds)}
    least = {"padding": 0}
    for name, value in asked.items():
        if value is not None and value < least.get(name, 1):
            raise UserError(f"{name.upper()}: cannot be {value}. It is a whole number from {least.get(name, 1)}.")
    bounds = replace(bounds, **{name: value for name, value in asked.items() if value is not None})
    if bounds.count > MOST_CANDIDATES:
        raise UserError(f"The bounds leave {bounds.count} candidates, over {MOST_CANDIDATES}. Use smaller ones.")
    found = solutions(input_size, output_size, bounds)
    if not found:
        raise UserError(_nearest(input_size, output_size, bounds))
    for layer in found:
        print(shortest(layer))


def _size(name: str, text: str, axes: int) -> Index:
    """A size; one number stands for so many axes."""
    size = parse_size(text, name)
    if not min(size) >= 1 or max(size) > MOST_SIZE or len(size) > 3:
        raise UserError(f"{name}: has 1 to 3 numbers from 1 to {MOST_SIZE}, not {text}.")
    return size * axes if len(size) == 1 else size


def _nearest(input_size: Index, output_size: Index, bounds: Bounds) -> str:
    """What to say where no layer gives a size: the nearest ones along the first axis that has none."""
    within = ", ".join(f"{field.name} {getattr(bounds, field.name)}" for field in fields(Bounds))
    for wanted, given in zip(output_size, input_size, strict=True):
        sizes = reachable(given, bounds)
        if wanted not in sizes:
            place = bisect_left(sizes, wanted)
            nearest = " and ".join(map(str, sizes[max(place - 1, 0) : place + 1]))
            return f"No layer within {within} turns {given} into {wanted}. The nearest sizes: {nearest}."
    return f"No single layer within {within} gives all of these sizes at once. Solve for each axis."


def _options() -> Namespace:
    command = cli.parser(__doc__)
    command.add_argument("--input", required=True, metavar="SIZE", help="such as 56, or 5x7")
    command.add_argument("--output", required=True, metavar="SIZE", help="such as 28, or 3x3")
    command.add_argument("--axes", type=int, choices=(1, 2, 3), default=2, help="of sizes of one number (default: 2)")
    for name, what in (
        ("kernel-size", "kernel size (default: 7, or the ratio of the sizes)"),
        ("stride", "stride (default: 4, or the ratio of the sizes)"),
        ("padding", "padding (default: 3)"),
        ("dilation", "dilation (default: 2)"),
    ):
        command.add_argument(f"--{name}", type=int, metavar="MOST", help=f"the largest {what}")
    return command.parse_args()


if __name__ == "__main__":
    cli.run(main)
