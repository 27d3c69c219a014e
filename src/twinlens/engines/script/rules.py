"""What a script is made of, whatever file it came from: rules, and the replies they lead to."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import takewhile

from ...domain.engine import Blocked, EngineRequest, Finished, FunctionCall, FunctionResult, Medium
from ...domain.engine_media import Document, Sound, StillImage, TextFile, Video
from ...domain.errors import ResourceExhausted, TwinlensError
from ...domain.media import Json

KIND_OF: Mapping[type[Medium], str] = {
    StillImage: "image",
    Video: "video",
    Sound: "audio",
    Document: "pdf",
    TextFile: "text",
}
"""What a file calls the kinds of media."""


@dataclass(frozen=True, slots=True)
class PromptFeatures:
    """What rules can look at in a request. `text` is the last user turn's.

    `tools` names the functions that may be called, `results` are those of functions since the last answer.
    """

    model: str
    text: str
    system: str
    mime_types: tuple[str, ...]
    kinds: tuple[str, ...]
    turns: int
    schema: Json | None
    tools: tuple[str, ...]
    results: tuple[FunctionResult[Medium], ...]

    @classmethod
    def of(cls, request: EngineRequest) -> PromptFeatures:
        """Extract from a request, once, what all rules match on."""
        return cls(
            model=request.model,
            text=request.question,
            system=request.system,
            mime_types=tuple(medium.mime_type for medium in request.media),
            kinds=tuple(KIND_OF[type(medium)] for medium in request.media),
            turns=len(request.turns),
            schema=request.output.schema,
            tools=tuple(function["name"] for function in request.tools or ()),
            results=tuple(_results(request)),
        )

    def __str__(self) -> str:
        text = self.text if len(self.text) <= 80 else f"{self.text[:79]}…"
        return f"model {self.model!r}, text {text!r}, {len(self.mime_types)} media, {self.turns} turns"


def _results(request: EngineRequest) -> Iterator[FunctionResult[Medium]]:
    for turn in takewhile(lambda turn: turn.role == "user", reversed(request.turns)):
        yield from (part for part in turn.parts if isinstance(part, FunctionResult))


Test = Callable[[PromptFeatures], bool]


@dataclass(frozen=True, slots=True)
class Chunk:
    """A piece of an answer, sent after `delay_s` seconds. `{text}` and `{media}` are filled in."""

    text: str
    delay_s: float = 0.0
    is_template: bool = False

    def filled(self, asked: PromptFeatures) -> str:
        """Write the piece for one request."""
        if not self.is_template:
            return self.text
        # The caller's text comes last: what stands in it is never filled in.
        return self.text.replace("{media}", str(len(asked.mime_types))).replace("{text}", asked.text)


@dataclass(frozen=True, slots=True)
class ScriptedError:
    """An error to raise, built anew each time."""

    kind: type[TwinlensError]
    message: str
    retry_after_s: float | None = None

    def error(self) -> TwinlensError:
        """Make the error."""
        if self.kind is ResourceExhausted:
            return ResourceExhausted(self.message, retry_after_s=self.retry_after_s)
        return self.kind(self.message)


@dataclass(frozen=True, slots=True)
class Reply:
    """What is sent, in this order: after `delay_s` seconds the thoughts, the chunks, the calls, the end."""

    chunks: tuple[Chunk, ...] = ()
    calls: tuple[FunctionCall, ...] = ()
    thoughts: tuple[str, ...] = ()
    delay_s: float = 0.0
    end: Finished | Blocked | ScriptedError = Finished()


@dataclass(frozen=True, slots=True)
class Rule:
    """A reply for the requests that pass all tests; at most `times` times, where that is set."""

    tests: tuple[Test, ...]
    reply: Reply
    times: int | None = None

    def fits(self, asked: PromptFeatures) -> bool:
        """Whether a request passes all tests."""
        return all(test(asked) for test in self.tests)


@dataclass(frozen=True, slots=True)
class Script:
    """Rules in the order they are tried, and the reply where none fits. `name` is the file's."""

    name: str
    rules: tuple[Rule, ...] = ()
    default: Reply | None = None
