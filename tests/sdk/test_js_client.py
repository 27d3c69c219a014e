"""Google's JavaScript client against a real server. It runs once; each test judges one thing it reported."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest


@pytest.fixture(scope="module")
def seen(seen_by_javascript: Callable[[str], dict[str, Any]]) -> dict[str, Any]:
    """Run the client through all its calls; give what came back."""
    return seen_by_javascript("generate.mjs")


def test_an_answer_is_read(seen: dict[str, Any]) -> None:
    assert seen["answer"] == "You asked “Hello” about 1 pictures."


def test_h2_a_parts_resolution_is_billed(seen: dict[str, Any]) -> None:
    details = {d["modality"]: d["tokenCount"] for d in seen["usage"]["promptTokensDetails"]}

    assert details["IMAGE"] == 280


def test_h13_counting_gives_what_is_billed(seen: dict[str, Any]) -> None:
    assert seen["counted"] == seen["usage"]["promptTokenCount"]


def test_e2_the_pieces_make_the_whole(seen: dict[str, Any]) -> None:
    assert "".join(piece["text"] for piece in seen["pieces"]) == "Once upon a time."


def test_e3_only_the_last_piece_ends_the_answer(seen: dict[str, Any]) -> None:
    finishes = [piece["finish"] for piece in seen["pieces"]]

    assert finishes == [None] * (len(finishes) - 1) + ["STOP"]


def test_e6_a_failure_on_the_way_is_an_api_error(seen: dict[str, Any]) -> None:
    assert seen["broken"] == ["Once "]
    assert seen["breaking"]["isApiError"]
    assert seen["breaking"]["status"] == 503


def test_b2_models_are_listed_page_by_page(seen: dict[str, Any]) -> None:
    assert "models/gemini-3-flash-preview" in seen["names"]
    assert len(set(seen["names"])) == len(seen["names"])


def test_f11_an_upload_is_found_and_used(seen: dict[str, Any]) -> None:
    assert seen["file"]["state"] == "ACTIVE"
    assert seen["found"] == seen["file"]
    assert seen["about"] == "You asked “Hello” about 1 pictures."


def test_f17_a_deleted_file_is_refused(seen: dict[str, Any]) -> None:
    assert seen["deleted"]["status"] == 403


def test_f12_an_unknown_type_is_refused(seen: dict[str, Any]) -> None:
    assert "Unsupported MIME" in seen["wrongType"]["message"]


def test_d2_a_schema_is_filled(seen: dict[str, Any]) -> None:
    assert seen["book"] == {"title": "Emma", "pages": 474}


def test_c17_a_chat_keeps_its_picture(seen: dict[str, Any]) -> None:
    assert seen["second"] == "You asked “And now?” about 1 pictures."


@pytest.mark.parametrize(("name", "status"), [("unknown", 404), ("busy", 429)])
def test_b5_a_mistake_is_an_api_error_with_its_status(name: str, status: int, seen: dict[str, Any]) -> None:
    error = seen[name]

    assert error["isApiError"]
    assert error["status"] == status
    assert json.loads(error["message"])["error"]["code"] == status
