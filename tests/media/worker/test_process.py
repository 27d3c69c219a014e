"""What a worker may say, and what the server makes of it: its word is taken for very little."""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Iterator

import pytest

from twinlens.media.worker.process import Replies, WorkerDied

Line = tuple[Replies, socket.socket]


class Seconds:
    """Waits so long by the clock."""

    def __init__(self, seconds: float) -> None:
        self._deadline = time.monotonic() + seconds

    def check(self) -> None:
        if time.monotonic() > self._deadline:
            raise WorkerDied("time", "did not answer in time")


@pytest.fixture
def line() -> Iterator[Line]:
    """Give what the server reads with, and the worker's end."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        yield Replies(ours), theirs


def say(theirs: socket.socket, *messages: object) -> None:
    theirs.sendall(b"".join(json.dumps(message).encode() + b"\n" for message in messages))


def progress(*fractions: object) -> list[object]:
    return [{"progress": fraction} for fraction in fractions]


def test_progress_is_heard_before_the_answer(line: Line) -> None:
    replies, theirs = line
    heard: list[float] = []
    say(theirs, *progress(0.25, 0.5), {"pages": 3}, *progress(0.75), {"pages": 4})

    first, second = replies.next(Seconds(5), heard.append), replies.next(Seconds(5))

    assert (first, second) == ({"pages": 3}, {"pages": 4})
    assert heard == [0.25, 0.5]


def test_progress_only_rises_and_stays_within_the_whole(line: Line) -> None:
    replies, theirs = line
    heard: list[float] = []
    say(theirs, *progress(-3, 0.5, 0.4, 0.5, float("nan"), 0.6, 10**300, float("inf"), 1), {})

    assert replies.next(Seconds(5), heard.append) == {}

    assert heard == [0.5, 0.6, 1.0]


@pytest.mark.parametrize("fraction", ["0.5", None, True, [0.5], {}])
def test_progress_that_is_no_number_is_nonsense(line: Line, fraction: object) -> None:
    replies, theirs = line
    say(theirs, *progress(fraction), {})

    with pytest.raises(WorkerDied, match="nonsense") as lost:
        replies.next(Seconds(5))
    assert lost.value.reason == "crash"


@pytest.mark.parametrize("said", [b"[]\n", b"{\n", b"\xff\n", b"[" * 60_000 + b"\n"])
def test_what_is_no_object_is_nonsense(line: Line, said: bytes) -> None:
    replies, theirs = line
    theirs.sendall(said)

    with pytest.raises(WorkerDied, match="nonsense"):
        replies.next(Seconds(5))


def test_a_worker_that_only_reports_is_lost(line: Line) -> None:
    replies, theirs = line
    say(theirs, *progress(*[0.5] * 1001), {})

    with pytest.raises(WorkerDied, match="reported too much"):
        replies.next(Seconds(5))


def test_reports_do_not_put_off_the_deadline(line: Line) -> None:
    replies, theirs = line
    heard: list[float] = []

    def hear(fraction: float) -> None:
        heard.append(fraction)
        time.sleep(0.001)
        say(theirs, *progress(fraction + 1e-4))

    say(theirs, *progress(0.001))
    with pytest.raises(WorkerDied) as lost:
        replies.next(Seconds(0.005), hear)

    assert heard
    assert lost.value.reason == "time"


def test_an_answer_without_an_end_is_too_much(line: Line) -> None:
    replies, theirs = line
    theirs.sendall(b" " * 70_000)

    with pytest.raises(WorkerDied, match="too much"):
        replies.next(Seconds(5))


def test_a_worker_that_hangs_up_is_lost(line: Line) -> None:
    replies, theirs = line
    theirs.sendall(b'{"pages"')
    theirs.close()

    with pytest.raises(WorkerDied, match="hung up") as lost:
        replies.next(Seconds(5))
    assert lost.value.reason == "crash"
