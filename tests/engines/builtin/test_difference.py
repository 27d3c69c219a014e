from __future__ import annotations

import cv2
import numpy as np
import pytest
from skimage import data

from twinlens.domain.media import Pixels
from twinlens.domain.regions import Box
from twinlens.engines.builtin import difference

WHITE, BLUE = (255, 255, 255), (30, 60, 200)


def photograph(name: str) -> Pixels:
    pixels = np.asarray(getattr(data, name)())
    return np.ascontiguousarray(np.stack([pixels] * 3, axis=-1) if pixels.ndim == 2 else pixels[..., :3])


def jpeg(pixels: Pixels, quality: int) -> Pixels:
    coded = cv2.imencode(".jpg", pixels, [cv2.IMWRITE_JPEG_QUALITY, quality])[1]
    return np.asarray(cv2.imdecode(coded, cv2.IMREAD_COLOR), np.uint8)


def patched(pixels: Pixels) -> Pixels:
    """Put a piece of a cat at y 150-230, x 300-400."""
    changed = pixels.copy()
    changed[150:230, 300:400] = photograph("chelsea")[100:180, 200:300]
    return changed


def turned(pixels: Pixels, degrees: float, right: float = 0, down: float = 0) -> Pixels:
    height, width = pixels.shape[:2]
    matrix = np.asarray(cv2.getRotationMatrix2D((width / 2, height / 2), degrees, 1.02), np.float64)
    matrix[:, 2] += np.array((right, down))
    return np.asarray(cv2.warpAffine(pixels, matrix, (width, height)), np.uint8)


def shapes(shift: int = 0, triangle: bool = False) -> Pixels:
    canvas = np.full((450, 600, 3), 255, np.uint8)
    cv2.circle(canvas, (175 + shift, 175), 75, (0, 140, 60), -1, cv2.LINE_AA)
    cv2.rectangle(canvas, (350 + shift, 200), (449 + shift, 299), (200, 30, 30), -1)
    if triangle:
        corners = np.array([[150 + shift, 400], [200 + shift, 325], [250 + shift, 400]])
        cv2.fillPoly(canvas, [corners], BLUE, cv2.LINE_AA)
    return canvas


def overlap(one: Box, other: Box) -> float:
    high = min(one.ymax, other.ymax) - max(one.ymin, other.ymin)
    wide = min(one.xmax, other.xmax) - max(one.xmin, other.xmin)
    shared = max(high, 0) * max(wide, 0)
    areas = [(box.ymax - box.ymin) * (box.xmax - box.xmin) for box in (one, other)]
    return shared / (sum(areas) - shared)


def test_a_picture_does_not_differ_from_itself() -> None:
    found = difference.compare(photograph("coffee"), photograph("coffee"))

    assert (found.same_scene, found.moved, found.score, found.boxes) == (True, False, 1.0, ())


@pytest.mark.parametrize("name", ["astronaut", "coffee", "rocket"])
def test_a_lossy_copy_shows_no_change(name: str) -> None:
    pixels = photograph(name)

    found = difference.compare(pixels, jpeg(pixels, 60))

    assert (found.same_scene, found.moved, found.boxes) == (True, False, ())


def test_a_scaled_copy_shows_no_change() -> None:
    pixels = photograph("coffee")
    small = np.asarray(cv2.resize(pixels, (420, 280), interpolation=cv2.INTER_AREA), np.uint8)

    found = difference.compare(pixels, small)

    assert (found.same_scene, found.moved, found.boxes) == (True, False, ())


@pytest.mark.parametrize("name", ["astronaut", "coffee", "rocket"])
def test_what_was_put_in_is_boxed(name: str) -> None:
    pixels = photograph(name)
    height, width = pixels.shape[:2]

    found = difference.compare(pixels, jpeg(patched(pixels), 80))

    assert (found.same_scene, found.moved, len(found.boxes)) == (True, False, 1)
    assert overlap(found.boxes[0], Box.of_pixels(300, 150, 400, 230, width, height)) > 0.8


@pytest.mark.parametrize("name", ["astronaut", "coffee"])
def test_a_change_is_found_though_the_camera_moved(name: str) -> None:
    pixels = photograph(name)
    height, width = pixels.shape[:2]
    where = turned(np.where(patched(pixels) != pixels, np.uint8(255), np.uint8(0)), 2, 12, -8)
    rows, columns = np.nonzero(where.max(axis=2) > 100)

    found = difference.compare(pixels, jpeg(turned(patched(pixels), 2, 12, -8), 80))

    expected = Box.of_pixels(columns.min(), rows.min(), columns.max(), rows.max(), width, height)
    assert (found.same_scene, found.moved) == (True, True)
    assert overlap(found.boxes[0], expected) > 0.7


def test_more_light_is_no_change() -> None:
    pixels = photograph("coffee")

    found = difference.compare(pixels, np.clip(pixels + 10.0, 0, 255).astype(np.uint8))

    assert (found.same_scene, found.moved, found.boxes) == (True, False, ())


@pytest.mark.parametrize(("first", "second"), [(False, True), (True, False)])
def test_what_came_and_what_went_in_a_drawing_is_boxed(first: bool, second: bool) -> None:
    found = difference.compare(shapes(triangle=first), shapes(triangle=second))

    assert (found.same_scene, found.moved) == (True, False)
    assert [box.as_list() for box in found.boxes] == [pytest.approx([722, 250, 892, 418], abs=6)]


def test_a_shifted_drawing_has_moved_and_not_changed() -> None:
    found = difference.compare(shapes(), shapes(shift=30))

    assert (found.same_scene, found.moved, found.boxes) == (True, True, ())


def test_a_changed_word_of_a_page_is_boxed() -> None:
    before = np.full((700, 500, 3), 255, np.uint8)
    for row in range(60, 660, 30):
        cv2.putText(before, "The quick brown fox", (40, row), cv2.FONT_HERSHEY_SIMPLEX, 0.7, (0, 0, 0), 1)
    after = before.copy()
    after[275:310, 100:180] = WHITE
    cv2.putText(after, "tired", (105, 300), cv2.FONT_HERSHEY_SIMPLEX, 0.7, (0, 0, 0), 1)

    found = difference.compare(before, after)

    assert found.same_scene
    assert found.boxes
    assert all(
        400 - 15 <= box.ymin < box.ymax <= 440 + 15 and 185 <= box.xmin < box.xmax <= 375
        for box in found.boxes
    )


@pytest.mark.parametrize(
    ("first", "second"),
    [("astronaut", "coffee"), ("page", "text"), ("grass", "gravel"), ("chelsea", "rocket")],
)
def test_unrelated_pictures_are_of_different_scenes(first: str, second: str) -> None:
    found = difference.compare(photograph(first), photograph(second))

    assert (found.same_scene, found.boxes) == (False, ())


@pytest.mark.parametrize("shape", [(1, 1), (3, 900), (12, 12)])
def test_the_smallest_and_thinnest_pictures_can_be_compared(shape: tuple[int, int]) -> None:
    black, white = np.zeros((*shape, 3), np.uint8), np.full((*shape, 3), 255, np.uint8)

    assert difference.compare(black, black).same_scene
    assert not difference.compare(black, white).same_scene
