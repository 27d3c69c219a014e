"""The process that workers are forked from."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time

import pytest

from offers import OFFERS
from twinlens.processes.fork_server import ForkServer
from twinlens.processes.workers import Worker


async def test_each_worker_is_a_process_of_its_own(forks: ForkServer) -> None:
    workers = [await Worker.fork(forks, OFFERS) for _ in range(3)]

    pids = {await worker.peer.call("pid") for worker in workers}

    assert pids == {worker.pid for worker in workers}
    assert len(pids) == 3


async def test_workers_know_none_of_the_servers_secrets(
    forks: ForkServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TWINLENS_API_KEY", "secret")
    worker = await Worker.fork(forks, OFFERS)

    assert await worker.peer.call("secret", "TWINLENS_API_KEY") is None


@pytest.mark.parametrize("end", [signal.SIGKILL, signal.SIGSTOP])
async def test_a_fork_server_that_ends_or_hangs_is_replaced(
    forks: ForkServer, monkeypatch: pytest.MonkeyPatch, end: signal.Signals
) -> None:
    monkeypatch.setattr("twinlens.processes.fork_server._COMMAND_TIMEOUT_S", 0.5)
    before = await Worker.fork(forks, OFFERS)
    assert forks.pid is not None
    os.kill(forks.pid, end)

    after = await Worker.fork(forks, OFFERS)

    assert await after.peer.call("add", 1, 2) == 3
    if sys.platform == "linux":
        await before.gone()


async def test_a_worker_is_killed_at_once_whatever_it_does(forks: ForkServer, worker: Worker) -> None:
    os.kill(worker.pid, signal.SIGSTOP)

    worker.kill()
    await worker.gone()

    assert not worker.is_alive


async def test_killing_twice_hurts_nobody_else(forks: ForkServer) -> None:
    first, second = await Worker.fork(forks, OFFERS), await Worker.fork(forks, OFFERS)
    first.kill()
    await first.gone()

    await forks.kill(first.pid)

    assert await second.peer.call("add", 1, 1) == 2


SERVER = """
import asyncio, sys
from twinlens.processes.fork_server import ForkServer
from twinlens.processes.workers import Worker

async def main():
    worker = await Worker.fork(ForkServer(), "offers:handlers")
    call = asyncio.create_task(worker.peer.call("block", 600))
    print(worker.pid, flush=True)
    await call

asyncio.run(main())
"""


def test_workers_end_with_the_server_even_where_it_is_killed() -> None:
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    server = subprocess.Popen([sys.executable, "-c", SERVER], env=environment, stdout=subprocess.PIPE)
    with server:
        assert server.stdout is not None
        pid = int(server.stdout.readline())
        server.kill()

    while is_running(pid):
        time.sleep(0.05)


def is_running(pid: int) -> bool:
    try:
        with open(f"/proc/{pid}/stat") as stat:
            return stat.read().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False
