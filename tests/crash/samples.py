"""Small valid media of any size in bytes: the rest is noise that no decoder looks at."""

from __future__ import annotations

import io
import struct
import zlib
from random import Random

import av
import numpy as np
from PIL import Image


def png(chance: Random, size: int) -> bytes:
    """Make a picture with a chunk of `size` bytes of noise."""
    out = io.BytesIO()
    Image.new("RGB", (64, 64), (chance.randrange(256), 100, 200)).save(out, "PNG")
    data, noise = out.getvalue(), b"noIs" + chance.randbytes(size)
    chunk = struct.pack(">I", size) + noise + struct.pack(">I", zlib.crc32(noise))
    return data[:-12] + chunk + data[-12:]


def mp4(chance: Random, size: int) -> bytes:
    """Make a video of half a second, and a box of `size` bytes of noise behind it."""
    out = io.BytesIO()
    with av.open(out, "w", format="mp4") as container:
        stream = container.add_stream("mpeg4", rate=10)
        stream.width, stream.height, stream.pix_fmt = 64, 64, "yuv420p"
        shade = np.full((64, 64, 3), chance.randrange(256), np.uint8)
        for _ in range(5):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(shade)))
        container.mux(stream.encode())
    return out.getvalue() + struct.pack(">I", size + 8) + b"free" + chance.randbytes(size)
