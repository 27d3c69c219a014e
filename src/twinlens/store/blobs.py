"""Bytes addressed by their SHA-256, in an object store: stored once, and never changed.

`obstore` is the library; a local folder is its `LocalStore`, and S3, GCS or Azure differ in nothing that
is known outside this module. Uploads arrive as files on the local disk; a local store adopts such
a file by a hard link, every other one is sent its bytes.
"""

from __future__ import annotations

import asyncio
import errno
import mmap
import os
import re
import resource
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING

import obstore
from obstore.exceptions import BaseError
from obstore.store import LocalStore

from ..concurrency.locks import Locks, in_thread
from ..descriptors import write_all
from ..domain.media import Data, Descriptor
from .disk import disk_errors, make_folder, storing_error, sync_file, sync_folder

if TYPE_CHECKING:
    from obstore.store import ObjectStore

FOLDER = "blobs"
LIST_ITEMS = 1000
CHUNK_BYTES = 4 * 1024 * 1024
MAX_SENDING = 4
"""Chunks in transit to a remote store: with their size, the memory that sending one file takes. Chosen."""
MAX_FETCHING = 16
"""Blobs in transit from a remote store, to files of their own. Chosen: nobody needs thousands at once."""
READ_BYTES = 64 * 1024
"""Smaller blobs are read: as quick as mapping them, which keeps a descriptor. Many a process may have 1024,
fewer than a request may have images; 3600 of this size take 225 MiB."""
SCARCE_READ_BYTES = 256 * 1024
"""As `READ_BYTES`, where descriptors have become scarce."""
SCARCE = 0.75
"""From this share of the descriptors on, they are left to connections, the database and the workers.

Chosen, not measured."""
NO_LINKS = frozenset(
    {errno.EPERM, errno.EXDEV, errno.EMLINK, errno.ENOSYS, errno.EOPNOTSUPP, errno.ENOTSUP, errno.EINVAL}
)
"""The errors of a file system without hard links."""

_SHA256 = re.compile(r"[0-9a-f]{64}")
_OS_ERROR = re.compile(r"\(os error (\d+)\)")


@dataclass(frozen=True, slots=True)
class StoredBlob:
    """A blob in the store, and the bytes it takes there."""

    sha256: str
    size: int


class Blobs:
    """The blobs of one object store.

    `folder` is where bytes from a remote store are written for reading; `check` raises where the data
    folder is gone, and nothing is written then. Adopting a blob together
    with writing the record that names it, and looking for such a record together with dropping the
    blob, both happen under `lock`.
    """

    def __init__(self, store: ObjectStore, folder: Path, check: Callable[[], None] = lambda: None) -> None:
        self._store = store
        self._folder = folder
        self._check = check
        self._root = store.prefix if isinstance(store, LocalStore) else None
        self._locks = Locks()
        self._fetching = asyncio.Semaphore(MAX_FETCHING)

    def lock(self, sha256: str) -> AbstractAsyncContextManager[None]:
        """Return the lock of one blob, under which it is adopted or dropped."""
        return self._locks.hold(sha256)

    async def adopt(self, part: Path, sha256: str) -> None:
        """Store the bytes of a synced file under their hash. `part` stays: a crash now loses nothing.

        When this returns, the bytes are as safe as the store can make them.
        """
        with _store_errors():
            await in_thread(self._check)
            if self._root is None:
                await self._send(part, sha256)
                return
            target = self._root / _key(sha256)
            if not await in_thread(_linked, part, target, self._root):
                await self._send(part, sha256)
                # obstore's store for a local folder syncs nothing.
                await in_thread(sync_file, target)
                await in_thread(sync_folder, target.parent)

    async def put(self, data: Data, sha256: str, part: Path) -> None:
        """Store bytes under their hash, unless they are here; `part` is their temporary file."""
        with _store_errors():
            size = await self._size(sha256)
            if size == memoryview(data).nbytes:
                return
            if size is not None:
                # Damaged on the disk: nothing but its own bytes may stand under a hash.
                await self.drop(sha256)
            await in_thread(self._check)
            try:
                await in_thread(_write, part, data, self._folder)
                await self.adopt(part, sha256)
            finally:
                await in_thread(part.unlink, missing_ok=True)

    async def is_part(self, part: Path, sha256: str) -> bool:
        """Whether a blob is the very file that it was adopted from."""
        if self._root is None:
            return False
        with _store_errors():
            return await in_thread(_same, part, self._root / _key(sha256))

    async def open(self, sha256: str) -> IO[bytes] | None:
        """Open a blob as a real file, for reading; None where it is not here.

        The file goes on being readable although the blob is dropped.
        """
        with _store_errors():
            try:
                if self._root is not None:
                    return await _opened(self._root / _key(sha256))
                return await self._fetched(sha256)
            except FileNotFoundError:
                return None

    async def open_descriptor(self, sha256: str) -> Descriptor | None:
        """Open a blob for as long as the descriptor is referenced; None where it is not here."""
        with _store_errors():
            try:
                if self._root is not None:
                    return await in_thread(_descriptor_of, self._root / _key(sha256))
                with await self._fetched(sha256) as file:
                    return _wrapped(os.dup(file.fileno()))
            except FileNotFoundError:
                return None

    async def map(self, sha256: str) -> Data | None:
        """Return a blob's bytes, mapped rather than read where they are many; None where it is not here."""
        with _store_errors():
            try:
                if self._root is not None:
                    return await in_thread(_loaded, self._root / _key(sha256))
                with await self._fetched(sha256) as file:
                    return _bytes_of(file)
            except FileNotFoundError:
                return None

    async def drop(self, sha256: str) -> None:
        """Delete a blob, if it is here."""
        with _store_errors():
            try:
                await obstore.delete_async(self._store, _key(sha256))
            except FileNotFoundError:
                return

    async def list(self) -> AsyncIterator[list[StoredBlob]]:
        """List what the store holds, up to a thousand at a time."""
        with _store_errors():
            async for found in obstore.list(self._store, FOLDER, chunk_size=LIST_ITEMS):
                stored = [StoredBlob(item["path"].rpartition("/")[2], item["size"]) for item in found]
                yield [blob for blob in stored if _SHA256.fullmatch(blob.sha256)]

    async def clear_unfinished(self) -> None:
        """Remove what a crash left of blobs that were being written; called before anything is."""
        if self._root is not None:
            await in_thread(_remove_staged, self._root / FOLDER)

    async def _send(self, part: Path, sha256: str) -> None:
        size = (await in_thread(part.stat)).st_size
        if await self._size(sha256) == size:
            return
        await obstore.put_async(
            self._store, _key(sha256), part, chunk_size=CHUNK_BYTES, max_concurrency=MAX_SENDING
        )

    async def _size(self, sha256: str) -> int | None:
        try:
            return (await obstore.head_async(self._store, _key(sha256)))["size"]
        except FileNotFoundError:
            return None

    async def _fetched(self, sha256: str) -> IO[bytes]:
        async with self._fetching:
            answer = await obstore.get_async(self._store, _key(sha256))
            file = tempfile.TemporaryFile(dir=self._folder)  # noqa: SIM115  the caller closes it
            try:
                async for chunk in answer.stream(min_chunk_size=CHUNK_BYTES):
                    await in_thread(file.write, chunk)
                file.seek(0)
            except BaseException:
                file.close()
                raise
            return file


