from __future__ import annotations

import signal

import pytest

from twinlens.domain.engine import EngineRequest, EngineTurn
from twinlens.domain.errors import InvalidArgument
from twinlens.engines.builtin import answering
from twinlens.engines.builtin.answering import pieces


async def test_an_answer_has_so_much_computing_and_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(answering, "CPU_S", 0.2)
    monkeypatch.setattr("twinlens.engines.builtin.replies.plan", endless)
    before = signal.getsignal(signal.SIGPROF)
    request = EngineRequest("m", (EngineTurn("user", ("Hello",)),))

    with pytest.raises(InvalidArgument, match=r"more than 0\.2 s of computing"):
        [event async for event in answering.Answerer().answer(request)]

    signal.signal(signal.SIGPROF, before)


def endless(_: EngineRequest) -> None:
    while True:
        pass


@pytest.mark.parametrize(
    "text",
    [
        "",
        "One line.",
        "A first sentence that is long enough. A second one that is long enough too. Short. End",
        "A line that is long enough to be a piece\n\nanother line that is long enough to be one\nlast",
        "word " * 50_000,
        "A sentence without a line break. " * 20_000,
        "\n" * 1000,
        "“Quoted.” " * 10,
    ],
    ids=lambda text: text[:20],
)
def test_pieces_join_to_the_text(text: str) -> None:
    found = list(pieces(text))

    assert "".join(found) == text
    assert all(len(piece) >= 40 for piece in found[:-1])


def test_a_piece_ends_with_a_sentence_or_a_line() -> None:
    first = "A first sentence that is long enough to stand alone. "
    second = "A line that is long enough to stand alone, and has no full stop\n"

    assert list(pieces(f"{first}{second}The end.")) == [first, second, "The end."]
