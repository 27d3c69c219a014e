"""Many lives of a server, and the conversations that see them all: kept, held against the server, swept away.

TWINLENS_TEST_SEED makes it another run. The moments and what a client says come from the seed; how far the
server was at that moment does not, nor do the turns that several clients take.
"""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

from crash.disks import Disk
from crash.samples import png
from crash.serving import Server, Trap, files_under, path_and_query, upload_headers
from crash.talks import SHARED, Minutes, Moment, Talk, Talker, talking

SEED = int(os.environ.get("TWINLENS_TEST_SEED", "2026"))
BOOT_S = 0.8
"""About what a server takes to start; a kill while it boots comes within this time."""

MOMENTS: dict[Moment, tuple[int, int, int]] = {
    "booting": (1, 1, 1),
    "byte sent": (3, 1, 600_000),
    "question sent": (4, 1, 8),
    "answered": (2, 1, 6),
    "created": (2, 1, 4),
    "piece": (4, 1, 12),
    "accepted": (2, 1, 4),
    "polled": (4, 1, 20),
    "delete sent": (2, 1, 2),
    "deleted": (1, 1, 2),
}
"""When a server is killed: how often that moment is chosen, and how often it comes before: from, to."""


class Conversations:
    """Many lives of a server, and the talkers that see them all.

    `serve` starts a server on the folder `data`.
    """

    def __init__(self, serve: Callable[[], Server], data: Folder, talkers: int) -> None:
        self.deaths: Counter[Moment] = Counter()
        self.minutes = Minutes(SEED)
        self._serve = serve
        self._data = data
        self._log: Path | None = None
        self._chance = Random(f"seed {SEED}, {talkers} talkers")
        self._talkers = [Talker(self.minutes, number) for number in range(talkers)]

    def run(self, kills: int) -> None:
        """Let so many lives end badly, and a last one well."""
        try:
            for number in range(kills):
                self._live_and_die(number, kills)
            self._finish()
        except BaseException as error:
            error.add_note(f"TWINLENS_TEST_SEED={SEED}, kill {self.deaths.total()} of {kills}: {self.deaths}")
            if self._log:
                error.add_note(self._log.read_text()[-4000:])
            raise

    def _live_and_die(self, number: int, kills: int) -> None:
        """Start the server, compare, let the talkers work, and kill it at a moment of the seed's choice."""
        chance = self._chance
        weights = [weight for weight, _, _ in MOMENTS.values()]
        moment = chance.choices(list(MOMENTS), weights)[0] if number else "piece"
        count = chance.randint(*MOMENTS[moment][1:])
        delay_s = chance.choice((0, 0.002, 0.015, 0.1)) * chance.random()
        self.deaths[moment] += 1
        for question in self.minutes.of("told"):
            question.lives += 1
        with self._serve() as server:
            self._log = server.log
            if moment == "booting":
                time.sleep(BOOT_S * chance.random())
                server.kill()
                return
            address = server.address()
            self._compare(address)
            with talking(address) as talk:
                if not number:
                    _upload(talk)
                    self.minutes.shares = True
                elif self.minutes.shares and number > kills // 2:
                    self._unshare(talk)
            self._work(address, Trap(server, moment, count, delay_s))

    def _finish(self) -> None:
        """Let the talkers end, compare all that is there, delete it, and see that the disk is free."""
        for question in self.minutes.of("told"):
            question.lives += 1
        with self._serve() as server:
            self._log = server.log
            address = server.address()
            self._compare(address)
            with talking(address) as talk:
                self._judge(talk)
                if self.minutes.shares:
                    self._unshare(talk)
            self._work(address, None)
            self._compare(address)
            assert not self.minutes.of("asked", "told", "deleting")
            with talking(address) as talk:
                for question in self.minutes.of("gone"):
                    assert talk.get(question.id).status == 404, question
                left = self._left()
                self._chance.shuffle(left)
                for interaction_id in left:
                    assert talk.delete(interaction_id).status == 200
                for interaction_id in left:
                    assert talk.get(interaction_id).status == 404
            server.stop()
        self._data.check_empty()
        assert "Traceback" not in server.log.read_text()

    def _work(self, address: str, snare: Trap | None) -> None:
        with ThreadPoolExecutor(len(self._talkers)) as threads:
            jobs = [threads.submit(talker.work, address, snare) for talker in self._talkers]
        for job in jobs:
            job.result()

    def _compare(self, address: str) -> None:
        """Hold what can be read, and the disk, against what the talkers know."""
        with talking(address) as talk:
            # It listens before what the last life left is swept, and answers after that.
            assert talk.ask("GET", "/healthz").status == 200
            assert self._data.stored() == self._data.named() == self._data.referenced()
            assert not self._data.parts()
            for question in self.minutes.of("told", "answered", "failed"):
                answer = talk.get(question.id)
                assert answer.status == 200, (question, answer)
                question.settle(json.loads(answer.body))
            for question in self.minutes.of("gone")[-10:]:
                assert talk.get(question.id).status == 404, question

    def _judge(self, talk: Talk) -> None:
        """Ask the last turns again, the whole conversation spelled out: nothing of it was ever lost."""
        answered = self.minutes.of("answered")
        earlier = {id(turn) for question in answered for turn in question.turns[:-1]}
        for question in answered:
            # The shared file is gone by now, but not from the conversations about it.
            if id(question) not in earlier and not any(None in turn.media for turn in question.turns):
                answer = talk.post(question.spelled())
                assert answer.status == 200, answer
                whole = json.loads(answer.body)
                assert whole["usage"] == question.found["usage"], question
                assert whole["steps"] == question.found["steps"][1:], question

    def _unshare(self, talk: Talk) -> None:
        assert talk.ask("DELETE", f"/v1beta/{SHARED}").status == 200
        self.minutes.shares = False

    def _left(self) -> list[str]:
        """List the interactions that are there: those that are known, and of each answer that was lost."""
        rows = self._data.query("SELECT id, sent FROM interactions WHERE hidden = 0")
        known = {question.id for question in self.minutes.of("answered", "failed")}
        lost = {question.text for question in self.minutes.of("lost")}
        unknown = [json.loads(sent)["input"][-1]["text"] for found, sent in rows if found not in known]
        assert {found for found, _ in rows} >= known
        assert len(unknown) == len(set(unknown))
        assert set(unknown) <= lost
        return [found for found, _ in rows]


