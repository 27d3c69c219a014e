"""A plain answer is the fold of a stream's pieces."""

from __future__ import annotations

from twinlens.domain.answer import Answer, Candidate, fold
from twinlens.domain.engine import Blocked, Finished, FunctionCall, Text, Thought, Usage
from twinlens.domain.media import Modality

PROMPT = Usage({Modality.TEXT: 3})


def test_neighbouring_texts_become_one_and_thoughts_stay_apart() -> None:
    pieces = [
        Answer((Candidate(0, (Thought("a"),)),), PROMPT),
        Answer((Candidate(0, (Text("b"),)),), PROMPT),
        Answer((Candidate(0, (Text("c"),)),), PROMPT),
        Answer((Candidate(0, (Text(""),), Finished("STOP")),), Usage({Modality.TEXT: 3}, candidates=2)),
    ]

    whole = fold(pieces)

    assert whole.candidates == (Candidate(0, (Thought("a"), Text("bc")), Finished("STOP")),)
    assert whole.usage.total == 5


def test_calls_stay_whole_and_in_their_place_and_part_the_texts_beside_them() -> None:
    first, second = FunctionCall("f", {"a": 1}, "1"), FunctionCall("f", {"a": 1}, "2")
    pieces = [
        Answer((Candidate(0, (part,)),), PROMPT)
        for part in (Text("a"), Text("b"), first, Text(""), second, Text("c"), Text("d"), Text(""))
    ]

    assert fold(pieces).candidates[0].parts == (Text("ab"), first, second, Text("cd"))


def test_candidates_keep_their_numbers() -> None:
    whole = fold(
        [Answer((Candidate(1, (Text("b"),)),), PROMPT), Answer((Candidate(0, (Text("a"),)),), PROMPT)]
    )

    assert [candidate.index for candidate in whole.candidates] == [0, 1]


def test_a_block_stays_a_block() -> None:
    assert fold([Answer((), PROMPT, Blocked("SAFETY"))]).blocked == Blocked("SAFETY")
