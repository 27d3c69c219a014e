"""How much work the media of a request may make."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from twinlens.media.worker.compute_quota import ComputeQuota, ComputeQuotaExceeded


def test_without_a_limit_nothing_is_too_much() -> None:
    quota = ComputeQuota("p")
    quota.spend(1e9)

    quota.check("parts[0]")


def test_what_is_spent_is_refused_for_the_field_that_asks() -> None:
    quota = ComputeQuota("p", 2.0)
    quota.spend(1.5)
    quota.check("parts[0]")
    quota.spend(0.5)

    with pytest.raises(ComputeQuotaExceeded) as caught:
        quota.check("parts[1]")

    assert caught.value.violations[0].field == "parts[1]"
    assert "2 s of computing time" in caught.value.message


def test_more_may_be_allowed() -> None:
    quota = ComputeQuota("p", 1.0)
    quota.spend(1.0)
    quota.allow(0.5)

    assert not quota.is_spent
    assert quota.left_s == 0.5


def test_a_clock_that_went_back_gives_nothing_back() -> None:
    quota = ComputeQuota("p", 1.0)
    quota.spend(-5.0)

    assert (quota.spent_s, quota.left_s) == (0.0, 1.0)


def test_work_is_counted_from_any_thread() -> None:
    quota = ComputeQuota("p")
    with ThreadPoolExecutor(4) as threads:
        list(threads.map(quota.spend, [0.25] * 4000))

    assert quota.spent_s == 1000.0
