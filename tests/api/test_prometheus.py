"""Several server processes that share a folder of figures, of which one answers for all."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from urllib.request import Request, urlopen

import pytest
from prometheus_client.parser import text_string_to_metric_families

ASK = json.dumps({"contents": [{"parts": [{"text": "x"}]}]}).encode()
METHOD = "/v1beta/models/gemini-3-flash-preview:generateContent"
PATIENCE_S = 180.0


class Server:
    """A server process with a data folder of its own."""

    def __init__(self, folder: Path, shared: Path) -> None:
        kept = {name: value for name, value in os.environ.items() if not name.startswith("TWINLENS_")}
        self.process = subprocess.Popen(
            [
                *(sys.executable, "-m", "twinlens", "serve", "--engine", "script", "--port", "0"),
                *("--data-dir", str(folder), "--decode-workers", "1"),
            ],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env={**kept, "PROMETHEUS_MULTIPROC_DIR": str(shared)},
            text=True,
        )
        assert self.process.stdout is not None
        self.said = self.process.stdout.readline()
        self.url = f"http://127.0.0.1:{self.said.rpartition(':')[2].strip()}"

    def ask(self) -> None:
        request = Request(self.url + METHOD, ASK, {"content-type": "application/json", "x-goog-api-key": "k"})
        with urlopen(request, timeout=PATIENCE_S) as answer:
            assert answer.status == 200

    def series(self) -> dict[str, float]:
        """Read the figures, added up over their labels."""
        with urlopen(self.url + "/metrics", timeout=PATIENCE_S) as answer:
            families = list(text_string_to_metric_families(answer.read().decode()))
        sums: dict[str, float] = {}
        for sample in (sample for family in families for sample in family.samples):
            if sample.labels.get("route") != "/metrics":
                sums[sample.name] = sums.get(sample.name, 0) + sample.value
        return sums

    def counted(self) -> float:
        """Read how many requests were counted; a client may have its answer a little earlier."""
        return self.series().get("twinlens_http_requests_total", 0)

    def end(self, how: Callable[[subprocess.Popen[str]], None]) -> None:
        how(self.process)
        self.process.communicate(timeout=PATIENCE_S)


@pytest.fixture
def shared(tmp_path: Path) -> Path:
    return tmp_path / "figures"


@pytest.fixture
def servers(tmp_path: Path, shared: Path) -> Iterator[tuple[Server, Server]]:
    with ExitStack() as stack:
        pair = Server(tmp_path / "one", shared), Server(tmp_path / "two", shared)
        for server in pair:
            stack.callback(server.end, subprocess.Popen.kill)
        yield pair


def files_of(server: Server, shared: Path) -> list[str]:
    return [path.name for path in shared.glob(f"gauge_live*_{server.process.pid}.db")]


def wait_until(holds: Callable[[], bool]) -> None:
    for _ in range(int(PATIENCE_S * 20)):
        if holds():
            return
        time.sleep(0.05)
    raise AssertionError("it did not happen")


def test_one_process_answers_with_the_sums_of_all(servers: tuple[Server, Server]) -> None:
    one, two = servers
    for server in (one, two, two):
        server.ask()
    wait_until(lambda: one.counted() == 3)

    for server in servers:
        series = server.series()

        assert series["twinlens_http_requests_total"] == 3
        assert series["twinlens_http_request_seconds_count"] == 3
        assert series["twinlens_tokens_total"] % 3 == 0
        assert series["twinlens_requests_running"] == 0
        assert "process_resident_memory_bytes" not in series
        assert series["twinlens_files"] == 0


@pytest.mark.parametrize(
    "how", [subprocess.Popen.kill, subprocess.Popen.terminate], ids=["killed", "stopped"]
)
def test_what_was_counted_outlives_its_process_and_what_was_done_does_not(
    servers: tuple[Server, Server], shared: Path, how: Callable[[subprocess.Popen[str]], None]
) -> None:
    one, two = servers
    two.ask()
    wait_until(lambda: one.counted() == 1 and bool(files_of(two, shared)))

    two.end(how)

    assert one.series()["twinlens_http_requests_total"] == 1
    assert not files_of(two, shared)
    assert files_of(one, shared)


def test_a_folder_that_cannot_be_made_is_an_error_of_its_variable(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")

    failed = Server(tmp_path / "data", tmp_path / "file" / "figures")
    said = failed.said + failed.process.communicate(timeout=PATIENCE_S)[0]

    assert failed.process.returncode not in (0, None)
    assert "PROMETHEUS_MULTIPROC_DIR must name a folder that can be written" in said
    assert "Traceback" not in said


def test_a_process_by_itself_shows_no_second_series_beside_a_counter() -> None:
    code = (
        "from prometheus_client import CollectorRegistry, generate_latest\n"
        "from twinlens.api.traffic import Traffic\n"
        "registry = CollectorRegistry()\n"
        "Traffic(registry).record({'method': 'GET'}, 200, 0.1)\n"
        "print(generate_latest(registry).decode())"
    )

    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout

    assert 'twinlens_http_requests_total{code="200",method="GET",route="other"} 1.0' in shown
    assert "_created" not in shown
