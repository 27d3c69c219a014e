from __future__ import annotations

import base64
from collections.abc import Callable
from typing import Any

import pytest

from twinlens.domain.clip import Clip
from twinlens.domain.request import (
    FileRef,
    FunctionCall,
    FunctionResult,
    Inline,
    Media,
    Resolution,
    Source,
    Text,
    Turn,
    Url,
)
from twinlens.wire.interactions.reading import Create

Reading = Callable[..., Create]
Refusing = Callable[..., str]

ASK = {"type": "text", "text": "What is this?"}
PNG = {"type": "image", "data": "iVBORw0KGgo=", "mime_type": "image/png"}
FILM = {"type": "video", "uri": "files/film"}
SOUND = {"type": "audio", "uri": "files/sound"}
PDF = {"type": "document", "uri": "files/paper"}
PICTURE = Inline(b"\x89PNG\r\n\x1a\n")


def image(field: str) -> Media:
    return Media(PICTURE, "image/png", field, kind="image")


@pytest.mark.parametrize(
    ("input_", "turns"),
    [
        ("Hi", [Turn("user", (Text("Hi"),))]),
        (ASK, [Turn("user", (Text("What is this?"),))]),
        (PNG, [Turn("user", (image("input"),))]),
        ([ASK, PNG], [Turn("user", (Text("What is this?"), image("input[1]")))]),
        (
            [{"type": "user_input", "content": [ASK, PNG]}],
            [Turn("user", (Text("What is this?"), image("input[0].content[1]")))],
        ),
        (
            [
                {"role": "user", "content": "Hi"},
                {"role": "model", "content": {"type": "text", "text": "Hello"}},
                {"role": "user", "content": [PNG]},
            ],
            [
                Turn("user", (Text("Hi"),)),
                Turn("model", (Text("Hello"),)),
                Turn("user", (image("input[2].content[0]"),)),
            ],
        ),
        (
            [{"type": "user_input", "content": PNG}, {"type": "user_input", "content": "Hi"}],
            [Turn("user", (image("input[0].content"), Text("Hi")))],
        ),
    ],
    ids=["string", "text", "image", "contents", "steps", "turns", "loose steps"],
)
def test_j4_the_input_has_many_forms(create: Reading, input_: Any, turns: list[Turn]) -> None:
    assert create(input_).request.turns == tuple(turns)


def test_a_conversation_is_told_by_its_steps(create: Reading) -> None:
    steps = [
        {"type": "user_input", "content": [ASK]},
        {"type": "google_search_call", "id": "s", "arguments": {"queries": ["cats"]}},
        {"type": "google_search_result", "call_id": "s", "result": []},
        {"type": "thought", "signature": "c2ln", "summary": [{"type": "text", "text": "Hm."}]},
        {"type": "model_output", "content": [{"type": "text", "text": "I ask.", "annotations": []}]},
        {"type": "function_call", "id": "1", "name": "look", "arguments": {"data": [1]}},
        {"type": "function_result", "call_id": "1", "name": "look", "result": {"type": "image", "data": "x"}},
    ]

    user, model, result = create(steps).request.turns

    assert user == Turn("user", (Text("What is this?"),))
    assert model.role == "model"
    assert model.parts == (
        Text("Hm.", thought=True),
        Text("I ask."),
        FunctionCall("look", {"data": [1]}, "1"),
    )
    assert result == Turn("user", (FunctionResult("look", {"type": "image", "data": "x"}, "1"),))


@pytest.mark.parametrize(
    ("fields", "response"),
    [
        ({"result": "sunny"}, {"output": "sunny"}),
        ({"result": [ASK]}, {"output": "What is this?"}),
        ({"result": [ASK, ASK]}, {"output": ["What is this?", "What is this?"]}),
        ({"result": []}, {}),
        ({"result": "gone", "is_error": True}, {"error": "gone"}),
        ({"result": {"code": 1}, "is_error": True}, {"error": {"code": 1}}),
    ],
)
def test_a_function_gives_text_or_an_object(
    create: Reading, fields: dict[str, Any], response: dict[str, Any]
) -> None:
    (turn,) = create([{"type": "function_result", "call_id": "1", **fields}]).request.turns

    assert turn.parts == (FunctionResult("", response, "1"),)


