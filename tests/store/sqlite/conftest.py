"""Records in SQLite that note what is asked of the database, and how it is found."""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from twinlens.store.sqlite.records import SqliteRecords

SMALL_SCANS = {
    "SCAN CONSTANT ROW",
    "SCAN chain",
    "SCAN dead",
    "SCAN (subquery-1)",
    "SCAN interactions USING INDEX interactions_dead",
    "SCAN interactions USING INDEX interactions_unfinished",
    "SCAN interactions USING COVERING INDEX interactions_unfinished",
    "SCAN files USING INDEX files_pending",
}
"""Of what a statement has found itself, of the rows that are to go, and of those that wait."""


class Watched:
    """Records, and the statements that they have asked since `begin`."""

    def __init__(self, records: SqliteRecords) -> None:
        self.records = records
        self._asked: list[str] = []

    async def begin(self, fill: Callable[[sqlite3.Connection], object]) -> None:
        """Fill the tables, and note what is asked from then on."""

        def work(connection: sqlite3.Connection) -> None:
            fill(connection)
            connection.set_trace_callback(self._asked.append)

        await self.records.database.write(work)

    async def scans(self) -> dict[str, list[str]]:
        """Return the statements that read whole tables or indexes, each with those that it reads."""
        asked = [text for text in self._asked if text.split()[0] not in ("BEGIN", "COMMIT", "--")]
        assert asked
        plans = await self.records.database.read(
            lambda connection: {
                text: [row[3] for row in connection.execute(f"EXPLAIN QUERY PLAN {text}")] for text in asked
            }
        )
        found = {text: [step for step in plan if "SCAN" in step] for text, plan in plans.items()}
        return {text: steps for text, steps in found.items() if not set(steps) <= SMALL_SCANS}


@pytest.fixture
async def watched(tmp_path: Path) -> AsyncIterator[Watched]:
    records = SqliteRecords.open(tmp_path / "twinlens.db")
    yield Watched(records)
    await records.close()