def _upload(talk: Talk) -> None:
    data = png(Random(SEED), 10_000)
    body = json.dumps({"file": {"name": SHARED, "mimeType": "image/png"}}).encode()
    more = {"Protocol": "resumable", "Header_Content_Length": len(data)}
    answer = talk.ask("POST", "/upload/v1beta/files", upload_headers("start", **more), body)
    session = path_and_query(answer.headers["X-Goog-Upload-URL"])
    answer = talk.ask("POST", session, upload_headers("upload, finalize", Offset=0), data)
    assert answer.status == 200, answer


@dataclass(frozen=True, slots=True)
class Folder:
    """A data folder. `path` is where a server sees it, `seen` where we do; `disk` is its own, if any."""

    path: Path
    seen: Path
    disk: Disk | None = None

    @property
    def mounted(self) -> Disk:
        """The disk, for tests that have one."""
        assert self.disk is not None
        return self.disk

    @property
    def within(self) -> tuple[str, ...]:
        """A command that runs commands where `path` is."""
        return self.disk.within if self.disk else ()

    def query(self, statement: str) -> list[list[Any]]:
        """Ask the database, while a server may use it."""
        # In a process of its own: SQLite goes by the real path, which is not there on this side of a mount.
        ask = (
            "import json, sqlite3, sys; "
            "connection = sqlite3.connect(f'file:{sys.argv[1]}?mode=ro', uri=True); "
            "rows = connection.execute(sys.argv[2]).fetchall(); "
            "print(json.dumps(rows, default=bytes.decode))"
        )
        command = [*self.within, sys.executable, "-ISc", ask, str(self.path / "twinlens.db"), statement]
        done = subprocess.run(command, check=True, capture_output=True)
        rows: list[list[Any]] = json.loads(done.stdout)
        return rows

    def named(self) -> set[str]:
        """List the contents that the database names."""
        statement = "SELECT sha256 FROM interaction_media UNION SELECT sha256 FROM files"
        return {sha256 for (sha256,) in self.query(statement)}

    def referenced(self) -> set[str]:
        """List the contents that the table of references keeps."""
        return {sha256 for (sha256,) in self.query("SELECT DISTINCT sha256 FROM blob_references")}

    def stored(self) -> set[str]:
        """Hash the bytes of all blobs."""
        return {digest(path.read_bytes()) for path in files_under(self.seen / "blobs")}

    def parts(self) -> list[Path]:
        """List what is on its way to the blobs."""
        return list(files_under(self.seen / "uploads"))

    def check_empty(self) -> None:
        """See that nothing is left of any interaction."""
        names = "interactions", "interaction_media", "blob_references"
        counts = ", ".join(f"(SELECT count(*) FROM {name})" for name in names)
        rooms = "(SELECT coalesce(sum(bytes), 0) FROM interaction_rooms)"
        assert self.query(f"SELECT {counts}, {rooms}") == [[0, 0, 0, 0]]
        assert (self.stored(), self.parts()) == (set(), [])


def digest(data: bytes) -> str:
    """Hash bytes as the store names them."""
    return hashlib.sha256(data).hexdigest()
