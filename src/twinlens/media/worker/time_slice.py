"""When a job that can be continued later returns what it has, so that others have their turn.

Time is the CPU time of this worker process: on a busy machine a job gets as far as on a quiet one.
"""

from __future__ import annotations

import math
import time

SLICE_S = 1.0


class TimeSlice:
    """The part of a job that is done in one turn: about so many seconds of work.

    Where the way to the first piece is long, from a key frame or from the beginning of a recording, going
    on later would mean to go that way again: then there is as much time for what comes after it as it took.
    `longest_s` bounds that.
    """

    def __init__(self, seconds: float = SLICE_S, longest_s: float = math.inf) -> None:
        self._seconds, self._longest_s = seconds, longest_s
        self._begin = time.process_time()
        self._way_s: float | None = None

    def reached(self) -> None:
        """Record that the first result is there."""
        if self._way_s is None:
            self._way_s = self._spent_s

    @property
    def is_over(self) -> bool:
        """Whether to return what there is."""
        return self._spent_s > self._most_s

    @property
    def is_nearly_over(self) -> bool:
        """Whether to stop at a place where going on costs nothing extra."""
        return self._spent_s > self._most_s / 2

    @property
    def _spent_s(self) -> float:
        return time.process_time() - self._begin

    @property
    def _most_s(self) -> float:
        return min(max(self._seconds, 2 * (self._way_s or 0.0)), self._longest_s)
