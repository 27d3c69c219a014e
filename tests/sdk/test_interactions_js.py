"""Interactions with Google's JavaScript client. It runs once; each test judges one thing it reported."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

UNFINISHED = {"queued", "in_progress"}
SLOWLY = "First. 2. 3. 4. 5. 6. Last."


@pytest.fixture(scope="module")
def seen(seen_by_javascript: Callable[[str], dict[str, Any]]) -> dict[str, Any]:
    """Run the client through all its calls; give what came back."""
    return seen_by_javascript("interactions.mjs")


def text_in(events: list[dict[str, Any]]) -> str:
    """Join the pieces of a streamed answer."""
    return "".join(event["delta"]["text"] for event in events if event["event_type"] == "step.delta")


def test_j2_an_answer_is_the_last_step(seen: dict[str, Any]) -> None:
    answer = seen["answer"]

    assert (answer["object"], answer["status"]) == ("interaction", "completed")
    assert answer["steps"][-1]["type"] == "model_output"
    assert answer["steps"][-1]["content"][0]["text"] == "You asked “Hello” about 1 pictures."
    assert answer["output_text"] == "You asked “Hello” about 1 pictures."


def test_j6_the_resolution_is_billed(seen: dict[str, Any]) -> None:
    by_modality = seen["answer"]["usage"]["input_tokens_by_modality"]

    assert {entry["modality"]: entry["tokens"] for entry in by_modality}["image"] == 280


def test_j10_a_stored_interaction_is_told_from_its_beginning(seen: dict[str, Any]) -> None:
    found = seen["found"]

    assert [step["type"] for step in found["steps"]] == ["user_input", "model_output"]
    assert found["input"]
    assert found["usage"]["total_tokens"] == seen["answer"]["usage"]["total_tokens"]


def test_j12_the_fifth_turn_knows_the_first_picture(seen: dict[str, Any]) -> None:
    turns = seen["turns"]

    assert len(turns) == 5
    assert turns[4]["output_text"] == "You asked “And at last?” about 1 pictures."
    spent = [turn["usage"]["total_input_tokens"] for turn in turns]
    assert spent == sorted(set(spent))


def test_j14_the_pieces_make_the_whole(seen: dict[str, Any]) -> None:
    story = seen["story"]

    kinds = [event["event_type"] for event in story if event["event_type"] != "interaction.status_update"]
    deltas = ["step.delta"] * (len(kinds) - 4)
    assert deltas
    assert kinds == ["interaction.created", "step.start", *deltas, "step.stop", "interaction.completed"]
    assert text_in(story) == "Once upon a time."
    assert story[-1]["interaction"]["status"] == "completed"
    assert story[-1]["interaction"]["usage"]["total_output_tokens"] > 0


def test_j15_a_replay_begins_after_the_event_named(seen: dict[str, Any]) -> None:
    before, after = seen["story"][:3], seen["replay"]

    assert text_in(before) + text_in(after) == "Once upon a time."
    assert after[-1] == seen["story"][-1]


def test_a_broken_stream_is_taken_up_where_it_broke(seen: dict[str, Any]) -> None:
    assert text_in(seen["before"]) == "First. 2. "
    assert text_in(seen["before"]) + text_in(seen["after"]) == SLOWLY


def test_j16_background_work_is_polled_until_it_is_completed(seen: dict[str, Any]) -> None:
    assert seen["begun"]["status"] in UNFINISHED
    assert (seen["polled"]["status"], seen["polled"]["output_text"]) == ("completed", SLOWLY)


def test_j16_background_work_can_be_cancelled(seen: dict[str, Any]) -> None:
    assert seen["endless"]["status"] in UNFINISHED
    assert seen["cancelled"]["status"] == "cancelled"


def test_j18_a_failure_on_the_way_is_an_event(seen: dict[str, Any]) -> None:
    (error,) = [event["error"] for event in seen["broken"] if event["event_type"] == "error"]

    assert text_in(seen["broken"]) == "Once "
    assert error == {"code": "overloaded", "message": "The teller is gone."}


def test_j23_a_client_that_was_turned_away_comes_again(seen: dict[str, Any]) -> None:
    """The script turns the first request away, and only the first."""
    assert seen["again"]["output_text"] == "Welcome back."


def test_a_function_is_called_and_its_result_answered(seen: dict[str, Any]) -> None:
    call = seen["asked"]["steps"][-1]

    assert seen["asked"]["status"] == "requires_action"
    assert (call["type"], call["name"], call["arguments"]) == (
        "function_call",
        "get_weather",
        {"city": "Paris"},
    )
    assert (seen["told"]["status"], seen["told"]["output_text"]) == ("completed", "The sky is blue.")


@pytest.mark.parametrize(
    ("name", "status"),
    [
        pytest.param("huge", 400, id="J7"),
        pytest.param("unknown", 404, id="J13"),
        pytest.param("tooLate", 400, id="J16"),
        pytest.param("deleted", 404, id="J17"),
    ],
)
def test_a_mistake_is_an_error_with_its_status(name: str, status: int, seen: dict[str, Any]) -> None:
    error = seen[name]

    assert error["status"] == status
    assert str(status) in error["message"]
