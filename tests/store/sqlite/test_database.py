"""The database: what it keeps, and what it refuses."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Protocol

import pytest

from twinlens.domain.errors import FailedPrecondition, Internal, ResourceExhausted, Unavailable
from twinlens.store.folder import DataFolderError
from twinlens.store.records import FileRecord
from twinlens.store.sqlite.database import Database
from twinlens.store.storage import Storage, open_storage

Upload = Callable[[bytes], Awaitable[FileRecord]]


class Server(Protocol):
    storage: Storage


def insert(connection: sqlite3.Connection) -> None:
    connection.execute(
        "INSERT INTO uploads (id, project, file_id, state, received, created_us) "
        "VALUES ('u', 'p', 'f', 'active', 0, 0)"
    )


def much(connection: sqlite3.Connection) -> None:
    connection.execute("UPDATE uploads SET display_name = ?", ("x" * 200_000,))


async def filled(path: Path, rows: int) -> None:
    database = Database(path)
    values = [(str(number), "x" * 200) for number in range(rows)]
    await database.write(
        lambda connection: connection.executemany(
            "INSERT INTO uploads (id, project, display_name, file_id, state, received, created_us) "
            "VALUES (?, 'p', ?, 'f', 'active', 0, 0)",
            values,
        )
    )
    await database.close()


def damage(path: Path) -> None:
    """Overwrite the middle half."""
    size = path.stat().st_size
    with path.open("r+b") as file:
        file.seek(size // 4)
        file.write(b"\xa5" * (size // 2))


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


def test_a_file_that_is_no_database_is_refused_and_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "twinlens.db"
    path.write_bytes(b"not a database at all" * 100)

    with pytest.raises(DataFolderError, match=r"twinlens\.db is damaged\. Nothing was changed.*Restore"):
        Database(path)

    assert path.read_bytes() == b"not a database at all" * 100
    assert [file.name for file in tmp_path.iterdir()] == ["twinlens.db"]


async def test_damage_in_the_middle_is_found_at_the_start_and_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "twinlens.db"
    await filled(path, 2000)
    damage(path)
    damaged = path.read_bytes()

    with pytest.raises(DataFolderError, match=r"damaged. Nothing was changed"):
        Database(path)

    assert path.read_bytes() == damaged


@pytest.mark.parametrize("left", ["nothing", "an empty file"])
async def test_bytes_without_their_database_are_left_alone(left: str, server: Server, upload: Upload) -> None:
    kept = await upload(b"\x89PNG and more")
    database = server.storage.folder.path / "twinlens.db"
    aside = database.with_name("aside.db")
    await server.storage.close()
    database.rename(aside)
    if left == "an empty file":
        database.touch()

    with pytest.raises(DataFolderError, match="is missing or empty"):
        open_storage(database.parent)

    aside.replace(database)
    server.storage = open_storage(database.parent)
    assert bytes(await server.storage.files.map(kept)) == b"\x89PNG and more"


async def test_damage_that_shows_while_running_is_our_fault_and_told_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "twinlens.db"
    await filled(path, 2000)
    database = Database(path)
    damage(path)

    for _ in range(2):
        with pytest.raises(Internal) as raised:
            await database.read(lambda connection: connection.execute("SELECT * FROM uploads").fetchall())
        assert isinstance(raised.value.__cause__, sqlite3.DatabaseError)

    assert [record.getMessage().split(" (")[0] for record in caplog.records] == [
        f"The database {path} is damaged"
    ]
    await database.close()


async def test_a_log_that_a_crash_left_is_read(tmp_path: Path) -> None:
    database = Database(tmp_path / "twinlens.db")
    await database.write(insert)
    crashed = tmp_path / "crashed"
    crashed.mkdir()
    for name in ("twinlens.db", "twinlens.db-wal"):
        (crashed / name).write_bytes((tmp_path / name).read_bytes())
    await database.close()

    again = Database(crashed / "twinlens.db")

    assert await again.read(count) == 1
    await again.close()


async def test_a_full_disk_refuses_the_write_and_nothing_else(
    small_disk: Callable[[], Path], fill: Callable[[Path], Path]
) -> None:
    disk = small_disk()
    database = Database(disk / "twinlens.db")
    await database.write(insert)
    ballast = fill(disk)

    with pytest.raises(ResourceExhausted, match="The server's disk is full"):
        await database.write(much)

    assert await database.read(count) == 1
    ballast.unlink()
    await database.write(much)
    await database.close()


async def test_a_database_that_became_read_only_says_so(tmp_path: Path) -> None:
    database = Database(tmp_path / "twinlens.db")
    await database.read(lambda connection: connection.execute("PRAGMA query_only = 1"))

    with pytest.raises(Unavailable, match="read-only"):
        await database.write(insert)

    await database.close()


async def test_a_cancelled_caller_learns_of_it_when_the_transaction_has_ended(tmp_path: Path) -> None:
    database = Database(tmp_path / "twinlens.db")
    started, go_on = threading.Event(), threading.Event()

    def slow(connection: sqlite3.Connection) -> None:
        insert(connection)
        started.set()
        go_on.wait()

    task = asyncio.create_task(database.write(slow))
    await asyncio.to_thread(started.wait)
    task.cancel()
    await asyncio.sleep(0)
    assert not task.done()
    go_on.set()

    with pytest.raises(asyncio.CancelledError):
        await task
    assert await database.read(count) == 1
    await database.close()


async def test_a_database_that_another_program_holds_is_said_to_be_so(tmp_path: Path) -> None:
    database = Database(tmp_path / "twinlens.db", patience_s=0.01)
    other = sqlite3.connect(tmp_path / "twinlens.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")

    with pytest.raises(Unavailable, match="Another program holds"):
        await database.write(lambda connection: connection.execute("DELETE FROM files"))

    other.close()
    await database.write(lambda connection: connection.execute("DELETE FROM files"))
    await database.close()
