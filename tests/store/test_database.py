"""The database: what it keeps, and what it refuses."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from twinlens.domain.errors import FailedPrecondition, Internal
from twinlens.store.database import MIGRATIONS, Database


def insert(connection: sqlite3.Connection) -> None:
    connection.execute(
        "INSERT INTO uploads (id, project, file_id, state, received, created_us) "
        "VALUES ('u', 'p', 'f', 'active', 0, 0)"
    )


def count(connection: sqlite3.Connection) -> int:
    (found,) = connection.execute("SELECT count(*) FROM uploads").fetchone()
    return int(found)


async def test_what_was_written_is_there_when_the_file_is_opened_again(tmp_path: Path) -> None:
    first = Database(tmp_path / "twinlens.db")
    await first.write(insert)
    await first.close()

    second = Database(tmp_path / "twinlens.db")

    assert await second.read(count) == 1
    await second.close()


async def test_a_write_that_raises_leaves_nothing_behind(tmp_path: Path) -> None:
    database = Database(tmp_path / "twinlens.db")

    def broken(connection: sqlite3.Connection) -> None:
        insert(connection)
        raise FailedPrecondition("no")

    with pytest.raises(FailedPrecondition):
        await database.write(broken)

    assert await database.read(count) == 0
    await database.close()


async def test_a_wrong_statement_is_an_internal_error_with_its_cause(tmp_path: Path) -> None:
    database = Database(tmp_path / "twinlens.db")

    with pytest.raises(Internal) as raised:
        await database.read(lambda connection: connection.execute("SELECT * FROM nowhere"))

    assert isinstance(raised.value.__cause__, sqlite3.Error)
    await database.close()


def test_a_database_of_a_newer_version_is_refused(tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "twinlens.db") as connection:
        connection.execute(f"PRAGMA user_version = {len(MIGRATIONS) + 1}")
    connection.close()

    with pytest.raises(FailedPrecondition, match="newer twinlens"):
        Database(tmp_path / "twinlens.db")


def test_a_file_that_is_no_database_is_an_error_of_ours(tmp_path: Path) -> None:
    (tmp_path / "twinlens.db").write_bytes(b"not a database at all" * 100)

    with pytest.raises(Internal):
        Database(tmp_path / "twinlens.db")
