"""Bad disks under a real server: full, read-only, damaged, in use. Each is told clearly; nothing is lost."""

from __future__ import annotations

import hashlib
import json
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from random import Random

import pytest

from crash.disks import Disk, failing_disk, small_disk
from crash.samples import png
from crash.serving import (
    PATIENCE_S,
    Answer,
    Connection,
    Server,
    command,
    connected,
    environment,
    files_under,
    path_and_query,
    upload_headers,
)

MIB = 1024 * 1024
PICTURE = png(Random(1), 3 * MIB)
OTHER = png(Random(2), 2 * MIB)


class Client:
    """What a client of the Files API does."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def get(self, path: str) -> Answer:
        """Read a resource."""
        return self._connection.ask("GET", path)

    def delete(self, path: str) -> Answer:
        """Delete a resource."""
        return self._connection.ask("DELETE", path)

    def start(self, size: int, name: str) -> Answer:
        """Ask for a session."""
        body = json.dumps({"file": {"name": name, "mimeType": "image/png"}}).encode()
        more = {"Protocol": "resumable", "Header_Content_Length": size}
        return self._connection.ask("POST", "/upload/v1beta/files", upload_headers("start", **more), body)

    def session(self, size: int, name: str) -> str:
        """Start an upload; give its session."""
        answer = self.start(size, name)
        assert answer.status == 200, answer
        return path_and_query(answer.headers["X-Goog-Upload-URL"])

    def step(self, session: str, steps: str, offset: int = 0, body: bytes = b"") -> Answer:
        """Do one step of an upload."""
        return self._connection.ask("POST", session, upload_headers(steps, Offset=offset), body)

    def upload(self, data: bytes, name: str) -> None:
        """Upload a file in one chunk."""
        answer = self.step(self.session(len(data), name), "upload, finalize", 0, data)
        assert answer.status == 200, answer

    def ask_about(self, name: str) -> Answer:
        """Ask a question about a file."""
        parts = [{"fileData": {"fileUri": name}}, {"text": "What is it?"}]
        body = json.dumps({"contents": [{"parts": parts}]}).encode()
        return self._connection.ask("POST", "/v1beta/models/gemini-3-flash:generateContent", body=body)


@contextmanager
def serving(
    data: Path, folder: Path, *, within: Sequence[str] = (), tracebacks: bool = False
) -> Iterator[Client]:
    """Serve a data folder for a block. The server must stop in order; its log has a traceback, or none."""
    with Server(data, folder, within=within) as server:
        with connected(server.address()) as connection:
            assert connection.ask("GET", "/healthz").status == 200
            yield Client(connection)
            assert connection.ask("GET", "/healthz").status == 200
        server.stop()
    assert tracebacks or "Traceback" not in server.log.read_text(), server.log.read_text()


def refusal(data: Path, folder: Path, *, within: Sequence[str] = ()) -> str:
    """Try to serve a data folder; the server must end with code 1 and one sentence, which is given."""
    done = subprocess.run(
        command(data, within=within),
        env=environment(folder),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=False,
    )
    assert done.returncode == 1, done
    assert "Traceback" not in done.stderr, done.stderr
    assert done.stdout == "", done
    lines = done.stderr.splitlines()
    assert len(lines) == 1, done.stderr
    assert lines[0].startswith("Error: "), done.stderr
    return lines[0]


def error(answer: Answer) -> tuple[int, str, str]:
    """Read an error: its HTTP status, its code and its message."""
    found = json.loads(answer.body)["error"]
    assert found["code"] == answer.status
    assert "Traceback" not in found["message"]
    return answer.status, found["status"], found["message"]


def stored(data: Path) -> set[str]:
    """Hash all blobs of a data folder."""
    return {digest(path.read_bytes()) for path in files_under(data / "blobs")}


def digest(data: bytes) -> str:
    """Hash bytes as the store names them."""
    return hashlib.sha256(data).hexdigest()


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Disk]:
    """Mount a disk of 8 MiB."""
    with small_disk(tmp_path / "disk", "8m") as mounted:
        yield mounted


def test_an_upload_goes_on_when_a_full_disk_has_room_again(disk: Disk, tmp_path: Path) -> None:
    data, big = disk.folder / "data", png(Random(3), 6 * MIB)
    with serving(data, tmp_path, within=disk.within) as client:
        client.upload(PICTURE, "files/first")
        session = client.session(len(big), "files/second")
        acknowledged = 0
        while (
            answer := client.step(session, "upload", acknowledged, big[acknowledged:][:MIB])
        ).status == 200:
            acknowledged = answer.received

        status, code, message = error(answer)
        assert 400 <= status < 600
        assert code == "RESOURCE_EXHAUSTED"
        assert "disk is full" in message
        asked = client.step(session, "query")
        assert (asked.status, asked.state) == (200, "active")
        assert acknowledged <= asked.received <= acknowledged + MIB
        assert client.ask_about("files/first").status == 200

        assert client.delete("/v1beta/files/first").status == 200
        rest = big[asked.received :]
        assert client.step(session, "upload, finalize", asked.received, rest).status == 200
        assert client.ask_about("files/second").status == 200

    assert stored(disk.seen / "data") == {digest(big)}


def test_a_file_can_be_deleted_when_nothing_fits_any_more(disk: Disk, tmp_path: Path) -> None:
    with serving(disk.folder / "data", tmp_path, within=disk.within) as client:
        client.upload(PICTURE, "files/first")
        disk.fill()
        full = client.start(10, "files/second")

        deleted = client.delete("/v1beta/files/first")

        assert error(full)[1] == "RESOURCE_EXHAUSTED"
        assert deleted.status == 200, deleted
        assert client.get("/v1beta/files/first").status == 403
        assert disk.free >= len(PICTURE) - 64 * 1024
        client.upload(OTHER, "files/second")

    assert stored(disk.seen / "data") == {digest(OTHER)}


def test_a_question_is_answered_when_nothing_fits_any_more(disk: Disk, tmp_path: Path) -> None:
    with serving(disk.folder / "data", tmp_path, within=disk.within) as client:
        client.upload(PICTURE, "files/first")
        disk.fill()

        assert client.ask_about("files/first").status == 200
        assert client.get("/v1beta/files/first").status == 200


def test_a_server_does_not_start_on_a_full_disk(disk: Disk, tmp_path: Path) -> None:
    disk.fill()

    said = refusal(disk.folder / "data", tmp_path, within=disk.within)

    assert str(disk.folder / "data") in said
    assert "is full" in said


def test_files_are_there_after_a_start_that_failed_on_a_full_disk(disk: Disk, tmp_path: Path) -> None:
    data = disk.folder / "data"
    with serving(data, tmp_path, within=disk.within) as client:
        client.upload(PICTURE, "files/first")
    filler = disk.fill()

    said = refusal(data, tmp_path, within=disk.within)
    filler.unlink()

    assert "is full" in said
    with serving(data, tmp_path, within=disk.within) as client:
        assert client.ask_about("files/first").status == 200


def test_a_server_does_not_start_on_a_read_only_disk(disk: Disk, tmp_path: Path) -> None:
    data = disk.folder / "data"
    with serving(data, tmp_path, within=disk.within) as client:
        client.upload(PICTURE, "files/first")
    disk.remount("ro")

    said = refusal(data, tmp_path, within=disk.within)
    disk.remount("rw")

    assert str(data) in said
    assert "read-only" in said
    with serving(data, tmp_path, within=disk.within) as client:
        assert client.ask_about("files/first").status == 200


def test_files_stay_readable_when_the_disk_turns_read_only(tmp_path: Path) -> None:
    with (
        failing_disk(tmp_path / "disk") as disk,
        # What the server cannot write when it stops may be logged.
        serving(disk.folder / "data", tmp_path, within=disk.within, tracebacks=True) as client,
    ):
        client.upload(PICTURE, "files/first")
        session = client.session(len(OTHER), "files/second")
        assert client.step(session, "upload", 0, OTHER[:MIB]).status == 200
        disk.fail()

        refused = [
            client.start(10, "files/third"),
            client.step(session, "upload", MIB, OTHER[MIB:]),
            client.delete("/v1beta/files/first"),
        ]

        for answer in refused:
            status, code, message = error(answer)
            assert (status, code) == (503, "UNAVAILABLE"), answer
            assert "read-only" in message
        assert client.step(session, "query").received == MIB
        assert client.get("/v1beta/files/first").status == 200
        assert client.ask_about("files/first").status == 200


DAMAGES: Mapping[str, Callable[[bytes], bytes]] = {
    "a page in the middle": lambda data: data[: len(data) // 2] + bytes(4096) + data[len(data) // 2 + 4096 :],
    "noise in the middle": lambda data: data[:4096] + Random(4).randbytes(8192) + data[12288:],
    "the second half is gone": lambda data: data[: len(data) // 2],
    "noise": lambda data: Random(5).randbytes(len(data)),
    "noise in the header": lambda data: Random(6).randbytes(100) + data[100:],
    "text": lambda data: b"This is not a database.\n",
}


@pytest.fixture
def filled(tmp_path: Path) -> Path:
    """Make a data folder with files in it."""
    data = tmp_path / "data"
    with serving(data, tmp_path) as client:
        client.upload(PICTURE, "files/first")
        for number in range(3):
            client.upload(OTHER[:-12] + bytes(number) + OTHER[-12:], f"files/more-{number}")
    return data


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_database_is_refused_and_left_as_it_is(damage: str, filled: Path, tmp_path: Path) -> None:
    database = filled / "twinlens.db"
    good = database.read_bytes()
    bad = DAMAGES[damage](good)
    database.write_bytes(bad)
    blobs = stored(filled)

    said = refusal(filled, tmp_path)

    assert str(filled) in said
    assert "damaged" in said
    assert database.read_bytes() == bad
    assert stored(filled) == blobs
    database.write_bytes(good)
    with serving(filled, tmp_path) as client:
        assert client.ask_about("files/first").status == 200
        assert len(json.loads(client.get("/v1beta/files").body)["files"]) == 4


def test_a_database_that_is_damaged_while_in_use_gives_plain_errors(filled: Path, tmp_path: Path) -> None:
    with serving(filled, tmp_path, tracebacks=True) as client:
        for path in filled.glob("twinlens.db*"):
            with path.open("r+b") as file:
                size = path.stat().st_size
                file.write(Random(7).randbytes(size))

        answers = [
            client.get("/v1beta/files"),
            client.start(10, "files/new"),
            client.ask_about("files/first"),
        ]

        for answer in answers:
            if answer.status != 200:
                assert error(answer)[:2] == (500, "INTERNAL"), answer
                assert str(filled) not in error(answer)[2]
        assert any(answer.status == 500 for answer in answers)


def test_a_second_server_on_the_same_folder_says_so(tmp_path: Path) -> None:
    data = tmp_path / "data"
    with serving(data, tmp_path) as client:
        client.upload(PICTURE, "files/first")

        said = refusal(data, tmp_path)

        assert str(data) in said
        assert "in use by another" in said
        assert client.ask_about("files/first").status == 200


def test_a_file_in_place_of_the_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("not a folder")

    said = refusal(tmp_path / "data", tmp_path)

    assert "is not a folder" in said
    assert (tmp_path / "data").read_text() == "not a folder"


def test_a_server_on_a_full_disk_is_alive_and_not_ready(tmp_path: Path) -> None:
    with (
        small_disk(tmp_path / "disk", "8m") as disk,
        Server(disk.folder / "data", tmp_path, within=disk.within) as server,
        connected(server.address()) as connection,
    ):
        ready_when(connection, b"ready\n")
        filler = disk.fill()

        assert ready_when(connection, b"the disk is full\n").status == 503
        assert connection.ask("GET", "/healthz").status == 200
        filler.unlink()
        assert ready_when(connection, b"ready\n").status == 200


def ready_when(connection: Connection, expected: bytes) -> Answer:
    """Ask whether the server is ready until it says what is expected."""
    patience = time.monotonic() + PATIENCE_S
    while (answer := connection.ask("GET", "/readyz")).body != expected:
        assert time.monotonic() < patience, answer
        time.sleep(0.05)
    return answer
