"""The time of day: whoever needs it is given a clock, and tests move theirs."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

Clock = Callable[[], datetime]
"""Return the time now, in UTC."""


def now() -> datetime:
    """Return the machine's time in UTC."""
    return datetime.now(UTC)
