from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, overload

import pytest
from google.genai._gaos.types.interactions import InteractionSSEEvent
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter

from twinlens.domain.engine import FunctionCall, OutputPart, Text, Thought, Usage
from twinlens.domain.errors import InvalidArgument
from twinlens.domain.interaction import Failure, Interaction, Outcome, Status
from twinlens.domain.media import Modality
from twinlens.wire.interactions.events import Event, EventEncoder, read_event_id

CLIENT: TypeAdapter[Any] = TypeAdapter(InteractionSSEEvent)
USAGE = Usage({Modality.TEXT: 3}, candidates=5)
ANSWER: tuple[OutputPart, ...] = (
    Thought("hm"),
    Text("Sö "),
    Text("it is."),
    FunctionCall("f", {"a": "ü"}, "1"),
    FunctionCall("g", {}, "2"),
    Text("End"),
)
"""Every kind of step, none before one of its own kind but calls."""


def told_so_far(*said: OutputPart, status: Status = "in_progress") -> Interaction:
    moment = datetime(2026, 5, 6, 7, 8, 9, tzinfo=UTC)
    outcome = Outcome(status, said, USAGE)
    return Interaction("v1_a", "gemini-3-flash", b"{}", moment, moment.replace(second=30), outcome=outcome)


def read(events: Sequence[Event]) -> list[dict[str, Any]]:
    """Read events as the client does, each known to it."""
    out = []
    for event in events:
        if event.data == b"[DONE]":
            assert event.name == "done"
            continue
        data = json.loads(event.data)
        assert data["event_type"] == event.name == CLIENT.validate_python(data).event_type
        out.append(data)
    return out


def names(events: Sequence[Event]) -> list[str]:
    return [event.name for event in events]


def positions(events: Sequence[Event]) -> list[int]:
    return [int(event["event_id"].partition(".")[2]) for event in read(events)]


def content(events: Sequence[Event]) -> list[tuple[int, str, Any]]:
    """Fold a stream: its steps' characters, starts and stops in order, however large the pieces were."""
    out: list[tuple[int, str, Any]] = []
    for event in read(events):
        index, name = event.get("index", -1), event["event_type"]
        if name == "step.delta":
            delta = event["delta"]
            text = delta.get("text") or delta.get("arguments") or delta["content"]["text"]
            out += [(index, delta["type"], letter) for letter in text]
        else:
            out.append((index, name, event.get("step")))
    return out


def test_j14_a_stream_tells_each_step_in_order() -> None:
    teller = EventEncoder()

    events = read(teller.encode(told_so_far(Thought("hm"), Text("A "), Text("cat."), status="completed")))

    created, *steps, completed = events
    assert created == {
        "event_type": "interaction.created",
        "interaction": {
            "id": "v1_a",
            "object": "interaction",
            "model": "gemini-3-flash",
            "status": "in_progress",
            "created": "2026-05-06T07:08:09Z",
            "updated": "2026-05-06T07:08:09Z",
        },
        "event_id": "1.1",
    }
    summary = {"type": "thought_summary", "content": {"type": "text", "text": "hm"}}
    assert [{**step, "event_id": ""} for step in steps] == [
        {"event_type": "step.start", "index": 0, "step": {"type": "thought"}, "event_id": ""},
        {"event_type": "step.delta", "index": 0, "delta": summary, "event_id": ""},
        {"event_type": "step.stop", "index": 0, "event_id": ""},
        {"event_type": "step.start", "index": 1, "step": {"type": "model_output"}, "event_id": ""},
        {"event_type": "step.delta", "index": 1, "delta": {"type": "text", "text": "A "}, "event_id": ""},
        {"event_type": "step.delta", "index": 1, "delta": {"type": "text", "text": "cat."}, "event_id": ""},
        {"event_type": "step.stop", "index": 1, "event_id": ""},
    ]
    assert completed["interaction"]["status"] == "completed"
    assert completed["interaction"]["updated"] == "2026-05-06T07:08:30Z"
    assert completed["interaction"]["usage"]["total_tokens"] == 8
    assert teller.done


def test_a_call_is_a_step_with_its_arguments_as_json() -> None:
    events = read(
        EventEncoder().encode(told_so_far(FunctionCall("f", {"a": "ü"}, "7"), status="requires_action"))
    )

    assert events[1]["step"] == {"type": "function_call", "id": "7", "name": "f", "arguments": {}}
    assert json.loads(events[2]["delta"]["arguments"]) == {"a": "ü"}
    assert events[-1]["interaction"]["status"] == "requires_action"


