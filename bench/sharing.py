"""What it costs the server to hand an image to an engine's process.

`python bench/sharing.py` prints CPU time of the server and time on the wall for one image of each size: sent
through the socket (the baseline), copied to shared memory, and lying there already as decoders leave it.
"""

from __future__ import annotations

import asyncio
import math
import time

import numpy as np

from twinlens.domain.media import Image, Pixels
from twinlens.engines.builtin.eyes import Eyes
from twinlens.processes import messages
from twinlens.processes.fork_server import ForkServer
from twinlens.processes.shared_memory import SHARED_BYTES, shared

SIZES = {
    "0.03 megapixels": (200, 160),
    "0.06": (300, 200),
    "0.3": (640, 480),
    "1.1": (1280, 896),
    "2.3": (1900, 1210),
}
REPEATS = 40


async def cost(eyes: Eyes, pixels: Pixels) -> tuple[float, float]:
    """Return the CPU time and the time on the wall that one hand-over takes, in milliseconds."""
    image = Image(pixels, 1, 1, "image/png", 1, "bench")
    await eyes.look(image, frozenset())
    cpu, wall = time.process_time(), time.perf_counter()
    for _ in range(REPEATS):
        await eyes.look(image, frozenset())
    return (time.process_time() - cpu) / REPEATS * 1000, (time.perf_counter() - wall) / REPEATS * 1000


async def main() -> None:
    """Print the table."""
    forks = ForkServer("twinlens.engines.builtin.answering")
    eyes = Eyes(forks)
    await eyes.start()
    print(f"{'':16}   socket: CPU, wall (ms)    copied: CPU, wall, ratio    lying there: CPU, wall, ratio")
    for name, (width, height) in SIZES.items():
        pixels = np.random.default_rng(1).integers(0, 255, (height, width, 3), np.uint8)
        segment = shared(pixels.data)
        assert segment is not None
        lying = np.frombuffer(segment, np.uint8).reshape(pixels.shape)
        messages.SHARED_BYTES = math.inf  # type: ignore[assignment, attr-defined]
        socket = await cost(eyes, pixels)
        messages.SHARED_BYTES = 0  # type: ignore[attr-defined]
        copied, there = await cost(eyes, pixels), await cost(eyes, lying)
        messages.SHARED_BYTES = SHARED_BYTES  # type: ignore[attr-defined]
        print(
            f"{name:16} {socket[0]:12.2f} {socket[1]:8.2f} {copied[0]:14.2f} {copied[1]:8.2f}"
            f" {copied[0] / socket[0]:6.2f} {there[0]:16.2f} {there[1]:8.2f} {there[0] / socket[0]:6.2f}"
        )
    await eyes.stop()
    await forks.stop()


if __name__ == "__main__":
    asyncio.run(main())
