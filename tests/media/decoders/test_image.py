"""Pixels out of every format, turn, depth and colour, and none out of what is damaged."""

from __future__ import annotations

from contextlib import suppress

import cv2
import numpy as np
import pytest
import pyvips
from numpy.typing import NDArray
from PIL import Image

import clips
import images
from twinlens import media
from twinlens.domain.media import Blob, ImageInfo, Pixels
from twinlens.media.decoders import image
from twinlens.media.decoders.unreadable import Unreadable

RAMP = np.linspace(0, 255, 64 * 48).astype(np.uint8).reshape(48, 64)


def decode(data: bytes, width: int | None = None, height: int | None = None) -> Pixels:
    """Probe and decode as the server does, at the given size or the image's own."""
    info = media.probe(Blob(data, None, "field"), 100_000_000)
    return image.decode(data, info, width or info.width, height or info.height)


def lossless(pixels: NDArray[np.uint8], name: str = "png") -> bytes:
    return images.encode(Image.fromarray(pixels), name)


@pytest.mark.parametrize("name", images.FORMATS)
def test_each_format_is_decoded_at_its_own_size(name: str) -> None:
    pixels = decode(images.make(name, 64, 48))

    assert pixels.shape == (48, 64, 3)
    assert pixels.dtype == np.uint8
    assert images.corners(pixels) == images.CORNERS


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("name", images.TURNED_FORMATS)
def test_every_turn_ends_upright(name: str, orientation: int) -> None:
    pixels = decode(images.make_turned(name, orientation))

    assert pixels.shape == (64, 128, 3)
    assert images.corners(pixels) == images.CORNERS


@pytest.mark.parametrize("orientation", [1, 6])
@pytest.mark.parametrize("name", images.TURNED_FORMATS)
def test_the_planned_size_is_met_exactly(name: str, orientation: int) -> None:
    pixels = decode(images.make_turned(name, orientation), 37, 19)

    assert pixels.shape == (19, 37, 3)
    assert images.corners(pixels) == images.CORNERS


@pytest.mark.parametrize(("width", "height"), [(1, 1), (1, 300), (300, 1), (3, 2)])
@pytest.mark.parametrize("name", images.FORMATS)
def test_tiny_and_thin_images_are_decoded(name: str, width: int, height: int) -> None:
    body = images.encode(Image.new("RGB", (width, height), (200, 10, 10)), name)

    pixels = decode(body)

    assert pixels.shape == (height, width, 3)
    assert np.abs(pixels.mean(axis=(0, 1)) - (200, 10, 10)).max() < 6


@pytest.mark.parametrize("name", ["png", "bmp", "tiff"])
def test_pixels_that_are_not_scaled_are_exact(name: str) -> None:
    pixels = np.random.default_rng(1).integers(0, 256, (48, 64, 3), np.uint8)

    assert np.array_equal(decode(lossless(pixels, name)), pixels)


def test_a_scaled_jpeg_is_close_to_the_whole_one_scaled() -> None:
    photo = cv2.resize(RAMP, (1600, 1200), interpolation=cv2.INTER_CUBIC)
    body = images.encode(Image.fromarray(cv2.merge([photo, photo[::-1], photo[:, ::-1]])), "jpeg")

    small = decode(body, 210, 157)

    whole = np.asarray(Image.fromarray(decode(body)).resize((210, 157), Image.Resampling.LANCZOS))
    assert np.abs(small.astype(int) - whole).mean() < 1


@pytest.mark.parametrize("name", ["png", "webp", "tiff", "gif", "heif", "avif"])
def test_what_is_transparent_becomes_white(name: str) -> None:
    see_through = images.quarters().convert("RGBA")
    see_through.paste((0, 0, 0, 0), (32, 0, 64, 48))

    pixels = decode(images.encode(see_through, name))

    assert images.corners(pixels) == ((255, 0, 0), (255, 255, 255), (0, 0, 255), (255, 255, 255))