def test_each_piece_is_told_when_it_is_there_and_once() -> None:
    teller = EventEncoder()

    rounds = [
        names(teller.encode(told_so_far())),
        names(teller.encode(told_so_far(Text("a")))),
        names(teller.encode(told_so_far(Text("a")))),
        names(teller.encode(told_so_far(Text("a"), Text("b"), Text("c")))),
        names(teller.encode(told_so_far(Text("a"), Text("b"), Text("c"), status="completed"))),
        names(teller.encode(told_so_far(Text("a"), Text("b"), Text("c"), status="completed"))),
    ]

    assert rounds == [
        ["interaction.created"],
        ["step.start", "step.delta"],
        [],
        ["step.delta", "step.delta"],
        ["step.stop", "interaction.completed", "done"],
        [],
    ]


def test_one_that_waits_says_so_and_then_that_it_has_begun() -> None:
    teller = EventEncoder()

    first = read(teller.encode(told_so_far(status="queued")))
    second = read(teller.encode(told_so_far()))

    assert [event["interaction"]["status"] for event in first] == ["queued"]
    assert [(event["event_type"], event["status"]) for event in second] == [
        ("interaction.status_update", "in_progress")
    ]


def test_j18_a_failure_ends_the_stream_with_an_error() -> None:
    failed = told_so_far(Text("So"), status="failed")
    failure = Failure("NOT_FOUND", "There is no such file.")

    events = EventEncoder().encode(replace(failed, outcome=replace(failed.outcome, failure=failure)))

    assert names(events)[-3:] == ["step.stop", "error", "done"]
    assert read(events)[-1]["error"] == {"code": "not_found", "message": "There is no such file."}


@pytest.mark.parametrize("status", ["completed", "incomplete"])
def test_an_answer_of_nothing_has_its_step_too(status: Status) -> None:
    events = EventEncoder().encode(told_so_far(Thought("hm"), status=status))

    assert [event["step"]["type"] for event in read(events) if "step" in event] == ["thought", "model_output"]


def test_one_that_was_cancelled_ends_so() -> None:
    events = EventEncoder().encode(told_so_far(status="cancelled"))

    assert names(events) == ["interaction.created", "interaction.completed", "done"]
    assert read(events)[-1]["interaction"]["status"] == "cancelled"


def test_events_of_one_that_is_not_stored_have_no_ids() -> None:
    events = EventEncoder().encode(replace(told_so_far(Text("a"), status="completed"), stored=False))

    assert all("event_id" not in event for event in read(events))


@pytest.mark.parametrize("status", ["completed", "requires_action", "cancelled", "incomplete"])
@pytest.mark.parametrize("said", [(), ANSWER, (Thought("hm"),)])
def test_j15_a_stream_goes_on_behind_every_position(said: tuple[OutputPart, ...], status: Status) -> None:
    finished = told_so_far(*said, status=status)
    whole = content(EventEncoder().encode(finished))

    for position in range(len(whole) + 1):
        events = EventEncoder(position).encode(finished)
        assert content(events) == whole[position:]
        assert names(events)[-1] == "done"


def cut(said: Sequence[OutputPart], draw: st.DrawFn) -> list[OutputPart]:
    """Cut an answer into other pieces, with empty ones between them."""
    out: list[OutputPart] = []
    for piece in said:
        if isinstance(piece, FunctionCall):
            out.append(piece)
            continue
        text, kind = piece.text, type(piece)
        while text:
            size = draw(st.integers(1, len(text)))
            out.append(kind(text[:size]))
            text = text[size:]
        out += draw(st.sampled_from([[], [Text("")], [Thought("")]]))
    return out


@st.composite
def broken_streams(draw: st.DrawFn) -> tuple[list[OutputPart], list[int], list[OutputPart]]:
    """Give an answer in pieces, how many of them there were at each look, and in what pieces it is kept."""
    live = cut(ANSWER, draw)
    looks = sorted(draw(st.lists(st.integers(0, len(live)), max_size=6)))
    return live, looks, cut(ANSWER, draw)


