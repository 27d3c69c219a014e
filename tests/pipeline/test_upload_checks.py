"""Whose image is tried next."""

from __future__ import annotations

import asyncio
from pathlib import Path

import numpy as np
import pytest

import images
from twinlens.domain.media import Blob, ImageInfo, Pixels
from twinlens.media.worker.compute_quota import ComputeQuota
from twinlens.media.worker.pool import WorkerPool
from twinlens.pipeline.upload_checks import UploadChecks

SMALL = images.make("png")


class Pool(WorkerPool):
    """Notes for whom it decodes, and ends no decode before it is told."""

    def __init__(self) -> None:
        super().__init__(1, 1024, 30.0)
        self.asked: list[str] = []
        self.ends: list[asyncio.Event] = []

    async def decode(
        self, blob: Blob, info: ImageInfo, width: int, height: int, quota: ComputeQuota | None = None
    ) -> Pixels:
        assert quota is not None
        self.asked.append(quota.project)
        self.ends.append(asyncio.Event())
        await self.ends[-1].wait()
        return np.zeros((height, width, 3), np.uint8)


@pytest.fixture
def image(tmp_path: Path) -> Path:
    path = tmp_path / "image.png"
    path.write_bytes(SMALL)
    return path


@pytest.mark.parametrize(("at_once", "of_one"), [(4, 3), (1, 1)])
async def test_many_images_of_one_project_do_not_hold_up_anothers(
    image: Path, at_once: int, of_one: int
) -> None:
    pool = Pool()
    trials = UploadChecks(pool, at_once=at_once, max_image_pixels=10_000)
    projects = ["hostile"] * 10 + ["other"]
    tried = [asyncio.create_task(trials.flaw(p, image, "image/png", len(SMALL))) for p in projects]
    await settle()
    assert pool.asked[:of_one] == ["hostile"] * of_one

    pool.ends[0].set()
    await settle()

    assert pool.asked[of_one] == "other"
    for task in tried:
        task.cancel()
    await asyncio.wait(tried)


async def settle() -> None:
    """Let all tasks come as far as they can."""
    for _ in range(10):
        await asyncio.sleep(0)
