from __future__ import annotations

import json
import re
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from twinlens.domain.answer import Answer, Candidate
from twinlens.domain.engine import Finished, Text, Usage
from twinlens.domain.errors import InvalidArgument
from twinlens.domain.generations import LINES
from twinlens.domain.media import Modality
from twinlens.wire import gemini

LINE = LINES["gemini-3"]
REQUEST: dict[str, Any] = {
    "contents": [
        {
            "role": "user",
            "parts": [
                {
                    "inlineData": {"mimeType": "image/png", "data": "iVBORw0KGgo=", "displayName": "a"},
                    "mediaResolution": {"level": "MEDIA_RESOLUTION_LOW"},
                },
                {"fileData": {"fileUri": "files/abc", "mimeType": "image/jpeg"}},
                {"functionCall": {"name": "f", "args": {"someKey": {"other_key": 1}}}},
                {"text": "Hi", "thoughtSignature": "AAAA"},
            ],
        }
    ],
    "systemInstruction": {"parts": [{"text": "Be brief."}]},
    "generationConfig": {
        "maxOutputTokens": 10,
        "stopSequences": ["X"],
        "responseMimeType": "application/json",
        "responseSchema": {
            "type": "OBJECT",
            "properties": {"someKey": {"type": "ARRAY", "items": {}}, "other_key": {"anyOf": []}},
            "propertyOrdering": ["other_key", "someKey"],
        },
        "thinkingConfig": {"includeThoughts": True, "thinkingBudget": 5},
    },
    "safetySettings": [{"category": "HARM_CATEGORY_HARASSMENT", "threshold": "BLOCK_NONE"}],
}
OWN = {"args", "properties"}
"""Below these, keys are the caller's."""


def respelled(value: Any, draw: st.DataObject) -> Any:
    """Write each field in snake_case where the draw says so; keys of the caller stay."""
    if isinstance(value, list):
        return [respelled(item, draw) for item in value]
    if not isinstance(value, dict):
        return value
    out = {}
    for key, item in value.items():
        snake = re.sub("([A-Z])", r"_\1", key).lower()
        if key == "properties":
            out[key] = {name: respelled(one, draw) for name, one in item.items()}
        else:
            spelled = draw.draw(st.sampled_from([key, snake]))
            out[spelled] = item if key == "args" else respelled(item, draw)
    return out


@settings(max_examples=50, deadline=None)
@given(st.data())
def test_a7_every_mix_of_spellings_gives_the_same_request(draw: st.DataObject) -> None:
    plain = gemini.read_generate(json.dumps(REQUEST).encode(), "gemini-3-flash", LINE)

    mixed = gemini.read_generate(json.dumps(respelled(REQUEST, draw)).encode(), "gemini-3-flash", LINE)

    assert mixed == plain


@settings(max_examples=100, deadline=None)
@given(
    st.recursive(
        st.none()
        | st.booleans()
        | st.integers(-5, 5)
        | st.floats()
        | st.sampled_from(["", "user", "x", "5s"]),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(
                    [
                        *("contents", "parts", "role", "text", "inlineData", "fileData", "data", "mimeType"),
                        *("videoMetadata", "fps", "startOffset", "functionResponse", "systemInstruction"),
                        *(
                            "generationConfig",
                            "responseSchema",
                            "items",
                            "enum",
                            "type",
                            "properties",
                            "anyOf",
                        ),
                        *("tools", "functionDeclarations", "safetySettings", "category", "thinkingConfig"),
                    ]
                ),
                inner,
                max_size=4,
            )
        ),
        max_leaves=15,
    ),
    st.sampled_from([gemini.read_generate, gemini.read_count]),
)
def test_whatever_is_sent_is_read_or_refused(value: Any, read: Any) -> None:
    with suppress(InvalidArgument):
        read(json.dumps(value).encode(), "gemini-3-flash", LINE)


@pytest.mark.parametrize("body", [b"[]", b"1", b"null", b'"x"'])
def test_a_body_that_is_no_object_is_refused(body: bytes) -> None:
    with pytest.raises(InvalidArgument, match="Root element must be a message"):
        gemini.read_generate(body, "gemini-3-flash", LINE)


def test_h14_a_whole_request_is_counted_with_all_its_rules() -> None:
    body = {"generateContentRequest": {**REQUEST, "generationConfig": {"topK": 0}}}

    with pytest.raises(InvalidArgument) as caught:
        gemini.read_count(json.dumps(body).encode(), "gemini-3-flash", LINE)

    assert [one.field for one in caught.value.violations] == [
        "generate_content_request.generation_config.top_k"
    ]


def test_h13_counts_are_written_by_modality() -> None:
    usage = Usage({Modality.IMAGE: 280, Modality.TEXT: 3})

    assert json.loads(gemini.write_count(usage)) == {
        "totalTokens": 283,
        "promptTokensDetails": [
            {"modality": "TEXT", "tokenCount": 3},
            {"modality": "IMAGE", "tokenCount": 280},
        ],
    }


def test_an_empty_count_has_its_total() -> None:
    assert gemini.write_count(Usage({})) == b'{"totalTokens":0}'


def test_c2_the_accounting_adds_up() -> None:
    usage = Usage({Modality.TEXT: 3, Modality.IMAGE: 280, Modality.AUDIO: 0}, candidates=5, thoughts=7)
    whole = Answer((Candidate(0, (Text("x"),), Finished()),), usage)

    written = json.loads(gemini.write_answer(whole, gemini.ResponseHead("m", "id")))["usageMetadata"]

    details = written["promptTokensDetails"]
    assert sum(one["tokenCount"] for one in details) == written["promptTokenCount"] == 283
    assert written["totalTokenCount"] == 283 + 5 + 7
    assert [one["modality"] for one in details] == ["TEXT", "IMAGE"]
