"""Measure what it costs to decode an image to its budget, against decoding all of it.

The baseline is what most servers do: Pillow, whole decode, upright, RGB, Lanczos. Times are CPU
milliseconds of one thread, medians, both sides in turn within one run. PSNR is against the same
kernel applied to the whole decode. Run: python bench/budgets.py
"""

from __future__ import annotations

import asyncio
import io
import math
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

os.environ |= {"VIPS_CONCURRENCY": "1", "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}

import cv2
import numpy as np
import pillow_heif
import pyvips
import simplejpeg
import skimage.data
from numpy.typing import NDArray
from PIL import Image, ImageOps

from twinlens import media
from twinlens.domain.geometry import area32
from twinlens.domain.media import Blob, ImageInfo, Pixels
from twinlens.media.decoders import image
from twinlens.media.worker.pool import WorkerPool

BUDGETS = (280, 1120, 2240)
ROUNDS = {"JPEG": 7, "PNG": 5, "WEBP": 5, "HEIC": 3}
MAX_PIXELS = 100_000_000
LINUX = sys.platform == "linux"

ENCODINGS: dict[str, dict[str, Any]] = {
    "JPEG": {"format": "JPEG", "quality": 90, "subsampling": "4:2:0", "orientation": 6},
    "PNG": {"format": "PNG", "compress_level": 3},
    "WEBP": {"format": "WEBP", "quality": 85, "method": 1},
    "HEIC": {"format": "HEIF", "quality": 75, "enc_params": {"preset": "ultrafast"}},
}

Step = Callable[[], Any]


def main() -> None:
    """Print the tables."""
    if len(sys.argv) > 1:
        measure_memory_here(sys.argv[1], Path(sys.argv[2]))
        return
    pillow_heif.register_heif_opener()
    pillow_heif.options.DECODE_THREADS = 1
    image.limit_libraries()
    photo = make_photo(4000, 3000)
    files = {name: encode(photo, dict(options)) for name, options in ENCODINGS.items()}
    print_times(files)
    print_floor(files["JPEG"])
    asyncio.run(print_round_trip(files["JPEG"]))
    print_memory(encode(make_photo(8000, 6000), {"format": "JPEG", "quality": 85}))


def make_photo(width: int, height: int) -> Image.Image:
    """Enlarge four real photos into one, with the noise of a sensor."""
    noise = np.random.default_rng(1)
    pixels = np.empty((height, width, 3), np.uint8)
    half = width // 2, height // 2
    for place, name in enumerate(("astronaut", "coffee", "chelsea", "rocket")):
        quarter = cv2.resize(getattr(skimage.data, name)(), half, interpolation=cv2.INTER_CUBIC)
        grain = noise.normal(0, 4, quarter.shape[:2]).astype(np.int16)[..., None]
        top, left = place // 2 * half[1], place % 2 * half[0]
        pixels[top : top + half[1], left : left + half[0]] = np.clip(quarter + grain, 0, 255)
    return Image.fromarray(pixels)


def encode(photo: Image.Image, options: dict[str, Any]) -> bytes:
    """Encode the photo, with an EXIF orientation if the options name one."""
    exif = Image.Exif()
    if orientation := options.pop("orientation", None):
        exif[274] = orientation
    body = io.BytesIO()
    photo.save(body, exif=exif, **options)
    return body.getvalue()


def decode_whole(data: bytes) -> Image.Image:
    """Decode as most servers do, except for the scaling."""
    return ImageOps.exif_transpose(Image.open(io.BytesIO(data))).convert("RGB")


def by_pillow(data: bytes, width: int, height: int) -> NDArray[np.uint8]:
    """Decode and scale as most servers do."""
    return np.asarray(decode_whole(data).resize((width, height), Image.Resampling.LANCZOS))


def by_twinlens(data: bytes, width: int, height: int) -> Pixels:
    """Probe and decode as a worker does."""
    return image.decode(data, probe(data), width, height)


def probe(data: bytes) -> ImageInfo:
    """Read the header as the server does."""
    return media.probe(Blob(data, None, "bench"), MAX_PIXELS)


def print_times(files: dict[str, bytes]) -> None:
    """Print CPU time and fidelity for each format and budget."""
    print("\n### 12 MP photo, CPU ms of one thread\n")
    print("| format | MB | budget | size | Pillow | twinlens | ratio | PSNR dB |")
    print("| --- | --: | --: | --- | --: | --: | --: | --: |")
    for name, data in files.items():
        info, whole = probe(data), np.asarray(decode_whole(data))
        for budget in BUDGETS:
            fit = area32(info.width, info.height, budget)
            sides: list[Step] = [
                lambda data=data, fit=fit: by_pillow(data, fit.width, fit.height),  # type: ignore[misc]
                lambda data=data, fit=fit: by_twinlens(data, fit.width, fit.height),  # type: ignore[misc]
            ]
            theirs, ours = cpu_medians(sides, ROUNDS[name])
            fidelity = psnr(sides[1](), same_kernel(whole, fit.width, fit.height))
            print(
                f"| {name} | {len(data) / 1e6:.1f} | {budget} | {fit.width}x{fit.height} | "
                f"{theirs:.1f} | {ours:.1f} | {theirs / ours:.1f}x | {fidelity} |",
                flush=True,
            )


def print_floor(data: bytes) -> None:
    """Print the least that a decoder can do: reading the entropy coding, and hardly more."""
    (floor,) = cpu_medians([lambda: simplejpeg.decode_jpeg(data, min_width=1, min_height=1)], ROUNDS["JPEG"])
    print(f"\nThe JPEG decoded at an eighth of its size, the least there is: {floor:.1f} ms.")


def same_kernel(whole: NDArray[np.uint8], width: int, height: int) -> NDArray[np.uint8]:
    """Scale a whole decode with the kernel that twinlens uses."""
    source = pyvips.Image.new_from_array(np.ascontiguousarray(whole))
    scaled = source.resize(width / source.width, vscale=height / source.height, kernel="lanczos3")
    pixels: NDArray[np.uint8] = scaled.numpy()
    return pixels


def cpu_medians(steps: list[Step], rounds: int) -> list[float]:
    """Run the steps in turn, and give each one's median CPU time in milliseconds."""
    spent: list[list[float]] = [[] for _ in steps]
    for _ in range(rounds):
        for step, times in zip(steps, spent, strict=True):
            start = time.process_time()
            step()
            times.append((time.process_time() - start) * 1e3)
    return [statistics.median(times) for times in spent]


def psnr(ours: NDArray[np.uint8], theirs: NDArray[np.uint8]) -> str:
    """Compare two pictures in decibels."""
    error = float(np.mean((ours.astype(np.float32) - theirs) ** 2))
    return f"{10 * math.log10(255**2 / error):.1f}" if error else "equal"


async def print_round_trip(data: bytes) -> None:
    """Print what the way to a worker and back adds, in wall time."""
    info = probe(data)
    fit = area32(info.width, info.height, 1120)
    pool = WorkerPool(1, 1024, 60)
    await pool.start()
    pooled, direct = [], []
    for _ in range(12):
        start = time.perf_counter()
        await pool.decode(Blob(data, None, "bench"), info, fit.width, fit.height)
        middle = time.perf_counter()
        image.decode(data, info, fit.width, fit.height)
        pooled.append((middle - start) * 1e3)
        direct.append((time.perf_counter() - middle) * 1e3)
    await pool.stop()
    print(
        f"\nJPEG at 1120 tokens through the pool of processes: {statistics.median(pooled[2:]):.1f} ms wall, "
        f"against {statistics.median(direct[2:]):.1f} ms in process."
    )


def print_memory(data: bytes) -> None:
    """Print the peak memory that one decode of a large photo adds, each side in a process of its own."""
    if not LINUX:
        return
    print("\n### 48 MP JPEG, memory that one decode adds\n")
    print("| budget | Pillow MiB | twinlens MiB | ratio |")
    print("| --: | --: | --: | --: |")
    with tempfile.NamedTemporaryFile(suffix=".jpg") as file:
        file.write(data)
        file.flush()
        for budget in BUDGETS:
            theirs, ours = (
                float(
                    subprocess.run(
                        [sys.executable, __file__, f"{side}:{budget}", file.name],
                        check=True,
                        capture_output=True,
                    ).stdout
                )
                for side in ("by_pillow", "by_twinlens")
            )
            print(f"| {budget} | {theirs:.0f} | {ours:.0f} | {theirs / ours:.0f}x |")


def measure_memory_here(what: str, path: Path) -> None:
    """Print by how many MiB one decode raises this process's peak."""
    side, _, budget = what.partition(":")
    decode = {"by_pillow": by_pillow, "by_twinlens": by_twinlens}[side]
    image.limit_libraries()
    small = encode(Image.new("RGB", (64, 64)), {"format": "JPEG"})
    decode(small, 16, 16)  # So that what the libraries load on first use is not counted.
    data = path.read_bytes()
    info = probe(data)
    fit = area32(info.width, info.height, int(budget))
    before = memory_mib("VmRSS")
    decode(data, fit.width, fit.height)
    print(memory_mib("VmHWM") - before)


def memory_mib(name: str) -> float:
    """Read one of this process's memory figures."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(name)) / 1024


if __name__ == "__main__":
    main()
