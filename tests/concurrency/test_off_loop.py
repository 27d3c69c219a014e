"""What is soon gone through, and what is better done in a thread."""

from __future__ import annotations

import threading

import pytest

from twinlens.concurrency.off_loop import (
    ON_LOOP_BYTES,
    ON_LOOP_MARKS,
    SMALL_CHARS,
    is_small,
    off_loop,
    off_loop_if_large,
    parse_off_loop,
)
from twinlens.domain.media import Json
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

LARGE = "x" * (SMALL_CHARS + 1)
PICTURE = Media(Inline(b""), "image/png", "contents[0].parts[0]")


def request(*parts: Part, tools: Json | None = None, system: str = "") -> Request:
    return Request("gemini-3", (Turn("user", parts),), system=(Text(system),), tools=tools)


@pytest.mark.parametrize(
    "asked",
    [
        pytest.param(request(Text(LARGE)), id="a text"),
        pytest.param(request(Text("a"), system=LARGE), id="an instruction"),
        pytest.param(request(*[Text("a")] * 5000), id="many parts"),
        pytest.param(request(FunctionCall("f", {"a": [LARGE]})), id="a call"),
        pytest.param(request(FunctionResult("f", {"a": [LARGE]})), id="a result"),
        pytest.param(request(FunctionResult("f", [1] * SMALL_CHARS)), id="numbers"),
        pytest.param(request(FunctionResult("f", media=(PICTURE,) * 5000)), id="a result's media"),
        pytest.param(request(ExecutableCode("PYTHON", LARGE)), id="code"),
        pytest.param(request(CodeExecutionResult("OK", LARGE)), id="what code printed"),
        pytest.param(request(Text("a"), tools=[{"name": LARGE}]), id="tools"),
        pytest.param(request(Text("a"), tools=[{LARGE: 1}]), id="names"),
    ],
)
async def test_what_is_large_is_done_in_a_thread(asked: Request) -> None:
    assert not is_small(asked)
    assert await off_loop_if_large(asked, threading.current_thread) is not threading.current_thread()


async def test_what_is_small_is_done_at_once() -> None:
    asked = request(Text("Hello"), FunctionCall("f", {"a": [1, "b"]}), tools=[{"a": {}}])

    assert is_small(asked)
    assert await off_loop_if_large(asked, threading.current_thread) is threading.current_thread()


async def test_a_failure_in_a_thread_is_raised() -> None:
    with pytest.raises(ZeroDivisionError):
        await off_loop(lambda: 1 // 0)


@pytest.mark.parametrize(
    ("body", "is_apart"),
    [
        pytest.param(b"{}", False, id="small"),
        pytest.param(b"A" * ON_LOOP_BYTES, False, id="of one picture"),
        pytest.param(b" " * (ON_LOOP_BYTES + 1), True, id="long"),
        pytest.param(b"{}," * (ON_LOOP_MARKS + 1), True, id="of many parts"),
        pytest.param(b"a:1," * (ON_LOOP_MARKS // 2 + 1), True, id="of many properties"),
        pytest.param(b'{"$ref":"#/$defs/all"}', True, id="of references"),
    ],
)
async def test_what_takes_long_to_read_is_read_in_a_thread(body: bytes, is_apart: bool) -> None:
    reader = await parse_off_loop(body, lambda _: threading.current_thread())

    assert (reader is not threading.current_thread()) is is_apart
