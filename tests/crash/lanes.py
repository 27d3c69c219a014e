"""Clients that upload and delete files, on and on, and hold the server to what it has said.

A lane goes on where it was after each restart: it asks the server how far it got, and compares that
with what it has sent and what was acknowledged.
"""

from __future__ import annotations

import base64
import hashlib
import itertools
import json
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from random import Random
from typing import Literal

from crash.serving import LOST, Answer, Connection, Trap, connected, path_and_query, upload_headers

KIB = 1024
MIB = 1024 * KIB

Fate = Literal["drafted", "started", "finishing", "kept", "deleting", "gone"]
Moment = Literal[
    "booting",
    "start sent",
    "started",
    "byte sent",
    "chunk sent",
    "chunk answered",
    "finalize sent",
    "finalized",
    "delete sent",
    "deleted",
]


@dataclass(slots=True)
class File:
    """A file as its client knows it: what has left, what was acknowledged, what has become of it."""

    id: str
    data: bytes = field(repr=False)
    mime_type: str
    sha256: str
    session: str = ""
    sent: int = 0
    acknowledged: int = 0
    fate: Fate = "drafted"


@dataclass(slots=True)
class Books:
    """What all lanes together know. `samples` makes a valid file of at least a size, by MIME type."""

    seed: int
    samples: Mapping[str, Callable[[Random, int], bytes]]
    files: list[File] = field(default_factory=list)

    def of(self, *fates: Fate) -> list[File]:
        """List the files of these fates."""
        return [file for file in self.files if file.fate in fates]

    def draft(self, file_id: str, chance: Random) -> File:
        """Make up a file; now and then it has the bytes of one that is kept."""
        kept = self.of("kept")
        if kept and chance.random() < 0.2:
            twin = chance.choice(kept)
            file = File(file_id, twin.data, twin.mime_type, twin.sha256)
        else:
            mime_type = chance.choice(sorted(self.samples))
            data = self.samples[mime_type](chance, chance.randint(64 * KIB, 3 * MIB))
            file = File(file_id, data, mime_type, hashlib.sha256(data).hexdigest())
        self.files.append(file)
        return file


