"""The classic figures against the reference's tables, which are typed here and nowhere else."""

import re
from itertools import product

import pytest
from markupsafe import escape

from scripts.core.figures import Figure, load
from scripts.core.frames import frames
from scripts.stages.render import caption
from scripts.views import scene_of
from tests.conftest import PROJECT, TOP
from tests.test_arithmetic import count_windows

GALLERY = PROJECT.figures / "gallery"

# name: input size, kernel size, stride, padding, dilation, output size.
CLASSIC = {
    "no_padding_no_strides": (4, 3, 1, 0, 1, 2),
    "arbitrary_padding_no_strides": (5, 4, 1, 2, 1, 6),
    "same_padding_no_strides": (5, 3, 1, 1, 1, 5),
    "full_padding_no_strides": (5, 3, 1, 2, 1, 7),
    "no_padding_strides": (5, 3, 2, 0, 1, 2),
    "padding_strides": (5, 3, 2, 1, 1, 3),
    "padding_strides_odd": (6, 3, 2, 1, 1, 3),
    "dilation": (7, 3, 1, 0, 2, 3),
    "numerical_no_padding_no_strides": (5, 3, 1, 0, 1, 3),
    "numerical_padding_strides": (5, 3, 2, 1, 1, 3),
    "numerical_average_pooling": (5, 3, 1, 0, 1, 3),
    "numerical_max_pooling": (5, 3, 1, 0, 1, 3),
}
TRANSPOSED = list(CLASSIC)[:7]
OUTPUTS = {
    "numerical_no_padding_no_strides": [[12, 12, 17], [10, 17, 19], [9, 6, 14]],
    "numerical_padding_strides": [[6, 17, 3], [8, 17, 13], [6, 4, 4]],
    "numerical_average_pooling": [[1.7, 1.7, 1.7], [1.0, 1.2, 1.8], [1.1, 0.8, 1.3]],
    "numerical_max_pooling": [[3, 3, 3], [3, 3, 3], [3, 2, 3]],
}

# Computed by hand.
SIZES = {
    "kernel_2_stride_2_transposed": (6, 6),
    "non_square": (3, 6),
    "asymmetric_padding": (5, 4),
    "same_upper": (3, 3),
    "same_lower": (3, 3),
    "dilation_strides": (3, 3),
    "kernel_larger_than_input": (3, 3),
    "reflect_padding": (4, 4),
    "output_padding_transposed": (8, 8),
    "dilation_transposed": (7, 7),
    "cropped_transposed": (3, 3),
    "convolution_1d": (7,),
    "causal_1d": (8,),
    "causal_dilated_1d": (8,),
    "strides_1d_transposed": (8,),
    "adaptive_average_pooling": (3, 4),
    "adaptive_positions": (4,),
}
OUTPUTS |= {
    "numerical_causal_1d": [6, 0, 5, 4, 5, 2, 8, 2],
    "numerical_dilation_1d": [6, -2, 5, 4],
    "numerical_strides_1d_transposed": [10, 102, 20, 203, 30, 304, 40],
    "numerical_max_pooling_1d": [3, 2, 2, 3],
    "numerical_padding_strides_transposed": [
        [2, 4, 4, 0, 0], [4, 8, 2, 4, 1], [6, 0, 0, 2, 2], [3, 6, 1, 2, 3], [0, 2, 2, 4, 4],
    ],
    "numerical_reflect_padding": [[12, 24, 16], [10, 17, 23], [8, 8, 14]],
    "numerical_replicate_padding": [[21, 21, 5], [14, 17, 19], [12, 4, 11]],
    "numerical_circular_padding": [[8, 17, 8], [14, 17, 17], [17, 8, 14]],
    "numerical_max_pooling_padding": [[-1, -1, -2], [-1, -1, -1], [-2, -1, -1]],
    "numerical_average_pooling_padding": [[0.7, 1.1, 0.6], [0.7, 1.2, 1.4], [0.4, 0.2, 0.6]],
    "numerical_average_pooling_padding_excluded": [[1.5, 1.7, 1.2], [1.0, 1.2, 2.2], [1.0, 0.3, 1.2]],
    "numerical_max_pooling_ceil_mode": [[3, 3, 3], [3, 3, 3], [2, 1, 3]],
    "numerical_average_pooling_ceil_mode_1d": [2, 4, 5],
    "numerical_max_pooling_dilation": [[3, 3, 3], [2, 3, 2], [3, 2, 3]],
    "numerical_lp_pooling": [[5, 5], [2, 2]],
    "numerical_global_average_pooling": [[1.4]],
    "numerical_adaptive_max_pooling": [[5, 6, 3], [7, 8, 9], [3, 5, 9]],
    "numerical_max_pooling_strides": [[5, 6], [7, 8]],
    "numerical_max_unpooling": [[0, 0, 6, 0], [0, 5, 0, 0], [0, 0, 0, 0], [7, 0, 0, 8]],
}  # fmt: skip


def figure(name: str) -> Figure:
    return load(PROJECT.figures / f"{name}.toml")


def test_all_classic_figures_are_there_with_358_frames() -> None:
    names = [*CLASSIC, *(f"{name}_transposed" for name in TRANSPOSED)]
    assert set(names) <= set(PROJECT.figure_names())
    assert len(names) == 19
    assert sum(scene_of(figure(name)).count for name in names) == 358


