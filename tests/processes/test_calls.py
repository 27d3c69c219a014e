"""What comes back on a call to another process."""

from __future__ import annotations

import asyncio

import pytest

from twinlens.domain.errors import ResourceExhausted
from twinlens.processes import messages
from twinlens.processes.calls import Answers, End, Failure, RemoteError


def sent(failure: Failure) -> Failure:
    """Send a failure as a peer does."""
    head, body, *_ = messages.encode(failure).parts
    assert isinstance(head, bytes)
    found: Failure = messages.decode(bytes(body))
    return found


def test_an_error_of_ours_survives_the_way_whole() -> None:
    error = ResourceExhausted("slow down", retry_after_s=7.0)

    found = sent(Failure.of(error)).error()

    assert isinstance(found, ResourceExhausted)
    assert (found.message, found.retry_after_s) == ("slow down", 7.0)


def test_any_other_error_comes_as_the_text_of_its_traceback() -> None:
    try:
        raise LookupError("no such key")
    except LookupError as error:
        failure = Failure.of(error)

    found = sent(failure).error()

    assert isinstance(found, RemoteError)
    assert "LookupError: no such key" in str(found)


def test_an_end_has_its_result_or_raises_why_there_is_none() -> None:
    assert End(7).value() == 7
    with pytest.raises(LookupError):
        End(failure=LookupError()).value()


async def test_answers_come_in_their_order_up_to_the_end() -> None:
    answers = Answers(1)
    answers.put("one")
    assert not answers.is_over

    waiting = asyncio.gather(answers.get(), answers.get())
    answers.put(End(2))

    assert tuple(await waiting) == ("one", End(2))
    assert answers.is_over
