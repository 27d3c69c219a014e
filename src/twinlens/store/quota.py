"""What a project may keep: its files that have not expired, and what its uploads have received."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass

from ..domain.errors import ResourceExhausted
from .disk import RETRY_AFTER_S

_USED = """SELECT
    (SELECT coalesce(sum(size), 0) FROM files WHERE project = :project AND expires_us > :now)
    + (SELECT coalesce(sum(received), 0) FROM uploads
        WHERE project = :project AND state = 'active' AND created_us > :oldest AND id <> :besides)"""


@dataclass(frozen=True, slots=True)
class Quota:
    """The room of a project at one moment. The same bytes in two of its files count twice."""

    used: int
    limit: int

    @property
    def left(self) -> int:
        """The bytes that still fit."""
        return max(0, self.limit - self.used)

    def exhausted(self) -> ResourceExhausted:
        """Say that there is no room for what was asked, and what to do."""
        return ResourceExhausted(
            "Resource has been exhausted (e.g. check quota). "
            f"The project uses {self.used} of its {self.limit} bytes for files, and there is no room for "
            "this one: delete files, or wait until some expire.",
            retry_after_s=RETRY_AFTER_S,
        )


def measure(
    connection: sqlite3.Connection,
    project: str,
    limit: int,
    *,
    now_us: int,
    oldest_us: int,
    besides: str = "",
) -> Quota:
    """Add up what a project uses, within a transaction, the upload `besides` left out."""
    values = {"project": project, "now": now_us, "oldest": oldest_us, "besides": besides}
    (used,) = connection.execute(_USED, values).fetchone()
    return Quota(used, limit)
