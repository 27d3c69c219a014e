"""The file that a worker leaves its results in."""

from __future__ import annotations

import os

from twinlens.descriptors import write_all
from twinlens.media.worker.buffers import KEPT_BYTES, ResultBuffer


def size_of(descriptor: int) -> int:
    return os.fstat(descriptor).st_size


def test_the_room_is_as_large_as_it_was_asked_for() -> None:
    buffer = ResultBuffer()
    with buffer.of(100) as first:
        assert size_of(first.fileno()) == 100
    with buffer.of(7) as second:
        assert size_of(second.fileno()) == 7
    buffer.close()


def test_one_file_serves_job_after_job() -> None:
    buffer = ResultBuffer()
    with buffer.of(10) as first:
        number = first.fileno()
    with buffer.of(10) as second:
        assert second.fileno() == number
    buffer.close()


def test_what_a_large_job_took_is_given_back() -> None:
    buffer = ResultBuffer()
    with buffer.of(KEPT_BYTES + 1) as room:
        descriptor = room.fileno()

    assert size_of(descriptor) == KEPT_BYTES
    buffer.close()


def test_what_a_worker_added_is_given_back_too() -> None:
    buffer = ResultBuffer()
    with buffer.of(0) as room:
        descriptor = room.fileno()
        write_all(descriptor, b"behind the end", KEPT_BYTES + 10)

    assert size_of(descriptor) == KEPT_BYTES
    buffer.close()


def test_room_is_given_back_also_where_a_job_failed() -> None:
    buffer = ResultBuffer()
    descriptor = -1
    try:
        with buffer.of(KEPT_BYTES * 2) as room:
            descriptor = room.fileno()
            raise RuntimeError
    except RuntimeError:
        pass

    assert size_of(descriptor) == KEPT_BYTES
    buffer.close()
