"""Decoded and encoded images on disk: a bounded folder that evicts the least recently used.

Whatever is here can be made again. So nothing is synced, a torn or damaged entry counts as missing, and a
full or read-only disk makes no request fail.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
import os
import re
import struct
import time
import zlib
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import IO

import numpy as np

from ..concurrency.lru import LRU
from ..descriptors import read_exactly
from ..domain.media import Pixels

log = logging.getLogger(__name__)

MAX_WAITING_BYTES = 64 * 1024 * 1024
"""Pixels that may wait to be written; more are not cached. Chosen: memory that no other limit counts."""

_TOUCH_AFTER_S = 60.0
"""How stale an entry's time may be, from which a restart restores the order of use. Chosen."""

_HEADER = struct.Struct("<8sIII")
"""Magic and version, height and width of pixels (or 1 and 0), checksum. The content follows."""

_PIXELS, _BYTES = b"TWPIXEL\x01", b"TWBYTES\x01"
_BLOCK_BYTES = 4096
_NAME = re.compile(r"[0-9a-f]{64}")
_PART = ".part"


Content = Pixels | bytes
"""A cache entry's content: pixels, or an encoded image."""


class _Damaged(Exception):
    """A file that is not what was written, or not under this name."""


@dataclass(slots=True)
class _Entry:
    size: int
    touched: float


class PixelCache:
    """Caches images by content and plan, in at most `max_bytes` of disk. Used from one event loop.

    A project, a content and a plan are names; entries of one project are not there for another, which could
    tell by the response time. All plans of a content are deleted together. The folder belongs to one
    cache at a time. Reading happens in threads, writing in one thread of its own, one entry after the
    other.
    """

    def __init__(self, folder: Path, max_bytes: int) -> None:
        self._folder = folder
        self._max_bytes = max_bytes
        self._lock = Lock()
        self._entries: LRU[str, _Entry] = LRU()
        self._waiting: dict[str, Content] = {}
        self._waiting_bytes = 0
        self._writer = ThreadPoolExecutor(1, thread_name_prefix="cache")
        self._open = True
        self._complained = False
        self.hits = 0
        self.misses = 0
        self.evictions = 0
        self.bytes = 0
        self._take_stock()

    @property
    def entries(self) -> int:
        """How many entries are on disk."""
        return len(self._entries)

    async def get(self, project: str, content: str, plan: str) -> Content | None:
        """Return the cache entry of a project's content for a plan; an array is read-only."""
        name = _name(project, content, plan)
        found = self._waiting.get(name)
        if found is None and name in self._entries:
            found = await asyncio.to_thread(self._read, name)
        if found is None:
            self.misses += 1
            return None
        self.hits += 1
        return found

    def put(self, project: str, content: str, plan: str, made: Content) -> None:
        """Cache what was made of a content, if there is space; it must not change any more."""
        name, size = _name(project, content, plan), len(_flat(made))
        too_much = _size(size) > self._max_bytes or self._waiting_bytes + size > MAX_WAITING_BYTES
        if too_much or not self._open or name in self._waiting or name in self._entries:
            return
        with self._lock:
            self._waiting[name] = made
            self._waiting_bytes += size
        self._writer.submit(self._write, name, made)

    def forget(self, content: str, projects: Iterable[str] = ()) -> None:
        """Delete the pixels of a content but those of some projects, which still have it.

        That is done soon: whatever waits to be written goes first.
        """
        if self._open:
            kept = tuple(_shelf(content, project) for project in projects)
            self._writer.submit(self._drop_all, _hash(content), kept)

    async def expire(self, unused_s: float) -> None:
        """Delete what was not used for so long: images must not outlive their files for ever."""
        if self._open:
            await asyncio.wrap_future(self._writer.submit(self._expire, time.time() - unused_s))

    async def close(self) -> None:
        """Write what still waits. A closed cache stores nothing more."""
        self._open = False
        await asyncio.to_thread(self._writer.shutdown)

    def _take_stock(self) -> None:
        """Load the entries of an earlier run, and remove what it had begun to write."""
        found = []
        try:
            for file in _files(self._folder):
                status = file.stat(follow_symlinks=False)
                if file.name.endswith(_PART):
                    os.unlink(file)
                elif _NAME.fullmatch(file.name):
                    size = _size(status.st_size - _HEADER.size)
                    found.append((status.st_mtime, file.name, size))
            for touched, name, size in sorted(found):
                self._entries.put(name, _Entry(size, touched))
                self.bytes += size
            self._make_room(0)
        except OSError as error:
            self._complain(error)

    def _read(self, name: str) -> Content | None:
        try:
            with open(self._path_of(name), "rb", buffering=0) as file:
                found = _unpack(file, name)
                self._touch(name, file)
                return found
        except FileNotFoundError:
            self._forget(name)
        except _Damaged as damage:
            log.warning("dropped a cached image: %s", damage)
            self._drop(name)
        except OSError as error:
            self._complain(error)
            self._drop(name)
        return None

    def _touch(self, name: str, file: IO[bytes]) -> None:
        """Make an entry the most recently used one, and update its file's time now and then."""
        now = time.time()
        with self._lock:
            entry = self._entries.get(name)
            if entry is None:
                return
            if now - entry.touched < _TOUCH_AFTER_S:
                return
            entry.touched = now
        with suppress(OSError):
            os.utime(file.fileno())

    def _write(self, name: str, made: Content) -> None:
        size = _size(len(_flat(made)))
        try:
            self._make_room(size)
            _write_whole(self._path_of(name), _header(name, made), _flat(made))
            with self._lock:
                self._entries.put(name, _Entry(size, time.time()))
                self.bytes += size
        except OSError as error:
            self._complain(error)
        finally:
            with self._lock:
                del self._waiting[name]
                self._waiting_bytes -= len(_flat(made))

    def _make_room(self, size: int) -> None:
        while self._entries and self.bytes + size > self._max_bytes:
            with self._lock:
                oldest, entry = self._entries.pop_oldest()
            # Where that fails, what it takes stays counted.
            self._path_of(oldest).unlink(missing_ok=True)
            with self._lock:
                self.bytes -= entry.size
            self.evictions += 1

    def _expire(self, before: float) -> None:
        with self._lock:
            unused = [name for name, entry in self._entries.items() if entry.touched < before]
        for name in unused:
            self._drop(name)

    def _drop_all(self, start: str, kept: tuple[str, ...]) -> None:
        with self._lock:
            names = [name for name in self._entries if name.startswith(start) and not name.startswith(kept)]
        for name in names:
            self._drop(name)

    def _drop(self, name: str) -> None:
        # The file goes first: until the name is forgotten, nobody writes a new one.
        with suppress(OSError):
            self._path_of(name).unlink(missing_ok=True)
        self._forget(name)

    def _forget(self, name: str) -> None:
        with self._lock:
            entry = self._entries.pop(name)
            if entry is not None:
                self.bytes -= entry.size

    def _path_of(self, name: str) -> Path:
        return self._folder / name[:2] / name

    def _complain(self, error: OSError) -> None:
        """Log the first failure of the disk; the server does without the cache."""
        if not self._complained:
            self._complained = True
            log.warning("decoded images cannot be cached on disk: %s", error)


