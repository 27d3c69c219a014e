from __future__ import annotations

import base64
import json
import random
from collections.abc import Callable
from typing import Any

import pytest

from twinlens.domain.clip import Clip
from twinlens.domain.errors import InvalidArgument
from twinlens.domain.generations import LINES
from twinlens.domain.request import (
    CodeExecutionResult,
    ExecutableCode,
    FileRef,
    FunctionCall,
    FunctionResult,
    Inline,
    Media,
    Request,
    Source,
    Text,
    Url,
)
from twinlens.wire import contents, gemini

PNG = {"mimeType": "image/png", "data": "iVBORw0KGgo="}


def read(*parts: Any, line: Any = LINES["gemini-3"], **more: Any) -> Request:
    body = json.dumps({"contents": [{"parts": list(parts)}], **more}).encode()
    return gemini.read_generate(body, "gemini-3-flash", line)


def read_all(*contents: Any) -> Request:
    body = json.dumps({"contents": list(contents)}).encode()
    return gemini.read_generate(body, "gemini-3-flash", LINES["gemini-3"])


def says(role: str, *parts: Any) -> Any:
    return {"role": role, "parts": list(parts)}


def answered(*parts: Any) -> Any:
    return {"functionResponse": {"name": "f", "response": {}, "parts": list(parts)}}


CALL = {"functionCall": {"name": "f", "args": {}}}
RESPONSE = answered()
ASKED = [says("user", {"text": "Hi"}), says("model", CALL)]


def violated(*parts: Any, **more: Any) -> list[str]:
    with pytest.raises(InvalidArgument) as caught:
        read(*parts, **more)
    return [one.field for one in caught.value.violations]


@pytest.mark.parametrize(
    ("uri", "source"),
    [
        ("files/abc123", FileRef("abc123")),
        ("https://generativelanguage.googleapis.com/v1beta/files/abc123", FileRef("abc123")),
        ("http://127.0.0.1:8080/v1/files/a-b", FileRef("a-b")),
        ("https://example.com/prefix/v1alpha/files/abc", FileRef("abc")),
        ("https://example.com/files/cat.png", Url("https://example.com/files/cat.png")),
        ("https://www.youtube.com/watch?v=x", Url("https://www.youtube.com/watch?v=x")),
        ("HTTP://example.com", Url("HTTP://example.com")),
        ("gs://bucket/a.png", None),
        ("ftp://example.com/a.png", None),
        ("file:///etc/passwd", None),
        ("https://", None),
        ("https:// example.com/a", None),
        ("files/" + "a" * 41, None),
        ("files/../x", None),
        ("", None),
    ],
)
def test_a_file_uri_tells_its_source(uri: str, source: Source | None) -> None:
    assert contents.source_of(uri) == source


@pytest.mark.parametrize(
    ("part", "field"),
    [
        ({"thought": True}, "contents[0].parts[0].data"),
        ({"inlineData": {"mimeType": "image/png"}}, "contents[0].parts[0].inline_data.data"),
        (
            {"inlineData": PNG, "mediaResolution": {"numTokens": 0}},
            "contents[0].parts[0].media_resolution.num_tokens",
        ),
        (
            {"inlineData": PNG, "videoMetadata": {"startOffset": "-1s"}},
            "contents[0].parts[0].video_metadata.start_offset",
        ),
        ({"inlineData": PNG, "videoMetadata": {"fps": 0}}, "contents[0].parts[0].video_metadata.fps"),
        ({"inlineData": PNG, "videoMetadata": {"fps": "NaN"}}, "contents[0].parts[0].video_metadata.fps"),
        ({"text": "", "thoughtSignature": "!"}, "contents[0].parts[0].thought_signature"),
    ],
)
def test_a_wrong_part_is_told_by_its_field(part: Any, field: str) -> None:
    assert violated(part) == [field]


@pytest.mark.parametrize("fps", [24, 0.1])
def test_i5_frame_rates_within_the_range_are_accepted(fps: float) -> None:
    assert read({"inlineData": PNG, "videoMetadata": {"fps": fps}}).media


def test_c10_the_instruction_s_role_is_not_looked_at() -> None:
    request = read({"text": "Hi"}, systemInstruction={"role": "system", "parts": {"text": "Be brief."}})

    assert request.system == (Text("Be brief."),)


def test_media_in_the_instruction_are_refused() -> None:
    assert violated({"text": "Hi"}, systemInstruction={"parts": [{"inlineData": PNG}]}) == [
        "system_instruction.parts"
    ]


def test_large_inline_data_arrives_as_bytes_and_in_the_caller_s_json_as_text() -> None:
    letters = "QUJD" * 2000
    request = read(
        {"inlineData": {"mimeType": "image/png", "data": letters}},
        {"functionCall": {"name": "f", "args": {"data": letters}}},
    )

    media, call = request.turns[0].parts
    assert isinstance(media, Media)
    assert isinstance(media.source, Inline)
    assert media.source.data == b"ABC" * 2000
    assert call == FunctionCall("f", {"data": letters})


def test_large_data_where_it_does_not_belong_is_shown_by_its_beginning() -> None:
    with pytest.raises(InvalidArgument) as caught:
        read({"text": "Hi"}, labels={"a": "b"}, generationConfig={"topK": 1, "data": "A" * 5000})
    assert "Unknown name \"data\" at 'generation_config'" in caught.value.message

    with pytest.raises(InvalidArgument) as caught:
        read({"inlineData": {"mimeType": "image/png", "data": "A" * 5000 + "!"}})
    assert caught.value.message.endswith(f'Base64 decoding failed for "{"A" * 32}"')


