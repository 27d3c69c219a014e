"""What encoding a decoded image costs, by format and quality: time, size, and how much it changes.

`python bench/encode.py` prints the table that `media/decoders/encode.py` was tuned from: a photograph-like
image and a page of small print, a third of it red, each of about 1.1 megapixels. Baseline: Pillow's PNG.
"""

from __future__ import annotations

import io
import time
from collections.abc import Callable, Mapping

import numpy as np
import pyvips
import simplejpeg
from numpy.typing import NDArray
from PIL import Image, ImageDraw

Pixels = NDArray[np.uint8]
REPEATS = 5


def photograph(width: int, height: int) -> Pixels:
    """Draw soft shapes with the noise of a sensor."""
    random = np.random.default_rng(1)
    shapes = random.normal(128, 60, (height // 16, width // 16, 3)).clip(0, 255).astype(np.uint8)
    smooth = np.asarray(Image.fromarray(shapes).resize((width, height), Image.Resampling.BICUBIC), float)
    return np.asarray((smooth + random.normal(0, 3, smooth.shape)).clip(0, 255), np.uint8)


def page(width: int, height: int) -> Pixels:
    """Draw lines of small print, a third of them red."""
    random = np.random.default_rng(1)
    image = Image.new("RGB", (width, height), "white")
    draw = ImageDraw.Draw(image)
    for y in range(10, height - 20, 14):
        words = " ".join(f"word{number}" for number in random.integers(0, 9999, width // 50))
        draw.text((10, y), words, fill=(200, 0, 0) if y % 3 == 0 else "black")
    return np.asarray(image)


def by_pillow(file_format: str, **options: object) -> Callable[[Pixels], bytes]:
    """Return an encoder of Pillow's."""

    def encode(pixels: Pixels) -> bytes:
        out = io.BytesIO()
        Image.fromarray(pixels).save(out, file_format, **options)
        return out.getvalue()

    return encode


def jpeg(quality: int, colours: str) -> Callable[[Pixels], bytes]:
    """Return an encoder of simplejpeg's."""
    return lambda pixels: simplejpeg.encode_jpeg(pixels, quality, "RGB", colours, fastdct=False)


def png(level: int) -> Callable[[Pixels], bytes]:
    """Return an encoder of libvips'."""
    return lambda pixels: bytes(
        pyvips.Image.new_from_array(pixels).write_to_buffer(".png", compression=level)
    )


ENCODERS: Mapping[str, Callable[[Pixels], bytes]] = {
    "png 1, Pillow (baseline)": by_pillow("PNG", compress_level=1),
    "png 1, libvips": png(1),
    "png 6, libvips": png(6),
    **{f"jpeg {quality} 4:2:0": jpeg(quality, "420") for quality in (85, 92, 95)},
    **{f"jpeg {quality} 4:4:4": jpeg(quality, "444") for quality in (85, 92, 95)},
    "webp 92": by_pillow("WEBP", quality=92, method=0),
    "webp lossless": by_pillow("WEBP", lossless=True, method=0),
}


def main() -> None:
    """Print the table."""
    for name, pixels in (("photograph", photograph(1280, 896)), ("page", page(1056, 1088))):
        print(f"{name}: {'':23}   CPU ms   ratio      kB   PSNR dB")
        baseline = 0.0
        for encoder, encode in ENCODERS.items():
            spent = []
            for _ in range(REPEATS):
                begun = time.process_time()
                data = encode(pixels)
                spent.append(time.process_time() - begun)
            baseline = baseline or min(spent)
            shown = np.asarray(Image.open(io.BytesIO(data)).convert("RGB"), float)
            error = ((pixels.astype(float) - shown) ** 2).mean()
            psnr = 10 * np.log10(255**2 / error) if error else float("inf")
            print(
                f"  {encoder:32} {min(spent) * 1000:7.1f} {min(spent) / baseline:7.2f}"
                f" {len(data) / 1000:7.0f} {psnr:9.1f}"
            )


if __name__ == "__main__":
    main()
