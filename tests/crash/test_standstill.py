"""Nothing that one caller sends stops the others."""

from __future__ import annotations

import http.client
import json
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from .nasty import GENERATE, NASTY, Nasty, text
from .serving import LOST, Server, connected, wait_until_gone

MOST_CPU_S = 0.1
"""Of the server's own process between two beats of its event loop."""
LEAVES_AFTER_S = 2.0


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Server, str]]:
    """A server with the built-in engine and a heart."""
    folder = tmp_path_factory.mktemp("standstill")
    with Server(folder / "data", folder, "--engine", "builtin", script="heart.py") as server:
        address = server.address()
        hello(address)
        yield server, address
        server.stop()
    assert wait_until_gone(folder) == set()


def hello(address: str) -> str:
    """Ask what takes no time."""
    with connected(address) as other:
        answer = other.ask("POST", GENERATE, body=text("Hello"))
    assert answer.status == 200, answer.body
    said: str = json.loads(answer.body)["candidates"][0]["content"]["parts"][0]["text"]
    return said


def longest_s(address: str) -> float:
    """The most CPU between two beats since the last time."""
    with connected(address) as other:
        longest: float = json.loads(other.ask("GET", "/heart").body)["longest_s"]
    return longest


def put(address: str, nasty: Nasty) -> int | None:
    """Send the request; leave where no answer comes for a while."""
    connection = http.client.HTTPConnection(address, timeout=LEAVES_AFTER_S)
    try:
        connection.request(nasty.method, nasty.path, nasty.body(), {"x-goog-api-key": "any"})
        with connection.getresponse() as response:
            response.read()
            return response.status
    except LOST:
        return None
    finally:
        connection.close()


@pytest.mark.parametrize("nasty", NASTY, ids=str)
def test_while_it_is_answered_others_are(server: tuple[Server, str], nasty: Nasty) -> None:
    _, address = server
    longest_s(address)
    status: list[int | None] = []
    caller = threading.Thread(target=lambda: status.append(put(address, nasty)))
    caller.start()

    said = [hello(address)]
    while caller.is_alive():
        said.append(hello(address))
        caller.join(0.1)

    assert all(one.startswith("Hello. This is twinlens") for one in said)
    assert longest_s(address) < MOST_CPU_S
    # A fault of ours is no answer; to leave without one is the caller's affair.
    assert status[0] in (None, 200, 400, 413, 429, 503)


def test_together_they_do_not_stop_it_either(server: tuple[Server, str]) -> None:
    _, address = server
    callers = [threading.Thread(target=put, args=(address, nasty)) for nasty in NASTY[:12]]
    for caller in callers:
        caller.start()

    said = [hello(address) for _ in range(3)]
    for caller in callers:
        caller.join()

    assert all(one.startswith("Hello. This is twinlens") for one in said)


def test_it_ends_in_order_whatever_is_going_on(tmp_path: Path) -> None:
    with Server(tmp_path / "data", tmp_path, "--engine", "builtin", "--shutdown-timeout-s", "1") as server:
        address = server.address()
        hello(address)
        callers = [threading.Thread(target=put, args=(address, nasty)) for nasty in NASTY[:12]]
        for caller in callers:
            caller.start()

        server.stop()

        for caller in callers:
            caller.join()
    assert wait_until_gone(tmp_path) == set()
