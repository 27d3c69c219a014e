"""What an engine is given, as values and as texts."""

from __future__ import annotations

import numpy as np
import pytest

from stills import still
from twinlens.domain.engine import EngineRequest, EngineTurn, FunctionCall, FunctionResult, Medium
from twinlens.domain.engine_media import TextFile
from twinlens.domain.media import Image
from twinlens.domain.rendering import text_of

PICTURE = still(Image(np.zeros((2, 3, 3), np.uint8), 3, 2, "image/png", tokens=1, digest="picture"))
FILE = TextFile("text/plain", "Some text", "file")
CALL = FunctionCall("look", {"at": "cats"}, "1")
RESULT: FunctionResult[Medium] = FunctionResult("look", {"found": 2}, "1", (PICTURE, FILE))


@pytest.fixture
def request_() -> EngineRequest:
    return EngineRequest(
        "m",
        (
            EngineTurn("user", (FILE, "How many cats?")),
            EngineTurn("model", ("I look.", CALL)),
            EngineTurn("user", ("Here:", RESULT, FILE, "So?")),
        ),
    )


def test_media_of_results_are_media_of_the_conversation(request_: EngineRequest) -> None:
    assert request_.media == (FILE, PICTURE, FILE, FILE)
    assert request_.images == (PICTURE,)


def test_the_question_has_results_as_they_are_counted(request_: EngineRequest) -> None:
    assert request_.question == f"Here:\n{text_of(RESULT)}\nSo?"


def test_a_request_can_be_had_in_texts_and_media_alone(request_: EngineRequest) -> None:
    flat = request_.as_text()

    assert [turn.parts for turn in flat.turns] == [
        (FILE, "How many cats?"),
        ("I look.", text_of(CALL)),
        ("Here:", text_of(RESULT), PICTURE, FILE, FILE, "So?"),
    ]
    assert (flat.media, flat.question) == (request_.media, request_.question)
