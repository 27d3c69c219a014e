"""Interactions in the database."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence
from datetime import datetime

from ...domain.errors import FailedPrecondition
from ...domain.interaction import UNFINISHED, Interaction, Outcome
from ...domain.request import BlobRef
from ..blobs import StoredBlob
from ..outcomes import read_outcome, write_outcome
from ..quota import interactions_exhausted
from ..records import Cleared, InteractionUsage, Limits, encodable, interaction_missing, shown
from .contents import Owner, refer, refer_only, release
from .database import Database
from .times import from_us, in_us

_COLUMNS = (
    "project, media_count, id, model, sent, created_us, updated_us, previous, background, attempt, outcome"
)
_INSERT = (
    f"INSERT INTO interactions ({_COLUMNS}, unfinished) "  # noqa: S608
    "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) RETURNING seq"
)
_ROWS = f"SELECT seq, {_COLUMNS} FROM interactions WHERE seq IN ({{}}) ORDER BY seq"  # noqa: S608
_HEADS = _ROWS.replace(" sent,", " x'' AS sent,")
"""The same without the requests, which may be large: for those that wait to be worked on."""
_MEDIA = (
    "SELECT interaction, position, sha256, size, mime_type FROM interaction_media WHERE interaction IN ({})"
)
_VISIBLE = "project = :project AND id = :id AND hidden = 0 AND created_us > :oldest"
_CHAIN = """WITH RECURSIVE chain(seq, project, previous) AS (
    SELECT seq, project, previous FROM interactions WHERE seq = :seq
    UNION ALL
    SELECT older.seq, older.project, older.previous FROM chain JOIN interactions AS older
        ON older.project = chain.project AND older.id = chain.previous
) SELECT seq FROM chain"""
_WAITING = """SELECT seq FROM interactions INDEXED BY interactions_unfinished
    WHERE unfinished = 1 AND hidden = 0 AND created_us > :oldest"""
_UPDATE = f"""UPDATE interactions SET outcome = :outcome, unfinished = :unfinished, updated_us = :updated,
    media_count = coalesce(:media_count, media_count), attempt = attempt + :begun
    WHERE {_VISIBLE} AND unfinished = 1 RETURNING seq"""  # noqa: S608
_HIDE_OLD = """UPDATE interactions SET hidden = 1 WHERE seq IN (
    SELECT seq FROM interactions WHERE hidden = 0 AND created_us <= ? ORDER BY created_us LIMIT ?
)"""
# A row comes after all that was built on it, so that any number of them from the first on can go.
_DEAD = """WITH RECURSIVE dead(seq, project, previous) AS (
    SELECT * FROM (
        SELECT seq, project, previous FROM interactions WHERE hidden = 1 AND children = 0 LIMIT :limit
    )
    UNION ALL
    SELECT older.seq, older.project, older.previous FROM dead JOIN interactions AS older
        ON older.project = dead.project AND older.id = dead.previous
        WHERE older.hidden = 1 AND older.children = 1
    LIMIT :limit
) SELECT seq FROM dead"""
_USAGE = (
    "SELECT (SELECT count(*) FROM interactions WHERE hidden = 0 AND created_us > ?), "
    "(SELECT coalesce(sum(bytes), 0) FROM interaction_rooms)"
)
_Values = dict[str, str | int | bytes | None]
_Row = tuple[int, str, int, str, str, bytes, int, int, str | None, int, int, bytes]


class SqliteInteractionRecords:
    """`twinlens.store.records.InteractionRecords`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def add(self, project: str, interaction: Interaction, limits: Limits) -> None:
        """Add an interaction and the references to its media, where there is room."""

        def work(connection: sqlite3.Connection) -> None:
            if interaction.previous is not None:
                _find(connection, project, interaction.previous, limits.oldest)
            before = _used(connection, project)
            ((seq,),) = connection.execute(_INSERT, _written(project, interaction)).fetchall()
            _write_media(connection, seq, interaction.media)
            refer(connection, _owner(project, interaction.id), _blobs(interaction.media))
            if _used(connection, project) > limits.max_bytes:
                raise interactions_exhausted(before, limits.max_bytes)

        await self._database.write(work)

    async def used(self, project: str) -> int:
        """Return what a project uses, in bytes."""
        return await self._database.read(lambda connection: _used(connection, project))

    async def get(self, project: str, interaction_id: str, oldest: datetime) -> Interaction:
        """Return an interaction as it was written."""

        def work(connection: sqlite3.Connection) -> Interaction:
            seq = _find(connection, project, interaction_id, oldest)
            return _load(connection, ":seq", {"seq": seq})[0][1]

        return await self._database.read(work)

    async def history(self, project: str, interaction_id: str, oldest: datetime) -> tuple[Interaction, ...]:
        """Return an interaction and all that it was built on, oldest first."""

        def work(connection: sqlite3.Connection) -> tuple[Interaction, ...]:
            seq = _find(connection, project, interaction_id, oldest)
            return tuple(found for _, found in _load(connection, _CHAIN, {"seq": seq}))

        return await self._database.read(work)

    async def update(
        self,
        project: str,
        interaction_id: str,
        outcome: Outcome,
        media: tuple[BlobRef | None, ...] | None,
        limits: Limits,
    ) -> bool:
        """Write down the outcome of one that is unfinished, and its media; return whether it was."""

        def work(connection: sqlite3.Connection) -> bool:
            count = None if media is None else len(media)
            values = _changed(project, interaction_id, outcome, limits) | {"media_count": count}
            rows = connection.execute(_UPDATE, values).fetchall()
            if rows and media is not None:
                before = _used(connection, project)
                _rename(connection, rows[0][0], _owner(project, interaction_id), media)
                if _used(connection, project) > max(before, limits.max_bytes):
                    raise interactions_exhausted(before, limits.max_bytes)
            return bool(rows)

        return await self._database.write(work)

    async def retry(self, project: str, interaction_id: str, limits: Limits) -> Interaction:
        """Queue an unfinished one again, empty, with one more attempt; return it, `sent` left out."""

        def work(connection: sqlite3.Connection) -> Interaction:
            seq = _find(connection, project, interaction_id, limits.oldest)
            values = _changed(project, interaction_id, Outcome("queued"), limits) | {"begun": 1}
            if not connection.execute(_UPDATE, values).fetchall():
                raise FailedPrecondition(f"Interaction {shown(interaction_id)} is finished.")
            return _load(connection, ":seq", {"seq": seq}, _HEADS)[0][1]

        return await self._database.write(work)

    async def unfinished(self, oldest: datetime) -> Sequence[tuple[str, Interaction]]:
        """Return the unfinished ones of all projects, oldest first, with their projects; `sent` left out."""
        values: _Values = {"oldest": in_us(oldest)}
        return await self._database.read(lambda connection: _load(connection, _WAITING, values, _HEADS))

    async def delete(self, project: str, interaction_id: str, limit: int, oldest: datetime) -> Cleared:
        """Delete one; remove up to `limit` rows that nothing continues."""

        def work(connection: sqlite3.Connection) -> Cleared:
            seq = _find(connection, project, interaction_id, oldest)
            connection.execute("UPDATE interactions SET hidden = 1 WHERE seq = ?", (seq,))
            return _remove_dead(connection, limit)

        return await self._database.free(work)

    async def remove_dead(self, limit: int) -> Cleared:
        """Remove up to `limit` rows that are deleted and that nothing is built on, with their references."""
        return await self._database.free(lambda connection: _remove_dead(connection, limit))

    async def remove_expired(self, limit: int, oldest: datetime) -> Cleared | None:
        """Delete up to `limit` expired ones, and remove rows that nothing continues; None is the end."""

        def work(connection: sqlite3.Connection) -> Cleared | None:
            cleared = _remove_dead(connection, limit)
            if cleared.removed:
                return cleared
            hidden = connection.execute(_HIDE_OLD, (in_us(oldest), limit)).rowcount
            return _remove_dead(connection, limit) if hidden else None

        return await self._database.free(work)

    async def usage(self, oldest: datetime) -> InteractionUsage:
        """Count what can be found, and what all projects use."""
        values = (in_us(oldest),)
        return await self._database.read(
            lambda connection: InteractionUsage(*connection.execute(_USAGE, values).fetchone())
        )