@pytest.mark.parametrize("name", CLASSIC)
def test_parameters_and_sizes(name: str) -> None:
    layer = figure(name).layer
    for axis, size in zip(layer.axes, layer.output_size, strict=True):
        assert axis.padding[0] == axis.padding[1]
        found = (axis.input_size, axis.kernel_size, axis.stride, axis.padding[0], axis.dilation, size)
        assert found == CLASSIC[name]


@pytest.mark.parametrize("name", TRANSPOSED)
def test_a_transposed_figure_maps_back(name: str) -> None:
    i, k, s, p, _, o = CLASSIC[name]
    transposed = figure(f"{name}_transposed")
    assert transposed.layer.operation.name == "transposed_convolution"
    assert transposed.layer.input_size == (o, o)
    assert transposed.layer.output_size == (i, i)
    assert {(axis.kernel_size, axis.stride, axis.padding) for axis in transposed.layer.axes} == {(k, s, (p, p))}
    assert scene_of(transposed).count == i * i


def test_every_figure_with_a_size_or_values_worked_out_by_hand_is_there() -> None:
    assert CLASSIC.keys() | SIZES.keys() | OUTPUTS.keys() <= set(PROJECT.figure_names())


@pytest.mark.parametrize("name", SIZES)
def test_sizes(name: str) -> None:
    assert figure(name).layer.output_size == SIZES[name]


@pytest.mark.parametrize("name", OUTPUTS)
def test_values(name: str) -> None:
    output = figure(name).output_values
    assert output is not None
    assert output.round(1).tolist() == OUTPUTS[name]


def test_the_odd_transposed_figure_says_3_by_3_and_pads_below_and_right() -> None:
    """The reference's caption says 2×2, and its figure has it on the wrong side."""
    odd = figure("padding_strides_odd_transposed")
    assert "from an input of 3 × 3 to an output of 6 × 6" in caption(PROJECT, odd)
    assert [axis.padding for axis in odd.layer.direct] == [(1, 2), (1, 2)]
    assert [position for position, cell in enumerate(odd.layer.grid[0].cells) if cell.kind == "input"] == [1, 3, 5]


@pytest.mark.parametrize("name", [*CLASSIC, *(f"{name}_transposed" for name in TRANSPOSED)])
def test_every_frame_joins_what_the_counted_windows_join(name: str) -> None:
    """Element by element: which kernel element meets which input element for which output element."""
    i, k, s, p, d, _ = CLASSIC[name.removesuffix("_transposed")]
    windows = count_windows(i, k, s, p, d)
    line = {(o, j, n) for o, window in enumerate(windows) for j, n in enumerate(window) if n is not None}
    if name.endswith("_transposed"):
        line = {(n, j, o) for o, j, n in line}
    expected = {tuple(zip(row, column, strict=True)) for row, column in product(line, repeat=2)}
    drawn = figure(name)
    found = [
        (frame.output_index, term.kernel_index, term.input_index)
        for frame in frames(drawn.layer, drawn.output_values)
        for term in frame.terms
        if term.input_index is not None
    ]
    assert len(found) == len(expected)
    assert set(found) == expected


def test_the_gallery_shows_every_classic_figure() -> None:
    text = (TOP / "docs" / "gallery.md").read_text(encoding="utf-8")
    names = [*CLASSIC, *(f"{name}_transposed" for name in TRANSPOSED)]
    assert {file.stem for file in GALLERY.glob("*.svg")} >= set(names)
    assert sum(file.stat().st_size for file in GALLERY.glob("*.svg")) <= 2_000_000
    for name in names:
        assert f'src="../figures/gallery/{name}.svg"' in text
        assert f'alt="{escape(caption(PROJECT, figure(name)))}"' in text


def test_kernel_values_are_readable_in_the_gallery() -> None:
    """Their digits are at least 8 pixels high: 0.7 of the type's size, of which the fonts take nine tenths."""
    (size,) = re.findall(r"kernelfont\{.*?fontsize\{([\d.]+)\}", (PROJECT.templates / "styles.tex").read_text())
    page = (TOP / "docs" / "gallery.md").read_text(encoding="utf-8")
    for name in ("numerical_no_padding_no_strides", "numerical_padding_strides"):
        (shown,) = re.findall(rf'gallery/{name}\.svg" width="(\d+)"', page)
        (points,) = re.findall(r'<svg[^>]* width="([\d.]+)pt"', (GALLERY / f"{name}.svg").read_text(encoding="utf-8"))
        assert 0.7 * 0.9 * float(size) * float(shown) / float(points) >= 8


def test_the_readme_begins_with_the_two_commands_and_some_figures() -> None:
    first_screen = "\n".join((TOP / "README.md").read_text(encoding="utf-8").splitlines()[:25])
    assert re.findall(r"^make.*?(?=  )", first_screen, flags=re.MULTILINE) == ["make", "make test"]
    shown = re.findall(r'<img src="figures/gallery/(\w+)\.svg" width="\d+" alt="(.*?)">', first_screen)
    assert len(shown) >= 2
    for name, alternative in shown:
        assert (GALLERY / f"{name}.svg").is_file()
        assert alternative == escape(caption(PROJECT, figure(name)))


def test_the_readme_links_every_other_page_and_no_missing_one() -> None:
    links = re.findall(r"\]\(([^:)#]+)\)", (TOP / "README.md").read_text(encoding="utf-8"))
    pages = ["CONTRIBUTING.md", "CHANGELOG.md", "LICENSE", *(f"docs/{page.name}" for page in TOP.glob("docs/*.md"))]
    assert set(pages) <= set(links)
    assert [link for link in links if not (TOP / link).exists()] == []
