"""Whatever halves of characters an engine lets through, what comes out can be written."""

from __future__ import annotations

from collections.abc import AsyncGenerator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from twinlens.domain.engine import Blocked, Event, Finished, FunctionCall, Text, Thought
from twinlens.domain.errors import Unavailable
from twinlens.pipeline.surrogates import well_formed

SMILE = "\ud83d\ude00"


async def spoken(*events: Event | Exception) -> AsyncGenerator[Event, None]:
    for event in events:
        if isinstance(event, Exception):
            raise event
        yield event


async def heard(*events: Event) -> list[Event]:
    return [event async for event in well_formed(spoken(*events))]


async def test_what_is_well_formed_passes_as_it_came() -> None:
    events: list[Event] = [
        Thought("hm"),
        Text(""),
        Text("é 😀"),
        FunctionCall("f", {"a": [1, "ü"]}, "x"),
        Finished("STOP", "Done."),
    ]

    assert await heard(*events) == events
    assert await heard(Blocked("SAFETY")) == [Blocked("SAFETY")]


@pytest.mark.parametrize("kind", [Text, Thought])
@pytest.mark.parametrize(
    ("text", "mended"),
    [
        ("a\ud83db", "a\ufffdb"),
        ("a\ud83d\n", "a\ufffd\n"),
        ("\ude00b", "\ufffdb"),
        (f"a{SMILE}b", "a😀b"),
        (f"\ud83d{SMILE}", "\ufffd😀"),
        ("\ude00\ud83d.", "\ufffd\ufffd."),
    ],
)
async def test_a_lone_half_is_replaced_and_a_pair_is_joined(
    kind: type[Text | Thought], text: str, mended: str
) -> None:
    assert await heard(kind(text), Finished()) == [kind(mended), Finished()]


async def test_a_pair_that_is_split_over_two_pieces_is_joined() -> None:
    assert await heard(Text("a\ud83d"), Text("\ude00b")) == [Text("a"), Text("😀b")]
    assert await heard(Text("\ud83d"), Text(""), Text("\ude00")) == [Text("😀")]


@pytest.mark.parametrize("next_", [Finished(), FunctionCall("f", {}), Thought("\u2026"), Blocked("OTHER")])
async def test_a_first_half_is_replaced_when_something_else_comes(next_: Event) -> None:
    assert await heard(Text("a\ud83d"), next_) == [Text("a"), Text("\ufffd"), next_]


async def test_all_texts_of_a_call_are_mended() -> None:
    call = FunctionCall("f\ud83d", {"\ude00": [{"a": SMILE}, "\ud83d", "\ude00"], "b": 1.5}, "x\ud83d")

    assert await heard(call) == [
        FunctionCall("f\ufffd", {"\ufffd": [{"a": "😀"}, "\ufffd", "\ufffd"], "b": 1.5}, "x\ufffd")
    ]


async def test_the_words_beside_a_finish_reason_are_mended() -> None:
    assert await heard(Finished("SAFETY", "No\ud83d")) == [Finished("SAFETY", "No\ufffd")]


async def test_the_sentence_of_an_error_is_mended() -> None:
    with pytest.raises(Unavailable) as failure:
        async for _ in well_formed(spoken(Unavailable("Gone\ud83d"))):
            pass

    assert failure.value.message == "Gone\ufffd"


@given(st.lists(st.text("a\ud83d\ude00\U0001f600\n", max_size=4), max_size=6))
async def test_however_a_text_is_cut_into_pieces_the_same_comes_out(pieces: list[str]) -> None:
    whole = await heard(Text("".join(pieces)), Finished())
    pieced = await heard(*map(Text, pieces), Finished())

    expected = "".join(e.text for e in whole if isinstance(e, Text))
    assert "".join(e.text for e in pieced if isinstance(e, Text)) == expected
    expected.encode()