def test_media_that_a_function_gives_are_its_results(create: Reading) -> None:
    result = {"type": "function_result", "call_id": "1", "result": [PNG, ASK, PNG]}
    request = create([result, {"type": "user_input", "content": [PNG]}]).request

    fields = ("input[0].result[0]", "input[0].result[2]", "input[1].content[0]")
    first, second, own = map(image, fields)
    given = FunctionResult("", {"output": "What is this?"}, "1", (first, second))
    assert request.turns == (Turn("user", (given, own)),)
    assert request.media == (first, second, own)


@pytest.mark.parametrize(
    ("uri", "source"),
    [
        ("files/abc", FileRef("abc")),
        ("http://127.0.0.1:8080/v1beta/files/abc", FileRef("abc")),
        ("https://example.com/a.png", Url("https://example.com/a.png")),
    ],
)
def test_j5_media_come_by_uri(create: Reading, uri: str, source: Source) -> None:
    (medium,) = create({"type": "image", "uri": uri}).request.media

    assert medium == Media(source, None, "input", kind="image")


@pytest.mark.parametrize(
    ("told", "mime_type"),
    [
        ({"mime_type": "audio/L16", "sample_rate": 8_000}, "audio/L16;rate=8000"),
        ({"mime_type": "audio/l16;rate=16000", "channels": 2}, "audio/l16;rate=16000;channels=2"),
        ({"mime_type": "audio/l16;rate=16000", "sample_rate": 8_000}, "audio/l16;rate=16000"),
        ({"mime_type": "audio/wav", "sample_rate": 8_000, "channels": 2}, "audio/wav"),
        ({"sample_rate": 8_000}, None),
    ],
)
def test_only_of_bare_samples_do_rate_and_channels_matter(
    create: Reading, told: Any, mime_type: str | None
) -> None:
    (medium,) = create(SOUND | told).request.media

    assert medium.mime_type == mime_type


@pytest.mark.parametrize("kind", ["image", "video", "audio", "document"])
def test_a_medium_is_of_the_kind_that_its_type_says(create: Reading, kind: str) -> None:
    (medium,) = create({"type": kind, "uri": "files/a"}).request.media

    assert medium.kind == kind


@pytest.mark.parametrize(
    ("content", "level"),
    [
        (PNG | {"resolution": "low"}, "LOW"),
        (PNG | {"resolution": "Ultra_High"}, "ULTRA_HIGH"),
        (FILM | {"resolution": "high"}, "HIGH"),
        (PDF | {"resolution": "medium"}, "MEDIUM"),
    ],
)
def test_j6_a_medium_has_a_resolution_of_its_own(create: Reading, content: Any, level: Any) -> None:
    (medium,) = create(content).request.media

    assert medium.resolution == Resolution(level)


