"""One SQLite file for everything that is remembered, with numbered migrations.

All statements run on one thread of their own: the event loop never waits for the disk, and writers
never meet. A write is on the disk (write-ahead log, synced) before its coroutine returns.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

from ..domain.errors import FailedPrecondition, Internal

T = TypeVar("T")
Work = Callable[[sqlite3.Connection], T]

BUSY_TIMEOUT_S = 10

# Append only: a database remembers by its number which of these it has seen. Times are whole
# microseconds since 1970.
MIGRATIONS: tuple[tuple[str, ...], ...] = (
    (
        """CREATE TABLE files (
            seq INTEGER PRIMARY KEY AUTOINCREMENT,
            project TEXT NOT NULL,
            id TEXT NOT NULL,
            display_name TEXT,
            mime_type TEXT NOT NULL,
            size INTEGER NOT NULL,
            sha256 TEXT NOT NULL,
            state TEXT NOT NULL,
            created_us INTEGER NOT NULL,
            updated_us INTEGER NOT NULL,
            expires_us INTEGER NOT NULL,
            UNIQUE (project, id)
        )""",
        "CREATE INDEX files_by_age ON files (project, seq)",
        "CREATE INDEX files_by_content ON files (sha256)",
        """CREATE TABLE uploads (
            id TEXT PRIMARY KEY,
            project TEXT NOT NULL,
            file_id TEXT NOT NULL,
            display_name TEXT,
            mime_type TEXT,
            size INTEGER,
            state TEXT NOT NULL,
            received INTEGER NOT NULL,
            sha256 TEXT,
            created_us INTEGER NOT NULL
        )""",
    ),
)


class Database:
    """The file and its thread. `close` is called once; nothing may be asked of it afterwards."""

    def __init__(self, path: Path) -> None:
        with _translated():
            self._connection = sqlite3.connect(
                path, timeout=BUSY_TIMEOUT_S, isolation_level=None, check_same_thread=False
            )
            self._connection.execute("PRAGMA journal_mode = WAL")
            # WAL alone may lose the last commits to a power cut; FULL syncs each of them.
            self._connection.execute("PRAGMA synchronous = FULL")
            _migrate(self._connection)
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="twinlens-database")

    async def read(self, work: Work[T]) -> T:
        """Run `work`, which changes nothing, against one consistent state."""
        return await self._run("BEGIN", work)

    async def write(self, work: Work[T]) -> T:
        """Run `work` as one transaction: all of it is kept and on the disk, or, where it raises, none."""
        return await self._run("BEGIN IMMEDIATE", work)

    async def close(self) -> None:
        """Let the last work end and close the file."""
        await asyncio.get_running_loop().run_in_executor(self._thread, self._connection.close)
        self._thread.shutdown()

    async def _run(self, begin: str, work: Work[T]) -> T:
        def transaction() -> T:
            with _translated(), _transaction(self._connection, begin):
                return work(self._connection)

        return await asyncio.get_running_loop().run_in_executor(self._thread, transaction)


def _migrate(connection: sqlite3.Connection) -> None:
    with _transaction(connection, "BEGIN IMMEDIATE"):
        (seen,) = connection.execute("PRAGMA user_version").fetchone()
        if seen > len(MIGRATIONS):
            raise FailedPrecondition(
                f"The data folder was written by a newer twinlens (its database has version {seen}; "
                f"this one knows {len(MIGRATIONS)}). Use that version, or another data folder."
            )
        for statements in MIGRATIONS[seen:]:
            for statement in statements:
                connection.execute(statement)
        connection.execute(f"PRAGMA user_version = {len(MIGRATIONS)}")


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
def _translated() -> Iterator[None]:
    try:
        yield
    except sqlite3.Error as cause:
        raise Internal from cause
