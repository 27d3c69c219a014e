"""Outcomes as the database keeps them."""

from __future__ import annotations

import pytest

from twinlens.domain.engine import FunctionCall, OutputPart, Text, Thought, Usage
from twinlens.domain.interaction import Failure, Outcome
from twinlens.domain.media import Modality
from twinlens.store.outcomes import read_outcome, write_outcome

CALL = FunctionCall(
    "weather", {"town": "Zürich", "days": [1, 2.5, None, True], "deep": {"text": "call"}}, "c1"
)


@pytest.mark.parametrize(
    "outcome",
    [
        Outcome("queued"),
        Outcome("in_progress", (Text("so far"),)),
        Outcome(
            "requires_action",
            (Thought("hm"), Text("Let me see."), CALL, CALL, Text("and")),
            Usage({Modality.TEXT: 7, Modality.IMAGE: 1120}, 5, 3, 900),
        ),
        Outcome("failed", usage=Usage({}), failure=Failure("UNAVAILABLE", "Not now.")),
        Outcome("completed", (Text('quotes " and \\, NUL \0, half a pair \ud83d, 日本語, 😀'),)),
    ],
)
def test_an_outcome_comes_back_as_it_was(outcome: Outcome) -> None:
    assert read_outcome(write_outcome(outcome)) == outcome


def test_neighbours_of_one_kind_become_one() -> None:
    pieces: list[OutputPart] = [Thought("a"), Thought("b"), Text("c"), Text("d"), CALL, Text("e"), Text("f")]

    found = read_outcome(write_outcome(Outcome("completed", pieces)))

    assert found.said == (Thought("ab"), Text("cd"), CALL, Text("ef"))
