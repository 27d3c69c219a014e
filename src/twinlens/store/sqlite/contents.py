"""References to contents in the database: what is asked of them, and how the other records change them.

Whatever has contents adds its rows and calls `refer` in one transaction, and `release` where it removes them.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass

from ..blobs import StoredBlob
from ..records import OwnerKind
from .database import Database

_IS_REFERENCED = "SELECT EXISTS (SELECT 1 FROM blob_references WHERE sha256 = ?)"
_PROJECTS = "SELECT DISTINCT project FROM blob_references WHERE sha256 = ?"
_REFER = "INSERT OR IGNORE INTO blob_references (sha256, size, project, kind, owner) VALUES (?, ?, ?, ?, ?)"
_RELEASE = "DELETE FROM blob_references WHERE project = ? AND kind = ? AND owner = ? RETURNING sha256, size"

_NAMED = "SELECT sha256, size FROM blob_references WHERE project = ? AND kind = ? AND owner = ?"
_CEASE = "DELETE FROM blob_references WHERE sha256 = ? AND project = ? AND kind = ? AND owner = ?"


@dataclass(frozen=True, slots=True)
class Owner:
    """A record that names contents: its `id` is its own among those of its project and kind."""

    project: str
    kind: OwnerKind
    id: str

    @property
    def key(self) -> tuple[str, str, str]:
        """What its references are found by."""
        return self.project, self.kind, self.id


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
            return frozenset(row[0] for row in connection.execute(_PROJECTS, (sha256,)))

        return await self._database.read(work)


def refer(connection: sqlite3.Connection, owner: Owner, blobs: Iterable[StoredBlob]) -> None:
    """Add references from a record to contents, within the transaction that writes it."""
    rows = [(blob.sha256, blob.size, *owner.key) for blob in blobs]
    if rows:
        connection.executemany(_REFER, rows)


def refer_only(connection: sqlite3.Connection, owner: Owner, blobs: Iterable[StoredBlob]) -> None:
    """Replace a record's references, within the transaction that changes it."""
    before = {StoredBlob(*row) for row in connection.execute(_NAMED, owner.key)}
    after = set(blobs)
    for blob in before - after:
        connection.execute(_CEASE, (blob.sha256, *owner.key))
    refer(connection, owner, after - before)


def release(connection: sqlite3.Connection, owner: Owner) -> set[StoredBlob]:
    """Remove and return a record's references, within the transaction that removes it."""
    return {StoredBlob(*row) for row in connection.execute(_RELEASE, owner.key).fetchall()}


def _is_referenced(connection: sqlite3.Connection, sha256: str) -> bool:
    return bool(connection.execute(_IS_REFERENCED, (sha256,)).fetchone()[0])
