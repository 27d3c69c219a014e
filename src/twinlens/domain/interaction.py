"""One turn of a stored conversation, and what has become of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from .engine import OutputPart, Usage
from .request import BlobRef

Status = Literal["queued", "in_progress", "requires_action", "completed", "incomplete", "failed", "cancelled"]

UNFINISHED: frozenset[Status] = frozenset({"queued", "in_progress"})
"""Somebody is to work on it, or does."""


@dataclass(frozen=True, slots=True)
class Failure:
    """Why there is no answer: the canonical status of an error, and its sentence for the caller."""

    status: str
    message: str


@dataclass(frozen=True, slots=True)
class Outcome:
    """What an interaction has come to so far.

    `said` is the answer, in pieces while it comes: neighbours of one kind belong together. It only ever
    grows. `usage` is known once the question was planned, and final when the interaction is.
    """

    status: Status
    said: Sequence[OutputPart] = ()
    usage: Usage | None = None
    failure: Failure | None = None


@dataclass(frozen=True, slots=True)
class Interaction:
    """A question of a conversation and its outcome.

    `sent` is the request in the form of its dialect, without the bytes of media: only `wire` reads it.
    `media` has an item for each medium that was sent with it, in order; None is one that is not kept yet.
    `attempt` counts how often it was begun, since a restart of the server begins background work anew.
    """

    id: str
    model: str
    sent: bytes
    created: datetime
    updated: datetime
    previous: str | None = None
    media: tuple[BlobRef | None, ...] = ()
    background: bool = False
    stored: bool = True
    attempt: int = 1
    outcome: Outcome = field(default_factory=lambda: Outcome("in_progress"))

    @property
    def finished(self) -> bool:
        """Whether nothing more will come."""
        return self.outcome.status not in UNFINISHED
