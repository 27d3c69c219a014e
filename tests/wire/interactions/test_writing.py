from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from google.genai._gaos.types import interactions as sdk

from twinlens.domain.engine import FunctionCall, OutputPart, Text, Thought, Usage
from twinlens.domain.generations import LINES
from twinlens.domain.interaction import Failure, Interaction, Outcome, Status
from twinlens.domain.media import Modality
from twinlens.domain.request import Inline
from twinlens.wire.interactions.reading import read_create
from twinlens.wire.interactions.writing import inline_media, write_interaction

PNG, MP4 = b"\x89PNG" + bytes(range(256)), b"mp4"
PICTURE = {"type": "image", "mime_type": "image/png"}
QUESTION = {"type": "text", "text": "What is it?"}


def asked(input_: Any, *said: OutputPart, status: Status = "completed", **sent: Any) -> Interaction:
    return Interaction(
        id="v1_a",
        model="gemini-3-flash",
        sent=json.dumps({"model": "gemini-3-flash", "input": input_, **sent}).encode(),
        created=datetime(2026, 5, 6, 7, 8, 9, 999, tzinfo=UTC),
        updated=datetime(2026, 5, 6, 7, 8, 10, tzinfo=UTC),
        outcome=Outcome(status, said),
    )


def written(
    interaction: Interaction, data: Mapping[int, bytes] | None = None, *, include_input: bool = False
) -> dict[str, Any]:
    """Write it, and have the client read it too."""
    body: dict[str, Any] = json.loads(write_interaction(interaction, data, include_input=include_input))
    read = sdk.Interaction.model_validate(body)
    for ours, theirs in zip(body["steps"], read.steps or [], strict=True):
        assert ours["type"] == theirs.type
    return body


def inline(data: bytes) -> str:
    return base64.b64encode(data).decode()


def test_j1_an_answer_is_the_resource_with_its_steps() -> None:
    body = written(asked("Hi", Thought("hm"), Text("It is "), Text("a cat.")))

    assert body == {
        "id": "v1_a",
        "object": "interaction",
        "model": "gemini-3-flash",
        "status": "completed",
        "created": "2026-05-06T07:08:09Z",
        "updated": "2026-05-06T07:08:10Z",
        "steps": [
            {"type": "thought", "summary": [{"type": "text", "text": "hm"}]},
            {"type": "model_output", "content": [{"type": "text", "text": "It is a cat."}]},
        ],
    }


def test_the_client_finds_the_text() -> None:
    body = write_interaction(asked("Hi", Thought("hm"), Text("A cat.")), {})

    assert sdk.Interaction.model_validate_json(body).output_text == "A cat."


def test_j22_usage_adds_up_and_is_told_by_modality() -> None:
    usage = Usage({Modality.IMAGE: 280, Modality.TEXT: 3}, candidates=5, thoughts=7)
    interaction = asked("Hi", Text("x"))

    told = written(replace(interaction, outcome=replace(interaction.outcome, usage=usage)))["usage"]

    assert told == {
        "total_input_tokens": 283,
        "total_output_tokens": 5,
        "total_thought_tokens": 7,
        "total_cached_tokens": 0,
        "total_tool_use_tokens": 0,
        "total_tokens": 295,
        "input_tokens_by_modality": [
            {"modality": "text", "tokens": 3},
            {"modality": "image", "tokens": 280},
        ],
        "output_tokens_by_modality": [{"modality": "text", "tokens": 5}],
    }


def test_calls_are_steps_each() -> None:
    calls = FunctionCall("f", {"a": [1, None]}, "1"), FunctionCall("g", {}, "2")

    steps = written(asked("Hi", *calls, status="requires_action"))["steps"]

    assert steps == [
        {"type": "function_call", "id": "1", "name": "f", "arguments": {"a": [1, None]}},
        {"type": "function_call", "id": "2", "name": "g", "arguments": {}},
    ]


