"""What a project may store: its files and what its uploads have received, or its interactions."""

from __future__ import annotations

from dataclasses import dataclass

from ..domain.errors import ResourceExhausted
from .disk import RETRY_AFTER_S


@dataclass(frozen=True, slots=True)
class Quota:
    """The quota of a project for files at one moment. The same bytes in two of them count twice."""

    used: int
    limit: int

    @property
    def left(self) -> int:
        """The bytes that still fit."""
        return max(0, self.limit - self.used)

    def exhausted(self) -> ResourceExhausted:
        """Return the error that the quota is used up."""
        return ResourceExhausted(
            "Resource has been exhausted (e.g. check quota). "
            f"The project uses {self.used} of its {self.limit} bytes for files, and there is no room for "
            "this one: delete files, or wait until some expire.",
            retry_after_s=RETRY_AFTER_S,
        )


def interactions_exhausted(used: int, limit: int) -> ResourceExhausted:
    """Return the error that one more interaction is over the quota of `limit` bytes."""
    return ResourceExhausted(
        "Resource has been exhausted (e.g. check quota). "
        f"The project uses {used} of its {limit} bytes for stored interactions, and there is "
        'no room for this one: delete interactions, send "store": false, or wait until some expire.',
        retry_after_s=RETRY_AFTER_S,
    )
