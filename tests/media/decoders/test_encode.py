"""Decoded images as files, and sound as PCM."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image as Pillow
from PIL import ImageDraw

from twinlens.domain.engine import ImageForm
from twinlens.domain.media import Pixels
from twinlens.media.decoders.encode import encode, pcm16


def print_in(colour: str) -> Pixels:
    """Draw small print in a colour."""
    image = Pillow.new("RGB", (160, 60), "white")
    for y in range(4, 56, 12):
        ImageDraw.Draw(image).text((4, y), "small print 0123456789", fill=colour)
    return np.asarray(image)


def decoded(data: bytes) -> Pixels:
    return np.asarray(Pillow.open(io.BytesIO(data)).convert("RGB"))


@pytest.mark.parametrize("form", ["jpeg", "png", "webp"])
def test_a_file_has_the_size_and_the_colours_of_its_pixels(form: ImageForm) -> None:
    pixels = np.full((30, 50, 3), (200, 30, 90), np.uint8)

    data = encode(pixels, form)

    assert (Pillow.open(io.BytesIO(data)).format or "").lower() == form
    assert decoded(data).shape == (30, 50, 3)
    assert np.abs(decoded(data).astype(int) - pixels).max() < 6


def test_png_loses_nothing() -> None:
    pixels = np.random.default_rng(1).integers(0, 255, (20, 30, 3), np.uint8)

    assert np.array_equal(decoded(encode(pixels, "png")), pixels)


def test_jpeg_has_all_the_colours_of_small_print() -> None:
    pixels = print_in("red")

    error = decoded(encode(pixels, "jpeg")).astype(int) - pixels

    # With colours at half the size it would be 23.
    assert np.sqrt((error**2).mean()) < 6


def test_a_part_of_a_larger_array_is_encoded_alone() -> None:
    frames = np.zeros((3, 16, 16, 3), np.uint8)
    frames[1] = 255

    assert decoded(encode(frames[1, :, ::-1], "png")).min() == 255


def test_samples_become_integers_of_16_bits() -> None:
    samples = np.array([0, 1, -1, 0.5, 2], np.float32)

    assert np.frombuffer(pcm16(samples), "<i2").tolist() == [0, 32767, -32767, 16384, 32767]
