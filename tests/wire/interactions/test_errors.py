from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import twinlens
from twinlens.domain import errors
from twinlens.domain.budget import plan_frame
from twinlens.domain.clip import Clip, span_of
from twinlens.domain.errors import BadMedia, Internal, InvalidApiKey, InvalidArgument, NotFound, Violation
from twinlens.domain.interaction import Failure
from twinlens.wire.interactions.errors import CODES, failure_of, write_error, write_failure
from twinlens.wire.status import HTTP

ELSEWHERE = re.compile(
    r"media_resolution|video_metadata|inline_data|file_data|MEDIA_RESOLUTION_", re.IGNORECASE
)
"""What only the Gemini dialect calls things."""


def test_an_error_is_a_message_and_a_code_that_is_a_word() -> None:
    body = json.loads(write_error(NotFound("There is no such model.")))

    assert body == {"error": {"message": "There is no such model.", "code": "not_found"}}


def test_every_status_has_a_code() -> None:
    assert set(CODES) == set(HTTP)


def test_an_unknown_key_is_an_invalid_request_as_its_http_status_says() -> None:
    assert json.loads(write_error(InvalidApiKey()))["error"]["code"] == "invalid_request"


def test_why_an_answer_broke_off_is_a_code_of_its_own() -> None:
    assert write_failure(Failure("SAFETY", "Blocked.")) == {"code": "safety", "message": "Blocked."}


def test_our_own_fault_is_told_without_its_cause() -> None:
    error = Internal()
    error.__cause__ = OSError("/secret/place")

    assert failure_of(error) == Failure("INTERNAL", "An internal error has occurred. Please retry.")


@pytest.mark.parametrize(
    ("field", "path"),
    [
        ("input[1].inline_data", "input[1].data"),
        ("input[1].inline_data.data", "input[1].data"),
        ("input[0].content[2].file_data.file_uri", "input[0].content[2].uri"),
        ("input[0].file_data", "input[0].uri"),
        ("input.file_data.mime_type", "input.mime_type"),
        ("input[0].video_metadata.start_offset", "input[0].processing.start_offset"),
        ("input[0].media_resolution.level", "input[0].resolution"),
        ("previous_interaction_id.file_data.file_uri", "previous_interaction_id"),
        ("contents", "input"),
        ("generation_config.response_schema", "response_format.schema"),
        ("generation_config.seed", "generation_config.seed"),
    ],
)
def test_the_message_names_the_field_as_the_caller_wrote_it(field: str, path: str) -> None:
    error = BadMedia("That is too much.", field=field)

    assert failure_of(error).message == f"{path}: That is too much."


def test_a_field_that_the_message_names_is_not_named_twice() -> None:
    message = "Invalid value at 'input[0].data' (TYPE_STRING), 5."

    assert failure_of(InvalidArgument(message, field="input[0].data")).message == message


@pytest.mark.parametrize(
    ("message", "told"), [("No", "No."), ("No.", "No."), ("{\n^", "{\n^"), ('not "a"', 'not "a".')]
)
def test_a_sentence_from_elsewhere_gets_its_full_stop(message: str, told: str) -> None:
    assert failure_of(InvalidArgument(message)).message == told


def test_a_longer_name_that_contains_the_fields_does_not_stand_for_it() -> None:
    assert failure_of(InvalidArgument("No inputs.", field="input")).message == "input: No inputs."


def test_of_several_fields_those_that_are_missing_are_named() -> None:
    error = InvalidArgument(
        "* Create.model: is missing\nToo many.\n",
        violations=[Violation("model", "is missing"), Violation("input", "Too many."), Violation("", "x")],
    )

    assert failure_of(error).message == "input: * Create.model: is missing\nToo many."


def test_what_the_caller_called_a_field_is_left_as_it_is() -> None:
    message = "Unknown name \"media_resolution\" at 'input[0]': Cannot find field."

    assert failure_of(InvalidArgument(message, field="input[0]")).message == message


def test_a_start_after_the_end_is_told_in_this_apis_words() -> None:
    with pytest.raises(InvalidArgument) as caught:
        span_of(Clip(start=9), 2, "input[0]")

    assert failure_of(caught.value).message.startswith("input[0].processing.start_offset: start_offset (9s)")


def test_a_resolution_only_images_can_have_is_told_in_this_apis_words() -> None:
    with pytest.raises(InvalidArgument) as caught:
        plan_frame("gemini-3", "ULTRA_HIGH", None, "input[0]")

    message = "input[0].resolution: The resolution ultra_high is only supported for images."
    assert failure_of(caught.value).message == message


@pytest.mark.parametrize("layer", ["domain", "pipeline", "engines", "media", "store"])
def test_no_sentence_behind_the_wire_keeps_another_dialects_words(layer: str) -> None:
    for sentence in sentences(layer):
        assert not ELSEWHERE.search(failure_of(InvalidArgument(sentence)).message)


def sentences(layer: str) -> Iterator[str]:
    """Give every text that an error of this layer is made with, or a part of one."""
    kinds = {name for name, kind in vars(errors).items() if isinstance(kind, type)}
    for path in Path(twinlens.__file__).parent.joinpath(layer).rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in kinds:
                for argument in node.args:
                    yield from texts(argument)


def texts(node: ast.expr) -> Iterator[str]:
    for below in ast.walk(node):
        if isinstance(below, ast.Constant) and isinstance(below.value, str):
            yield below.value
