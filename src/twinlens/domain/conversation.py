"""What a conversation must keep: who may call functions when, and that each call is answered."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

from .request import FunctionCall, FunctionResult, Turn

_ORDER = (
    "Please ensure that function call turn comes immediately after a user turn or after a function response "
    "turn."
)
_ANSWER = "Please ensure that function response turn comes immediately after a function call turn."
_NUMBER = (
    "Please ensure that the number of function response parts is equal to the number of function call parts "
    "of the function call turn."
)


@dataclass(frozen=True, slots=True)
class Misplaced:
    """What is wrong about calls, in the service's words, and at which turn."""

    turn: int
    sentence: str


@dataclass(frozen=True, slots=True)
class _Say:
    """Neighbouring turns of one side: what one side said may come in several contents."""

    role: str
    first: int
    calls: Sequence[int]
    responses: Sequence[int]


def misplaced_call(turns: Sequence[Turn]) -> Misplaced | None:
    """Return the first call without a user's turn before it or an answer after it, or result without one."""
    calls: Sequence[int] = ()
    for say in _says(turns):
        if say.role == "model":
            if say.responses:
                return Misplaced(say.responses[0], _ANSWER)
            if say.calls and say.first == 0:
                return Misplaced(say.calls[0], _ORDER)
            calls = say.calls
        elif len(say.responses) != len(calls):
            return Misplaced((say.responses or (say.first,))[0], _NUMBER if calls else _ANSWER)
        else:
            calls = ()
    return Misplaced(calls[0], _NUMBER) if calls else None


def _says(turns: Sequence[Turn]) -> Sequence[_Say]:
    grouped = groupby(enumerate(turns), key=lambda one: one[1].role)
    return [_say(role, list(own)) for role, own in grouped]


def _say(role: str, own: Sequence[tuple[int, Turn]]) -> _Say:
    """Note where one side's calls and responses are; a user's calls are quotations, whatever they say."""
    parts = [(index, part) for index, turn in own for part in turn.parts]
    calls = [index for index, part in parts if isinstance(part, FunctionCall) and role == "model"]
    return _Say(role, own[0][0], calls, [index for index, part in parts if isinstance(part, FunctionResult)])
