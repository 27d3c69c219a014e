"""References to contents in the database."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable

from .database import Database

_IS_REFERENCED = (
    "SELECT EXISTS (SELECT 1 FROM files WHERE sha256 = :sha256) "
    "OR EXISTS (SELECT 1 FROM interaction_contents WHERE sha256 = :sha256)"
)
_PROJECTS = (
    "SELECT project FROM files WHERE sha256 = :sha256 "
    "UNION SELECT project FROM interaction_contents WHERE sha256 = :sha256"
)


class SqliteReferences:
    """`twinlens.store.records.References`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def unreferenced(self, hashes: Iterable[str]) -> set[str]:
        """Return those of these contents that no record of any project names."""

        def work(connection: sqlite3.Connection) -> set[str]:
            return {sha256 for sha256 in hashes if not _is_referenced(connection, sha256)}

        return await self._database.read(work)

    async def projects_of(self, sha256: str) -> frozenset[str]:
        """Return the projects that have a record which names a content."""

        def work(connection: sqlite3.Connection) -> frozenset[str]:
            return frozenset(row[0] for row in connection.execute(_PROJECTS, {"sha256": sha256}))

        return await self._database.read(work)


def _is_referenced(connection: sqlite3.Connection, sha256: str) -> bool:
    return bool(connection.execute(_IS_REFERENCED, {"sha256": sha256}).fetchone()[0])
