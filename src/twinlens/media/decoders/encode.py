"""Decoded images as files, and sound as PCM, for engines that take those. Runs in a worker process."""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping

import numpy as np
import pyvips
import simplejpeg
from PIL import Image as Pillow

from ...domain.engine import ImageForm
from ...domain.engine_media import Samples
from ...domain.media import Pixels

JPEG_QUALITY = 92
"""With colours at full size (4:4:4): small coloured print keeps 37 dB, and 27 with halved colours, for twice
the time (7 ms a megapixel of a photograph) and half as many bytes more; 95 costs half as many again for 3 dB.
`bench/encode.py` prints the table.
"""

WEBP_QUALITY = 92
"""As a photograph at `JPEG_QUALITY`, to within 1.5 dB. WEBP always halves colours: print is better in PNG."""


def encode(pixels: Pixels, form: ImageForm) -> bytes:
    """Encode an image; nothing is resized."""
    return _ENCODERS[form](np.ascontiguousarray(pixels))


def pcm16(samples: Samples) -> bytes:
    """Encode samples as 16-bit integers, little-endian, as in a WAV file."""
    return np.rint(np.clip(samples, -1, 1) * 32767).astype("<i2").tobytes()


def _jpeg(pixels: Pixels) -> bytes:
    return bytes(simplejpeg.encode_jpeg(pixels, JPEG_QUALITY, "RGB", "444", fastdct=False))


def _png(pixels: Pixels) -> bytes:
    height, width, _ = pixels.shape
    image = pyvips.Image.new_from_memory(pixels.data, width, height, 3, "uchar")
    # As large as any level on photographs, and three to six times sooner than Pillow.
    return bytes(image.write_to_buffer(".png", compression=1))


def _webp(pixels: Pixels) -> bytes:
    out = io.BytesIO()
    Pillow.fromarray(pixels).save(out, "WEBP", quality=WEBP_QUALITY, method=0)
    return out.getvalue()


_ENCODERS: Mapping[ImageForm, Callable[[Pixels], bytes]] = {"jpeg": _jpeg, "png": _png, "webp": _webp}
