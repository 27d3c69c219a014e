"""Pixels from encoded images, at the size the budget pays for. The only code that calls a decoder.

Runs in a worker process; the server does not import it. Every decoder gives a libvips image, and
`_render` puts it on white, scales it and brings it to sRGB; the turn comes last. Colour and turns are
cheap on the few pixels that are left. The scaling kernel is Lanczos: it keeps small print sharper
than averaging does.
"""

from __future__ import annotations

import io
import logging
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
import pillow_heif
import pyvips
import simplejpeg
from PIL import AvifImagePlugin, UnidentifiedImageError
from PIL import Image as Pillow

from ...domain.media import Data, ImageInfo, Pixels
from ..headers.upright import swaps_sides
from . import profiles
from .unreadable import Unreadable

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Picture:
    """A decoded image before scaling: libvips pixels, and their colour profile if not sRGB."""

    image: Any
    profile: bytes | None = None


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a decoder is asked for: the size that the header states, and the size that is enough."""

    source: tuple[int, int]
    target: tuple[int, int]


def decode(data: Data, info: ImageInfo, width: int, height: int) -> Pixels:
    """Decode an image to upright sRGB pixels of exactly `width` x `height`.

    Raises `Unreadable`, or whatever the decoder raises on data it cannot read.
    """
    orientation = 1 if info.format in _TURNED_BY_DECODER else info.orientation
    wanted = Wanted((info.width, info.height), (width, height))
    if swaps_sides(orientation):
        wanted = Wanted(wanted.source[::-1], wanted.target[::-1])
    try:
        picture = _DECODERS[info.format](memoryview(data), wanted)
    except Exception as error:
        if info.format in _MANY_SORTS and _is_about_the_sort(error):
            raise Unreadable("codec", str(error)) from error
        raise
    return np.ascontiguousarray(_TURNS[orientation](_render(picture, wanted.target)))


_MANY_SORTS = frozenset({"heif", "tiff", "bmp"})
"""Formats that hold so many sorts of pixels that no decoder reads them all."""

_NOT_READ = re.compile("unsupported|not supported|not implemented", re.IGNORECASE)


def _is_about_the_sort(error: Exception) -> bool:
    # The header was read before: what Pillow does not identify then is pixels that it has no mode for.
    return isinstance(error, UnidentifiedImageError) or bool(_NOT_READ.search(str(error)))


def limit_libraries() -> None:
    """Switch off what is not needed: threads, caches, loaders, and Pillow's own pixel limit."""
    cv2.setNumThreads(1)
    pyvips.cache_set_max(0)
    pyvips.operation_block_set("VipsForeignLoad", True)
    pyvips.operation_block_set("VipsForeignLoadPng", False)
    pillow_heif.options.DECODE_THREADS = 1
    pillow_heif.options.THUMBNAILS = False
    AvifImagePlugin.DEFAULT_MAX_THREADS = 1
    # The server has held the size against its own limit before.
    Pillow.MAX_IMAGE_PIXELS = None


def _jpeg(data: memoryview, wanted: Wanted) -> Picture:
    try:
        return _by_turbo(data, wanted)
    except ValueError as error:
        if not any(words in str(error) for words in _HARMLESS):
            raise
    # libjpeg-turbo's strict mode stops at any warning; Pillow goes on, and still minds a missing end.
    return _by_pillow(data, wanted, "JPEG")


_HARMLESS = ("extraneous bytes", "JFIF revision", "Adobe color transform", "progression", "Invalid SOS")
"""Parts of the warnings that cost no pixels."""


def _by_turbo(data: memoryview, wanted: Wanted) -> Picture:
    height, width, colour, _ = simplejpeg.decode_jpeg_header(data)
    if colour in ("CMYK", "YCCK"):
        return _by_pillow(data, wanted, "JPEG")
    _check_size((width, height), wanted)
    min_width, min_height = _reduced(wanted)
    pixels = simplejpeg.decode_jpeg(data, min_width=min_width, min_height=min_height)
    return Picture(_from_array(pixels), profiles.of_jpeg(data))


