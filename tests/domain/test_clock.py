"""The machine's clock."""

from __future__ import annotations

from datetime import UTC

from twinlens.domain.clock import now


def test_the_time_is_in_utc() -> None:
    assert now().tzinfo is UTC
