"""An interaction as a stream of events, which can be resumed wherever it was interrupted.

No log of events is stored. The position in a stream is one number, which follows from the output so far
and not from the chunks it came in: the beginning, each step's start and stop and the end count one, and so
does each character between them. An event's id is the interaction's attempt and the position behind the
event. A client that resumes there gets the rest, from the middle of a chunk where need be.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from ...domain.answer import is_heard, joined
from ...domain.engine import FunctionCall, OutputPart, Text, Thought
from ...domain.errors import Internal, InvalidArgument
from ...domain.interaction import Interaction
from .. import encoding
from .errors import failure_of, write_failure
from .writing import ENDED_IN_TEXT, call_step, head_of, text_content, time

_ID = re.compile(r"(\d{1,9})\.(\d{1,15})", re.ASCII)
_DELTAS: Mapping[type[OutputPart], Any] = {
    Text: text_content,
    Thought: lambda text: {"type": "thought_summary", "content": text_content(text)},
    FunctionCall: lambda arguments: {"type": "arguments_delta", "arguments": arguments},
}
_STARTS: Mapping[type[OutputPart], str] = {Text: "model_output", Thought: "thought"}


@dataclass(frozen=True, slots=True)
class Event:
    """One event of a stream: its name, and its data as JSON (or `[DONE]`)."""

    name: str
    data: bytes


def read_event_id(text: str, interaction: Interaction) -> int:
    """Return the position that an event's id names in the stream of this interaction.

    Of a failed one, more may have been sent than is stored: a crash loses what was not stored yet.
    """
    found = _ID.fullmatch(text)
    attempt, position = (int(found[1]), int(found[2])) if found else (0, 0)
    if 0 < attempt < interaction.attempt:
        raise InvalidArgument(
            f"The event {text} is of an earlier attempt: the interaction was begun anew after a restart. "
            "Read it from its start, without last_event_id.",
            field="last_event_id",
        )
    failed = interaction.outcome.status == "failed"
    if attempt != interaction.attempt or not (failed or position <= _end_of(interaction)):
        raise InvalidArgument(
            f"last_event_id must be the event_id of an event of this interaction, not {text[:40]!r}. "
            "Without it, all events are told.",
            field="last_event_id",
        )
    return position


class EventEncoder:
    """Encodes an interaction as it grows, each event once; `after` is the position to resume behind."""

    def __init__(self, after: int | None = None) -> None:
        self._after = after or 0
        self._position = 0
        self._pieces = 0
        self._steps = 0
        self._open: type[OutputPart] | None = None
        self._untold: list[str] = []
        self._answered = False
        self._queued = False
        self._done = False

    @property
    def position(self) -> int:
        """Where the stream stands."""
        return self._position

    @property
    def done(self) -> bool:
        """Whether nothing more will come."""
        return self._done

    def encode(self, interaction: Interaction) -> list[Event]:
        """Return the new events; the work is in proportion to the output since the last call."""
        return list(self.encode_each(interaction))

    def encode_each(self, interaction: Interaction) -> Iterator[Event]:
        """Yield the new events lazily; all must be consumed before the next call."""
        return iter(()) if self._done else self._news(interaction)

    def _news(self, interaction: Interaction) -> Iterator[Event]:
        yield from self._beginning(interaction)
        said = interaction.outcome.said
        for number in range(self._pieces, len(said)):
            self._pieces = number + 1
            if is_heard(said[number]):
                yield from self._piece(said[number], interaction)
                yield from self._delta(interaction)
        if interaction.finished:
            yield from self._ending(interaction)

    def _beginning(self, interaction: Interaction) -> Iterator[Event]:
        status = interaction.outcome.status
        if self._position == 0:
            self._queued = status == "queued"
            yield from self._counted(
                "interaction.created", {"interaction": _created(interaction)}, interaction
            )
        elif self._queued and status != "queued":
            self._queued = False
            if not interaction.finished:
                fields = {"interaction_id": interaction.id, "status": status}
                yield self._event("interaction.status_update", fields, interaction)

    def _piece(self, piece: OutputPart, interaction: Interaction) -> Iterator[Event]:
        """Continue the open step, or stop it and start another; a call is a step by itself."""
        kind = type(piece)
        self._answered |= kind is not Thought
        if isinstance(piece, FunctionCall):
            yield from self._start(kind, call_step(piece, {}), interaction)
            self._untold.append(encoding.write(piece.arguments).decode())
            yield from self._stop(interaction)
            return
        if kind is not self._open:
            yield from self._start(kind, {"type": _STARTS[kind]}, interaction)
        self._untold.append(piece.text)

    def _start(
        self, kind: type[OutputPart], step: Mapping[str, Any], interaction: Interaction
    ) -> Iterator[Event]:
        yield from self._stop(interaction)
        self._open = kind
        yield from self._counted("step.start", {"index": self._steps, "step": step}, interaction)

    def _delta(self, interaction: Interaction) -> Iterator[Event]:
        """Yield what was added to the open step, without what an interrupted stream has sent of it."""
        text = "".join(self._untold)
        self._untold.clear()
        known = max(self._after - self._position, 0)
        self._position += len(text)
        if self._open is not None and known < len(text):
            fields = {"index": self._steps, "delta": _DELTAS[self._open](text[known:])}
            yield self._event("step.delta", fields, interaction)

    def _stop(self, interaction: Interaction) -> Iterator[Event]:
        yield from self._delta(interaction)
        if self._open is not None:
            self._open = None
            yield from self._counted("step.stop", {"index": self._steps}, interaction)
            self._steps += 1

    def _ending(self, interaction: Interaction) -> Iterator[Event]:
        outcome = interaction.outcome
        if not self._answered and outcome.status in ENDED_IN_TEXT:
            yield from self._start(Text, {"type": _STARTS[Text]}, interaction)
        yield from self._stop(interaction)
        if outcome.status == "failed":
            # However far a broken stream has come, why there is no answer is never left out.
            self._position += 1
            failure = outcome.failure or failure_of(Internal())
            yield self._event("error", {"error": write_failure(failure)}, interaction)
        else:
            fields = {"interaction": head_of(interaction)}
            yield from self._counted("interaction.completed", fields, interaction)
        yield Event("done", b"[DONE]")
        self._done = True

    def _counted(self, name: str, fields: Mapping[str, Any], interaction: Interaction) -> Iterator[Event]:
        """Yield an event that counts one, unless an interrupted stream has sent it."""
        self._position += 1
        if self._position > self._after:
            yield self._event(name, fields, interaction)

    def _event(self, name: str, fields: Mapping[str, Any], interaction: Interaction) -> Event:
        data = {"event_type": name, **fields}
        if interaction.stored:
            data["event_id"] = f"{interaction.attempt}.{self._position}"
        return Event(name, encoding.write(data))


def _end_of(interaction: Interaction) -> int:
    """Return the position of an interaction's end; a client beyond it needs no more events."""
    teller = EventEncoder(after=sys.maxsize)
    # Where it stands follows from what was said, not from the pieces: there may be very many of those.
    outcome = replace(interaction.outcome, said=tuple(joined(interaction.outcome.said)))
    teller.encode(replace(interaction, outcome=outcome))
    return teller.position


def _created(interaction: Interaction) -> dict[str, Any]:
    """Return the interaction as it was when it was created."""
    status = "queued" if interaction.outcome.status == "queued" else "in_progress"
    head = head_of(interaction) | {"status": status, "updated": time(interaction.created)}
    head.pop("usage", None)
    return head