def _key(sha256: str) -> str:
    return f"{FOLDER}/{sha256[:2]}/{sha256}"


def _write(part: Path, data: Data, folder: Path) -> None:
    """Write a file and sync it."""
    make_folder(part.parent, within=folder)
    descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "wb", buffering=0) as file:
        write_all(file.fileno(), data)
        os.fsync(file.fileno())


def _same(part: Path, target: Path) -> bool:
    try:
        return target.samefile(part)
    except FileNotFoundError:
        return False


def _linked(part: Path, target: Path, root: Path) -> bool:
    """Hard-link a synced file; False where the file system cannot."""
    make_folder(target.parent, within=root)
    try:
        target.hardlink_to(part)
    except FileExistsError:
        # Synced when it came, unless that failed.
        sync_file(target)
    except OSError as cause:
        if cause.errno not in NO_LINKS:
            raise
        return False
    sync_folder(target.parent)
    return True


async def _opened(path: Path) -> IO[bytes]:
    """Open a file; where the caller is cancelled meanwhile, nobody else would close it."""
    opened: list[IO[bytes]] = []
    try:
        await in_thread(lambda: opened.append(path.open("rb")))
    except BaseException:
        for file in opened:
            file.close()
        raise
    return opened[0]


def _descriptor_of(path: Path) -> Descriptor:
    return _wrapped(os.open(path, os.O_RDONLY | os.O_CLOEXEC))


def _wrapped(descriptor: int) -> Descriptor:
    held = Descriptor(descriptor)
    if _is_scarce(descriptor):
        raise _too_many_open()
    return held


def _loaded(path: Path) -> Data:
    with path.open("rb") as file:
        return _bytes_of(file)


def _bytes_of(file: IO[bytes]) -> Data:
    size = os.fstat(file.fileno()).st_size
    if size <= READ_BYTES:
        return file.read()
    if _is_scarce(file.fileno()):
        if size <= SCARCE_READ_BYTES:
            return file.read()
        raise _too_many_open()
    return memoryview(mmap.mmap(file.fileno(), size, access=mmap.ACCESS_READ))


def _is_scarce(descriptor: int) -> bool:
    """Whether most descriptors are taken: a new one has the lowest number that is free."""
    most, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    following = os.dup(descriptor)
    os.close(following)
    return most != resource.RLIM_INFINITY and following >= most * SCARCE


def _too_many_open() -> OSError:
    return OSError(errno.EMFILE, os.strerror(errno.EMFILE))


def _remove_staged(folder: Path) -> None:
    with disk_errors():
        for path in folder.glob("*/*#*"):
            path.unlink(missing_ok=True)


def _number(cause: BaseError) -> int | None:
    """Parse the operating system's error number, which the library has in its text alone."""
    found = _OS_ERROR.search(str(cause))
    return int(found[1]) if found else None


@contextmanager
def _store_errors() -> Iterator[None]:
    """Translate the store's errors into API errors."""
    with disk_errors():
        try:
            yield
        except BaseError as cause:
            raise storing_error(_number(cause)) from cause
