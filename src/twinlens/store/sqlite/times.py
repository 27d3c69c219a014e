"""Times as the database keeps them: whole microseconds since 1970."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

US = timedelta(microseconds=1)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def in_us(time: datetime) -> int:
    """Write a time."""
    return (time - _EPOCH) // US


def from_us(us: int) -> datetime:
    """Parse a time, in UTC."""
    return _EPOCH + us * US