@settings(max_examples=100, deadline=None)
@given(broken_streams())
def test_a_stream_breaks_and_goes_on_whatever_the_pieces_were(
    stream: tuple[list[OutputPart], list[int], list[OutputPart]],
) -> None:
    live, looks, kept = stream
    finished = told_so_far(*kept, status="completed")
    whole = content(EventEncoder().encode(finished))
    teller = EventEncoder()

    events = [event for look in looks for event in teller.encode(told_so_far(*live[:look]))]
    events += teller.encode(told_so_far(*live, status="completed"))

    assert content(events) == whole
    for count, position in enumerate(positions(events), start=1):
        assert content(events[:count]) == whole[:position]
        assert content(EventEncoder(position).encode(finished)) == whole[position:]
        assert (
            content(EventEncoder(position).encode(told_so_far(*live, status="completed"))) == whole[position:]
        )


def test_a_position_behind_the_end_has_nothing_left() -> None:
    assert EventEncoder(1000).encode(told_so_far(Text("a"), status="completed")) == [Event("done", b"[DONE]")]


def test_a_reader_who_is_ahead_of_what_was_said_waits() -> None:
    teller = EventEncoder(4)

    first = teller.encode(told_so_far(Text("a")))
    second = read(teller.encode(told_so_far(Text("a"), Text("bcd"))))

    assert first == []
    assert [event["delta"]["text"] for event in second] == ["cd"]


class Counting(Sequence[OutputPart]):
    """A sequence that counts how often it is looked into."""

    def __init__(self, said: Sequence[OutputPart]) -> None:
        self.said = said
        self.looks = 0

    def __len__(self) -> int:
        return len(self.said)

    @overload
    def __getitem__(self, index: int) -> OutputPart: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[OutputPart]: ...
    def __getitem__(self, index: int | slice) -> OutputPart | Sequence[OutputPart]:
        self.looks += 1
        return self.said[index]


def test_what_was_told_is_not_looked_at_again() -> None:
    teller, short = EventEncoder(), told_so_far()
    teller.encode(told_so_far(*[Text("x")] * 100))
    said = Counting([Text("x")] * 101)

    events = teller.encode(replace(short, outcome=replace(short.outcome, said=said)))

    assert read(events)[0]["delta"]["text"] == "x"
    assert said.looks <= 2


def test_an_event_id_is_read_back() -> None:
    interaction = replace(told_so_far(Text("ab"), status="completed"), attempt=3)
    last = read(EventEncoder().encode(interaction))[-1]["event_id"]

    assert last == "3.6"
    assert read_event_id(last, interaction) == 6


@pytest.mark.parametrize("position", [0, 1, 2, 3, 4, 5, 1000])
@pytest.mark.parametrize("said", [(), (Text("a"),)])
def test_why_it_failed_is_told_wherever_the_stream_broke(said: tuple[OutputPart, ...], position: int) -> None:
    failed = told_so_far(*said, status="failed")

    after = read_event_id(f"1.{position}", failed)

    assert names(EventEncoder(after).encode(failed))[-2:] == ["error", "done"]


@pytest.mark.parametrize("status", ["queued", "in_progress", "completed", "cancelled"])
@pytest.mark.parametrize("said", [(), ANSWER])
def test_an_event_that_was_never_told_is_refused(said: tuple[OutputPart, ...], status: Status) -> None:
    interaction = told_so_far(*said, status=status)
    last = positions(EventEncoder().encode(interaction))[-1]

    assert read_event_id(f"1.{last}", interaction) == last
    with pytest.raises(InvalidArgument, match=rf"last_event_id must be .*, not '1\.{last + 1}'"):
        read_event_id(f"1.{last + 1}", interaction)


@pytest.mark.parametrize(
    "text", ["", "x", "1", "1.", ".1", "1.-1", "1.1.1", " 1.1", "1.1\n", "9.1", "1." + "9" * 99]
)
def test_what_is_no_event_id_is_refused(text: str) -> None:
    with pytest.raises(InvalidArgument, match="last_event_id") as caught:
        read_event_id(text, told_so_far())

    assert caught.value.violations[0].field == "last_event_id"
    assert len(caught.value.message) < 200


def test_an_event_of_an_earlier_attempt_is_refused_with_the_reason() -> None:
    with pytest.raises(InvalidArgument, match=r"begun anew after a restart.*from its start.*last_event_id"):
        read_event_id("1.5", replace(told_so_far(), attempt=2))
