"""The kernel view: a kernel's values, and the same rotated by 180°, as the equivalent convolution has it."""

from dataclasses import dataclass

import numpy as np

from scripts.core.figures import Figure
from scripts.errors import LayerError
from scripts.views.limits import Extent, check_layer, check_size
from scripts.views.maps import NumberMap, Point, as_rows, in_words, number_map
from scripts.views.scene import Scene

GAP = 2


@dataclass(frozen=True)
class Kernels:
    """A kernel and its rotation, side by side."""

    kernel: NumberMap
    rotated: NumberMap


def scene(figure: Figure) -> Scene:
    """The scene of a kernel of one or two axes with values; raises `LayerError`."""
    check_layer(figure.layer, "kernel")
    if figure.kernel_values is None:
        raise LayerError("view", "the kernel view draws values", "Give kernel_values, or use another view")
    kernel = as_rows(figure.kernel_values)
    extent = Extent(max(kernel.shape[0], 2 * kernel.shape[1] + GAP), parts=2 * kernel.size)
    check_size(figure.layer, lambda _: extent)
    still = Kernels(
        number_map("kernel", kernel),
        number_map("rotated by 180°", np.flip(kernel), Point(kernel.shape[1] + GAP, 0)),
    )
    return Scene(
        figure,
        still,
        sentence="Left, its kernel; right, the same rotated by 180°.",
        alternative=f"A kernel with the rows {in_words(kernel)}, and the same rotated by 180°.",
        parameters=False,
    )
