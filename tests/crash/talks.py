"""Clients that hold conversations on and on, delete some of them, and hold the server to what it has said.

A talker goes on where it was after each restart: from the last turn whose answer it was told.
"""

from __future__ import annotations

import base64
import itertools
import json
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import closing, suppress
from dataclasses import dataclass, field
from random import Random
from typing import Any, Literal

from crash.samples import png
from crash.serving import LOST, PATIENCE_S, PIECE_BYTES, Answer, Connection, Trap

URL = "/v1beta/interactions"
MODEL = "gemini-3-flash"
SCRIPT = """
rules:
  - match: {text: slowly}
    answer: {chunks: ["Heard ", {text: "{text}", delay: 0.25}, " with {media} media."]}
default: {chunks: ["Heard ", {text: "{text}", delay: 0.01}, " with {media} media."]}
"""
SHARED = "files/shared"
"""A file that questions name, and that is deleted half way: what was asked of it goes on without it."""
TURNS = 5
KEPT = 6
"""So many answered questions a talker keeps before it deletes some."""
MAX_ATTEMPTS = 3
"""So many lives of the server work in the background on one thing, and no more."""
IMAGE_TOKENS = 1120

Fields = dict[str, Any]
Way = Literal["plain", "stream", "background"]
Fate = Literal["asked", "told", "answered", "failed", "lost", "deleting", "gone"]
Moment = Literal[
    "booting",
    "byte sent",
    "question sent",
    "answered",
    "created",
    "piece",
    "accepted",
    "polled",
    "delete sent",
    "deleted",
]


class Talk(Connection):
    """What can follow a stream of events as well."""

    def get(self, interaction_id: str, query: str = "?include_input=true") -> Answer:
        """Read an interaction."""
        return self.ask("GET", f"{URL}/{interaction_id}{query}")

    def delete(self, interaction_id: str) -> Answer:
        """Delete an interaction."""
        return self.ask("DELETE", f"{URL}/{interaction_id}")

    def post(self, fields: Fields) -> Answer:
        """Create an interaction."""
        return self.ask("POST", URL, body=json.dumps({"model": MODEL, **fields}).encode())

    def events(
        self,
        method: str,
        path: str,
        body: bytes = b"",
        sending: Callable[[int], None] = lambda _count: None,
    ) -> Iterator[Fields]:
        """Give the data of each event but the last; one of `LOST` where the stream ends too early."""

        def pieces() -> Iterable[bytes]:
            for start in range(0, len(body), PIECE_BYTES):
                piece = body[start : start + PIECE_BYTES]
                sending(len(piece))
                yield piece
            sending(0)

        own = {"Content-Length": str(len(body)), "x-goog-api-key": "any"}
        self.close()
        self._http.request(method, path, pieces(), own)
        last = b""
        with self._http.getresponse() as response:
            assert response.status == 200, response.read()
            while line := response.readline():
                name, _, last = line.rstrip().partition(b": ") if line.strip() else (b"", b"", last)
                if name == b"data" and last != b"[DONE]":
                    yield json.loads(last)
        if last != b"[DONE]":
            raise ConnectionResetError("the stream ended before its end")


def talking(address: str) -> closing[Talk]:
    """Open a connection for a block."""
    return closing(Talk(address))


