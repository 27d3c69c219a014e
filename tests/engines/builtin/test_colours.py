from __future__ import annotations

import cv2
import numpy as np
import pytest
from skimage import data

from twinlens.domain.media import Pixels
from twinlens.engines.builtin import colours
from twinlens.engines.builtin.facts import Colour

GREEN, RED, WHITE = (0, 160, 60), (220, 20, 30), (255, 255, 255)


def shapes(scale: float = 1.0) -> Pixels:
    """Draw a green disc and a red square on white, with the soft edges that scaling gives."""
    canvas = np.full((1800, 2400, 3), 255, np.uint8)
    cv2.circle(canvas, (600, 600), 300, GREEN, -1)
    cv2.rectangle(canvas, (1500, 900), (2099, 1499), RED, -1)
    size = (round(1000 * scale), round(750 * scale))
    return np.asarray(cv2.resize(canvas, size, interpolation=cv2.INTER_AREA), np.uint8)


def plain(colour: tuple[int, int, int], height: int = 40, width: int = 60) -> Pixels:
    return np.full((height, width, 3), colour, np.uint8)


def photograph(name: str) -> Pixels:
    pixels = np.asarray(getattr(data, name)())
    return np.ascontiguousarray(np.stack([pixels] * 3, axis=-1) if pixels.ndim == 2 else pixels[..., :3])


def named(found: tuple[Colour, ...], name: str) -> Colour:
    return next(colour for colour in found if colour.name == name)


@pytest.mark.parametrize("scale", [0.4, 1.0, 1.8])
def test_shapes_are_boxed_to_half_a_percent(scale: float) -> None:
    found = colours.find(shapes(scale))

    assert [colour.name for colour in found] == ["white", "red", "green"]
    assert named(found, "green").regions[0].as_list() == pytest.approx([166, 125, 501, 376], abs=5)
    assert named(found, "red").regions[0].as_list() == pytest.approx([500, 625, 834, 875], abs=5)


def test_shares_are_those_of_the_areas() -> None:
    found = colours.find(shapes())

    assert named(found, "red").share == pytest.approx(600 * 600 / (1800 * 2400), abs=0.003)
    assert sum(colour.share for colour in found) == pytest.approx(1, abs=0.01)


def test_each_thing_of_a_colour_has_its_own_region_the_largest_first() -> None:
    canvas = plain(WHITE, 400, 600)
    cv2.rectangle(canvas, (40, 40), (119, 119), GREEN, -1)
    cv2.rectangle(canvas, (300, 100), (499, 299), GREEN, -1)

    regions = named(colours.find(canvas), "green").regions

    assert [region.as_list() for region in regions] == [
        pytest.approx([250, 500, 750, 834], abs=5),
        pytest.approx([100, 66, 300, 200], abs=5),
    ]


def test_a_colour_has_no_more_than_eight_regions() -> None:
    canvas = plain(WHITE, 400, 600)
    for left in range(10, 600, 60):
        cv2.rectangle(canvas, (left, 100), (left + 39, 199), RED, -1)

    found = colours.find(canvas)

    assert len(named(found, "red").regions) == 8


@pytest.mark.parametrize(
    ("colour", "name"),
    [
        ((0, 0, 0), "black"),
        ((128, 128, 128), "grey"),
        ((250, 250, 250), "white"),
        ((200, 20, 20), "red"),
        ((250, 140, 20), "orange"),
        ((110, 65, 30), "brown"),
        ((225, 205, 175), "beige"),
        ((250, 225, 40), "yellow"),
        ((60, 140, 60), "green"),
        ((150, 220, 140), "green"),
        ((40, 190, 190), "turquoise"),
        ((30, 60, 200), "blue"),
        ((10, 20, 80), "blue"),
        ((120, 180, 230), "blue"),
        ((120, 40, 150), "purple"),
        ((245, 130, 180), "pink"),
    ],
)
def test_a_plain_colour_has_the_name_people_give_it(colour: tuple[int, int, int], name: str) -> None:
    (found,) = colours.find(plain(colour))

    assert (found.name, found.share) == (name, 1.0)
    assert found.score > 0.5
    assert found.regions[0].as_list() == [0, 0, 1000, 1000]


def test_the_blends_along_edges_are_no_colour() -> None:
    canvas = plain(WHITE, 600, 600)
    for row in range(40, 600, 80):
        cv2.rectangle(canvas, (20, row), (580, row + 30), RED, -1)
    soft = np.asarray(cv2.resize(canvas, (410, 410), interpolation=cv2.INTER_AREA), np.uint8)

    found = colours.find(soft)

    assert {colour.name for colour in found} == {"white", "red"}


def test_a_black_and_white_photograph_has_no_hue() -> None:
    found = colours.find(photograph("camera"))

    assert {colour.name for colour in found} == {"grey", "black", "white"}


def test_a_photograph_gives_the_colours_one_sees() -> None:
    found = colours.find(photograph("coffee"))

    assert found[0].name == "brown"
    assert "green" not in {colour.name for colour in found}
    assert list(found) == sorted(found, key=lambda colour: -colour.share)


@pytest.mark.parametrize("shape", [(1, 1), (1, 7), (3, 900), (2000, 2)])
def test_the_smallest_and_thinnest_pictures_are_looked_at(shape: tuple[int, int]) -> None:
    (found,) = colours.find(plain(RED, *shape))

    assert found.name == "red"
