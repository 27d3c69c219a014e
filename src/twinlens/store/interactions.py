"""Stored interactions of a project: each a question, what became of it, and what it was built on.

One that is missing, deleted, expired, or another project's looks the same from outside: not found. Later
turns that were built on it keep it as a part of their history all the same, until the last of them goes.
Bytes of media lie among the blobs of the file store; here are only their names.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from ..concurrency.locks import uncancelled
from ..domain.errors import FailedPrecondition, NotFound, ResourceExhausted
from ..domain.interaction import UNFINISHED, Interaction, Outcome
from ..domain.request import BlobRef
from .blobs import StoredBlob
from .disk import RETRY_AFTER_S
from .files import FileStore
from .outcomes import read_outcome, write_outcome
from .sqlite.database import Work
from .sqlite.times import from_us, in_us

STEP = 100
"""Rows that go in one transaction, when the last turn of a long conversation is deleted."""
SHOWN_CHARACTERS = 100

_US = timedelta(microseconds=1)
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
_CHANGE = f"""UPDATE interactions SET outcome = :outcome, unfinished = :unfinished, updated_us = :updated,
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
_Values = dict[str, str | int | bytes | None]
_Row = tuple[int, str, int, str, str, bytes, int, int, str | None, int, int, bytes]


@dataclass(frozen=True, slots=True)
class Cleared:
    """What went for good: rows, and the contents that these named, which others may name as well."""

    removed: int
    blobs: set[StoredBlob] = field(default_factory=set)


@dataclass(frozen=True, slots=True)
class Totals:
    """What is kept, of all projects together: interactions that can be read, and what everything takes.

    The same content counts once for each project.
    """

    interactions: int
    bytes: int


