"""What is said to the user when something goes wrong."""

from __future__ import annotations

import pytest

from twinlens.client.errors import Broken, ClientError, Gone, OutOfStep, Refused, SourceChanged, Unreachable


@pytest.mark.parametrize(
    ("message", "advice", "said"),
    [
        ("It is full.", "", "It is full."),
        ("It is full.", "Delete files.", "It is full. Delete files."),
        ("It is full", "Delete files.", "It is full. Delete files."),
        ("Is it full?", "Delete files.", "Is it full? Delete files."),
    ],
)
def test_both_sentences_are_sentences(message: str, advice: str, said: str) -> None:
    assert Refused(429, message, advice=advice).long_message() == said


def test_who_cannot_be_reached_is_named_with_what_to_do() -> None:
    said = Unreachable("http://127.0.0.1:1", "connection refused").long_message()

    assert said.startswith("The server at http://127.0.0.1:1 cannot be reached (connection refused).")
    assert "twinlens serve" in said


@pytest.mark.parametrize(
    ("error", "passing"),
    [
        (Unreachable("http://a", "b"), True),
        (Broken("It broke."), True),
        (OutOfStep("It is elsewhere."), True),
        (Refused(503, "Not now.", passing=True), True),
        (Refused(400, "No."), False),
        (Gone(), False),
        (SourceChanged("It changed."), False),
    ],
)
def test_an_error_knows_whether_trying_again_may_help(error: ClientError, passing: bool) -> None:
    assert error.passing is passing
