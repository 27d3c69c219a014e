"""Each API's errors have a form of their own."""

from __future__ import annotations

import json

import pytest

from twinlens.api.refusals import write_refusal
from twinlens.domain.errors import InvalidArgument

ERROR = InvalidArgument("Send an image.", field="contents[0].parts[0]")


@pytest.mark.parametrize(
    "path",
    [
        "/v1beta/models/gemini-3-flash-preview:generateContent",
        "/v1beta/files",
        "/",
        "",
        "/v1beta/interactionsx",
    ],
)
def test_an_error_has_its_code_and_its_status(path: str) -> None:
    error = json.loads(write_refusal(ERROR, path))["error"]

    assert (error["code"], error["status"], error["message"]) == (400, "INVALID_ARGUMENT", "Send an image.")


@pytest.mark.parametrize(
    "path", ["/v1beta/interactions", "/v1/interactions/abc", "/v1alpha/interactions?alt=sse"]
)
def test_an_error_of_the_interactions_has_a_word_as_its_code(path: str) -> None:
    error = json.loads(write_refusal(ERROR, path))["error"]

    assert isinstance(error["code"], str)
    assert "Send an image." in error["message"]