@dataclass(slots=True)
class Question:
    """One turn as its client knows it. `media` are bytes of pictures, None is the shared file.

    `answer` is what was told of the answer, `found` the whole as it is read; `lives` counts the restarts
    since it was acknowledged.
    """

    text: str
    way: Way
    media: tuple[bytes | None, ...] = field(repr=False)
    previous: Question | None = field(repr=False)
    id: str = ""
    fate: Fate = "asked"
    answer: Fields = field(default_factory=dict)
    found: Fields = field(default_factory=dict, repr=False)
    lives: int = 0

    @property
    def turns(self) -> list[Question]:
        """The conversation up to here, oldest first."""
        return [*(self.previous.turns if self.previous else ()), self]

    @property
    def contents(self) -> list[Fields]:
        """What is sent as input."""
        return [*map(picture, self.media), {"type": "text", "text": self.text}]

    @property
    def pictures(self) -> int:
        """How many pictures the conversation has up to here."""
        return sum(len(turn.media) for turn in self.turns)

    @property
    def expected(self) -> str:
        """What the script answers."""
        return f"Heard {self.text} with {self.pictures} media."

    def body(self) -> bytes:
        """Write the request."""
        fields: Fields = {"model": MODEL, "input": self.contents}
        if self.way != "plain":
            fields[self.way] = True
        if self.previous:
            fields["previous_interaction_id"] = self.previous.id
        return json.dumps(fields).encode()

    def spelled(self) -> Fields:
        """Write the request with the whole conversation in it, for one that is not stored."""
        turns: list[Fields] = []
        for turn in self.turns:
            turns.append({"role": "user", "content": turn.contents})
            turns.append({"role": "model", "content": turn.expected})
        return {"model": MODEL, "store": False, "input": turns[:-1]}

    def settle(self, found: Fields) -> None:
        """Hold what is read against what was sent and told; a finished one never changes any more."""
        if self.found:
            assert found == self.found, self
        elif found["status"] not in ("queued", "in_progress"):
            self._check(found)
            self.found = found
        else:
            assert (self.fate, self.way) == ("told", "background"), (self, found)

    def _check(self, found: Fields) -> None:
        assert (found["id"], found["input"]) == (self.id, self.contents), (self, _brief(found))
        assert found.get("previous_interaction_id") == (self.previous.id if self.previous else None)
        asked = {"type": "user_input", "content": self.contents}
        assert found["steps"][0] == asked, (self, _brief(found))
        if found["status"] == "failed":
            assert self.fate == "told", (self, _brief(found))
            assert self.way == "stream" or self.lives >= MAX_ATTEMPTS, (self, _brief(found))
            (error,) = found["errors"]
            assert error["code"] == "aborted"
            assert "server stopped" in error["message"]
            self.fate = "failed"
            return
        assert found["status"] == "completed", (self, _brief(found))
        said = {"type": "model_output", "content": [{"type": "text", "text": self.expected}]}
        assert found["steps"][1:] == [said], (self, _brief(found))
        assert self.answer.get("usage", found["usage"]) == found["usage"], (self, _brief(found))
        by_modality = {one["modality"]: one["tokens"] for one in found["usage"]["input_tokens_by_modality"]}
        assert by_modality.get("image", 0) == IMAGE_TOKENS * self.pictures, (self, _brief(found))
        self.fate = "answered"


@dataclass(slots=True)
class Minutes:
    """What all talkers together know."""

    seed: int
    questions: list[Question] = field(default_factory=list)
    shares: bool = False
    """Whether the shared file is there to be asked about."""

    def of(self, *fates: Fate) -> list[Question]:
        """List the questions of these fates."""
        return [question for question in self.questions if question.fate in fates]


