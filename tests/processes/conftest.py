from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from offers import OFFERS
from twinlens.processes.fork_server import ForkServer
from twinlens.processes.workers import Worker


@pytest.fixture
async def forks() -> AsyncIterator[ForkServer]:
    forks = ForkServer("offers")
    yield forks
    await forks.stop()


@pytest.fixture
async def worker(forks: ForkServer) -> AsyncIterator[Worker]:
    worker = await Worker.fork(forks, OFFERS)
    yield worker
    worker.kill()
    await worker.gone()
