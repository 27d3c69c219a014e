"""One SQLite file for everything that is remembered, with numbered migrations.

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

from ..concurrency.locks import uncancelled
from ..domain.errors import Internal, ResourceExhausted, TwinlensError, Unavailable
from .disk import probe, public_error, storing_error
from .folder import DataFolderError
from .reserve import Reserve

T = TypeVar("T")
Work = Callable[[sqlite3.Connection], T]

log = logging.getLogger(__name__)

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
    (
        "ALTER TABLE files ADD COLUMN duration_us INTEGER",
        "ALTER TABLE files ADD COLUMN error TEXT",
        "CREATE INDEX files_by_expiry ON files (expires_us)",
        "CREATE INDEX files_pending ON files (seq) WHERE state = 'PROCESSING'",
        # Sizes stand in the index: what a project uses is summed with every block that is acknowledged.
        "CREATE INDEX files_by_room ON files (project, expires_us, size)",
        "DROP INDEX files_by_content",
        "CREATE INDEX files_by_content ON files (sha256, size)",
        "CREATE INDEX uploads_by_age ON uploads (created_us)",
        "CREATE INDEX uploads_by_room ON uploads (project, created_us, received) WHERE state = 'active'",
    ),
    (
        # One that is hidden is there for those that were built on it. `children` counts those, whether or
        # not they are hidden themselves; the last of them to go takes it along.
        """CREATE TABLE interactions (
            seq INTEGER PRIMARY KEY AUTOINCREMENT,
            project TEXT NOT NULL,
            id TEXT NOT NULL,
            previous TEXT,
            children INTEGER NOT NULL DEFAULT 0,
            hidden INTEGER NOT NULL DEFAULT 0,
            unfinished INTEGER NOT NULL,
            model TEXT NOT NULL,
            created_us INTEGER NOT NULL,
            updated_us INTEGER NOT NULL,
            background INTEGER NOT NULL,
            attempt INTEGER NOT NULL,
            media_count INTEGER NOT NULL,
            sent BLOB NOT NULL,
            outcome BLOB NOT NULL,
            UNIQUE (project, id)
        )""",
        "CREATE INDEX interactions_by_age ON interactions (created_us) WHERE hidden = 0",
        "CREATE INDEX interactions_unfinished ON interactions (seq) WHERE unfinished = 1",
        "CREATE INDEX interactions_dead ON interactions (seq) WHERE hidden = 1 AND children = 0",
        """CREATE TABLE interaction_media (
            interaction INTEGER NOT NULL,
            position INTEGER NOT NULL,
            sha256 TEXT NOT NULL,
            size INTEGER NOT NULL,
            mime_type TEXT NOT NULL,
            PRIMARY KEY (interaction, position)
        ) WITHOUT ROWID""",
        # The contents that a project's interactions name, each once, and how often.
        """CREATE TABLE interaction_contents (
            project TEXT NOT NULL,
            sha256 TEXT NOT NULL,
            size INTEGER NOT NULL,
            uses INTEGER NOT NULL,
            PRIMARY KEY (project, sha256)
        ) WITHOUT ROWID""",
        "CREATE INDEX interaction_contents_by_content ON interaction_contents (sha256, size)",
        # What a project's interactions take. Triggers keep it, so that it is exact whoever writes: it is
        # asked with every request, when there may be too many rows to add up.
        """CREATE TABLE interaction_rooms (
            project TEXT PRIMARY KEY,
            bytes INTEGER NOT NULL
        ) WITHOUT ROWID""",
        """CREATE TRIGGER interactions_added AFTER INSERT ON interactions BEGIN
            UPDATE interactions SET children = children + 1 WHERE project = new.project AND id = new.previous;
            INSERT INTO interaction_rooms VALUES (new.project, length(new.sent) + length(new.outcome))
                ON CONFLICT (project) DO UPDATE SET bytes = bytes + excluded.bytes;
        END""",
        """CREATE TRIGGER interactions_changed AFTER UPDATE OF outcome ON interactions BEGIN
            UPDATE interaction_rooms SET bytes = bytes + length(new.outcome) - length(old.outcome)
                WHERE project = new.project;
        END""",
        """CREATE TRIGGER interactions_removed AFTER DELETE ON interactions BEGIN
            UPDATE interactions SET children = children - 1 WHERE project = old.project AND id = old.previous;
            UPDATE interaction_rooms SET bytes = bytes - length(old.sent) - length(old.outcome)
                WHERE project = old.project;
        END""",
        """CREATE TRIGGER interaction_media_added AFTER INSERT ON interaction_media BEGIN
            INSERT INTO interaction_contents
                SELECT project, new.sha256, new.size, 1 FROM interactions WHERE seq = new.interaction
                ON CONFLICT (project, sha256) DO UPDATE SET uses = uses + 1;
        END""",
        """CREATE TRIGGER interaction_media_removed AFTER DELETE ON interaction_media BEGIN
            UPDATE interaction_contents SET uses = uses - 1 WHERE sha256 = old.sha256
                AND project = (SELECT project FROM interactions WHERE seq = old.interaction);
            DELETE FROM interaction_contents WHERE sha256 = old.sha256 AND uses = 0
                AND project = (SELECT project FROM interactions WHERE seq = old.interaction);
        END""",
        """CREATE TRIGGER interaction_contents_added AFTER INSERT ON interaction_contents BEGIN
            UPDATE interaction_rooms SET bytes = bytes + new.size WHERE project = new.project;
        END""",
        """CREATE TRIGGER interaction_contents_removed AFTER DELETE ON interaction_contents BEGIN
            UPDATE interaction_rooms SET bytes = bytes - old.size WHERE project = old.project;
        END""",
    ),
)

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
                _migrate(self._connection, path)
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
        """Let the last work end and close the file."""
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
    """Look for damage before anything is changed: on a connection that may not write."""
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


def _migrate(connection: sqlite3.Connection, path: Path) -> None:
    with _transaction(connection, "BEGIN IMMEDIATE"):
        (seen,) = connection.execute("PRAGMA user_version").fetchone()
        if seen > len(MIGRATIONS):
            raise DataFolderError(
                f"The data folder {path.parent} was written by a newer twinlens (its database has version "
                f"{seen}; this one knows {len(MIGRATIONS)}). Use that version, or another data folder."
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
    """Give the primary code of an error; mistakes of ours in calling the library have none."""
    return getattr(cause, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & 0xFF


def _asked(folder: Path) -> TwinlensError:
    """Ask the disk itself what is wrong with it."""
    try:
        probe(folder)
    except OSError as cause:
        return storing_error(cause.errno)
    return Internal()