@pytest.mark.parametrize(
    ("said", "kinds"),
    [
        ((), ["model_output"]),
        ((Text(""),), ["model_output"]),
        ((Thought("a"),), ["thought", "model_output"]),
        ((Text("a"), Thought("b")), ["thought", "model_output"]),
        ((Text("a"), Thought(""), Text("b")), ["model_output"]),
        ((Text("a"), Thought("b"), Text("c")), ["model_output", "thought", "model_output"]),
    ],
)
@pytest.mark.parametrize("status", ["completed", "incomplete"])
def test_j21_an_answer_ends_in_text(said: tuple[OutputPart, ...], kinds: list[str], status: Status) -> None:
    steps = written(asked("Hi", *said, status=status))["steps"]

    assert [step["type"] for step in steps] == kinds
    assert isinstance(steps[-1]["content"][0]["text"], str)


@pytest.mark.parametrize("status", ["failed", "cancelled", "in_progress", "queued"])
def test_what_has_no_answer_has_no_step_of_nothing(status: Status) -> None:
    assert written(asked("Hi", status=status))["steps"] == []


def test_why_it_failed_is_told() -> None:
    interaction = asked("Hi", Text("So far"), status="failed")
    failure = Failure("UNAVAILABLE", "The engine cannot answer now.")

    body = written(replace(interaction, outcome=replace(interaction.outcome, failure=failure)))

    assert body["errors"] == [{"code": "overloaded", "message": "The engine cannot answer now."}]
    assert body["steps"][0]["content"][0]["text"] == "So far"


def test_labels_tier_and_the_interaction_before_are_shown_again() -> None:
    interaction = asked("Hi", labels={"myTeam": "a"}, service_tier="flex")

    body = written(replace(interaction, previous="v1_0"))

    shown = body["labels"], body["service_tier"], body["previous_interaction_id"]
    assert shown == ({"myTeam": "a"}, "flex", "v1_0")


@pytest.mark.parametrize("input_", ["What is it?", QUESTION, [QUESTION]])
def test_j10_the_timeline_begins_with_what_was_asked(input_: Any) -> None:
    steps = written(asked(input_, Text("A cat.")), {})["steps"]

    assert steps == [
        {"type": "user_input", "content": [QUESTION]},
        {"type": "model_output", "content": [{"type": "text", "text": "A cat."}]},
    ]


@pytest.mark.parametrize("status", ["in_progress", "queued"])
def test_the_timeline_of_one_under_way_is_what_was_said_so_far(status: Status) -> None:
    steps = written(asked("Hi", Text("So"), status=status), {})["steps"]

    assert [step["type"] for step in steps] == ["model_output"]


def test_steps_stay_as_they_were() -> None:
    sent = [
        {"type": "user_input", "content": [QUESTION]},
        {"type": "thought", "signature": "AAAA", "summary": []},
        {"type": "function_call", "id": "1", "name": "f", "arguments": {"x": 1.0, "type": "image"}},
        {"type": "function_result", "call_id": "1", "name": "f", "result": {"type": "image", "some": 1}},
        {"type": "model_output", "content": [{"type": "text", "text": "No."}]},
        {"type": "user_input", "content": [{"type": "text", "text": "Why?"}]},
    ]

    assert written(asked(sent, Text("So.")), {})["steps"][:-1] == sent


@pytest.mark.parametrize("content", ["Hi", {"type": "text", "text": "Hi"}, [{"type": "text", "text": "Hi"}]])
def test_legacy_turns_become_steps(content: Any) -> None:
    turns = [{"role": "user", "content": content}, {"role": "model", "content": content}]

    steps = written(asked(turns, Text("So.")), {})["steps"]

    hi = [{"type": "text", "text": "Hi"}]
    assert steps[:2] == [{"type": "user_input", "content": hi}, {"type": "model_output", "content": hi}]


def test_media_that_were_sent_inline_get_their_bytes_back() -> None:
    clip = {"type": "video", "mimeType": "video/mp4", "processing": {"startOffset": "1s"}}
    stored = {"type": "image", "uri": "https://x/v1beta/files/a"}
    interaction = asked([PICTURE, stored, clip, QUESTION], Text("x"))

    assert inline_media(interaction) == (0, 2)
    (user, _) = written(interaction, {0: PNG, 2: MP4})["steps"]

    assert user["content"] == [
        PICTURE | {"data": inline(PNG)},
        stored,
        clip | {"data": inline(MP4)},
        QUESTION,
    ]


