"""How often is tried again, and after how long."""

from __future__ import annotations

import time

import pytest

from twinlens.client.errors import Broken, ClientError, Refused
from twinlens.client.retry import RetryPolicy, Tries


@pytest.fixture(autouse=True)
def slept(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    waits: list[float] = []
    monkeypatch.setattr(time, "sleep", waits.append)
    return waits


def test_waits_double_up_to_the_longest(slept: list[float]) -> None:
    tries = Tries(RetryPolicy(tries=5, first_s=1.0, longest_s=4.0))
    for _ in range(5):
        tries.wait(Broken("It broke."))

    assert slept == [1.0, 2.0, 4.0, 4.0, 4.0]


def test_after_the_last_try_the_error_is_raised() -> None:
    tries = Tries(RetryPolicy(tries=1))
    tries.wait(Broken("It broke."))

    with pytest.raises(Broken, match="again"):
        tries.wait(Broken("It broke again."))


def test_an_error_that_will_not_pass_is_raised_at_once(slept: list[float]) -> None:
    with pytest.raises(Refused):
        Tries(RetryPolicy()).wait(Refused(400, "No."))

    assert slept == []


def test_progress_begins_the_count_anew(slept: list[float]) -> None:
    tries = Tries(RetryPolicy(tries=1, first_s=1.0))
    tries.wait(Broken("It broke."))
    tries.progressed()
    tries.wait(Broken("It broke."))

    assert slept == [1.0, 1.0]


def test_a_server_that_says_when_to_come_back_is_left_alone_until_then(slept: list[float]) -> None:
    told: list[tuple[ClientError, float]] = []
    tries = Tries(RetryPolicy(first_s=1.0), lambda error, seconds: told.append((error, seconds)))
    busy = Refused(429, "Slow down.", passing=True, retry_after_s=30.0)
    tries.wait(busy)

    assert slept == [30.0]
    assert told == [(busy, 30.0)]
