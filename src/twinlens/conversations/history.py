"""Stored interactions as the turns of a conversation."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from ..domain import request as domain
from ..domain.conversation import misplaced_call
from ..domain.engine import OutputPart, Text, Thought
from ..domain.errors import FailedPrecondition, InvalidArgument
from ..domain.interaction import Interaction, Status
from ..domain.request import FunctionCall, FunctionResult, Media, Part, Turn
from ..pipeline.media_limits import EARLIER
from ..wire.interactions.reading import read_turns

MAX_ECHO = 100
"""Characters of a name that an error repeats. Chosen, not measured."""


_NO_ANSWER: Mapping[Status, str] = {
    "queued": "is queued: wait until it is completed",
    "in_progress": "is in progress: wait until it is completed",
    "failed": "has failed: go on from the one before it, or send its input again",
    "cancelled": "was cancelled: go on from the one before it, or send its input again",
}


def check_answered(last: Interaction) -> None:
    """Refuse to go on from an interaction that has no answer."""
    why = _NO_ANSWER.get(last.outcome.status)
    if why:
        raise FailedPrecondition(f"The interaction {last.id} {why}.", field=EARLIER)


def turns_of(history: Sequence[Interaction]) -> tuple[Turn, ...]:
    """Return the requests and answers as turns, oldest first."""
    return tuple(turn for interaction in history for turn in _turns(interaction))


def with_names(turns: Sequence[Turn]) -> tuple[Turn, ...]:
    """Fill in the function names of results that carry only a call id; refuse a result without its call.

    A call has to be after a user's turn, and all calls of a turn are answered by the next.
    """
    names: dict[str, str] = {}
    named = tuple(Turn(turn.role, tuple(_named(part, names) for part in turn.parts)) for turn in turns)
    if wrong := misplaced_call(named):
        raise InvalidArgument(wrong.sentence, field="input")
    return named


def _named(part: Part, names: dict[str, str]) -> Part:
    """Record calls in `names`, and check results against them."""
    if isinstance(part, FunctionCall):
        names[part.id] = part.name
    if not isinstance(part, FunctionResult):
        return part
    known = names.get(part.id)
    if known is None or part.name not in ("", known):
        what = f"is of {_shown(known)}" if known else "is not in this conversation"
        message = (
            f"The function_call {_shown(part.id)} {what}. A function_result has to answer an earlier call."
        )
        raise InvalidArgument(message, field="input")
    return replace(part, name=known)


def _shown(name: str) -> str:
    return name if len(name) <= MAX_ECHO else f"{name[:MAX_ECHO]}..."


def _turns(interaction: Interaction) -> Iterator[Turn]:
    for turn in read_turns(interaction):
        yield Turn(turn.role, tuple(_earlier(part) for part in turn.parts))
    parts = tuple(map(_part, interaction.outcome.said))
    if parts:
        yield Turn("model", parts)


def _earlier(part: Part) -> Part:
    """Return the part with the field that errors name: the id of the earlier interaction."""
    match part:
        case Media():
            return replace(part, field=EARLIER)
        case FunctionResult():
            return replace(part, media=tuple(replace(medium, field=EARLIER) for medium in part.media))
        case _:
            return part


def _part(output: OutputPart) -> Part:
    match output:
        case Text(text):
            return domain.Text(text)
        case Thought(text):
            return domain.Text(text, thought=True)
        case FunctionCall():
            return output