def test_media_are_counted_in_steps_in_results_and_in_turns() -> None:
    interaction = asked(
        [
            {"type": "user_input", "content": [PICTURE | {"uri": "files/a"}, PICTURE]},
            {"type": "function_call", "id": "1", "name": "f", "arguments": PICTURE},
            {"type": "function_result", "call_id": "1", "result": [QUESTION, PICTURE]},
            {"role": "user", "content": PICTURE},
        ],
        Text("x"),
    )

    data = {1: b"one", 2: b"two", 3: b"three"}
    user, call, result, turn, _ = written(interaction, data)["steps"]

    assert inline_media(interaction) == (1, 2, 3)
    assert user["content"][1]["data"] == inline(b"one")
    assert call["arguments"] == PICTURE
    assert result["result"][1]["data"] == inline(b"two")
    assert turn == {"type": "user_input", "content": [PICTURE | {"data": inline(b"three")}]}


@pytest.mark.parametrize(
    "input_",
    [
        PICTURE | {"data": inline(PNG)},
        [PICTURE | {"uri": "files/a"}, QUESTION, PICTURE | {"uri": "", "data": inline(PNG)}],
        [{"role": "user", "content": PICTURE | {"data": inline(PNG)}}, {"role": "model", "content": "No."}],
        [
            {"type": "user_input", "content": [QUESTION, PICTURE | {"data": inline(PNG)}]},
            {"type": "function_call", "id": "1", "name": "f", "arguments": {"content": [PICTURE]}},
            {"type": "function_result", "call_id": "1", "result": {"type": "image", "data": "AAAA"}},
            {"type": "function_result", "call_id": "1", "result": [PICTURE | {"data": inline(MP4)}]},
            {"type": "model_output", "content": [PICTURE | {"data": inline(b"x")}]},
        ],
    ],
)
def test_media_are_numbered_as_they_are_read_and_come_back_as_they_were_sent(input_: Any) -> None:
    body = json.dumps({"model": "gemini-3-flash", "input": input_}).encode()
    created = read_create(body, lambda model: LINES["gemini-3"])
    data = {
        index: bytes(medium.source.data)
        for index, medium in enumerate(created.request.media)
        if isinstance(medium.source, Inline)
    }
    interaction = replace(asked("", Text("x")), sent=created.sent)

    assert inline_media(interaction) == tuple(data)
    assert json.loads(write_interaction(interaction, data, include_input=True))["input"] == input_


def test_steps_of_tools_that_ran_elsewhere_are_left_out() -> None:
    input_ = [{"type": "google_search_call"}, {"type": "user_input", "content": "Hi"}]

    body = written(asked(input_, Text("x")), {}, include_input=True)

    hi = {"type": "user_input", "content": [{"type": "text", "text": "Hi"}]}
    assert (body["input"], body["steps"][0]) == ([hi], hi)


def test_media_whose_bytes_are_not_kept_are_shown_without() -> None:
    steps = written(asked([PICTURE], status="failed"), {})["steps"]

    assert steps == [{"type": "user_input", "content": [PICTURE]}]


@pytest.mark.parametrize("input_", ["Hi", QUESTION, [QUESTION], [{"role": "user", "content": "Hi"}]])
def test_the_input_is_given_back_in_the_form_it_was_sent(input_: Any) -> None:
    body = json.loads(write_interaction(asked(input_, Text("x")), {}, include_input=True))

    assert body["input"] == input_


def test_the_input_has_its_media_too() -> None:
    body = json.loads(write_interaction(asked(PICTURE, Text("x")), {0: memoryview(PNG)}, include_input=True))

    assert body["input"] == PICTURE | {"data": inline(PNG)}
    assert body["steps"][0]["content"] == [body["input"]]


def test_numbers_of_the_caller_keep_every_digit() -> None:
    sent = b'{"input":[{"type":"function_call","id":"1","name":"f","arguments":{"n":1.50,"m":1e400}}]}'

    body = write_interaction(replace(asked("Hi"), sent=sent), {})

    assert b'"arguments":{"n":1.50,"m":1e400}' in body