class InteractionStore:
    """Keeps interactions for `lifetime`, in at most `max_bytes` for each project.

    They lie in the database of `files`. Whoever names media here first sees to it that their bytes are
    there, `keeping` them meanwhile (`FileStore.keep_bytes`).
    """

    def __init__(self, files: FileStore, *, lifetime: timedelta, max_bytes: int) -> None:
        self._files = files
        self._lifetime_us = lifetime // _US
        self._max_bytes = max_bytes

    async def add(self, project: str, interaction: Interaction) -> None:
        """Keep a new interaction. What it is built on must still be there, and the project must have room."""

        def work(connection: sqlite3.Connection) -> None:
            if interaction.previous is not None:
                self._find(connection, project, interaction.previous)
            before = _used(connection, project)
            ((seq,),) = connection.execute(_INSERT, _written(project, interaction)).fetchall()
            _name(connection, seq, interaction.media)
            if _used(connection, project) > self._max_bytes:
                raise self._exhausted(before)

        await self._files.database.write(work)

    async def check_room(self, project: str, size: int) -> None:
        """Refuse what would take so many bytes more than the project may, before any work is done."""
        used = await self._files.database.read(lambda connection: _used(connection, project))
        if used + size > self._max_bytes:
            raise self._exhausted(used)

    async def get(self, project: str, interaction_id: str) -> Interaction:
        """Find an interaction."""

        def work(connection: sqlite3.Connection) -> Interaction:
            seq = self._find(connection, project, interaction_id)
            return _load(connection, ":seq", {"seq": seq})[0][1]

        return await self._files.database.read(work)

    async def history(self, project: str, interaction_id: str) -> tuple[Interaction, ...]:
        """Find an interaction and all that it was built on, deleted or not, oldest first."""

        def work(connection: sqlite3.Connection) -> tuple[Interaction, ...]:
            seq = self._find(connection, project, interaction_id)
            return tuple(found for _, found in _load(connection, _CHAIN, {"seq": seq}))

        return await self._files.database.read(work)

    async def update(
        self,
        project: str,
        interaction_id: str,
        outcome: Outcome,
        media: tuple[BlobRef | None, ...] | None = None,
        *,
        time: datetime | None = None,
    ) -> bool:
        """Write down what has become of it, and of its media; False where it is gone, or is finished.

        `time` is when; now, where none is given.

        Media that the project has no room for are refused, and nothing is written. An answer is not.
        """

        def work(connection: sqlite3.Connection) -> bool:
            count = None if media is None else len(media)
            at = time or self._files.clock()
            seq = self._change(connection, project, interaction_id, outcome, at, media_count=count)
            if seq is not None and media is not None:
                before = _used(connection, project)
                _name(connection, seq, media)
                if _used(connection, project) > max(before, self._max_bytes):
                    raise self._exhausted(before)
            return seq is not None

        return await self._files.database.write(work)

    async def retry(self, project: str, interaction_id: str) -> Interaction:
        """Have an unfinished one wait to be begun once more, with nothing said; what was sent is left out."""

        def work(connection: sqlite3.Connection) -> Interaction:
            seq = self._find(connection, project, interaction_id)
            at = self._files.clock()
            if self._change(connection, project, interaction_id, Outcome("queued"), at, begun=1) is None:
                raise FailedPrecondition(f"Interaction {_shown(interaction_id)} is finished.")
            return _load(connection, ":seq", {"seq": seq}, _HEADS)[0][1]

        return await self._files.database.write(work)

    async def unfinished(self) -> Sequence[tuple[str, Interaction]]:
        """List those of all projects that nobody has finished, oldest first, each with its project.

        What was sent is left out.
        """
        values: _Values = {"oldest": self._oldest_us()}
        return await self._files.database.read(lambda connection: _load(connection, _WAITING, values, _HEADS))

    async def delete(self, project: str, interaction_id: str) -> None:
        """Delete an interaction, and with it what only it still kept."""

        def work(connection: sqlite3.Connection) -> Cleared:
            seq = self._find(connection, project, interaction_id)
            connection.execute("UPDATE interactions SET hidden = 1 WHERE seq = ?", (seq,))
            return _remove_dead(connection, STEP)

        await uncancelled(self._clear(work))

    async def remove_expired(self, limit: int) -> Cleared | None:
        """Remove up to `limit` whose time is over, but those that others were built on; None is the end.

        Their bytes are the caller's to drop.
        """

        def work(connection: sqlite3.Connection) -> Cleared | None:
            cleared = _remove_dead(connection, limit)
            if cleared.removed:
                return cleared
            hidden = connection.execute(_HIDE_OLD, (self._oldest_us(), limit)).rowcount
            return _remove_dead(connection, limit) if hidden else None

        return await self._files.database.free(work)

    async def usage(self) -> Totals:
        """Count what is kept."""
        query = (
            "SELECT (SELECT count(*) FROM interactions WHERE hidden = 0 AND created_us > ?), "
            "(SELECT coalesce(sum(bytes), 0) FROM interaction_rooms)"
        )
        values = (self._oldest_us(),)
        return await self._files.database.read(
            lambda connection: Totals(*connection.execute(query, values).fetchone())
        )

    async def _clear(self, first: Work[Cleared]) -> None:
        cleared = await self._files.database.free(first)
        while cleared.removed:
            # Bytes go only after it is certain that the records are gone.
            for blob in cleared.blobs:
                await self._files.drop_unused(blob.sha256)
            cleared = await self._files.database.free(lambda connection: _remove_dead(connection, STEP))

    def _find(self, connection: sqlite3.Connection, project: str, interaction_id: str) -> int:
        """Find the row of one that can be read, within a transaction; raise where there is none."""
        query = f"SELECT seq FROM interactions WHERE {_VISIBLE}"  # noqa: S608
        rows = connection.execute(query, self._named(project, interaction_id)).fetchall()
        if not rows:
            raise NotFound(
                f"Interaction {_shown(interaction_id)} was not found: it does not exist, was deleted, or has "
                "expired."
            )
        return int(rows[0][0])

    def _change(
        self,
        connection: sqlite3.Connection,
        project: str,
        interaction_id: str,
        outcome: Outcome,
        time: datetime,
        *,
        media_count: int | None = None,
        begun: int = 0,
    ) -> int | None:
        """Change the row of one that can be read and is not finished; tell which it is, if there is one."""
        values: _Values = {
            "outcome": write_outcome(outcome),
            "unfinished": outcome.status in UNFINISHED,
            "updated": in_us(time),
            "media_count": media_count,
            "begun": begun,
            **self._named(project, interaction_id),
        }
        rows = connection.execute(_CHANGE, values).fetchall()
        return int(rows[0][0]) if rows else None

    def _named(self, project: str, interaction_id: str) -> _Values:
        # SQLite does not take what cannot be encoded; the ids that are given out have nothing of the kind.
        return {"project": project, "id": _encodable(interaction_id), "oldest": self._oldest_us()}

    def _oldest_us(self) -> int:
        return in_us(self._files.clock()) - self._lifetime_us

    def _exhausted(self, used: int) -> ResourceExhausted:
        return ResourceExhausted(
            "Resource has been exhausted (e.g. check quota). "
            f"The project uses {used} of its {self._max_bytes} bytes for stored interactions, and there is "
            'no room for this one: delete interactions, send "store": false, or wait until some expire.',
            retry_after_s=RETRY_AFTER_S,
        )


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


def _name(connection: sqlite3.Connection, seq: int, media: Sequence[BlobRef | None]) -> None:
    """Have a row name these media and no others."""
    connection.execute("DELETE FROM interaction_media WHERE interaction = ?", (seq,))
    connection.executemany(
        "INSERT INTO interaction_media VALUES (?, ?, ?, ?, ?)",
        [
            (seq, position, kept.sha256, kept.size, kept.mime_type)
            for position, kept in enumerate(media)
            if kept is not None
        ],
    )


def _used(connection: sqlite3.Connection, project: str) -> int:
    query = "SELECT bytes FROM interaction_rooms WHERE project = ?"
    return int((connection.execute(query, (project,)).fetchone() or (0,))[0])


def _load(
    connection: sqlite3.Connection, which: str, values: _Values, rows: str = _ROWS
) -> list[tuple[str, Interaction]]:
    """Read the rows whose numbers `which` selects, oldest first, each with its project."""
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
    named = connection.execute(
        f"DELETE FROM interaction_media WHERE interaction IN ({marks}) RETURNING sha256, size",  # noqa: S608
        rows,
    ).fetchall()
    connection.execute(f"DELETE FROM interactions WHERE seq IN ({marks})", rows)  # noqa: S608
    return Cleared(len(rows), {StoredBlob(sha256, size) for sha256, size in named})


def _encodable(text: str) -> str:
    return text.encode("utf-8", "replace").decode()


def _shown(interaction_id: str) -> str:
    return _encodable(interaction_id[:SHOWN_CHARACTERS])