def test_half_transparent_is_half_white() -> None:
    pixels = decode(images.encode(Image.new("RGBA", (8, 8), (255, 0, 0, 128)), "png"))

    assert np.abs(pixels[4, 4].astype(int) - (255, 127, 127)).max() <= 1


@pytest.mark.parametrize("name", ["png", "jpeg", "tiff", "bmp", "gif"])
def test_grey_becomes_three_equal_channels(name: str) -> None:
    pixels = decode(images.encode(Image.fromarray(RAMP), name))

    assert np.array_equal(pixels[..., 0], pixels[..., 2])
    assert np.abs(pixels[..., 1].astype(int) - RAMP).max() <= 4


def test_grey_with_alpha_is_put_on_white() -> None:
    pixels = decode(images.encode(Image.new("LA", (8, 8), (0, 0)), "png"))

    assert (pixels == 255).all()


@pytest.mark.parametrize("name", ["png", "tiff", "bmp"])
def test_one_bit_is_black_and_white(name: str) -> None:
    pixels = decode(images.encode(Image.fromarray(RAMP).convert("1"), name))

    assert set(np.unique(pixels)) == {0, 255}


@pytest.mark.parametrize("name", ["png", "tiff", "bmp"])
def test_a_palette_is_looked_up(name: str) -> None:
    pixels = decode(images.encode(images.quarters().convert("P", palette=Image.Palette.ADAPTIVE), name))

    assert images.corners(pixels) == images.CORNERS


def test_a_palette_with_a_transparent_colour_is_put_on_white() -> None:
    flat = images.quarters().convert("P", palette=Image.Palette.ADAPTIVE)
    red = flat.getpixel((2, 2))

    pixels = decode(images.encode(flat, "png", transparency=red))

    assert images.corners(pixels)[0] == (255, 255, 255)


@pytest.mark.parametrize("channels", [1, 3, 4])
def test_sixteen_bits_are_scaled_to_eight(channels: int) -> None:
    deep = np.repeat((RAMP.astype(np.uint16) * 257)[..., None], channels, axis=2)
    deep[..., 3:] = 65535
    ok, body = cv2.imencode(".png", deep.squeeze())

    pixels = decode(body.tobytes())

    assert ok
    assert np.abs(pixels[..., 0].astype(int) - RAMP).max() <= 1


def test_sixteen_bits_of_a_tiff_are_scaled_to_eight() -> None:
    pixels = decode(images.encode(Image.fromarray(RAMP.astype(np.uint16) * 257), "tiff"))

    assert np.abs(pixels[..., 0].astype(int) - RAMP).max() <= 1


def test_floating_point_is_refused() -> None:
    body = images.encode(Image.fromarray(RAMP.astype(np.float32)), "tiff")

    with pytest.raises(Unreadable) as caught:
        decode(body)

    assert caught.value.reason == "depth"


