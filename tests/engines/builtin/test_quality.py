from __future__ import annotations

import cv2
import numpy as np
import pytest
from skimage import data

from twinlens.domain.media import Pixels
from twinlens.engines.builtin import quality

PHOTOGRAPHS = ("astronaut", "camera", "coffee", "chelsea", "rocket", "coins", "grass", "page")


def photograph(name: str) -> Pixels:
    pixels = np.asarray(getattr(data, name)())
    return np.ascontiguousarray(np.stack([pixels] * 3, axis=-1) if pixels.ndim == 2 else pixels[..., :3])


def blurred(pixels: Pixels, sigma: float) -> Pixels:
    return np.asarray(cv2.GaussianBlur(pixels, (0, 0), sigma), np.uint8)


@pytest.mark.parametrize("name", PHOTOGRAPHS)
def test_a_photograph_is_sharp_until_it_is_blurred(name: str) -> None:
    pixels = photograph(name)

    assert quality.tell(pixels).sharpness == "sharp"
    assert quality.tell(blurred(pixels, 3)).sharpness == "blurred"


def test_jpeg_noise_is_no_sharpness() -> None:
    soft = blurred(photograph("astronaut"), 3)
    coded = cv2.imencode(".jpg", soft, [cv2.IMWRITE_JPEG_QUALITY, 60])[1]

    assert quality.tell(np.asarray(cv2.imdecode(coded, 1), np.uint8)).sharpness == "blurred"


def test_a_sharp_subject_before_a_blurred_ground_is_sharp() -> None:
    pixels = photograph("coffee")
    ground = blurred(pixels, 4)
    ground[130:270, 200:400] = pixels[130:270, 200:400]

    assert quality.tell(ground).sharpness == "sharp"


def test_a_stronger_blur_is_surer() -> None:
    pixels = photograph("coffee")

    assert (
        quality.tell(blurred(pixels, 5)).sharpness_score > quality.tell(blurred(pixels, 2.5)).sharpness_score
    )


def test_nothing_is_known_of_the_sharpness_of_a_plain_ground() -> None:
    told = quality.tell(np.full((60, 80, 3), 130, np.uint8))

    assert (told.sharpness, told.sharpness_score) == ("sharp", 0.5)


@pytest.mark.parametrize("name", ["astronaut", "camera", "coffee", "chelsea", "coins", "page"])
def test_a_photograph_is_neither_dark_nor_bright_until_it_is_made_so(name: str) -> None:
    pixels = photograph(name)
    dim = (pixels * 0.25).astype(np.uint8)
    glaring = np.clip(pixels * 1.5 + 110.0, 0, 255).astype(np.uint8)

    assert [quality.tell(shown).exposure for shown in (pixels, dim, glaring)] == ["normal", "dark", "bright"]


def test_ink_on_a_white_page_is_normal() -> None:
    page = np.full((700, 500, 3), 255, np.uint8)
    for row in range(60, 660, 30):
        cv2.putText(page, "The quick brown fox jumps", (40, row), cv2.FONT_HERSHEY_SIMPLEX, 0.7, (0, 0, 0), 2)

    assert quality.tell(page).exposure == "normal"


def test_a_night_sky_is_dark() -> None:
    assert quality.tell(photograph("hubble_deep_field")).exposure == "dark"


@pytest.mark.parametrize("shape", [(1, 1), (2, 900), (900, 3)])
def test_the_smallest_and_thinnest_pictures_are_looked_at(shape: tuple[int, int]) -> None:
    assert quality.tell(np.zeros((*shape, 3), np.uint8)).exposure == "dark"
