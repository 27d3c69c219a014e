"""All records in one SQLite file, opened and closed together."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from ..reserve import Reserve
from .contents import SqliteReferences
from .database import Database
from .files import SqliteFileRecords
from .interactions import SqliteInteractionRecords
from .uploads import SqliteUploadRecords


@dataclass(frozen=True, slots=True)
class SqliteRecords:
    """`twinlens.store.records.Records` in a database file."""

    files: SqliteFileRecords
    uploads: SqliteUploadRecords
    interactions: SqliteInteractionRecords
    references: SqliteReferences
    database: Database

    @classmethod
    def open(
        cls, path: Path, reserve: Reserve | None = None, *, check: Callable[[], None] = lambda: None
    ) -> SqliteRecords:
        """Open the file, or make it; raise `DataFolderError` where it cannot be used.

        `reserve` is given where the disk is full and something is removed; `check` is asked before each write
        is committed, and raises where the file is no longer the one under its name.
        """
        database = Database(path, reserve, check=check)
        return cls(
            SqliteFileRecords(database),
            SqliteUploadRecords(database),
            SqliteInteractionRecords(database),
            SqliteReferences(database),
            database,
        )

    async def close(self) -> None:
        """Wait for the last transaction and close the file."""
        await self.database.close()
