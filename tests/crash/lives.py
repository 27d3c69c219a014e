"""Many lives of a server on one data folder: each is ended at a moment of the seed's choice, then compared.

TWINLENS_TEST_SEED makes it another run (and TWINLENS_TEST_KILLS a longer one). The moments and what a
client does come from the seed; how far the server was at that moment does not, nor do the turns that
several clients take.
"""

from __future__ import annotations

import hashlib
import os
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from random import Random

from crash.lanes import MIB, Books, Lane, Moment, check_resource, list_files
from crash.samples import mp4, png
from crash.serving import PATIENCE_S, Server, Trap, connected, files_under

SEED = int(os.environ.get("TWINLENS_TEST_SEED", "2026"))
BOOT_S = 0.4
"""About what a server takes to start; a kill while it boots comes within this time."""

MOMENTS: dict[Moment, tuple[int, int]] = {
    "booting": (1, 1),
    "start sent": (1, 3),
    "started": (1, 3),
    "byte sent": (1, 3 * MIB),
    "chunk sent": (1, 4),
    "chunk answered": (1, 4),
    "finalize sent": (1, 2),
    "finalized": (1, 2),
    "delete sent": (1, 1),
    "deleted": (1, 1),
}
"""When a server is killed, and how often (how many bytes) the moment comes before: from, to."""
WEIGHTS = {"byte sent": 4, "chunk sent": 3, "finalize sent": 4, "delete sent": 2}
"""The moments that are worth more kills than the others."""


class Lives:
    """The lives, and the clients that see them all.

    `serve` starts a server; `data` is where its data folder is seen from here.
    """

    def __init__(self, serve: Callable[[], Server], data: Path, lanes: int) -> None:
        self.deaths: Counter[Moment] = Counter()
        """How often each moment was the last one."""
        self._serve = serve
        self._log: Path | None = None
        self._data = data
        self._chance = Random(f"seed {SEED}, {lanes} lanes")
        self._books = Books(SEED, {"image/png": png, "video/mp4": mp4})
        self._lanes = [Lane(self._books, number) for number in range(lanes)]

    def run(self, kills: int) -> None:
        """Let so many lives end badly, and a last one well."""
        try:
            for _ in range(kills):
                self._live_and_die()
            self._finish()
        except BaseException as error:
            error.add_note(f"TWINLENS_TEST_SEED={SEED}, kill {self.deaths.total()} of {kills}: {self.deaths}")
            if self._log:
                error.add_note(self._log.read_text()[-4000:])
            raise

    def _live_and_die(self) -> None:
        """Start the server, compare, let the clients work, and kill it at a moment of the seed's choice."""
        chance = self._chance
        weights = [WEIGHTS.get(moment, 1) for moment in MOMENTS]
        moment = chance.choices(list(MOMENTS), weights)[0]
        count = chance.randint(*MOMENTS[moment])
        delay_s = chance.choice((0, 0.002, 0.015, 0.1)) * chance.random()
        self.deaths[moment] += 1
        with self._serve() as server:
            self._log = server.log
            if moment == "booting":
                time.sleep(BOOT_S * chance.random())
                server.kill()
                return
            address = server.address()
            self._compare(address)
            self._work(address, Trap(server, moment, count, delay_s))

    def _finish(self) -> None:
        """Let the clients end, compare all that is there, delete it, and see that the disk is free."""
        with self._serve() as server:
            self._log = server.log
            address = server.address()
            self._compare(address)
            self._work(address, None)
            self._compare(address, settled=True)
            with connected(address) as connection:
                for file_id in list_files(connection):
                    assert connection.ask("DELETE", f"/v1beta/files/{file_id}").status == 200
            server.stop()
        assert not any(
            path.stat().st_size for name in ("blobs", "uploads") for path in files_under(self._data / name)
        )
        assert "Traceback" not in server.log.read_text()

    def _work(self, address: str, trap: Trap | None) -> None:
        with ThreadPoolExecutor(len(self._lanes)) as threads:
            jobs = [threads.submit(lane.work, address, trap) for lane in self._lanes]
        for job in jobs:
            job.result()

    def _compare(self, address: str, *, settled: bool = False) -> None:
        """Hold the server's list and its disk against what the clients know."""
        with connected(address) as connection:
            listed = list_files(connection)
            patience = time.monotonic() + PATIENCE_S
            while settled and any(found["state"] == "PROCESSING" for found in listed.values()):
                assert time.monotonic() < patience, listed
                time.sleep(0.05)
                listed = list_files(connection)
        by_id = {file.id: file for file in self._books.files}
        assert {file.id for file in self._books.of("kept")} <= set(listed)
        assert set(listed) <= {file.id for file in self._books.of("kept", "finishing", "deleting")}
        for file_id, resource in listed.items():
            check_resource(by_id[file_id], resource)
        assert self._stored() == {by_id[file_id].sha256 for file_id in listed}
        parts = sum(path.stat().st_size for path in files_under(self._data / "uploads"))
        assert parts <= sum(file.sent for file in self._books.of("started", "finishing"))

    def _stored(self) -> set[str]:
        """Hash the bytes of all blobs on the disk."""
        return {hashlib.sha256(path.read_bytes()).hexdigest() for path in files_under(self._data / "blobs")}
