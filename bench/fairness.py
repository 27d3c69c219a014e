"""Measure how long a small picture takes to decode while something heavy is under way.

The baseline is the same picture with nothing else under way, in the same run. The pool of processes is the
server's; each small picture is a request of its own, what is heavy is one request of the same project.
Times are of the wall, for it is the waiting that is measured: run it on a quiet machine.
Run: python bench/fairness.py
"""

from __future__ import annotations

import asyncio
import io
import statistics
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress

import av
import numpy as np
from PIL import Image

from twinlens.domain.media import Blob, ImageInfo
from twinlens.media.documents import PageImages
from twinlens.media.recordings import Frames
from twinlens.media.worker.compute_quota import ComputeQuota
from twinlens.media.worker.jobs import to_file
from twinlens.media.worker.pool import WorkerPool

ROUNDS = 15
PAUSE_S = 0.05
PAGES, PAGE_SIZE = 1000, (665, 861)
FILM_S, FILM_SIZE, FRAME_SIZE = 120, (1280, 720), (705, 397)
PHOTO = ImageInfo("jpeg", "image/jpeg", 4000, 3000)
SMALL = ImageInfo("jpeg", "image/jpeg", 640, 480)

Heavy = Callable[[WorkerPool], Awaitable[None]]


def main() -> None:
    """Print the table."""
    small, photo = jpeg(SMALL), jpeg(PHOTO)
    slow = slow_jpeg(PHOTO)
    pages, scenes = blob(document(), "application/pdf"), blob(film(), "video/mp4")
    cases: dict[str, Heavy] = {
        "a film, a frame a second": lambda pool: read_film(pool, scenes),
        "a PDF of 1000 pages of 0.1 s": lambda pool: read_pages(pool, pages),
        "200 photos of 12 MP": lambda pool: read_photos(pool, photo, 200),
        "photos that take 1.4 s each": lambda pool: read_photos(pool, slow, 4),
    }
    print("| workers | under way | p50 ms | slowest ms | p50 alone ms | ratio |")
    print("| --: | --- | --: | --: | --: | --: |")
    for workers in (1, 2):
        for name, heavy in cases.items():
            asyncio.run(compare(workers, name, heavy, small))


async def compare(workers: int, name: str, heavy: Heavy, small: bytes) -> None:
    """Measure one row."""
    pool = WorkerPool(workers, 1024, 60)
    await pool.start()
    await asyncio.gather(*(decode(pool, small, SMALL, ComputeQuota("p")) for _ in range(2 * workers)))
    before = await latencies(pool, small)
    under_way = asyncio.create_task(repeated(heavy, pool))
    await asyncio.sleep(2)
    during = await latencies(pool, small)
    under_way.cancel()
    with suppress(asyncio.CancelledError):
        await under_way
    await asyncio.sleep(2)
    alone = statistics.median(before + await latencies(pool, small))
    await pool.stop()
    median = statistics.median(during)
    print(
        f"| {workers} | {name} | {median:.1f} | {max(during):.1f} | {alone:.1f} | {median / alone:.1f} |",
        flush=True,
    )


async def latencies(pool: WorkerPool, small: bytes) -> list[float]:
    """Decode the small picture again and again, with pauses; give each time in milliseconds."""
    found = []
    for _ in range(ROUNDS):
        start = time.perf_counter()
        await decode(pool, small, SMALL, ComputeQuota("p"))
        found.append((time.perf_counter() - start) * 1e3)
        await asyncio.sleep(PAUSE_S)
    return found


async def repeated(heavy: Heavy, pool: WorkerPool) -> None:
    """Have the heavy request again and again."""
    while True:
        await heavy(pool)


async def read_film(pool: WorkerPool, film: Blob) -> None:
    """Read a frame a second."""
    quota, done = ComputeQuota("p"), 0
    while done < FILM_S:
        wanted = tuple(number + 0.35 for number in range(done, FILM_S))
        done += len((await pool.do(Frames(film, wanted, *FRAME_SIZE), quota)).times)