@pytest.mark.parametrize("name", ["jpeg", "tiff"])
@pytest.mark.parametrize("scale", [1, 4])
def test_ink_becomes_light(name: str, scale: int) -> None:
    body = images.encode(images.quarters(256, 192).convert("CMYK"), name)

    assert images.corners(decode(body, 256 // scale, 192 // scale)) == images.CORNERS


def test_progressive_and_grey_jpegs_are_scaled_too() -> None:
    body = images.encode(images.quarters(640, 480), "jpeg", progressive=True)

    assert images.corners(decode(body, 80, 60)) == images.CORNERS


@pytest.mark.parametrize("name", ["png", "webp", "gif", "avif"])
def test_the_first_picture_of_an_animation_is_decoded(name: str) -> None:
    later = [Image.new("RGB", (64, 48), (9, 9, 9))] * 2

    pixels = decode(images.encode(images.quarters(), name, save_all=True, append_images=later, duration=50))

    assert images.corners(pixels) == images.CORNERS


@pytest.mark.parametrize("name", ["png", "jpeg", "webp", "heif", "avif", "tiff"])
def test_an_embedded_profile_is_obeyed(name: str) -> None:
    plain = np.full((48, 64, 3), (200, 60, 60), np.uint8)
    flat = pyvips.Image.new_from_memory(plain.tobytes(), 64, 48, 3, "uchar").copy(interpretation="srgb")
    wide = flat.icc_transform("p3")
    profile = wide.get("icc-profile-data")
    stored = Image.fromarray(wide.numpy())

    pixels = decode(images.encode(stored, name, icc_profile=profile))

    assert abs(int(wide.numpy()[9, 9, 0]) - 200) > 8
    assert np.abs(pixels[24, 32].astype(int) - (200, 60, 60)).max() <= 4


@pytest.mark.parametrize("name", ["png", "jpeg", "webp"])
def test_a_broken_profile_is_passed_over(name: str) -> None:
    pixels = decode(images.encode(images.quarters(), name, icc_profile=b"no profile" * 20))

    assert images.corners(pixels) == images.CORNERS


def noise() -> Image.Image:
    return Image.fromarray(np.random.default_rng(2).integers(0, 256, (96, 128, 3), np.uint8))


@pytest.mark.parametrize("kept", [0.5, 0.9, 0.98])
@pytest.mark.parametrize("name", images.FORMATS)
def test_a_file_that_breaks_off_is_refused(name: str, kept: float) -> None:
    body = images.encode(noise(), name)
    info = media.probe(Blob(body, None, "field"), 100_000_000)

    with pytest.raises(Exception):  # noqa: B017, PT011  whatever the decoder raises is a refusal
        image.decode(body[: int(len(body) * kept)], info, 64, 48)


def test_a_progressive_jpeg_that_breaks_off_is_refused() -> None:
    body = images.encode(noise(), "jpeg", progressive=True)

    with pytest.raises(ValueError, match="Premature"):
        decode(body[: len(body) * 9 // 10])


@pytest.mark.parametrize("at", ["before the tables", "before the end"])
def test_stray_bytes_between_markers_are_no_damage(at: str) -> None:
    body = images.make("jpeg")
    split = 20 if at == "before the tables" else len(body) - 2

    pixels = decode(body[:split] + b"\0\0\0" + body[split:] + b"trailer")

    assert images.corners(pixels) == images.CORNERS


def test_stray_bytes_do_not_hide_that_the_end_is_missing() -> None:
    body = images.encode(noise(), "jpeg")

    with pytest.raises(OSError, match="truncated"):
        decode(body[:20] + b"\0\0\0" + body[20 : len(body) * 3 // 4])


def test_a_png_with_fewer_rows_than_its_header_says_is_refused() -> None:
    body = images.png(64, 48, (bytes(64 * 3) for _ in range(20)))

    with pytest.raises(pyvips.Error):
        decode(body)


def test_an_avif_picture_that_is_put_together_is_decoded() -> None:
    pixels = decode(images.avif_grid(3, 2))

    assert pixels.shape == (128, 192, 3)
    for top in range(0, 128, 64):
        for left in range(0, 192, 64):
            assert images.corners(pixels[top : top + 64, left : left + 64]) == images.CORNERS


def test_damage_to_an_avif_file_costs_a_refusal_or_some_pixels_and_nothing_else() -> None:
    for damaged in clips.mutations(images.encode(noise(), "avif"), 60, seed=3):
        with suppress(Exception):
            assert decode(damaged, 64, 48).shape == (48, 64, 3)


@pytest.mark.parametrize("name", images.FORMATS)
def test_pixels_of_another_size_than_was_probed_are_refused(name: str) -> None:
    lie = ImageInfo(name, images.MIME_TYPES[name], 32, 24)

    with pytest.raises(Unreadable) as caught:
        image.decode(images.make(name), lie, 32, 24)

    assert caught.value.reason == "mismatch"
