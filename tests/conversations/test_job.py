"""What those who watch an interaction are given."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

from twinlens.conversations.job import Job
from twinlens.domain.answer import Answer, Candidate
from twinlens.domain.engine import Finished, Text, Usage
from twinlens.domain.interaction import Interaction

NOW = datetime(2026, 1, 1, tzinfo=UTC)
BEGUN = Interaction(id="v1_x", model="gemini-3", sent=b"{}", created=NOW, updated=NOW)


def piece(text: str, *, last: bool = False) -> Answer:
    return Answer((Candidate(0, (Text(text),), Finished() if last else None),), Usage({}))


async def test_a_watcher_that_is_slow_is_given_the_end_all_the_same() -> None:
    job = Job(BEGUN)
    changes = job.changes()
    job.add_chunk(piece("Once "))
    seen = await anext(changes)

    # All of this happens while what was seen is being sent.
    job.add_chunk(piece("upon a time.", last=True))
    job.end(job.outcome, NOW)
    rest = [one async for one in changes]

    assert seen.outcome.status == "in_progress"
    assert [one.outcome.status for one in rest] == ["completed"]
    assert (
        "".join(said.text for said in rest[-1].outcome.said if isinstance(said, Text)) == "Once upon a time."
    )


async def test_a_watcher_of_what_is_finished_is_given_it_once() -> None:
    job = Job(BEGUN)
    job.add_chunk(piece("Done.", last=True))
    job.end(job.outcome, NOW)

    assert len([one async for one in job.changes()]) == 1


async def test_an_answer_that_was_cut_is_incomplete() -> None:
    job = Job(BEGUN)
    job.add_chunk(Answer((Candidate(0, (Text("O"),), Finished("MAX_TOKENS")),), Usage({})))

    assert job.outcome == replace(job.interaction.outcome, status="incomplete")
