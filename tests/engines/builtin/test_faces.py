from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
import skimage
from skimage import data

from twinlens.domain.media import Pixels
from twinlens.domain.regions import Box
from twinlens.engines.builtin import faces


def rgb(picture: object) -> Pixels:
    pixels = np.asarray(picture)
    if pixels.dtype == np.bool_:
        pixels = pixels * 255
    if pixels.ndim == 2:
        pixels = np.stack([pixels] * 3, axis=-1)
    return np.ascontiguousarray(pixels[..., :3], np.uint8)


def photograph(name: str) -> Pixels:
    return rgb(getattr(data, name)())


def overlap(one: Box, other: Box) -> float:
    high = min(one.ymax, other.ymax) - max(one.ymin, other.ymin)
    wide = min(one.xmax, other.xmax) - max(one.xmin, other.xmin)
    shared = max(high, 0) * max(wide, 0)
    areas = [(box.ymax - box.ymin) * (box.xmax - box.xmin) for box in (one, other)]
    return shared / (sum(areas) - shared)


def portraits() -> list[Pixels]:
    """Give the hundred small faces that scikit-image carries."""
    crops = np.load(Path(skimage.__file__).parent / "data" / "lfw_subset.npy")[:100]
    return [rgb((crop * 255).astype(np.uint8)) for crop in crops]


def sheet(crops: list[Pixels], side: int) -> Pixels:
    """Lay portraits out in a grid of four columns, each with space around it."""
    step = side * 8 // 5
    canvas = np.full((step * len(crops) // 4, step * 4, 3), 150, np.uint8)
    for index, crop in enumerate(crops):
        top, left = (step * part + (step - side) // 2 for part in divmod(index, 4))
        canvas[top : top + side, left : left + side] = cv2.resize(
            crop, (side, side), interpolation=cv2.INTER_CUBIC
        )
    return canvas


def test_a_face_from_the_front_is_boxed_from_brow_to_chin() -> None:
    (face,) = faces.find(photograph("astronaut"))

    assert face.score > 0.9
    assert overlap(face.box, Box(135, 352, 343, 530)) > 0.8


def test_a_face_in_profile_is_found() -> None:
    (face,) = faces.find(photograph("camera"))

    assert face.score >= 0.5
    assert overlap(face.box, Box(210, 360, 390, 498)) > 0.6


def test_a_profile_that_looks_the_other_way_is_found() -> None:
    (face,) = faces.find(photograph("camera")[:, ::-1])

    assert overlap(face.box, Box(210, 502, 390, 640)) > 0.6


def test_a_small_copy_has_its_face_in_the_same_place() -> None:
    small = np.asarray(
        cv2.resize(photograph("astronaut"), (256, 256), interpolation=cv2.INTER_AREA), np.uint8
    )

    (face,) = faces.find(small)

    assert overlap(face.box, Box(135, 352, 343, 530)) > 0.75


def test_most_faces_of_a_group_are_found_each_once() -> None:
    found = faces.find(sheet(portraits()[:16], 60))

    assert 13 <= len(found) <= 16
    assert all(overlap(one.box, other.box) < 0.1 for one in found for other in found if one is not other)


@pytest.mark.parametrize(
    "name",
    [
        *("coins", "coffee", "chelsea", "rocket", "page", "text", "moon", "horse", "brick", "grass"),
        *("gravel", "checkerboard", "hubble_deep_field", "immunohistochemistry", "logo", "colorwheel"),
    ],
)
def test_a_picture_without_a_face_has_none(name: str) -> None:
    assert faces.find(photograph(name)) == ()


@pytest.mark.parametrize(("name", "side"), [("stereo_motorcycle", 0), ("stereo_motorcycle", 1)])
def test_a_motorcycle_has_no_face(name: str, side: int) -> None:
    assert faces.find(rgb(getattr(data, name)()[side])) == ()


@pytest.mark.parametrize("shape", [(1, 1), (3, 900), (40, 2)])
def test_the_smallest_and_thinnest_pictures_have_none(shape: tuple[int, int]) -> None:
    assert faces.find(np.zeros((*shape, 3), np.uint8)) == ()
