"""Measure what others feel of requests that are made to stop a server.

Each of the requests of `tests/crash/nasty.py` is sent to a server with the built-in engine, by a client that
leaves after two seconds; meanwhile another asks "Hello" again and again. The baseline is the same question
with nothing else under way, in the same run. The last column is the most CPU that the server's own process
used between two beats of its event loop: a test holds it below 100 ms.
Run: python bench/standstill.py
"""

from __future__ import annotations

import statistics
import sys
import tempfile
import threading
import time
from pathlib import Path

sys.path.append(str(Path(__file__).parent.parent / "tests"))

from crash.nasty import NASTY, Nasty
from crash.serving import Server
from crash.test_standstill import hello, longest_s, put

ROUNDS = 50
SHOWN = 12


def main() -> None:
    """Print the rows of the requests that others feel most, and the baseline."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with Server(folder / "data", folder, "--engine", "builtin", script="heart.py") as server:
            address = server.address()
            hello(address)
            alone = statistics.median(timed(address) for _ in range(ROUNDS))
            longest_s(address)
            rows = [measured(address, nasty) for nasty in NASTY]
            server.stop()
    print("| under way | its answer | Hello p50 ms | slowest ms | p50 : alone | most CPU ms between beats |")
    print("| --- | --: | --: | --: | --: | --: |")
    print(f"| nothing | | {alone * 1000:.1f} | | 1.0 | |")
    rows.sort(key=lambda row: -row[2])
    for under_way, status, slowest, median, cpu in rows[:SHOWN]:
        print(
            f"| {under_way} | {status or 'left'} | {median * 1000:.1f} | {slowest * 1000:.0f} "
            f"| {median / alone:.1f} | {cpu * 1000:.0f} |"
        )
    print(f"\nOf {len(rows)} requests, the {min(SHOWN, len(rows))} that others felt most.")


def timed(address: str) -> float:
    """Give the seconds that one "Hello" takes."""
    start = time.perf_counter()
    hello(address)
    return time.perf_counter() - start


def measured(address: str, nasty: Nasty) -> tuple[str, int | None, float, float, float]:
    """Ask beside one request; give its name and status, the slowest and the median "Hello", and the CPU."""
    status: list[int | None] = []
    caller = threading.Thread(target=lambda: status.append(put(address, nasty)))
    caller.start()
    times = [timed(address)]
    while caller.is_alive():
        times.append(timed(address))
    caller.join()
    return str(nasty), status[0], max(times), statistics.median(times), longest_s(address)


if __name__ == "__main__":
    main()