class Talker:
    """One client. `work` runs in a thread of its own; the server is killed between two calls of it."""

    def __init__(self, minutes: Minutes, number: int) -> None:
        self._minutes = minutes
        self._chance = Random(f"seed {minutes.seed}, talker {number}")
        self._texts = (f"question {count} of {number}" for count in itertools.count(1))
        self._open: Question | None = None
        self._last: Question | None = None
        self._mine: list[Question] = []
        self._snare: Trap | None = None

    def work(self, address: str, snare: Trap | None) -> None:
        """Go on until the server is gone; without a snare, until the last question is settled."""
        self._snare = snare
        if self._open and self._open.fate not in _STEPS:
            # It was found settled after the restart.
            self._open = None
        with suppress(*(LOST if snare else ())), talking(address) as talk:
            while snare or self._open:
                self._advance(talk)

    def _advance(self, talk: Talk) -> None:
        """Take the next step with the question under way, or choose one."""
        question = self._open or self._chosen()
        try:
            _STEPS[question.fate](self, question, talk)
        finally:
            self._open = question if question.fate in _STEPS else None

    def _chosen(self) -> Question:
        """Choose one of many to delete, or go on with the conversation, or begin another."""
        chance = self._chance
        known = [question for question in self._mine if question.fate in ("answered", "failed")]
        if len(known) > chance.randint(KEPT // 2, 2 * KEPT):
            question = chance.choice(known)
            question.fate = "deleting"
            return question
        way: Way = chance.choice(("plain", "stream", "background"))
        text = next(self._texts) + (" slowly" if chance.random() < 0.3 else "")
        question = Question(text, way, self._media(), self._going_on())
        self._last = question
        self._mine.append(question)
        self._minutes.questions.append(question)
        return question

    def _media(self) -> tuple[bytes | None, ...]:
        chance = self._chance
        known = [data for question in self._mine for data in question.media if data]
        if chance.random() < 0.4:
            return ()
        if known and chance.random() < 0.25:
            return (chance.choice(known),)
        if self._minutes.shares and chance.random() < 0.3:
            return (None,)
        return tuple(png(chance, chance.randint(1, 300_000)) for _ in range(chance.randint(1, 2)))

    def _going_on(self) -> Question | None:
        """Give the last turn that was answered, while there is more to say and it is still there."""
        turns = [turn for turn in self._last.turns if turn.fate == "answered"] if self._last else []
        # One that was deleted stays a part of what was built on it, but nothing new is.
        if not turns or len(turns[-1].turns) >= TURNS:
            self._last = None
            return None
        return turns[-1]

    def _ask(self, question: Question, talk: Talk) -> None:
        # Where the answer is lost, nobody knows the id: there is nothing to hold the server to.
        question.fate = "lost"
        if question.way == "stream":
            self._follow(question, talk)
        else:
            answer = talk.ask("POST", URL, body=question.body(), sending=self._sending("question sent"))
            assert answer.status == 200, (question, answer)
            told = json.loads(answer.body)
            question.id, question.fate = told["id"], "told"
            if question.way == "plain":
                assert told["status"] == "completed", question
                question.answer, question.fate = told, "answered"
            else:
                assert told["status"] in ("queued", "in_progress"), question
            self._reach("answered" if question.way == "plain" else "accepted")
        if question.fate == "answered":
            self._read(question, talk)

    def _follow(self, question: Question, talk: Talk) -> None:
        heard = ""
        for event in talk.events("POST", URL, question.body(), self._sending("question sent")):
            match event["event_type"]:
                case "interaction.created":
                    question.id, question.fate = event["interaction"]["id"], "told"
                    self._reach("created")
                case "step.delta":
                    heard += event["delta"]["text"]
                    self._reach("piece")
                case "interaction.completed":
                    question.answer, question.fate = event["interaction"], "answered"
                    self._reach("answered")
                case "error":
                    raise AssertionError((question, event))
        assert heard == question.expected, question

    def _wait(self, question: Question, talk: Talk) -> None:
        """Ask again and again what has become of it."""
        patience = time.monotonic() + PATIENCE_S
        while question.fate == "told":
            assert time.monotonic() < patience, question
            self._read(question, talk)
            self._reach("polled")
            if question.fate == "told":
                time.sleep(0.02)

    def _read(self, question: Question, talk: Talk) -> None:
        answer = talk.get(question.id)
        assert answer.status == 200, (question, answer)
        question.settle(json.loads(answer.body))

    def _delete(self, question: Question, talk: Talk) -> None:
        known, question.found = bool(question.found), {}
        answer = talk.ask("DELETE", f"{URL}/{question.id}", sending=self._sending("delete sent"))
        # A delete whose answer was lost may have happened.
        assert answer.status in ((200,) if known else (200, 404)), (question, answer)
        question.fate = "gone"
        self._reach("deleted")

    def _sending(self, moment: Moment) -> Callable[[int], None]:
        """Spring the snare while bytes leave, or once all have."""
        return lambda count: self._reach("byte sent", count) if count else self._reach(moment)

    def _reach(self, moment: Moment, count: int = 1) -> None:
        if self._snare:
            self._snare.reach(moment, count)


_STEPS: Mapping[Fate, Callable[[Talker, Question, Talk], None]] = {
    "asked": Talker._ask,
    "told": Talker._wait,
    "deleting": Talker._delete,
}


def picture(data: bytes | None) -> Fields:
    """Write a picture as a content."""
    if data is None:
        return {"type": "image", "uri": SHARED}
    return {"type": "image", "mime_type": "image/png", "data": base64.b64encode(data).decode()}


def _brief(found: Fields) -> str:
    return json.dumps(found)[:2000]
