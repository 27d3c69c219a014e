"""Interactions in SQLite: what is asked of the database costs the same however many there are."""

from __future__ import annotations

import sqlite3
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Protocol

from twinlens.domain.engine import Text
from twinlens.domain.interaction import Interaction, Outcome
from twinlens.domain.request import BlobRef
from twinlens.store.outcomes import write_outcome
from twinlens.store.records import Limits, Records

NOW = datetime(2026, 1, 2, tzinfo=UTC)
OLDEST = NOW - timedelta(days=1)
LIMITS = Limits(10_000_000, NOW, OLDEST)
DONE = Outcome("completed", (Text("Yes."),))
PICTURE = BlobRef("ab" * 32, 7, "image/png")


class Watched(Protocol):
    records: Records
    begin: Callable[[Callable[[sqlite3.Connection], object]], Awaitable[None]]
    scans: Callable[[], Awaitable[dict[str, list[str]]]]


def conversations(connection: sqlite3.Connection) -> None:
    """Fill the table with conversations of twenty turns."""
    time = int(NOW.timestamp() * 1_000_000)
    connection.executemany(
        "INSERT INTO interactions (project, media_count, id, model, sent, created_us, updated_us, "
        "previous, background, attempt, outcome, unfinished) "
        "VALUES ('p', 0, ?, 'm', x'', ?, 0, ?, 0, 1, x'', 0)",
        [(f"i{number}", time, f"i{number - 1}" if number % 20 else None) for number in range(20_000)],
    )
    connection.execute("UPDATE interactions SET outcome = ?", (write_outcome(DONE),))


async def test_no_question_reads_all_rows(watched: Watched) -> None:
    store, queued = watched.records.interactions, Outcome("queued")
    await watched.begin(conversations)
    new = Interaction("new", "m", b"{}", NOW, NOW, "i19999", (PICTURE,), outcome=queued)

    await store.add("p", new, LIMITS)
    await store.get("p", "new", OLDEST)
    assert len(await store.history("p", "new", OLDEST)) == 21
    await store.used("p")
    await store.retry("p", "new", LIMITS)
    assert len(await store.unfinished(OLDEST)) == 1
    assert await store.update("p", "new", DONE, (PICTURE,), LIMITS)
    await store.delete("p", "new", 100, OLDEST)
    await store.remove_dead(100)
    await store.remove_expired(100, OLDEST)

    assert await watched.scans() == {}
