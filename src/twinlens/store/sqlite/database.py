"""One SQLite file and its thread: transactions of it, and what its errors mean.

All statements run on one thread of their own: the event loop never waits for the disk, and writers
never meet. A write is on the disk (write-ahead log, synced) before its coroutine returns.
"""

from __future__ import annotations

import asyncio
import errno
import logging
import sqlite3
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TypeVar
from urllib.parse import quote

from ...concurrency.locks import uncancelled
from ...domain.errors import Internal, ResourceExhausted, TwinlensError, Unavailable
from ..disk import probe, public_error, storing_error
from ..folder import DataFolderError
from ..reserve import Reserve
from .migrations import migrate

T = TypeVar("T")
Work = Callable[[sqlite3.Connection], T]

log = logging.getLogger(__name__)

BUSY_TIMEOUT_S = 10

_DAMAGED = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB})
_DISK = {sqlite3.SQLITE_FULL: errno.ENOSPC, sqlite3.SQLITE_READONLY: errno.EROFS}
_BUSY = frozenset({sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED})
_UNTOLD = frozenset({sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CANTOPEN})
"""Codes that keep to themselves what the disk said."""


class Database:
    """The file and its thread. `close` is called once; nothing may be asked of it afterwards.

    `check` raises where the file no longer lies under its name: the system would go on writing to it, and
    what is written would be lost with the last who has it open.
    """

    def __init__(
        self,
        path: Path,
        reserve: Reserve | None = None,
        *,
        check: Callable[[], None] = lambda: None,
        patience_s: float = BUSY_TIMEOUT_S,
    ) -> None:
        self._path = path
        self._reserve = reserve
        self._check = check
        self._damage_told = False
        with _opening(path):
            _check(path)
            # Ids of uploads are as good as keys: SQLite would let everybody on the machine read them.
            path.touch(mode=0o600)
            self._connection = sqlite3.connect(
                path, timeout=patience_s, isolation_level=None, check_same_thread=False
            )
            try:
                self._connection.execute("PRAGMA journal_mode = WAL")
                # WAL alone may lose the last commits to a power cut; FULL syncs each of them.
                self._connection.execute("PRAGMA synchronous = FULL")
                with _transaction(self._connection, "BEGIN IMMEDIATE"):
                    migrate(self._connection, path.parent)
            except BaseException:
                self._connection.close()
                raise
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="twinlens-database")

    async def read(self, work: Work[T]) -> T:
        """Run `work`, which changes nothing, against one consistent state."""
        return await uncancelled(self._run("BEGIN", work))

    async def write(self, work: Work[T]) -> T:
        """Run `work` as one transaction: all of it is kept and on the disk, or, where it raises, none.

        A caller that is cancelled meanwhile learns of it when the transaction has ended.
        """

        def checked(connection: sqlite3.Connection) -> T:
            done = work(connection)
            self._check()
            return done

        return await uncancelled(self._run("BEGIN IMMEDIATE", checked))

    async def free(self, work: Work[T]) -> T:
        """Write what makes room: where the disk is full, out of the reserve."""
        return await uncancelled(self._run("BEGIN IMMEDIATE", work, frees=True))

    async def close(self) -> None:
        """Wait for the last transaction and close the file."""
        await asyncio.get_running_loop().run_in_executor(self._thread, self._connection.close)
        self._thread.shutdown()

    async def _run(self, begin: str, work: Work[T], *, frees: bool = False) -> T:
        def steps() -> T:
            try:
                return self._transact(begin, work)
            except ResourceExhausted:
                if frees and self._reserve and self._reserve.give():
                    return self._transact(begin, work)
                raise

        return await asyncio.get_running_loop().run_in_executor(self._thread, steps)

    def _transact(self, begin: str, work: Work[T]) -> T:
        if self._reserve:
            self._reserve.restore()
        try:
            with _transaction(self._connection, begin):
                return work(self._connection)
        except sqlite3.Error as cause:
            raise self._translated(cause) from cause

    def _translated(self, cause: sqlite3.Error) -> TwinlensError:
        code = _code(cause)
        if code in _DISK:
            return public_error(_DISK[code])
        if code in _BUSY:
            return Unavailable("Another program holds the server's database. Try again later.")
        if code in _UNTOLD:
            return _asked(self._path.parent)
        if code in _DAMAGED and not self._damage_told:
            self._damage_told = True
            log.error(
                "The database %s is damaged (%s). Stop the server and restore the file.", self._path, cause
            )
        return Internal()


def _check(path: Path) -> None:
    """Check for damage before anything is changed, on a read-only connection."""
    if not path.exists() or not path.stat().st_size:
        _check_new(path)
        return
    with closing(sqlite3.connect(f"file:{quote(str(path))}?mode=ro", uri=True)) as connection:
        (found,) = connection.execute("PRAGMA quick_check(1)").fetchone()
        if found != "ok":
            raise _damaged(path) from sqlite3.DatabaseError(found)


def _check_new(path: Path) -> None:
    """Refuse to begin anew beside the bytes of files: no record would name them, and they would be swept."""
    folder = path.parent
    for place in (folder / "blobs", folder / "uploads"):
        if any(file.is_file() for file in place.rglob("*")):
            raise DataFolderError(
                f"The database {path} is missing or empty, but {place} holds the bytes of files. Nothing was "
                f"changed. Restore the database from a backup, or move the whole folder {folder} away to "
                "start with an empty one."
            )


@contextmanager
def _transaction(connection: sqlite3.Connection, begin: str) -> Iterator[None]:
    connection.execute(begin)
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


@contextmanager
def _opening(path: Path) -> Iterator[None]:
    """Translate what goes wrong at the start, which is for the operator to read."""
    try:
        yield
    except (sqlite3.Error, OSError) as cause:
        if isinstance(cause, sqlite3.Error) and _code(cause) in _DAMAGED:
            raise _damaged(path) from cause
        raise DataFolderError(
            f"The database {path} cannot be used: {cause}. Nothing was lost; make sure that the file "
            "can be written and that its disk is not full, or name another folder with --data-dir."
        ) from cause


def _damaged(path: Path) -> DataFolderError:
    return DataFolderError(
        f"The database {path} is damaged. Nothing was changed. Restore the file from a backup, or move "
        f"the whole folder {path.parent} away to start with an empty one."
    )


def _code(cause: sqlite3.Error) -> int:
    """Return the primary code of an error; misuse of the library has none."""
    return getattr(cause, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & 0xFF


def _asked(folder: Path) -> TwinlensError:
    """Return what is wrong with the disk, by writing to it."""
    try:
        probe(folder)
    except OSError as cause:
        return storing_error(cause.errno)
    return Internal()