class Lane:
    """One client. `work` runs in a thread of its own; the server is killed between two calls of it."""

    def __init__(self, books: Books, number: int) -> None:
        self._books = books
        self._chance = Random(f"seed {books.seed}, lane {number}")
        self._ids = (f"lane-{number}-file-{count}" for count in itertools.count(1))
        self._file: File | None = None
        self._kept: list[File] = []
        self._trap: Trap | None = None

    def work(self, address: str, trap: Trap | None) -> None:
        """Go on until the server is gone; without a trap, until the file under way is settled."""
        self._trap = trap
        with suppress(*(LOST if trap else ())), connected(address) as connection:
            while trap or self._file:
                self._advance(connection)

    def _advance(self, connection: Connection) -> None:
        """Take the next step with the file under way, or choose one."""
        if self._file is None:
            self._file = self._chosen()
        file = self._file
        try:
            _STEPS[file.fate](self, file, connection)
        finally:
            if file.fate in ("kept", "gone"):
                self._file = None

    def _chosen(self) -> File:
        """Choose one of many kept files to delete, or draft a new one."""
        if len(self._kept) > self._chance.randint(0, 4):
            file = self._kept.pop(self._chance.randrange(len(self._kept)))
            file.fate = "deleting"
            return file
        return self._books.draft(next(self._ids), self._chance)

    def _start(self, file: File, connection: Connection) -> None:
        # Where the answer is lost, nobody knows the session: this file will never be.
        file.fate = "gone"
        more = {"Protocol": "resumable", "Header_Content_Length": len(file.data)}
        body = json.dumps({"file": {"name": f"files/{file.id}", "mimeType": file.mime_type}}).encode()
        headers = upload_headers("start", **more)
        answer = connection.ask(
            "POST", "/upload/v1beta/files", headers, body, self._watch(None, "start sent")
        )
        assert answer.status == 200, answer
        file.session, file.fate = path_and_query(answer.headers["X-Goog-Upload-URL"]), "started"
        self._reach("started")

    def _upload(self, file: File, connection: Connection) -> None:
        """Ask how far it got, send the rest and finish."""
        answer = connection.ask("POST", file.session, upload_headers("query"))
        assert answer.status == 200, answer
        assert file.acknowledged <= answer.received <= file.sent, (file.acknowledged, answer, file.sent)
        file.acknowledged = answer.received
        if answer.state == "final":
            assert file.fate == "finishing", answer
        else:
            # Where a finalize was under way, it has not happened.
            assert answer.state == "active", answer
            file.fate = "started"
        while file.acknowledged < len(file.data):
            if self._send_chunk(file, connection) == "kept":
                return
        self._finish(file, connection)

    def _send_chunk(self, file: File, connection: Connection) -> Fate:
        """Send the next bytes, at times with some that are known already, at times with the end."""
        chance = self._chance
        again = chance.randint(0, 64 * KIB) if chance.random() < 0.25 else 0
        start = max(file.acknowledged - again, 0)
        size = chance.choice((256 * KIB, 512 * KIB, MIB, chance.randint(1, MIB)))
        end = min(file.acknowledged + size, len(file.data))
        if end == len(file.data) and chance.random() < 0.5:
            return self._finish(file, connection, start)
        headers = upload_headers("upload", Offset=start)
        watch = self._watch(file, "chunk sent", start)
        answer = connection.ask("POST", file.session, headers, file.data[start:end], watch)
        assert answer.status == 200, answer
        assert (answer.state, answer.received) == ("active", end), answer
        file.acknowledged = end
        self._reach("chunk answered")
        return file.fate

    def _finish(self, file: File, connection: Connection, start: int | None = None) -> Fate:
        """Finalize, with the bytes from `start` on where it is given."""
        file.fate = "finishing"
        offset = len(file.data) if start is None else start
        headers = upload_headers("finalize" if start is None else "upload, finalize", Offset=offset)
        watch = self._watch(file, "finalize sent", offset)
        answer = connection.ask("POST", file.session, headers, file.data[offset:], watch)
        assert answer.status == 200, answer
        check_resource(file, json.loads(answer.body)["file"])
        file.fate = "kept"
        self._kept.append(file)
        self._reach("finalized")
        return file.fate

    def _delete(self, file: File, connection: Connection) -> None:
        known = file.session
        file.session = ""
        answer = connection.ask(
            "DELETE", f"/v1beta/files/{file.id}", sending=self._watch(None, "delete sent")
        )
        # A delete whose answer was lost may have happened.
        assert answer.status in ((200,) if known else (200, 403)), answer
        file.fate = "gone"
        self._reach("deleted")

    def _watch(self, file: File | None, moment: Moment, position: int = 0) -> Callable[[int], None]:
        """Note what of the file leaves, and spring the trap at its moment."""

        def sending(count: int) -> None:
            nonlocal position
            position += count
            if file:
                file.sent = max(file.sent, position)
                self._reach("byte sent", count)
            if not count:
                self._reach(moment)

        return sending

    def _reach(self, moment: Moment, count: int = 1) -> None:
        if self._trap:
            self._trap.reach(moment, count)


_STEPS: Mapping[Fate, Callable[[Lane, File, Connection], None]] = {
    "drafted": Lane._start,
    "started": Lane._upload,
    "finishing": Lane._upload,
    "deleting": Lane._delete,
}


def check_resource(file: File, resource: Mapping[str, str]) -> None:
    """Compare what the server says of a file with what was sent."""
    assert resource["name"] == f"files/{file.id}", resource
    assert resource["sizeBytes"] == str(len(file.data)), resource
    assert base64.b64decode(resource["sha256Hash"]).decode() == file.sha256, resource
    assert resource["state"] in ("PROCESSING", "ACTIVE"), resource


def list_files(connection: Connection) -> dict[str, dict[str, str]]:
    """List the files the server has, by their ids."""
    answer: Answer = connection.ask("GET", "/v1beta/files?pageSize=100")
    assert answer.status == 200, answer
    listed = json.loads(answer.body).get("files", [])
    return {resource["name"].removeprefix("files/"): resource for resource in listed}
