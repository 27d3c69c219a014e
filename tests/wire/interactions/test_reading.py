from __future__ import annotations

import base64
import json
import tracemalloc
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from google.genai._gaos.types.interactions import Interaction as ClientInteraction
from pydantic import TypeAdapter

from twinlens.domain.engine import Text as Answer
from twinlens.domain.errors import Internal, InvalidArgument, NotFound
from twinlens.domain.generations import LINES, Generation
from twinlens.domain.interaction import Interaction, Outcome
from twinlens.domain.request import BlobRef, FunctionResult, Inline, Media, Part, Request, Text, Url
from twinlens.wire.interactions.reading import Create, read_create, read_sent, read_turns
from twinlens.wire.interactions.writing import inline_media, write_interaction

Reading = Callable[..., Create]
Refusing = Callable[..., str]

LINE = LINES["gemini-3"]
ASK = {"type": "text", "text": "What is this?"}
PNG = {"type": "image", "data": "iVBORw0KGgo=", "mime_type": "image/png"}
LARGE = {"type": "video", "data": base64.b64encode(bytes(6000)).decode(), "mimeType": "video/mp4"}
FILE = {"type": "document", "uri": "files/paper", "resolution": "low"}
PAGE = {"type": "image", "uri": "https://example.com/a.png"}
CLIENT = TypeAdapter(ClientInteraction)
KEPT = BlobRef("0" * 64, 8, "image/png")


def stored(made: Create, media: tuple[BlobRef | None, ...]) -> Interaction:
    now = datetime(2026, 5, 6, tzinfo=UTC)
    return Interaction("v1_a", made.request.model, made.sent, now, now, media=media)


def sourceless(request: Request) -> Request:
    """Give a request whose media all have the same source."""
    turns = (replace(turn, parts=tuple(map(_sourceless, turn.parts))) for turn in request.turns)
    return replace(request, turns=tuple(turns))


def _sourceless(part: Part) -> Part:
    match part:
        case Media():
            return replace(part, source=KEPT)
        case FunctionResult(media=media):
            return replace(part, media=tuple(replace(medium, source=KEPT) for medium in media))
        case _:
            return part


def test_j1_a_request_is_read_with_its_options(create: Reading) -> None:
    made = create(
        [ASK, PNG],
        model="models/gemini-3-flash",
        system_instruction="Be short.",
        previous_interaction_id="v1_before",
        background=True,
        stream=True,
        service_tier="flex",
        labels={"team": "a"},
        webhook_config={"uris": []},
        continuation_token="",
    )

    assert made.request.model == "gemini-3-flash"
    assert made.request.system == (Text("Be short."),)
    assert (made.previous, made.store, made.background, made.stream) == ("v1_before", True, True, True)


def test_what_is_not_said_has_its_default(create: Reading) -> None:
    made = create(stream=None)

    assert (made.previous, made.store, made.background, made.stream) == (None, True, False, False)
    assert (made.request.system, made.request.tools) == ((), None)


def test_j11_what_is_not_stored_can_follow_and_cannot_wait(create: Reading, refusal: Refusing) -> None:
    assert create(store=False, previous_interaction_id="v1_a").previous == "v1_a"

    assert "background: true needs store: true" in refusal(store=False, background=True)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"model": None}, "model is missing: name the model that is to answer."),
        ({"model": ""}, "model is missing: name the model that is to answer."),
        ({"agent": "deep"}, "model and agent exclude each other: send model alone."),
        ({"model": None, "agent": "deep"}, "agent: agents are not served here, send model instead."),
        ({"model": 5}, "model must be a string, not 5"),
        ({"store": "maybe"}, 'store must be true or false, not "maybe"'),
        ({"system_instruction": {"parts": []}}, 'system_instruction must be a string, not {"parts":[]}'),
        ({"previous_interaction_id": ""}, "previous_interaction_id must not be empty"),
        ({"cached_content": "cachedContents/a"}, "cached_content: explicit caching is not supported"),
        ({"continuation_token": "a"}, "continuation_token: this server gives no tokens to continue with"),
        ({"webhook_config": {"uris": ["https://a"]}}, "webhook_config.uris: webhooks are not supported"),
        ({"environment": "env"}, "environment: agents are not served here, nor are environments"),
        ({"labels": {"team": 5}}, "labels.team must be a string, not 5"),
        ({"labels": {str(i): "" for i in range(65)}}, "labels: at most 64 labels are allowed."),
        ({"labels": {"a": "b" * 64}}, "labels.a: a label and its name have at most 63 characters each."),
        ({"labels": {"a" * 64: "b"}}, "a: a label and its name have at most 63 characters each."),
        ({"labels": []}, "labels must be an object, not []"),
        ({"service_tier": "gold"}, "service_tier must be one of flex, standard, priority, deferred"),
        ({"response_modalities": ["text", "audio"]}, "response_modalities[1]: audio output is not supported"),
        (
            {
                "response_format": {"type": "text", "mime_type": "text/plain"},
                "response_mime_type": "application/json",
            },
            "response_mime_type must be response_format.mime_type, or left out",
        ),
        ({"contents": []}, "contents is not a known field of CreateInteraction."),
        ({"a\nb": 1}, '"a\\nb" is not a known field of CreateInteraction.'),
        ({"labels": {"a\nb": 1}}, 'labels."a\\nb" must be a string, not 1.'),
        (
            {"store": True, "previousInteractionId": "a", "previous_interaction_id": "b"},
            "previous_interaction_id is set twice.",
        ),
    ],
)
def test_j20_what_cannot_be_is_refused(refusal: Refusing, fields: dict[str, Any], message: str) -> None:
    assert message in refusal(**fields)


