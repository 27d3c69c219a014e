"""The error of the code in a worker process for data that it cannot read."""

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
    """The data cannot be read. `reason` selects the caller's message; the words are for the log.

    `codec` names what is missing, where that is known.
    """

    def __init__(self, reason: Reason, detail: str, *, codec: str | None = None) -> None:
        super().__init__(detail)
        self.reason: Reason = reason
        self.codec = codec
