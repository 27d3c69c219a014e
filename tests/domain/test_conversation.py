from __future__ import annotations

import pytest

from twinlens.domain.conversation import misplaced_call
from twinlens.domain.request import FunctionCall, FunctionResult, Media, Part, Text, Turn

HI = Text("Hi")
CALL = FunctionCall("f", {})
RESPONSE = FunctionResult[Media]("f", {})
ORDER, ANSWER, NUMBER = (
    "comes immediately after a user turn",
    "after a function call turn",
    "is equal to the number",
)


def user(*parts: Part) -> Turn:
    return Turn("user", parts)


def model(*parts: Part) -> Turn:
    return Turn("model", parts)


@pytest.mark.parametrize(
    "turns",
    [
        [],
        [user(HI)],
        [model(HI), user(HI)],
        [user(HI), model(CALL), user(RESPONSE)],
        [user(HI), model(HI, CALL, CALL), user(RESPONSE, RESPONSE, HI)],
        [user(HI), model(CALL), user(RESPONSE), model(CALL), user(RESPONSE), model(HI), user(HI)],
        [user(HI), user(HI), model(HI), model(CALL), model(CALL), user(RESPONSE), user(HI), user(RESPONSE)],
        [user(CALL), model(HI), user(HI)],
    ],
)
def test_calls_that_come_after_the_user_and_are_answered_are_right(turns: list[Turn]) -> None:
    assert misplaced_call(turns) is None


@pytest.mark.parametrize(
    ("turns", "at", "sentence"),
    [
        ([model(CALL), user(RESPONSE)], 0, ORDER),
        ([model(HI), model(CALL), user(RESPONSE)], 1, ORDER),
        ([user(HI), model(CALL, CALL), user(RESPONSE)], 2, NUMBER),
        ([user(HI), model(CALL), user(HI), user(RESPONSE, RESPONSE)], 3, NUMBER),
        ([user(HI), model(CALL), user(HI)], 2, NUMBER),
        ([user(HI), model(HI), model(CALL)], 2, NUMBER),
        ([user(RESPONSE)], 0, ANSWER),
        ([user(HI), model(HI), user(RESPONSE)], 2, ANSWER),
        ([user(HI), model(CALL), user(RESPONSE), model(HI), user(RESPONSE)], 4, ANSWER),
        ([user(HI), model(CALL, RESPONSE), user(HI)], 1, ANSWER),
    ],
)
def test_calls_and_answers_elsewhere_are_found_with_their_turn(
    turns: list[Turn], at: int, sentence: str
) -> None:
    wrong = misplaced_call(turns)

    assert wrong is not None
    assert wrong.turn == at
    assert sentence in wrong.sentence
