"""How often to try again, and after how long."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from .errors import ClientError

Announce = Callable[[ClientError, float], None]
"""Told what went wrong and how many seconds are waited before the next try."""


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """Tries without progress before giving up, and waits that double from the first to the longest."""

    tries: int = 8
    first_s: float = 0.5
    longest_s: float = 16.0


class Tries:
    """The tries of one task. Only errors that may pass are waited for; any other is raised at once."""

    def __init__(self, retry_policy: RetryPolicy, announce: Announce = lambda _error, _seconds: None) -> None:
        self._retry_policy = retry_policy
        self._announce = announce
        self._failed = 0

    def progressed(self) -> None:
        """Begin to count anew: something was achieved."""
        self._failed = 0

    def wait(self, error: ClientError) -> None:
        """Wait before the next try, or raise the error where there is none."""
        self._failed += 1
        if not error.passing or self._failed > self._retry_policy.tries:
            raise error
        pause = min(self._retry_policy.first_s * 2 ** (self._failed - 1), self._retry_policy.longest_s)
        pause = max(pause, error.retry_after_s)
        self._announce(error, pause)
        time.sleep(pause)
