"""A fresh data folder, with a clock that tests move."""

from __future__ import annotations

import resource
import subprocess
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from storing import uploads_of
from twinlens.store.contents import Contents
from twinlens.store.files import FileStore
from twinlens.store.records import FileRecord
from twinlens.store.storage import Storage, open_storage
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


class Server:
    """The store as one server has it; `restart` stands for the next one on the same folder."""

    def __init__(self, folder: Path, clock: Clock) -> None:
        self._folder = folder
        self._clock = clock
        self.storage = open_storage(folder, clock)

    async def restart(self) -> Storage:
        await self.storage.close()
        self.storage = open_storage(self._folder, self._clock)
        return self.storage


@pytest.fixture
async def server(tmp_path: Path, clock: Clock) -> AsyncIterator[Server]:
    server = Server(tmp_path, clock)
    yield server
    await server.storage.close()


@pytest.fixture
def storage(server: Server) -> Storage:
    return server.storage


@pytest.fixture
def files(storage: Storage) -> FileStore:
    return storage.files


@pytest.fixture
def contents(storage: Storage) -> Contents:
    return storage.contents


@pytest.fixture
def uploads(storage: Storage) -> Uploads:
    return uploads_of(
        storage,
        sniff=lambda head: "image/png" if head.startswith(b"\x89PNG") else None,
        inspected=lambda mime_type: mime_type == "video/mp4",
    )


Upload = Callable[..., Awaitable[FileRecord]]


@pytest.fixture
def upload(uploads: Uploads) -> Upload:
    """Upload bytes in one go."""

    async def upload(
        data: bytes, project: str = "p", file_id: str | None = None, mime_type: str = "image/png"
    ) -> FileRecord:
        async def stream() -> AsyncIterator[bytes]:
            yield data

        session = await uploads.start(Draft(project, file_id, mime_type=mime_type))
        await uploads.receive(session.id, 0, stream())
        return await uploads.finish(session.id)

    return upload


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Callable[..., Path]]:
    """Make a disk of 4 MiB, for tests that fill it or may not write to it."""
    mounted: list[Path] = []

    def mount(*options: str, at: Path = tmp_path / "disk") -> Path:
        at.mkdir(exist_ok=True)
        command = ["mount", "-t", "tmpfs", "-o", ",".join(("size=4m", *options)), "tmpfs", str(at)]
        try:
            done = subprocess.run(command, capture_output=True, check=False)
        except FileNotFoundError:
            pytest.skip("there is no mount command here")
        if done.returncode:
            pytest.skip(f"a small disk cannot be mounted here: {done.stderr.decode().strip()}")
        mounted.append(at)
        return at

    yield mount
    for path in mounted:
        subprocess.run(["umount", "-l", str(path)], check=True)


@pytest.fixture
def fill() -> Callable[[Path], Path]:
    """Fill a small disk to its last byte; removing the file that is returned makes room again."""

    def fill(disk: Path) -> Path:
        ballast = disk / "ballast"
        with ballast.open("wb", buffering=0) as file, suppress(OSError):
            while file.write(bytes(4096)):
                pass
        return ballast

    return fill


@pytest.fixture
def max_file_size() -> Callable[[int], AbstractContextManager[None]]:
    """Have the system refuse to let any file grow beyond a size, as a full disk does."""

    @contextmanager
    def limited(size: int) -> Iterator[None]:
        before = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
        try:
            yield
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, before)

    return limited