def _name(project: str, content: str, plan: str) -> str:
    return _shelf(content, project) + _hash(plan, 16)


def _shelf(content: str, project: str) -> str:
    """Return the prefix of the names of a project's entries of a content."""
    return _hash(content) + _hash(project, 16)


def _hash(text: str, digits: int = 32) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:digits]


def _size(pixel_bytes: int) -> int:
    """Return the disk space of an entry, in whole blocks."""
    return -(-(_HEADER.size + pixel_bytes) // _BLOCK_BYTES) * _BLOCK_BYTES


def _files(folder: Path) -> Iterator[os.DirEntry[str]]:
    """Yield the plain files one level below a folder; none where it does not exist."""
    if not folder.exists():
        return
    with os.scandir(folder) as shelves:
        for shelf in shelves:
            if shelf.is_dir(follow_symlinks=False):
                with os.scandir(shelf) as files:
                    yield from (file for file in files if file.is_file(follow_symlinks=False))


def _flat(made: Content) -> memoryview:
    """Return the bytes of a content, without copying them."""
    return memoryview(made) if isinstance(made, bytes) else made.data.cast("B")


def _header(name: str, made: Content) -> bytes:
    if isinstance(made, bytes):
        return _HEADER.pack(_BYTES, 1, 0, _checksum(name, made))
    height, width, _ = made.shape
    return _HEADER.pack(_PIXELS, height, width, _checksum(name, made))


def _unpack(file: IO[bytes], name: str) -> Content:
    """Read an entry straight into its array. Raises `_Damaged` unless its checksum fits."""
    header = file.read(_HEADER.size)
    if len(header) < _HEADER.size:
        raise _Damaged("it ends within its header")
    magic, height, width, checksum = _HEADER.unpack(header)
    size = os.fstat(file.fileno()).st_size - _HEADER.size
    if magic not in (_PIXELS, _BYTES):
        raise _Damaged("it is of another version")
    if not size or (magic == _PIXELS and size != height * width * 3):
        raise _Damaged("its size does not fit its header")
    array = np.empty(size, np.uint8)
    try:
        read_exactly(file.fileno(), array.data, _HEADER.size)
    except EOFError as error:
        raise _Damaged("it has become shorter") from error
    made = array.tobytes() if magic == _BYTES else array.reshape(height, width, 3)
    if _checksum(name, made) != checksum:
        raise _Damaged("its checksum does not fit")
    if not isinstance(made, bytes):
        made.setflags(write=False)
    return made


def _checksum(name: str, made: Content) -> int:
    """Return the checksum of a content, its shape and its name: another entry's file does not fit either."""
    shape = () if isinstance(made, bytes) else made.shape
    return zlib.crc32(_flat(made), zlib.crc32(f"{name} {shape}".encode()))


def _write_whole(path: Path, header: bytes, content: memoryview) -> None:
    """Write a file and rename it once it is whole."""
    part = path.with_name(path.name + _PART)
    try:
        # Not what the cache's folder lies in: where that is gone, it is not to come back.
        path.parent.parent.mkdir(exist_ok=True)
        path.parent.mkdir(exist_ok=True)
        with open(part, "wb") as file:
            file.write(header)
            file.write(content)
        os.replace(part, path)
    except OSError:
        with suppress(OSError):
            part.unlink(missing_ok=True)
        raise
