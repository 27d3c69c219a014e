"""One request as the decoders see it: whose it is, and how much work its media may make.

Work is counted in seconds of CPU: a machine that is busy with others makes nobody's request dearer.
"""

from __future__ import annotations

import math
from threading import Lock

from ...domain.errors import BadMedia


class ComputeQuotaExceeded(BadMedia):
    """The media of one request have taken as much work as they may."""


class ComputeQuota:
    """What the decoders do for one request. Two of them are never equal; nothing crosses projects.

    `spent_s` counts what has been done, from any thread.
    """

    def __init__(self, project: str, limit_s: float = math.inf) -> None:
        self.project = project
        self.limit_s = limit_s
        self.spent_s = 0.0
        self._lock = Lock()

    @property
    def left_s(self) -> float:
        """How much more may be done."""
        return max(self.limit_s - self.spent_s, 0.0)

    @property
    def is_spent(self) -> bool:
        """Whether no more may be done."""
        return self.spent_s >= self.limit_s

    def allow(self, seconds: float) -> None:
        """Let so much more be done than was said before."""
        self.limit_s += seconds

    def spend(self, seconds: float) -> None:
        """Count what has been done."""
        with self._lock:
            self.spent_s += max(seconds, 0.0)

    def check(self, field: str) -> None:
        """Refuse where no more may be done, for the medium in that field."""
        if self.is_spent:
            raise self.refusal(field)

    def refusal(self, field: str) -> ComputeQuotaExceeded:
        """Say that the request is too much work, and what to do."""
        limit = f"{round(self.limit_s, 1):g} s of computing time"
        return ComputeQuotaExceeded(
            f"Decoding the media of this request takes more than {limit}, the most that is allowed. "
            "Send fewer or simpler media at once.",
            field=field or None,
        )