@pytest.mark.parametrize("body", [b"[]", b'"Hi"', b"", b"{", b'{"input": "\xff"}'])
def test_a_body_that_is_no_request_is_refused(body: bytes) -> None:
    with pytest.raises(InvalidArgument):
        read_create(body, lambda _: LINE)


def test_a_model_that_there_is_not_is_told_by_who_knows_them() -> None:
    def line_of(model: str) -> Generation:
        raise NotFound(f"no {model}")

    with pytest.raises(NotFound, match="no llama"):
        read_create(b'{"model": "models/llama", "input": "Hi"}', line_of)


def test_what_is_stored_is_what_counts_in_this_apis_words(create: Reading) -> None:
    function = {"type": "function_result", "callId": "1", "result": {"type": "image", "data": "a" * 5000}}
    steps = [
        {
            "type": "user_input",
            "content": [ASK | {"annotations": [1]}, LARGE | {"resolution": "LOW", "name": "a"}],
        },
        {"type": "thought", "signature": "AAAA", "summary": ASK},
        {"type": "model_output", "content": None, "error": {"code": 1}},
        {"type": "google_search_result", "result": [LARGE], "signature": "AAAA"},
        function | {"isError": "false", "signature": "AAAA"},
    ]

    made = create(
        steps,
        previousInteractionId="v1_a",
        labels={"data": "b"},
        serviceTier="FLEX",
        store=None,
        webhook_config={"uris": [], "user_metadata": {"a": 1}},
        generation_config={"image_config": {}},
    )

    assert json.loads(made.sent) == {
        "model": "gemini-3-flash",
        "input": [
            {
                "type": "user_input",
                "content": [ASK, {"type": "video", "mime_type": "video/mp4", "resolution": "low"}],
            },
            {"type": "thought", "summary": [ASK]},
            {"type": "model_output"},
            {"type": "google_search_result"},
            {"type": "function_result", "call_id": "1", "result": function["result"], "is_error": False},
        ],
        "previous_interaction_id": "v1_a",
        "labels": {"data": "b"},
        "service_tier": "flex",
        "webhook_config": {},
        "generation_config": {},
    }


def test_labels_that_are_null_are_none(create: Reading) -> None:
    assert b"labels" not in create(labels=None).sent


@pytest.mark.parametrize(
    ("input_", "fields"),
    [
        ("Hi", {"system_instruction": "Be short.", "generation_config": {"thinking_level": "low"}}),
        (PNG, {"response_format": {"type": "text", "schema": {"type": "integer", "maximum": 10**30}}}),
        ([ASK, LARGE | {"processing": {"type": "static", "fps": 2}}, FILE, PNG, PAGE], {}),
        ([{"role": "user", "content": PNG}, {"role": "model", "content": "A \ud83d\ude00"}], {}),
        (
            [
                {"type": "user_input", "content": [PNG, FILE]},
                {"type": "processing_call", "id": "p"},
                {"type": "function_call", "id": "1", "name": "f", "arguments": {"a": {"data": "c" * 5000}}},
                {
                    "type": "function_result",
                    "call_id": "1",
                    "result": [ASK, PNG | {"data": None, "uri": "files/a"}],
                },
            ],
            {"tools": [{"type": "function", "name": "f"}]},
        ),
    ],
    ids=["string", "content", "contents", "turns", "steps"],
)
def test_a_stored_request_is_read_as_it_was(create: Reading, input_: Any, fields: dict[str, Any]) -> None:
    made = create(input_, **fields)

    again = read_sent(stored(made, (KEPT,) * len(made.request.media)), LINE)

    assert again == sourceless(made.request)


