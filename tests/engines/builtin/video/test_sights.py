from __future__ import annotations

import numpy as np
import pytest
import skimage.data
from PIL import Image, ImageDraw, ImageFont

from twinlens.domain.media import Pixels
from twinlens.engines.builtin.video import sights

PHOTOS = ("astronaut", "chelsea", "coffee", "rocket")


def photo(name: str, text: str = "", size: tuple[int, int] = (356, 200)) -> Pixels:
    """A photograph of a frame's size, with a subtitle."""
    picture = Image.fromarray(getattr(skimage.data, name)()).resize(size)
    font = ImageFont.load_default(size=16)
    ImageDraw.Draw(picture).text(
        (20, size[1] - 30), text, fill="white", font=font, stroke_width=1, stroke_fill=0
    )
    return np.asarray(picture)


def grainy(pixels: Pixels, seed: int = 0) -> Pixels:
    noise = np.random.default_rng(seed).normal(0, 3, pixels.shape)
    return np.clip(pixels + noise, 0, 255).astype(np.uint8)


@pytest.mark.parametrize("name", PHOTOS)
def test_grain_alone_is_worth_no_look(name: str) -> None:
    one, other = sights.take(grainy(photo(name), 1)), sights.take(grainy(photo(name), 2))

    assert not other.differs(one)


@pytest.mark.parametrize("name", PHOTOS)
@pytest.mark.parametrize("texts", [("", "Hello"), ("Frame 11", "Frame 12"), ("What a day", "What a way")])
def test_a_change_of_the_subtitle_is_worth_a_look_and_is_no_cut(name: str, texts: tuple[str, str]) -> None:
    one, other = (sights.take(grainy(photo(name, text), n)) for n, text in enumerate(texts))

    assert other.differs(one)
    assert other.distance(one) < sights.CUT


def test_a_change_at_the_very_edge_is_worth_a_look() -> None:
    before = np.zeros((203, 357, 3), np.uint8)
    after = before.copy()
    after[-3:, -3:] = 255

    assert sights.take(after).differs(sights.take(before))


@pytest.mark.parametrize("one", PHOTOS)
@pytest.mark.parametrize("other", PHOTOS)
def test_another_picture_is_a_cut(one: str, other: str) -> None:
    distance = sights.take(photo(one)).distance(sights.take(photo(other)))

    assert (distance >= sights.CUT) == (one != other)


@pytest.mark.parametrize("name", PHOTOS)
def test_a_camera_that_moves_makes_no_cut(name: str) -> None:
    whole = photo(name, size=(420, 236))
    one, other = whole[:200, :356], whole[20:220, 40:396]

    assert sights.take(other).differs(sights.take(one))
    assert sights.take(other).distance(sights.take(one)) < sights.CUT


def test_frames_of_another_size_differ() -> None:
    assert sights.take(photo("coffee")).differs(sights.take(photo("coffee", size=(64, 64))))
