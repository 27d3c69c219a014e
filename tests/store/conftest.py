"""A file store on a fresh folder, with a clock that tests move."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from twinlens.store.files import FileRecord, FileStore
from twinlens.store.uploads import Draft, Uploads


@dataclass
class Clock:
    """Tells the time it is set to."""

    time: datetime = datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.time

    def move(self, by: timedelta) -> None:
        self.time += by


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def files(tmp_path: Path, clock: Clock) -> AsyncIterator[FileStore]:
    store = FileStore(tmp_path, clock=clock)
    yield store
    await store.close()


@pytest.fixture
def uploads(files: FileStore) -> Uploads:
    return Uploads(files, sniff=lambda head: "image/png" if head.startswith(b"\x89PNG") else None)


Upload = Callable[..., Awaitable[FileRecord]]


@pytest.fixture
def upload(uploads: Uploads) -> Upload:
    """Upload bytes in one go."""

    async def upload(data: bytes, project: str = "p", file_id: str | None = None) -> FileRecord:
        async def stream() -> AsyncIterator[bytes]:
            yield data

        session = await uploads.start(Draft(project, file_id, mime_type="image/png"))
        await uploads.receive(session.id, 0, stream())
        return await uploads.finish(session.id)

    return upload