@pytest.mark.parametrize(
    ("content", "clip"),
    [
        (FILM | {"processing": "static"}, None),
        (FILM | {"processing": {"type": "static", "content_layers": ["audio", "frames"]}}, None),
        (
            FILM | {"processing": {"type": "static", "start_offset": "2s", "end_offset": "4.5s", "fps": 1}},
            Clip(2.0, 4.5, 1.0),
        ),
        (FILM | {"processing": {"type": "static", "startOffset": 2, "endOffset": 4.5}}, Clip(2.0, 4.5)),
        (FILM | {"processing": {"type": "STATIC", "start_offset": "2", "fps": "0.5"}}, Clip(2.0, None, 0.5)),
        (SOUND | {"processing": {"type": "static", "end_offset": "4s"}, "channels": 1}, Clip(0.0, 4.0)),
        (PDF | {"processing": {"type": "static", "page_options": {"start_page": "1"}}}, None),
    ],
)
def test_j19_a_recording_is_looked_at_in_part(create: Reading, content: Any, clip: Clip | None) -> None:
    (medium,) = create(content).request.media

    assert medium.clip == clip


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (
            PNG | {"resolution": "huge"},
            'input.resolution must be one of low, medium, high, ultra_high, not "huge"',
        ),
        (
            FILM | {"resolution": "ultra_high"},
            'input.resolution must be one of low, medium, high, not "ultra_high"',
        ),
        (
            PNG | {"data": "data:image/png;base64,iVBORw0KGgo="},
            "input.data must be the base64 alone, without",
        ),
        (PNG | {"data": "DATA:;base64," + "iVBO" * 2000}, "input.data must be the base64 alone, without"),
        (PNG | {"uri": "files/a"}, "input has both data and uri: send one of them"),
        (PNG | {"data": "a!"}, 'input.data must be base64, not "a!"'),
        (PNG | {"data": 5}, "input.data must be a string, not 5"),
        ({"type": "image", "uri": "gs://a"}, 'input.uri must name a file or an https address, not "gs://a".'),
        (
            PNG | {"mime_type": "audio/mp3"},
            'input.mime_type: "audio/mp3" is not for type image but for type audio.',
        ),
        (
            SOUND | {"mime_type": "application/pdf"},
            'input.mime_type: "application/pdf" is not for type audio',
        ),
        (PDF | {"mime_type": "image/png"}, 'input.mime_type: "image/png" is not for type document'),
        ({"type": "text"}, "input.text is missing"),
        ({"type": "foo"}, 'input.type must be one of text, image, video, audio, document, not "foo"'),
        ({"text": "Hi"}, "input.type is missing: it must be one of text, image, video, audio, document"),
        (PNG | {"name": "a"}, "input.name is not a known field of ImageContent."),
        (PNG | {"media_resolution": "low"}, "input.media_resolution is not a known field of ImageContent."),
        (PNG | {"processing": "static"}, "input.processing: an image has no processing"),
        (SOUND | {"resolution": "low"}, "input.resolution: sound has no resolution."),
    ],
)
def test_j7_j20_a_content_that_cannot_be_is_refused(refusal: Refusing, content: Any, message: str) -> None:
    assert message in refusal(content)


@pytest.mark.parametrize(
    ("content", "processing", "message"),
    [
        (FILM, "agentic", 'input.processing: agentic processing is not supported here, "static" is'),
        (FILM, {"type": "agentic"}, "input.processing.type: agentic processing is not supported"),
        (SOUND, "fast", 'input.processing must be static, not "fast"'),
        (FILM, {}, "input.processing.type is missing: it must be static"),
        (FILM, 5, "input.processing must be static, not 5"),
        (
            FILM,
            {"type": "static", "start_offset": "5m"},
            'input.processing.start_offset must be seconds, as a number or such as "10.5s", not "5m".',
        ),
        (FILM, {"type": "static", "end_offset": "00:05"}, "input.processing.end_offset must be seconds"),
        (FILM, {"type": "static", "end_offset": "NaN"}, "input.processing.end_offset must be seconds"),
        (FILM, {"type": "static", "fps": "NaN"}, "input.processing.fps must be in the range (0, 24]."),
        (FILM, {"type": "static", "end_offset": True}, "input.processing.end_offset must be seconds"),
        (FILM, {"type": "static", "end_offset": 1e300}, "input.processing.end_offset must be seconds"),
        (
            FILM,
            {"type": "static", "start_offset": -1},
            "input.processing.start_offset must not be negative",
        ),
        (
            FILM,
            {"type": "static", "start_offset": 5, "end_offset": "5s"},
            "input.processing.end_offset must be after start_offset",
        ),
        (FILM, {"type": "static", "fps": 25}, "input.processing.fps must be in the range (0, 24]"),
        (SOUND, {"type": "static", "fps": 1}, "input.processing.fps: sound has no frames."),
        (PDF, {"type": "static", "fps": 1}, "input.processing.fps is not a known field of Doc"),
        (
            FILM,
            {"type": "static", "content_layers": ["transcript"]},
            "input.processing.content_layers: a choice of layers is not supported, all are used",
        ),
        (
            PDF,
            {"type": "static", "page_options": {"start_page": 2, "end_page": 3}},
            "input.processing.page_options.start_page: a choice of pages is not supported",
        ),
        (
            PDF,
            {"type": "static", "spreadsheet_options": {"sheet_index": 1}},
            "input.processing.spreadsheet_options: options for spreadsheets are not supported",
        ),
    ],
)
def test_processing_that_cannot_be_is_refused(
    refusal: Refusing, content: dict[str, Any], processing: Any, message: str
) -> None:
    assert message in refusal(content | {"processing": processing})


