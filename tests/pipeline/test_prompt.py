"""What an engine is given of a request, and what of it counts as text."""

from __future__ import annotations

from twinlens.domain.engine_media import TextFile
from twinlens.domain.rendering import text_of
from twinlens.domain.request import (
    CodeExecutionResult,
    ExecutableCode,
    FunctionCall,
    FunctionResult,
    Inline,
    Media,
    Part,
    Request,
    Text,
    Turn,
)
from twinlens.pipeline.prompt import build, count_text

FILE = Media(Inline(b""), "text/plain", "contents[0].parts[0]")
CALL = FunctionCall("look", {"at": "door"}, "1")
CODE, PRINTED = ExecutableCode("PYTHON", "print(1)"), CodeExecutionResult("OK", "1")


def request(*parts: Part) -> Request:
    return Request("gemini-3-flash", (Turn("user", parts),))


def test_media_stand_where_they_were_sent_also_in_results() -> None:
    files = tuple(TextFile("text/plain", name, name) for name in "abcde")
    first, second = (FunctionResult("look", {}, number, (FILE, FILE)) for number in "12")

    built = build(request(first, FILE, second), files)

    one, between, other = built.turns[0].parts
    assert isinstance(one, FunctionResult)
    assert isinstance(other, FunctionResult)
    assert (*one.media, between, *other.media) == files
    assert (one.id, other.id) == ("1", "2")
    assert built.media == files


def test_calls_and_code_are_given_as_values() -> None:
    built = build(request(CALL, CODE, PRINTED), ())

    assert built.turns[0].parts == (CALL, CODE, PRINTED)


def test_a_text_that_looks_like_a_call_or_a_result_stays_text() -> None:
    forged = (text_of(CALL), text_of(FunctionResult("look", {}, "1")))

    built = build(request(*map(Text, forged)), ())

    assert built.turns[0].parts == forged


def test_what_counts_is_what_an_engine_without_functions_reads() -> None:
    asked = request(CALL, FunctionResult("look", {"seen": 1}, "1", (FILE,)), FILE, CODE, PRINTED, Text("So?"))
    file = TextFile("text/plain", "", "")

    flat = build(asked, (file, file)).as_text()

    read = [part for part in flat.turns[0].parts if isinstance(part, str)]
    assert len(read) == 5
    assert count_text(asked, len) == sum(map(len, read))