def _find(connection: sqlite3.Connection, project: str, interaction_id: str, oldest: datetime) -> int:
    """Return the row of one that can be found, within a transaction; raise where there is none."""
    query = f"SELECT seq FROM interactions WHERE {_VISIBLE}"  # noqa: S608
    rows = connection.execute(query, _key(project, interaction_id, oldest)).fetchall()
    if not rows:
        raise interaction_missing(interaction_id)
    return int(rows[0][0])


def _key(project: str, interaction_id: str, oldest: datetime) -> _Values:
    # SQLite does not take what cannot be encoded; the ids that are given out have nothing of the kind.
    return {"project": project, "id": encodable(interaction_id), "oldest": in_us(oldest)}


def _owner(project: str, interaction_id: str) -> Owner:
    return Owner(project, "interaction", encodable(interaction_id))


def _changed(project: str, interaction_id: str, outcome: Outcome, limits: Limits) -> _Values:
    """Return the update of the row of an unfinished one."""
    return {
        "outcome": write_outcome(outcome),
        "unfinished": outcome.status in UNFINISHED,
        "updated": in_us(limits.now),
        "media_count": None,
        "begun": 0,
        **_key(project, interaction_id, limits.oldest),
    }


def _written(project: str, interaction: Interaction) -> tuple[str | int | bytes | None, ...]:
    return (
        project,
        len(interaction.media),
        interaction.id,
        interaction.model,
        interaction.sent,
        in_us(interaction.created),
        in_us(interaction.updated),
        interaction.previous,
        interaction.background,
        interaction.attempt,
        write_outcome(interaction.outcome),
        not interaction.finished,
    )


