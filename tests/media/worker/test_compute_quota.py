"""How much work the media of a request may make."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from twinlens.media.worker.compute_quota import ComputeQuota, ComputeQuotaExceeded


def test_without_a_limit_nothing_is_too_much() -> None:
    work = ComputeQuota("p")
    work.spend(1e9)

    work.check("parts[0]")


def test_what_is_spent_is_refused_for_the_field_that_asks() -> None:
    work = ComputeQuota("p", 2.0)
    work.spend(1.5)
    work.check("parts[0]")
    work.spend(0.5)

    with pytest.raises(ComputeQuotaExceeded) as caught:
        work.check("parts[1]")

    assert caught.value.violations[0].field == "parts[1]"
    assert "2 s of computing time" in caught.value.message


def test_more_may_be_allowed() -> None:
    work = ComputeQuota("p", 1.0)
    work.spend(1.0)
    work.allow(0.5)

    assert not work.is_spent
    assert work.left_s == 0.5


def test_a_clock_that_went_back_gives_nothing_back() -> None:
    work = ComputeQuota("p", 1.0)
    work.spend(-5.0)

    assert (work.spent_s, work.left_s) == (0.0, 1.0)


def test_work_is_counted_from_any_thread() -> None:
    work = ComputeQuota("p")
    with ThreadPoolExecutor(4) as threads:
        list(threads.map(work.spend, [0.25] * 4000))

    assert work.spent_s == 1000.0
