"""How the code in a worker process says that it cannot read what it was given."""

from __future__ import annotations

from typing import Literal

Reason = Literal[
    "codec",
    "cut",
    "damaged",
    "depth",
    "empty",
    "foreign",
    "mismatch",
    "mute",
    "password",
    "pixels",
    "scans",
]


class Unreadable(Exception):
    """The data cannot be read. `reason` is what the caller is told; the words are for the log.

    `codec` names what is missing, where that is known.
    """

    def __init__(self, reason: Reason, detail: str, *, codec: str | None = None) -> None:
        super().__init__(detail)
        self.reason: Reason = reason
        self.codec = codec
