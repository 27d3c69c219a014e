"""Interactions in SQLite: what is asked of the database costs the same however many there are."""

from __future__ import annotations

import sqlite3
from datetime import UTC, datetime, timedelta
from pathlib import Path

from twinlens.domain.engine import Text
from twinlens.domain.interaction import Interaction, Outcome
from twinlens.domain.request import BlobRef
from twinlens.store.outcomes import write_outcome
from twinlens.store.records import Limits
from twinlens.store.sqlite.database import Database
from twinlens.store.sqlite.records import SqliteRecords

NOW = datetime(2026, 1, 2, tzinfo=UTC)
OLDEST = NOW - timedelta(days=1)
LIMITS = Limits(10_000_000, NOW, OLDEST)
DONE = Outcome("completed", (Text("Yes."),))
PICTURE = BlobRef("ab" * 32, 7, "image/png")

SMALL_SCANS = {
    "SCAN CONSTANT ROW",
    "SCAN chain",
    "SCAN dead",
    "SCAN (subquery-1)",
    "SCAN interactions USING INDEX interactions_dead",
}
"""Of what a statement has found itself, and of the rows that are to go."""


async def test_no_question_reads_all_rows(tmp_path: Path) -> None:
    records = SqliteRecords.open(tmp_path / "twinlens.db")
    store, statements = records.interactions, await many_rows(records.database)

    await store.add("p", Interaction("new", "m", b"{}", NOW, NOW, "i19999", (PICTURE,)), LIMITS)
    await store.get("p", "new", OLDEST)
    assert len(await store.history("p", "new", OLDEST)) == 21
    await store.used("p")
    await store.update("p", "new", DONE, (PICTURE,), LIMITS)
    await records.references.unreferenced([PICTURE.sha256])
    await records.references.projects_of(PICTURE.sha256)
    await store.delete("p", "new", 100, OLDEST)
    await store.remove_expired(100, OLDEST)

    asked = [text for text in statements if text.split()[0] not in ("BEGIN", "COMMIT", "--")]
    plans = await records.database.read(
        lambda connection: {
            text: [row[3] for row in connection.execute(f"EXPLAIN QUERY PLAN {text}")] for text in asked
        }
    )
    assert len(plans) > 10
    found = {text: [step for step in plan if "SCAN" in step] for text, plan in plans.items()}
    assert {text: steps for text, steps in found.items() if not set(steps) <= SMALL_SCANS} == {}
    await records.close()


async def many_rows(database: Database) -> list[str]:
    """Fill the table with conversations of twenty turns; return what is asked from then on."""
    statements: list[str] = []
    time = int(NOW.timestamp() * 1_000_000)

    def work(connection: sqlite3.Connection) -> None:
        connection.executemany(
            "INSERT INTO interactions (project, media_count, id, model, sent, created_us, updated_us, "
            "previous, background, attempt, outcome, unfinished) "
            "VALUES ('p', 0, ?, 'm', x'', ?, 0, ?, 0, 1, x'', 0)",
            [(f"i{number}", time, f"i{number - 1}" if number % 20 else None) for number in range(20_000)],
        )
        connection.execute("UPDATE interactions SET outcome = ?", (write_outcome(DONE),))
        connection.set_trace_callback(statements.append)

    await database.write(work)
    return statements
