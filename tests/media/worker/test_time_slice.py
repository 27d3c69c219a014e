"""When a job gives back what it has."""

from __future__ import annotations

import time

import pytest

from twinlens.media.worker.time_slice import TimeSlice


def work(seconds: float) -> None:
    until = time.process_time() + seconds
    while time.process_time() < until:
        pass


def test_a_slice_is_over_after_so_much_work() -> None:
    part = TimeSlice(0.05)
    assert not part.is_over

    work(0.03)
    assert part.is_nearly_over
    work(0.05)

    assert part.is_over


def test_waiting_is_no_work() -> None:
    part = TimeSlice(0.1)

    time.sleep(0.15)

    assert not part.is_over


@pytest.mark.parametrize("longest_s", [1000, 0.05])
def test_after_a_long_way_to_the_first_piece_there_is_as_much_time_again_within_a_bound(
    longest_s: float,
) -> None:
    part = TimeSlice(0.01, longest_s)
    work(0.1)
    assert part.is_over

    part.reached()
    part.reached()

    assert part.is_over == (longest_s < 0.1)
    work(0.15)
    assert part.is_over