async def read_pages(pool: WorkerPool, document: Blob) -> None:
    """Draw all pages."""
    quota, done = ComputeQuota("p"), 0
    while done < PAGES:
        numbers = tuple(range(done + 1, min(done + 10, PAGES) + 1))
        drawn = await pool.do(PageImages(document, numbers, (PAGE_SIZE,) * len(numbers)), quota)
        done += len(drawn)


async def read_photos(pool: WorkerPool, photo: bytes, count: int) -> None:
    """Decode the photos of one request, which all wait at once."""
    quota = ComputeQuota("p")
    await asyncio.gather(*(decode(pool, photo, PHOTO, quota) for _ in range(count)))


async def decode(pool: WorkerPool, data: bytes, info: ImageInfo, quota: ComputeQuota) -> None:
    """Decode a picture to the pixels of 1120 tokens, or of what it has."""
    scale = min(1.0, 1236 / info.width)
    await pool.decode(
        Blob(data, None, "bench"), info, round(info.width * scale), round(info.height * scale), quota
    )


def jpeg(info: ImageInfo, *, progressive: bool = False) -> bytes:
    """Make a photo-like JPEG."""
    coarse = np.random.default_rng(0).integers(0, 256, (75, 100, 3), dtype=np.uint8)
    out = io.BytesIO()
    smooth = Image.fromarray(coarse).resize((info.width, info.height), Image.Resampling.BICUBIC)
    smooth.save(out, "JPEG", quality=88, progressive=progressive)
    return out.getvalue()


def slow_jpeg(info: ImageInfo) -> bytes:
    """Make a progressive JPEG whose last scan stands there again, as often as is still decoded."""
    body = jpeg(info, progressive=True)
    last, end = body.rindex(b"\xff\xda"), len(body) - 2
    return body[:last] + body[last:end] * (91 - body.count(b"\xff\xda")) + body[end:]


def document() -> bytes:
    """Make a PDF of pages that share one stream of many curves."""
    kids = " ".join(f"{4 + number} 0 R" for number in range(PAGES))
    curves = "0.01 w " + " ".join(
        f"{n % 600} 0 m {n % 311} 900 {n % 97} 50 {n % 503} 792 c S" for n in range(1300)
    )
    page = "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents 3 0 R >>"
    objects = [
        "<< /Type /Catalog /Pages 2 0 R >>",
        f"<< /Type /Pages /Kids [{kids}] /Count {PAGES} >>",
        f"<< /Length {len(curves)} >>\nstream\n{curves}\nendstream",
        *[page] * PAGES,
    ]
    body = "%PDF-1.4\n" + "".join(f"{n} 0 obj\n{text}\nendobj\n" for n, text in enumerate(objects, start=1))
    return f"{body}trailer\n<< /Size {len(objects) + 1} /Root 1 0 R >>\n%%EOF\n".encode()


def film() -> bytes:
    """Make a film of moving noise in H.264, with a key frame every 250."""
    width, height = FILM_SIZE
    noise = np.random.default_rng(1).integers(0, 256, (height // 8, width // 8 + 60, 3), dtype=np.uint8)
    ground = np.asarray(Image.fromarray(noise).resize((width + 480, height), Image.Resampling.BICUBIC))
    body = io.BytesIO()
    with av.open(body, "w", format="mp4") as output:
        stream = output.add_stream("libx264", 30, options={"preset": "ultrafast", "g": "250", "bf": "2"})
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        for number in range(FILM_S * 30):
            left = number % 480
            frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(ground[:, left : left + width]), "rgb24")
            output.mux(stream.encode(frame))
        output.mux(stream.encode(None))
    return body.getvalue()


def blob(data: bytes, mime_type: str) -> Blob:
    """Put data into a file, for the jobs that read one."""
    return to_file(Blob(data, mime_type, "bench"))


if __name__ == "__main__":
    main()
