"""The files that uploads are received into, and the hashes of what came so far.

All of it but `PartFiles.open` blocks on the disk: call it from another thread. Nothing here knows what was
acknowledged but by being told: `received` bytes of a part are safe and never change, what lies behind
them is rubbish that the next block overwrites.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Protocol, Self

from ..concurrency.lru import LRU
from ..descriptors import write_all
from ..domain.errors import InvalidArgument
from .disk import disk_errors, make_folder, sync_file, sync_folder

HEAD_BYTES = 4096
READ_BYTES = 1024 * 1024
EARLY_BYTES = 256 * 1024
"""Blocks of this size begin to be written out at once; smaller ones are all there is to sync."""
MAX_HASHES = 1024
"""Uploads whose hash stays in memory; for others it is computed again from the part file. Chosen."""


class _Hash(Protocol):
    def update(self, data: bytes | memoryview, /) -> None: ...
    def copy(self) -> Self: ...
    def hexdigest(self) -> str: ...


@dataclass(slots=True)
class _Hashed:
    """A hash and how many bytes from the beginning it has seen."""

    sha256: _Hash
    end: int

    def copy(self) -> _Hashed:
        return _Hashed(self.sha256.copy(), self.end)


@dataclass(frozen=True, slots=True)
class Sealed:
    """A whole part: its hash in hexadecimal and its first bytes."""

    sha256: str
    head: bytes


@dataclass(frozen=True, slots=True)
class StoredPart:
    """A part file and its size."""

    upload_id: str
    size: int


class PartFile:
    """A file that one request writes, or compares with: the first `received` bytes do not change.

    A path is opened, and its file created, when the first of its bytes are asked for.
    """

    def __init__(self, source: Path | IO[bytes], received: int, hashed: _Hashed | None = None) -> None:
        self._source = source
        self.received = received
        self.hashed = hashed

    @property
    def file(self) -> IO[bytes]:
        """The open file."""
        if isinstance(self._source, Path):
            self._source = _opened(self._source)
        return self._source

    def close(self) -> None:
        """Close the file if it was opened."""
        if not isinstance(self._source, Path):
            self._source.close()

    def write(self, position: int, block: bytes | bytearray) -> None:
        """Write a block; what has been acknowledged before is compared instead."""
        known = block[: max(self.received - position, 0)]
        with disk_errors():
            descriptor = self.file.fileno()
            if known and os.pread(descriptor, len(known), position) != known:
                raise InvalidArgument(
                    f"The bytes sent again from {position} on differ from those received before."
                )
            at = position + len(known)
            new = memoryview(block)[len(known) :]
            write_all(descriptor, new, at)
            if sys.platform == "linux" and len(new) >= EARLY_BYTES:
                # It begins to write out what is not on the disk yet: there is less to wait for in the end.
                os.posix_fadvise(descriptor, at, len(new), os.POSIX_FADV_DONTNEED)
        if self.hashed and self.hashed.end == at:
            self.hashed.sha256.update(new)
            self.hashed.end += len(new)

    def cut(self, end: int) -> None:
        """Truncate the file to `end`."""
        with disk_errors():
            self.file.truncate(end)

    def trim(self, end: int) -> None:
        """Cut off what lies behind `end`: from then on whoever reads the file reads what is sealed."""
        with disk_errors():
            if os.fstat(self.file.fileno()).st_size != end:
                self.cut(end)
                os.fsync(self.file.fileno())

    def seal(self, end: int) -> Sealed:
        """Sync the bytes up to `end` and cut off the rest; return their hash and the first of them."""
        with disk_errors():
            file = self.file
            size = os.fstat(file.fileno()).st_size
            if size != end:
                self.cut(end)
            if not size == end == self.received > 0:
                os.fsync(file.fileno())
            hashed = self.hashed if self.hashed and self.hashed.end <= end else _nothing_hashed()
            file.seek(hashed.end)
            while block := file.read(READ_BYTES):
                hashed.sha256.update(block)
                hashed.end += len(block)
            file.seek(0)
            return Sealed(hashed.sha256.hexdigest(), file.read(HEAD_BYTES))


class PartFiles:
    """The part files of one folder, by the upload's id."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._hashes: LRU[str, _Hashed] = LRU(MAX_HASHES)
        with disk_errors():
            make_folder(folder)

    def path(self, upload_id: str) -> Path:
        """Return the path of a part."""
        return self._folder / upload_id

    def open(self, upload_id: str, received: int) -> PartFile:
        """Open a part for writing after its first `received` bytes; create it if it is not there."""
        known = self._hashes.get(upload_id)
        return PartFile(self.path(upload_id), received, known.copy() if known else _nothing_hashed())

    def sync(self, part: PartFile) -> None:
        """Sync what was written, and with the first bytes the part's name."""
        with disk_errors():
            os.fsync(part.file.fileno())
            if not part.received:
                sync_folder(self._folder)

    def acknowledged(self, upload_id: str, part: PartFile, received: int) -> None:
        """Record that `received` bytes of a part do not change any more."""
        part.received = received
        if part.hashed and part.hashed.end <= received:
            self._hashes.put(upload_id, part.hashed.copy())

    def remove(self, upload_id: str) -> None:
        """Delete a part."""
        self._hashes.pop(upload_id)
        with disk_errors():
            self.path(upload_id).unlink(missing_ok=True)

    def list(self) -> list[StoredPart]:
        """List the parts that are here."""
        with disk_errors(), os.scandir(self._folder) as entries:
            return [StoredPart(entry.name, entry.stat().st_size) for entry in entries]


def _opened(path: Path) -> IO[bytes]:
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    file = os.fdopen(descriptor, "r+b", buffering=0)
    if os.fstat(descriptor).st_nlink == 1:
        return file
    # An end that failed, or that a crash cut off, has left a blob that is this very file: it may keep it.
    file.close()
    copy = path.with_name(f"{path.name}~")
    shutil.copy(path, copy)
    sync_file(copy)
    copy.replace(path)
    sync_folder(path.parent)
    return path.open("r+b", buffering=0)


def _nothing_hashed() -> _Hashed:
    return _Hashed(hashlib.sha256(), 0)
