from __future__ import annotations

import numpy as np
import pytest
import skimage.data
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from twinlens.domain.media import Pixels
from twinlens.engines.builtin import charts
from twinlens.engines.builtin.facts import Chart
from twinlens.engines.builtin.text import Reader

SALES = {"North": 812.0, "South": 455.0, "East": 640.0, "West": 230.0, "Export": 97.0}


def drawn(figure: Figure) -> Pixels:
    canvas = FigureCanvasAgg(figure)
    canvas.draw()  # type: ignore[no-untyped-call]
    return np.asarray(canvas.buffer_rgba())[..., :3].copy()  # type: ignore[no-untyped-call]


def bar_chart(values: dict[str, float], title: str = "Sales by region", *, grid: bool = False) -> Pixels:
    figure = Figure(figsize=(8, 5), dpi=100)
    axes = figure.add_subplot()
    axes.bar(list(values), list(values.values()), color="C0")
    axes.set_title(title)
    axes.set_ylabel("Thousand euros")
    axes.grid(visible=grid, axis="y")
    return drawn(figure)


def charts_in(reader: Reader, pixels: Pixels) -> tuple[Chart, ...]:
    return charts.find(pixels, reader.read(pixels))


@pytest.mark.parametrize("grid", [False, True])
@pytest.mark.parametrize(
    "values",
    [SALES, {"Apples": 3.1, "Pears": 7.4, "Plums": 5.25}, {"2021": 11200, "2022": 4300, "2023": 8050}],
    ids=["hundreds", "units", "thousands"],
)
def test_bars_are_read_to_two_percent_of_the_highest(
    reader: Reader, values: dict[str, float], grid: bool
) -> None:
    (chart,) = charts_in(reader, bar_chart(values, grid=grid))

    assert [bar.label for bar in chart.bars] == list(values)
    assert [bar.value for bar in chart.bars] == pytest.approx(
        list(values.values()), abs=0.02 * max(values.values())
    )
    assert chart.title == "Sales by region"


def test_values_are_rounded_to_what_the_picture_can_tell(reader: Reader) -> None:
    (chart,) = charts_in(reader, bar_chart({"One": 31000, "Two": 52000}))

    assert all(bar.value % 100 == 0 for bar in chart.bars)


def test_stacked_bars_are_not_read(reader: Reader) -> None:
    figure = Figure(figsize=(8, 5), dpi=100)
    axes = figure.add_subplot()
    axes.bar(["a", "b", "c"], [30, 40, 50])
    axes.bar(["a", "b", "c"], [20, 10, 30], bottom=[30, 40, 50])

    assert charts_in(reader, drawn(figure)) == ()


def test_grouped_bars_are_not_read(reader: Reader) -> None:
    figure = Figure(figsize=(8, 5), dpi=100)
    axes = figure.add_subplot()
    axes.bar([0.0, 1.0, 2.0], [30, 40, 50], width=0.4)
    axes.bar([0.4, 1.4, 2.4], [20, 10, 30], width=0.4)

    assert charts_in(reader, drawn(figure)) == ()


def test_line_charts_are_not_read(reader: Reader) -> None:
    figure = Figure(figsize=(8, 5), dpi=100)
    figure.add_subplot().plot([1, 2, 3, 4], [10, 40, 20, 60])

    assert charts_in(reader, drawn(figure)) == ()


def test_a_photograph_is_no_chart(reader: Reader) -> None:
    assert charts_in(reader, skimage.data.coffee()) == ()  # type: ignore[no-untyped-call]