def _reduced(wanted: Wanted) -> tuple[int, int]:
    """Choose the smallest reduction within the decoder that leaves enough to scale."""
    width, height = wanted.source
    for eighths, margin in _REDUCTIONS:
        reduced = -(-width * eighths // 8), -(-height * eighths // 8)
        if reduced[0] >= wanted.target[0] * margin and reduced[1] >= wanted.target[1] * margin:
            return reduced
    return width, height


_REDUCTIONS = ((1, 1.5), (2, 1.5), (3, 1.5), (4, 1.0))
"""Eighths of the size, and how much larger than the target they must be.

A strong reduction blurs: small print stays readable only if it is not also the last step. Half is
harmless. Eighths above have no vector code in libjpeg-turbo and cost more than a whole decode.
"""


def _png(data: memoryview, wanted: Wanted) -> Picture:
    image = pyvips.Image.pngload_buffer(data, access="sequential", fail_on="truncated")
    _check_size((image.width, image.height), wanted)
    has_profile = image.get_typeof("icc-profile-data") != 0
    return Picture(image, profiles.usable(image.get("icc-profile-data")) if has_profile else None)


def _webp(data: memoryview, wanted: Wanted) -> Picture:
    # OpenCV's build of libwebp decodes in two thirds of the time of the others; BGR, first frame.
    pixels = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    if pixels is None:
        raise Unreadable("damaged", "cv2.imdecode gave nothing")
    _check_size((pixels.shape[1], pixels.shape[0]), wanted)
    to_rgb = cv2.COLOR_BGRA2RGBA if pixels.shape[2] == 4 else cv2.COLOR_BGR2RGB
    return Picture(_from_array(cv2.cvtColor(pixels, to_rgb, dst=pixels)), profiles.of_webp(data))


def _heif(data: memoryview, wanted: Wanted) -> Picture:
    opened = pillow_heif.open_heif(data, convert_hdr_to_8bit=True)
    _check_size(opened.size, wanted)
    return Picture(_from_array(np.asarray(opened)), profiles.usable(opened.info.get("icc_profile")))


def _avif(data: memoryview, wanted: Wanted) -> Picture:
    if not AvifImagePlugin.SUPPORTED:
        raise Unreadable("codec", "this Pillow was built without libavif; its wheels are not")
    return _by_pillow(data, wanted, "AVIF")


def _by_pillow(data: memoryview, wanted: Wanted, name: str) -> Picture:
    with Pillow.open(io.BytesIO(data), formats=[name]) as opened:
        _check_size(opened.size, wanted)
        opened.draft(None, wanted.target)
        profile = profiles.usable(opened.info.get("icc_profile"))
        return Picture(_from_pillow(opened, profile), profile)


def _from_pillow(opened: Pillow.Image, profile: bytes | None) -> Any:
    if opened.mode in ("I", "F"):
        raise Unreadable("depth", f"Pillow mode {opened.mode}")
    if opened.mode.startswith("I;16"):
        return _from_array(np.asarray(opened).astype(np.uint16, copy=False))
    if opened.mode == "CMYK" and profile:
        return _from_array(np.asarray(opened)).copy(interpretation="cmyk")
    if opened.has_transparency_data:
        return _from_array(np.asarray(opened.convert("RGBA")))
    return _from_array(np.asarray(opened.convert("L" if opened.mode in ("1", "L") else "RGB")))


def _check_size(found: tuple[int, int], wanted: Wanted) -> None:
    if tuple(found) != wanted.source:
        raise Unreadable("mismatch", f"{found} where the header says {wanted.source}")


_INTERPRETATIONS: Mapping[tuple[int, str], tuple[str, str]] = {
    (1, "uint8"): ("uchar", "b-w"),
    (1, "uint16"): ("ushort", "grey16"),
    (3, "uint8"): ("uchar", "srgb"),
    (4, "uint8"): ("uchar", "srgb"),
}


def _from_array(pixels: Any) -> Any:
    """Wrap pixels without a copy; libvips keeps the array alive."""
    height, width, bands = (*pixels.shape, 1)[:3]
    depth, interpretation = _INTERPRETATIONS[bands, pixels.dtype.name]
    image = pyvips.Image.new_from_memory(np.ascontiguousarray(pixels), width, height, bands, depth)
    return image.copy(interpretation=interpretation)


def _render(picture: Picture, target: tuple[int, int]) -> Pixels:
    """Put a picture on white, scale it, and bring it to sRGB of 8 bits."""
    image = picture.image
    if image.hasalpha():
        white = 65535 if image.format == "ushort" else 255
        image = image.flatten(background=[white] * (image.bands - 1))
    if (image.width, image.height) != target:
        scale_x, scale_y = target[0] / image.width, target[1] / image.height
        image = image.resize(scale_x, vscale=scale_y, kernel="lanczos3")
    if picture.profile:
        image = _converted(image, picture.profile)
    if image.interpretation != "srgb":
        image = image.colourspace("srgb")
    pixels: Pixels = image.cast("uchar").numpy()
    return pixels


def _converted(image: Any, profile: bytes) -> Any:
    """Convert from an embedded profile; one that does not fit the pixels is passed over."""
    tagged = image.copy()
    tagged.set_type(pyvips.GValue.blob_type, "icc-profile-data", profile)
    try:
        return tagged.icc_transform("srgb", embedded=True, intent="relative").copy_memory()
    except pyvips.Error as error:
        log.info("colour profile passed over: %r", error.detail)
        return image


_TURNED_BY_DECODER = frozenset({"heif", "tiff"})
"""Formats whose decoder gives upright pixels already."""

_DECODERS: Mapping[str, Callable[[memoryview, Wanted], Picture]] = {
    "jpeg": _jpeg,
    "png": _png,
    "webp": _webp,
    "heif": _heif,
    "avif": _avif,
    "gif": lambda data, wanted: _by_pillow(data, wanted, "GIF"),
    "bmp": lambda data, wanted: _by_pillow(data, wanted, "BMP"),
    "tiff": lambda data, wanted: _by_pillow(data, wanted, "TIFF"),
}

_TURNS: Mapping[int, Callable[[Any], Any]] = {
    1: lambda pixels: pixels,
    2: lambda pixels: cv2.flip(pixels, 1),
    3: lambda pixels: cv2.rotate(pixels, cv2.ROTATE_180),
    4: lambda pixels: cv2.flip(pixels, 0),
    5: cv2.transpose,
    6: lambda pixels: cv2.rotate(pixels, cv2.ROTATE_90_CLOCKWISE),
    7: lambda pixels: cv2.rotate(cv2.transpose(pixels), cv2.ROTATE_180),
    8: lambda pixels: cv2.rotate(pixels, cv2.ROTATE_90_COUNTERCLOCKWISE),
}
"""What makes stored pixels upright, by EXIF's orientation."""