def _rename(connection: sqlite3.Connection, seq: int, owner: Owner, media: Sequence[BlobRef | None]) -> None:
    """Replace the media of a row, in their positions."""
    connection.execute("DELETE FROM interaction_media WHERE interaction = ?", (seq,))
    _write_media(connection, seq, media)
    refer_only(connection, owner, _blobs(media))


def _write_media(connection: sqlite3.Connection, seq: int, media: Sequence[BlobRef | None]) -> None:
    rows = [
        (seq, position, kept.sha256, kept.size, kept.mime_type)
        for position, kept in enumerate(media)
        if kept is not None
    ]
    if rows:
        connection.executemany("INSERT INTO interaction_media VALUES (?, ?, ?, ?, ?)", rows)


def _blobs(media: Sequence[BlobRef | None]) -> list[StoredBlob]:
    return [StoredBlob(kept.sha256, kept.size) for kept in media if kept is not None]


def _used(connection: sqlite3.Connection, project: str) -> int:
    query = "SELECT bytes FROM interaction_rooms WHERE project = ?"
    return int((connection.execute(query, (project,)).fetchone() or (0,))[0])


def _load(
    connection: sqlite3.Connection, which: str, values: _Values, rows: str = _ROWS
) -> list[tuple[str, Interaction]]:
    """Return the rows whose numbers `which` selects, oldest first, each with its project."""
    media = {
        (seq, position): BlobRef(*kept)
        for seq, position, *kept in connection.execute(_MEDIA.format(which), values)
    }
    return [(row[1], _interaction(row, media)) for row in connection.execute(rows.format(which), values)]


def _interaction(row: _Row, media: Mapping[tuple[int, int], BlobRef]) -> Interaction:
    return Interaction(
        id=row[3],
        model=row[4],
        sent=row[5],
        created=from_us(row[6]),
        updated=from_us(row[7]),
        previous=row[8],
        media=tuple(media.get((row[0], position)) for position in range(row[2])),
        background=bool(row[9]),
        attempt=row[10],
        outcome=read_outcome(row[11]),
    )


def _remove_dead(connection: sqlite3.Connection, limit: int) -> Cleared:
    """Remove hidden rows that nothing is built on any more, and those that only these were built on."""
    rows = [row[0] for row in connection.execute(_DEAD, {"limit": limit}).fetchall()]
    if not rows:
        return Cleared(0)
    marks = ", ".join("?" * len(rows))
    removed = connection.execute(
        f"DELETE FROM interactions WHERE seq IN ({marks}) RETURNING seq, project, id, media_count",  # noqa: S608
        rows,
    ).fetchall()
    blobs = set[StoredBlob]()
    for seq, project, interaction_id, media_count in removed:
        if media_count:
            connection.execute("DELETE FROM interaction_media WHERE interaction = ?", (seq,))
            blobs |= release(connection, _owner(project, interaction_id))
    return Cleared(len(rows), blobs)
