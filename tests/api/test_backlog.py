"""How the pieces of an answer become the chunks of a stream."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from contextlib import aclosing

import pytest

from twinlens.api.backlog import MAX_WAITING, Backlog
from twinlens.domain.answer import Answer, Candidate, fold
from twinlens.domain.engine import Blocked, Finished, FunctionCall, OutputPart, Text, Thought, Usage
from twinlens.domain.errors import Unavailable
from twinlens.domain.media import Modality

SO_FAR = Usage({Modality.TEXT: 1})
FINAL = Usage({Modality.TEXT: 1}, candidates=2)
CALL = FunctionCall("f", {}, "id")


def piece(*said: OutputPart, index: int = 0) -> Answer:
    return Answer((Candidate(index, said),), SO_FAR)


def last(index: int = 0) -> Answer:
    return Answer((Candidate(index, (), Finished()),), FINAL)


def ended(*said: OutputPart, index: int = 0) -> Answer:
    return Answer((Candidate(index, said, Finished()),), FINAL)


def all_of(pieces: Iterable[Answer], failure: Exception | None = None) -> Backlog:
    backlog = Backlog()
    for one in pieces:
        backlog.put(one)
    backlog.end(failure)
    return backlog


@pytest.mark.parametrize("final", [Text("b"), Thought("hm"), CALL])
async def test_the_last_chunk_holds_the_last_piece_the_reason_and_the_usage(final: OutputPart) -> None:
    backlog = all_of([piece(Text("a")), piece(final), last()])

    assert [chunk async for chunk in backlog.chunks()] == [piece(Text("a")), ended(final)]


async def test_a_piece_that_is_not_the_last_is_sent_at_once_and_whole() -> None:
    backlog = Backlog()
    backlog.put(piece(Text("one", more=True)))
    async with aclosing(backlog.chunks()) as chunks:
        first = await anext(chunks)
        backlog.put(piece(Text("two")))
        backlog.put(last())
        backlog.end()

        assert [first, *[chunk async for chunk in chunks]] == [piece(Text("one")), ended(Text("two"))]


async def test_an_answer_of_one_piece_is_one_chunk() -> None:
    assert [chunk async for chunk in all_of([piece(Text("a")), last()]).chunks()] == [ended(Text("a"))]


async def test_an_answer_without_a_word_is_one_chunk_with_an_empty_text() -> None:
    assert [chunk async for chunk in all_of([last()]).chunks()] == [ended(Text(""))]


async def test_empty_pieces_are_no_chunks() -> None:
    pieces = [piece(Text("")), piece(Text("a")), piece(Text("")), piece(Thought("")), last()]

    assert [chunk async for chunk in all_of(pieces).chunks()] == [ended(Text("a"))]


async def test_every_candidate_has_its_own_last_chunk() -> None:
    pieces = [piece(Text("a")), last(), piece(Text("b"), index=1), last(1), last(2)]

    chunks = [chunk async for chunk in all_of(pieces).chunks()]

    assert chunks == [ended(Text("a")), ended(Text("b"), index=1), ended(Text(""), index=2)]


async def test_a_blocked_prompt_is_one_chunk() -> None:
    blocked = Answer((), SO_FAR, Blocked("SAFETY"))

    assert [chunk async for chunk in all_of([blocked]).chunks()] == [blocked]


async def test_what_was_said_before_a_failure_is_told_before_it() -> None:
    chunks = all_of([piece(Text("a")), piece(Text("b"))], Unavailable("gone")).chunks()

    assert [await anext(chunks), await anext(chunks)] == [piece(Text("a")), piece(Text("b"))]
    with pytest.raises(Unavailable):
        await anext(chunks)


async def test_a_piece_after_which_nothing_comes_is_told_but_for_its_last_letter() -> None:
    backlog = Backlog()
    chunks = backlog.chunks()
    backlog.put(piece(Text("first")))

    assert await anext(chunks) == piece(Text("firs"))

    backlog.put(last())
    backlog.end()
    assert [chunk async for chunk in chunks] == [ended(Text("t"))]


async def test_the_last_letter_goes_with_what_comes_next() -> None:
    backlog = Backlog()
    chunks = backlog.chunks()
    backlog.put(piece(Text("first")))
    await anext(chunks)

    backlog.put(piece(Text(" second")))
    backlog.put(piece(Text(" third")))
    backlog.put(last())
    backlog.end()

    told = [chunk async for chunk in chunks]
    assert told == [piece(Text("t second")), ended(Text(" third"))]


@pytest.mark.parametrize("whole", [Text("a"), CALL])
async def test_a_call_and_a_letter_are_not_cut(whole: OutputPart) -> None:
    backlog = Backlog()
    told: list[Answer] = []

    async def listen() -> None:
        told.extend([chunk async for chunk in backlog.chunks()])

    listening = asyncio.create_task(listen())
    backlog.put(piece(whole))
    await asyncio.sleep(0.2)
    backlog.put(last())
    backlog.end()
    await listening

    assert told == [ended(whole)]


async def test_a_slow_reader_is_told_the_same_in_fewer_chunks() -> None:
    pieces = [piece(Text(f"{number} ")) for number in range(100 * MAX_WAITING)]
    backlog = all_of([*pieces, last()])

    chunks = [chunk async for chunk in backlog.chunks()]

    assert len(chunks) <= MAX_WAITING + 1
    assert fold(chunks) == fold([*pieces, last()])
