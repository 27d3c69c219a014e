"""Stop sequences and the output limit hold for every engine."""

from __future__ import annotations

import re
from collections.abc import AsyncGenerator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from twinlens.domain.engine import Event, Finished, FunctionCall, Text, Thought
from twinlens.domain.request import Sampling
from twinlens.pipeline.output_limits import limited


class Spoken:
    """An engine's events, and whether they were closed."""

    def __init__(self, *events: Event) -> None:
        self.events = events
        self.closed = False

    async def play(self) -> AsyncGenerator[Event, None]:
        try:
            for event in self.events:
                yield event
        finally:
            self.closed = True


def tokens(text: str) -> int:
    return -(-len(text) // 4)


async def heard(spoken: Spoken, sampling: Sampling) -> list[Event]:
    return [event async for event in limited(spoken.play(), sampling, tokens)]


async def test_without_limits_everything_passes_as_it_came() -> None:
    events: list[Event] = [Thought("hm"), Text("a"), Text("b"), Finished()]

    assert await heard(Spoken(*events), Sampling()) == events


async def test_c13_a_stop_sequence_ends_the_answer_and_is_not_in_it() -> None:
    spoken = Spoken(Text("one X two"), Finished())

    assert await heard(spoken, Sampling(stop_sequences=("X",))) == [Text("one "), Finished("STOP")]


async def test_a_stop_sequence_is_found_across_pieces() -> None:
    spoken = Spoken(Text("one S"), Text("TO"), Text("P two"), Finished())

    events = await heard(spoken, Sampling(stop_sequences=("STOP",)))

    assert "".join(e.text for e in events if isinstance(e, Text)) == "one "
    assert events[-1] == Finished("STOP")


async def test_what_only_looked_like_a_stop_sequence_is_given_out_in_the_end() -> None:
    spoken = Spoken(Text("ST"), Finished())

    assert await heard(spoken, Sampling(stop_sequences=("STOP",))) == [Text("ST"), Finished("STOP")]


async def test_c12_the_output_limit_cuts_the_text_to_fit() -> None:
    spoken = Spoken(Text("x" * 10), Text("y" * 100), Finished())

    events = await heard(spoken, Sampling(max_output_tokens=5))

    assert events == [Text("x" * 10), Text("y" * 10), Finished("MAX_TOKENS")]


async def test_thoughts_count_towards_the_limit() -> None:
    spoken = Spoken(Thought("t" * 100), Text("answer"), Finished())

    assert await heard(spoken, Sampling(max_output_tokens=5)) == [Thought("t" * 20), Finished("MAX_TOKENS")]


CALL = FunctionCall("f", {"a": 1})
CALL_TOKENS = tokens('{"name":"f","args":{"a":1}}')


async def test_a_call_that_fits_is_given_out_whole_and_counts_towards_the_limit() -> None:
    spoken = Spoken(Text("four"), CALL, Text("y" * 100), Finished())

    events = await heard(spoken, Sampling(max_output_tokens=CALL_TOKENS + 2))

    assert events == [Text("four"), CALL, Text("yyyy"), Finished("MAX_TOKENS")]


async def test_a_call_that_does_not_fit_is_left_out_whole() -> None:
    spoken = Spoken(Text("four"), CALL, Finished())

    events = await heard(spoken, Sampling(max_output_tokens=CALL_TOKENS))

    assert events == [Text("four"), Finished("MAX_TOKENS")]


async def test_a_stop_sequence_is_looked_for_on_either_side_of_a_call_and_not_in_it() -> None:
    spoken = Spoken(Text("one S"), CALL, Text("TOP two STOP three"), Finished())

    events = await heard(spoken, Sampling(stop_sequences=("STOP", "args")))

    before, between = events.index(CALL), [e.text for e in events if isinstance(e, Text)]
    assert "".join(between) == "one STOP two "
    assert "".join(e.text for e in events[:before] if isinstance(e, Text)) == "one S"
    assert events[-1] == Finished("STOP")


@pytest.mark.parametrize("sampling", [Sampling(stop_sequences=("b",)), Sampling(max_output_tokens=1)])
async def test_an_answer_that_is_cut_closes_the_engine(sampling: Sampling) -> None:
    spoken = Spoken(Text("aaaa"), Text("bbbb"), Text("cccc"), Finished())

    await heard(spoken, sampling)

    assert spoken.closed


@given(
    st.lists(st.text("abS", max_size=6), max_size=8),
    st.lists(st.text("abS", min_size=1, max_size=3), max_size=3),
    st.none() | st.integers(1, 6),
)
async def test_however_an_answer_is_cut_into_pieces_the_same_text_comes_out(
    pieces: list[str], stops: list[str], limit: int | None
) -> None:
    sampling = Sampling(stop_sequences=tuple(stops), max_output_tokens=limit)
    whole = Spoken(Text("".join(pieces)), Finished())
    pieced = Spoken(*map(Text, pieces), Finished())

    expected = "".join(e.text for e in await heard(whole, sampling) if isinstance(e, Text))

    assert "".join(e.text for e in await heard(pieced, sampling) if isinstance(e, Text)) == expected
    assert not any(stop in expected for stop in stops)
    assert limit is None or tokens(expected) <= limit


@pytest.mark.parametrize(
    "sampling", [Sampling(max_output_tokens=5000), Sampling(stop_sequences=("é" * 98 + "e",))]
)
async def test_an_answer_in_many_pieces_is_not_gone_through_again_with_each(sampling: Sampling) -> None:
    counted = 0

    def counting(text: str) -> int:
        nonlocal counted
        counted += len(text)
        return tokens(text)

    letters = [Text("é")] * 30_000
    said = [event async for event in limited(Spoken(*letters, Finished()).play(), sampling, counting)]

    kept = "".join(event.text for event in said if isinstance(event, Text))
    assert len(kept) == (20_000 if sampling.max_output_tokens else 30_000)
    assert counted < 50 * len(letters)


@given(st.lists(st.text("ab", max_size=4), max_size=30), st.integers(1, 20))
async def test_the_limit_is_the_same_however_the_text_is_cut(pieces: list[str], limit: int) -> None:
    events = [Text(piece) for piece in pieces]

    said = await heard(Spoken(*events, Finished()), Sampling(max_output_tokens=limit))

    kept = "".join(event.text for event in said if isinstance(event, Text))
    assert kept == "".join(pieces)[: 4 * limit]
    assert said[-1] == Finished("MAX_TOKENS" if len("".join(pieces)) > 4 * limit else "STOP")


class Counted:
    """Counts tokens, and the characters that were gone through for that."""

    def __init__(self) -> None:
        self.characters = 0

    def __call__(self, text: str) -> int:
        self.characters += len(text)
        return tokens(text)


@pytest.mark.parametrize(
    "events",
    [
        pytest.param([Text("é")] * 40_000, id="many pieces"),
        pytest.param([Text("é" * 40_000)], id="one piece"),
        pytest.param([Thought("é"), Text("é")] * 20_000, id="thoughts between the pieces"),
        pytest.param([Text("é"), CALL] * 1000, id="calls between the pieces"),
    ],
)
async def test_the_work_of_cutting_grows_with_the_length_and_not_faster(events: list[Event]) -> None:
    work = []
    for part in (events[: len(events) // 2] or [Text("é" * 20_000)], events):
        count = Counted()
        length = sum(len(e.text) for e in part if isinstance(e, Text | Thought))
        sampling = Sampling(max_output_tokens=length // 5)
        async for _ in limited(Spoken(*part, Finished()).play(), sampling, count):
            pass
        work.append(count.characters)

    assert work[1] < 2.5 * work[0]
    assert work[1] < 30 * 40_000


async def test_an_engine_whose_long_texts_have_fewer_tokens_is_cut_at_the_limit_and_not_before() -> None:
    def merging(text: str) -> int:
        """Count like a vocabulary with long tokens: 16 equal letters are one."""
        return len(re.findall(r"(.)\1{0,15}", text))

    letters = [Text(letter) for letter in "a" * 500 + "ab" * 100]
    said = [
        e async for e in limited(Spoken(*letters, Finished()).play(), Sampling(max_output_tokens=60), merging)
    ]

    kept = "".join(event.text for event in said if isinstance(event, Text))
    assert said[-1] == Finished("MAX_TOKENS")
    assert merging(kept) == 60