def test_a_recordings_clip_is_read() -> None:
    video = {"fileData": {"fileUri": "files/a"}, "videoMetadata": {"startOffset": "1.5s", "end_offset": "4s"}}

    (part,) = read(video).media

    assert part.clip == Clip(1.5, 4.0, None)


def test_media_in_a_functions_response_are_clipped_too() -> None:
    video = {"inlineData": {"mimeType": "video/mp4", "data": "AAAA"}, "videoMetadata": {"fps": 2}}

    request = read_all(*ASKED, says("user", answered(video)))

    assert request.media[0].clip == Clip(fps=2.0)


def test_a_functions_response_has_its_media_and_they_count_in_the_order_they_were_sent() -> None:
    request = read_all(*ASKED, says("user", answered({"inlineData": PNG}), {"inlineData": PNG}))

    result, own = request.turns[-1].parts
    assert isinstance(result, FunctionResult)
    assert [medium.field for medium in result.media] == ["contents[2].parts[0].function_response.parts[0]"]
    assert request.media == (*result.media, own)


def test_what_is_ignored_in_calls_and_responses_is_left_out() -> None:
    call = {"functionCall": {"id": "1", "name": "f", "willContinue": True, "partialArgs": [{}]}}
    response = {"functionResponse": {"id": "1", "name": "f", "willContinue": False, "scheduling": "SILENT"}}

    request = read_all(says("user", {"text": "Hi"}), says("model", call), says("user", response))

    assert [part for turn in request.turns[1:] for part in turn.parts] == [
        FunctionCall("f", {}, "1"),
        FunctionResult("f", None, "1"),
    ]


def test_code_and_what_came_of_it_are_kept() -> None:
    code, ran = read(
        {"executableCode": {"language": "PYTHON", "code": "print(1)", "id": "x"}},
        {"codeExecutionResult": {"outcome": "OUTCOME_OK"}},
    ).turns[0].parts  # fmt: skip

    assert (code, ran) == (ExecutableCode("PYTHON", "print(1)"), CodeExecutionResult("OK"))


def test_a_wrong_part_of_a_functions_response_is_told_by_its_field() -> None:
    with pytest.raises(InvalidArgument) as caught:
        read_all(*ASKED, says("user", answered({})))

    assert [one.field for one in caught.value.violations] == [
        "contents[2].parts[0].function_response.parts[0].data"
    ]


def test_as_many_images_as_a_model_takes_are_read_with_a_caption_each() -> None:
    parts = [part for index in range(3600) for part in ({"inlineData": PNG}, {"text": f"No. {index}"})]

    assert len(read(*parts).media) == 3600


@pytest.mark.parametrize(
    "contents",
    [
        [{"parts": [{"text": "a"}] * 10_000}],
        [{"parts": [{"text": "a"}]}] * 5_001,
        [{"parts": {"text": "a"}}] * 10_001,
        [{"parts": [{"functionResponse": {"name": "f", "parts": [{"inlineData": PNG}] * 9_999}}]}],
        [{"parts": [{"function_response": {"name": "f", "parts": [{"inlineData": PNG}] * 9_999}}]}],
    ],
)
def test_more_parts_and_turns_are_refused(contents: Any) -> None:
    body = json.dumps({"contents": contents}).encode()

    for reader in (gemini.read_generate, gemini.read_count):
        with pytest.raises(
            InvalidArgument, match=r"^contents has 100\d\d parts and turns, all together: at"
        ) as caught:
            reader(body, "gemini-3-flash", LINES["gemini-3"])
        assert [one.field for one in caught.value.violations] == ["contents"]


def test_a_list_of_anything_has_an_end() -> None:
    stops = {"generationConfig": {"stopSequences": ["a"] * 10_001}}

    assert violated({"text": "Hi"}, **stops) == ["generation_config.stop_sequences"]


@pytest.mark.parametrize("size", [6, 40_000])
@pytest.mark.parametrize("encode", [base64.encodebytes, base64.urlsafe_b64encode])
def test_inline_data_is_read_with_line_breaks_and_spaces(size: int, encode: Callable[[bytes], bytes]) -> None:
    data = random.Random(size).randbytes(size)
    letters = f" {encode(data).decode()} \r\n"

    (medium,) = read({"inlineData": {"mimeType": "image/png", "data": letters}}).media

    assert medium.source == Inline(data)


@pytest.mark.parametrize(
    ("contents", "field"),
    [
        ([says("model", CALL), says("user", RESPONSE)], "contents[0]"),
        (
            [says("user", {"text": "Hi"}), says("model", CALL, CALL), says("function", RESPONSE)],
            "contents[2]",
        ),
        ([says("user", {"text": "Hi"}), says("model", CALL), says("user", {"text": "Well?"})], "contents[2]"),
        ([says("user", RESPONSE)], "contents[0]"),
        (
            [says("user", {"functionResponse": {"response": {}}})],
            "contents[0].parts[0].function_response.name",
        ),
        ([says("user", {"functionCall": {"name": ""}})], "contents[0].parts[0].function_call.name"),
    ],
)
def test_calls_have_a_name_a_place_and_an_answer(contents: Any, field: str) -> None:
    with pytest.raises(InvalidArgument) as caught:
        read_all(*contents)

    assert caught.value.violations[0].field == field


def test_what_is_wrong_about_calls_is_said_in_the_services_words() -> None:
    with pytest.raises(InvalidArgument) as caught:
        read_all(says("user", {"text": "Hi"}), says("model", CALL, CALL), says("user", RESPONSE))

    assert caught.value.message == (
        "Please ensure that the number of function response parts is equal to the number of function call "
        "parts of the function call turn."
    )
