"""How much CPU time the media of one request may take, and for which project.

CPU time, not wall time: a request costs the same on a busy machine.
"""

from __future__ import annotations

import math
from threading import Lock

from ...domain.errors import BadMedia


class ComputeQuotaExceeded(BadMedia):
    """The media of one request have used up its CPU time."""


class ComputeQuota:
    """The CPU time of one request's decoding, in seconds. Compared by identity.

    `spent_s` may be added to from any thread.
    """

    def __init__(self, project: str, limit_s: float = math.inf) -> None:
        self.project = project
        self.limit_s = limit_s
        self.spent_s = 0.0
        self._lock = Lock()

    @property
    def left_s(self) -> float:
        """The seconds that are left."""
        return max(self.limit_s - self.spent_s, 0.0)

    @property
    def is_spent(self) -> bool:
        """Whether none is left."""
        return self.spent_s >= self.limit_s

    def allow(self, seconds: float) -> None:
        """Raise the limit."""
        self.limit_s += seconds

    def spend(self, seconds: float) -> None:
        """Add to what has been spent."""
        with self._lock:
            self.spent_s += max(seconds, 0.0)

    def check(self, field: str) -> None:
        """Raise `ComputeQuotaExceeded` for the medium in that field, where none is left."""
        if self.is_spent:
            raise self.refusal(field)

    def refusal(self, field: str) -> ComputeQuotaExceeded:
        """Return the error that the request takes too much CPU time."""
        limit = f"{round(self.limit_s, 1):g} s of computing time"
        return ComputeQuotaExceeded(
            f"Decoding the media of this request takes more than {limit}, the most that is allowed. "
            "Send fewer or simpler media at once.",
            field=field or None,
        )
