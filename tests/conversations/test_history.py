"""Stored interactions as turns: calls and results come back as the values that they were."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import pytest

from twinlens.conversations.history import turns_of, with_names
from twinlens.domain.engine import OutputPart, Text, Thought
from twinlens.domain.errors import InvalidArgument
from twinlens.domain.interaction import Interaction, Outcome
from twinlens.domain.request import BlobRef, FunctionCall, FunctionResult, Media, Part, Turn
from twinlens.domain.request import Text as TextPart
from twinlens.pipeline.media_limits import EARLIER

CALL = FunctionCall("look", {"at": ["door", {"deep": None}]}, "call_1")
KEPT = BlobRef("0" * 64, 8, "image/png")
RESULT = {
    "type": "function_result",
    "call_id": "call_1",
    "result": [{"type": "text", "text": "A door."}, {"type": "image", "mime_type": "image/png"}],
}


def stored(input_: Any, said: Sequence[OutputPart] = (), media: tuple[BlobRef, ...] = ()) -> Interaction:
    now = datetime.now(UTC)
    sent = json.dumps({"model": "gemini-3-flash", "input": input_}).encode()
    outcome = Outcome("completed", said)
    return Interaction("v1_a", "gemini-3-flash", sent, now, now, media=media, outcome=outcome)


def user(*parts: Part) -> Turn:
    return Turn("user", parts)


def test_calls_and_results_come_back_with_ids_arguments_and_media() -> None:
    history = [
        stored("What is there?", [Thought("Hm."), Text("I look."), CALL]),
        stored([RESULT], [Text("Nice.")], (KEPT,)),
    ]

    turns = with_names(turns_of(history))

    kept = Media(KEPT, "image/png", EARLIER, kind="image")
    assert turns == (
        user(TextPart("What is there?")),
        Turn("model", (TextPart("Hm.", thought=True), TextPart("I look."), CALL)),
        user(FunctionResult("look", {"output": "A door."}, "call_1", (kept,))),
        Turn("model", (TextPart("Nice."),)),
    )


def test_a_result_of_no_call_in_the_conversation_is_refused() -> None:
    with pytest.raises(InvalidArgument, match="The function_call call_1 is not in this conversation"):
        with_names(turns_of([stored([RESULT], media=(KEPT,))]))


def test_a_result_by_the_name_of_another_function_is_refused() -> None:
    history = turns_of([stored("What is there?", [CALL]), stored([RESULT | {"name": "listen"}], (), (KEPT,))])

    with pytest.raises(InvalidArgument, match="The function_call call_1 is of look"):
        with_names(history)