@pytest.mark.parametrize(
    ("input_", "message"),
    [
        (
            [ASK, {"type": "user_input", "content": [ASK]}],
            "input[1] is a step, but input[0] is a content: a list holds contents, steps or turns",
        ),
        ([{"role": "user", "content": "Hi"}, ASK], "input[1] is a content, but input[0] is a turn"),
        ([ASK, "Hi"], 'input[1] must be an object, for a text {"type": "text", "text": "..."}, not "Hi".'),
        ({"type": "function_result", "call_id": "1"}, "input is a step: send it in a list, [{...}]."),
        ({"type": "google_search_call"}, "input is a step: send it in a list, [{...}]."),
        ({"role": "user", "content": "Hi"}, "input is a turn: send it in a list, [{...}]."),
        (
            [{"type": "foo"}],
            (
                "input[0].type must be one of text, image, video, audio, document, user_input, model_output, "
                'thought, function_call, function_result, not "foo".'
            ),
        ),
        ([{"role": "USER", "content": "Hi"}], 'input[0].role must be one of user, model, not "USER".'),
        ([{"role": "system", "content": "Hi"}], 'input[0].role must be one of user, model, not "system"'),
        ([{"role": "user"}], "input[0].content is missing"),
        ([{"type": "user_input", "content": 5}], "input[0].content must be a string, a content or a list"),
        ([{"type": "function_call", "id": "1"}], "input[0].name is missing"),
        ([{"type": "function_call", "id": "1", "name": ""}], "input[0].name must not be empty"),
        ([{"type": "function_result", "result": "a"}], "input[0].call_id is missing"),
        (
            [{"type": "function_result", "call_id": "1", "result": [1]}],
            "input[0].result[0] must be an object, for a text",
        ),
        ([{"type": "thought", "summary": [PNG]}], 'input[0].summary[0].type must be text, not "image"'),
        (5, "input must be a string, a content or a list of contents, not 5"),
    ],
)
def test_an_input_that_cannot_be_is_refused(refusal: Refusing, input_: Any, message: str) -> None:
    assert message in refusal(input_)


@pytest.mark.parametrize(
    "input_",
    [
        "",
        None,
        [],
        {"type": "text", "text": ""},
        [{"type": "user_input", "content": []}],
        [{"type": "google_search_call", "id": "1"}],
        [{"type": "thought", "summary": [ASK]}],
        [{"type": "function_call", "id": "1", "name": "f"}],
        [{"role": "model", "content": "Hi"}],
    ],
)
def test_an_input_with_nothing_of_the_users_is_refused(refusal: Refusing, input_: Any) -> None:
    assert refusal(input_) == (
        "input must hold something of the user's: a text, a medium, a function_result."
    )


def test_contents_and_steps_are_counted_up_to_a_limit(create: Reading, refusal: Refusing) -> None:
    assert create([ASK] * 10_000)

    told = "at most 10000 are allowed."
    assert refusal([ASK] * 10_001) == f"input has 10001 contents and steps: {told}"
    assert refusal([{"type": "user_input", "content": [ASK] * 5000}] * 2) == (
        f"input has 10002 contents and steps: {told}"
    )


def test_a_content_without_its_medium_is_told_once(refusal: Refusing) -> None:
    assert refusal({"type": "image"}) == "input has no medium: send data or uri."


@pytest.mark.parametrize("data", ["iVBORw0KGgo=", "iVBORw0KGgo", "-_-_"])
def test_base64_comes_in_every_spelling(create: Reading, data: str) -> None:
    standard = data.replace("-", "+").replace("_", "/")

    (medium,) = create(PNG | {"data": data}).request.media

    assert medium.source == Inline(base64.b64decode(standard + "=" * (-len(standard) % 4)))


def test_all_that_is_wrong_is_told_together(refusal: Refusing) -> None:
    lines = refusal([PNG | {"resolution": "huge"}, FILM | {"resolution": 1}, {"type": "text"}]).split("\n")

    assert [line.split(" ")[0] for line in lines] == [
        "input[0].resolution",
        "input[1].resolution",
        "input[2].text",
    ]