RICH: dict[str, Any] = {
    "model": "gemini-3-flash",
    "input": [
        {"type": "user_input", "content": [ASK, PNG | {"resolution": "low"}, FILE]},
        {"type": "user_input", "content": LARGE | {"processing": {"type": "static", "start_offset": "1s"}}},
        {"type": "thought", "summary": [ASK], "signature": "c2ln"},
        {"type": "model_output", "content": "A cat."},
        {"type": "processing_call", "id": "p"},
        {"type": "function_call", "id": "1", "name": "f", "arguments": {"a": 1}},
        {"type": "function_result", "callId": "1", "name": "f", "result": [ASK, PNG], "is_error": True},
    ],
    "generation_config": {
        "temperature": 1,
        "stop_sequences": ["."],
        "thinking_level": "low",
        "tool_choice": {"allowed_tools": {"mode": "any", "tools": ["f"]}},
    },
    "response_format": [{"type": "text", "mime_type": "application/json", "schema": {"type": "object"}}],
    "response_modalities": ["text"],
    "tools": [{"type": "function", "name": "f", "parameters": {"type": "object"}}],
    "safety_settings": [{"type": "harassment", "threshold": "off"}],
    "webhook_config": {"user_metadata": {}},
    "labels": {"a": "b"},
    "store": True,
}
ODD: tuple[Any, ...] = (None, True, -1, 10**300, 1.5, "", "x", "2s", "static", [], [None], {}, {"type": []})


def spoiled(value: Any, odds: tuple[Any, ...] = ODD) -> Iterator[Any]:
    """Give a value with each thing in it, one at a time, replaced by what does not belong there."""
    yield from odds
    match value:
        case dict():
            for name, below in value.items():
                yield from (value | {name: odd} for odd in spoiled(below, odds))
                yield {other: one for other, one in value.items() if other != name}
        case list():
            for index, below in enumerate(value):
                yield from ([*value[:index], odd, *value[index + 1 :]] for odd in spoiled(below, odds))


def test_whatever_is_sent_is_refused_or_read_again_as_it_was() -> None:
    accepted = refused = 0

    for body in spoiled(RICH):
        try:
            made = read_create(json.dumps(body).encode(), lambda _: LINE)
        except InvalidArgument:
            refused += 1
        else:
            accepted += 1
            interaction = stored(made, (KEPT,) * len(made.request.media))
            again = read_sent(interaction, LINE)
            assert again == sourceless(made.request), body
            assert again.turns == read_turns(interaction)
            check_written(interaction, made.request)

    assert accepted > 100
    assert refused > 500


def test_no_refusal_echoes_all_that_was_sent() -> None:
    long = "a" * 100_000

    for body in spoiled(RICH, (long, {long: 1}, {"type": long}, [long])):
        message = ""
        try:
            read_create(json.dumps(body).encode(), lambda _: LINE)
        except InvalidArgument as error:
            message = error.message
        assert len(message) < 2000, message[:2000]


def check_written(interaction: Interaction, request: Request) -> None:
    """Write it in all forms, and have the client read it."""
    done = replace(interaction, outcome=Outcome("completed", (Answer("A cat."),)))
    sent_inline = inline_media(done)
    assert sent_inline == tuple(i for i, one in enumerate(request.media) if isinstance(one.source, Inline))
    for data in (None, {}, dict.fromkeys(sent_inline, b"bytes")):
        for include_input in (False, True):
            told = write_interaction(done, data, include_input=include_input)
            read = CLIENT.validate_json(told)
            assert read.output_text == "A cat."
            assert told.count(b'"data":"Ynl0ZXM="') == len(sent_inline) * (1 + include_input) * bool(data)


def test_what_was_kept_replaces_what_was_sent(create: Reading) -> None:
    made = create([PNG, PAGE, PAGE])

    media = read_sent(stored(made, (KEPT, None, KEPT)), LINE).media

    assert [one.source for one in media] == [KEPT, Url("https://example.com/a.png"), KEPT]


def test_a_stored_medium_without_its_bytes_is_our_mistake(create: Reading) -> None:
    with pytest.raises(Internal):
        read_sent(stored(create([PAGE, PNG]), (KEPT, None)), LINE)


def test_a_stored_request_that_cannot_be_read_is_our_mistake(create: Reading) -> None:
    made = replace(create(), sent=b'{"model": "gemini-3-flash"}')

    with pytest.raises(Internal):
        read_sent(stored(made, ()), LINE)


def test_large_media_are_not_copied_as_text() -> None:
    size = 6 << 20
    letters = base64.b64encode(bytes(size))
    body = b'{"model": "m", "input": [{"type": "image", "data": "%s"}]}' % letters

    tracemalloc.start()
    made = read_create(body, lambda _: LINE)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()

    (medium,) = made.request.media
    assert isinstance(medium.source, Inline)
    assert len(medium.source.data) == size
    assert made.sent == b'{"model":"m","input":[{"type":"image"}]}'
    assert peak < 1.2 * size
