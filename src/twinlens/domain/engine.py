"""The seam to whoever answers: what an engine is given, what it says back, what it can do."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Literal

from .engine_media import Document, Sound, StillImage, TextFile, Video
from .geometry import Geometry
from .media import Json, Modality
from .rendering import text_of
from .request import (
    CodeExecutionResult,
    ExecutableCode,
    OutputFormat,
    Role,
    Sampling,
    Thinking,
    ToolChoice,
)

# Engines read and give these: whoever writes one finds them here.
from .request import FunctionCall as FunctionCall
from .request import FunctionResult as FunctionResult

FinishReason = Literal[
    "STOP",
    "MAX_TOKENS",
    "SAFETY",
    "RECITATION",
    "LANGUAGE",
    "OTHER",
    "BLOCKLIST",
    "PROHIBITED_CONTENT",
    "SPII",
    "MALFORMED_RESPONSE",
]
BlockReason = Literal["SAFETY", "OTHER", "BLOCKLIST", "PROHIBITED_CONTENT", "IMAGE_SAFETY"]


ImageForm = Literal["pixels", "jpeg", "png", "webp"]
AudioForm = Literal["samples", "wav"]


@dataclass(frozen=True, slots=True)
class MediaForms:
    """In which form an engine wants each kind of media: decoded, or encoded anew at the budget's size."""

    image: ImageForm = "pixels"
    frame: ImageForm = "pixels"
    page: ImageForm = "pixels"
    audio: AudioForm = "samples"


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What an engine is, and how the pipeline must prepare media for it.

    `geometry` sizes images, frames and pages by their budget; `calls` says whether its answers may ask for
    functions to be run.
    """

    name: str
    model: str
    geometry: Geometry
    thinks: bool = False
    calls: bool = False
    media: MediaForms = MediaForms()


Medium = StillImage | Video | Sound | Document | TextFile

InputPart = str | Medium | FunctionCall | FunctionResult[Medium] | ExecutableCode | CodeExecutionResult
"""What a turn is made of: texts are plain strings, whatever they look like."""


@dataclass(frozen=True, slots=True)
class EngineTurn:
    """One side's say, its texts, media, calls and results in the order they were sent."""

    role: Role
    parts: tuple[InputPart, ...]

    @property
    def media(self) -> tuple[Medium, ...]:
        """All media, also those of results, in order."""
        return tuple(_media(self.parts))

    @property
    def text(self) -> str:
        """All texts, joined by line breaks; calls and results stand among them as they are counted."""
        return "\n".join(part for part in self.as_text().parts if isinstance(part, str))

    def as_text(self) -> EngineTurn:
        """Return the turn in texts and media alone: calls and results as texts, a result's media after it."""
        return replace(self, parts=tuple(piece for part in self.parts for piece in _as_text(part)))


def _media(parts: Iterable[InputPart]) -> Iterator[Medium]:
    for part in parts:
        if isinstance(part, Medium):
            yield part
        elif isinstance(part, FunctionResult):
            yield from part.media


def _as_text(part: InputPart) -> tuple[str | Medium, ...]:
    if isinstance(part, str | Medium):
        return (part,)
    return text_of(part), *_media((part,))


@dataclass(frozen=True, slots=True)
class EngineRequest:
    """Everything an engine may use. `model` is the name the caller asked for."""

    model: str
    turns: tuple[EngineTurn, ...]
    system: str = ""
    sampling: Sampling = field(default_factory=Sampling)
    thinking: Thinking = field(default_factory=Thinking)
    output: OutputFormat = field(default_factory=OutputFormat)
    tools: Json | None = None
    tool_choice: ToolChoice = field(default_factory=ToolChoice)

    @property
    def images(self) -> tuple[StillImage, ...]:
        """All images of the conversation, in order."""
        return tuple(medium for medium in self.media if isinstance(medium, StillImage))

    @property
    def media(self) -> tuple[Medium, ...]:
        """All media of the conversation, in order."""
        return tuple(medium for turn in self.turns for medium in turn.media)

    @property
    def question(self) -> str:
        """The text of the last user turn."""
        return next((turn.text for turn in reversed(self.turns) if turn.role == "user"), "")

    def as_text(self) -> EngineRequest:
        """Return the request for an engine that reads texts and media alone. In proportion to its texts."""
        return replace(self, turns=tuple(turn.as_text() for turn in self.turns))


@dataclass(frozen=True, slots=True)
class Text:
    """The next piece of the answer. `more` is an engine's word that this is not the last one: it need not
    wait for what comes next. Without it, nothing is said.
    """

    text: str
    more: bool = field(default=False, compare=False)


@dataclass(frozen=True, slots=True)
class Thought:
    """The next piece of what was weighed on the way; sent only where thoughts were asked for."""

    text: str


@dataclass(frozen=True, slots=True)
class Blocked:
    """The prompt was refused; nothing else follows."""

    reason: BlockReason


@dataclass(frozen=True, slots=True)
class EngineUsage:
    """Tokens that an engine really spent, by its own count; None where it cannot tell.

    `prompt` is all input, media included; `cached` the part of it that the engine did not have to read again.
    """

    prompt: int | None = None
    output: int | None = None
    thoughts: int | None = None
    cached: int | None = None

    def __add__(self, other: EngineUsage) -> EngineUsage:
        return EngineUsage(
            _sum(self.prompt, other.prompt),
            _sum(self.output, other.output),
            _sum(self.thoughts, other.thoughts),
            _sum(self.cached, other.cached),
        )


def _sum(*counts: int | None) -> int | None:
    known = [count for count in counts if count is not None]
    return sum(known) if known else None


@dataclass(frozen=True, slots=True)
class Finished:
    """The end of one candidate, and why it ended. `message` is for people.

    With `usage`, output and thoughts are billed as the engine reports them; the prompt never is.
    """

    reason: FinishReason = "STOP"
    message: str | None = None
    usage: EngineUsage | None = None


OutputPart = Text | Thought | FunctionCall
"""What an answer is made of."""

Event = OutputPart | Blocked | Finished


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens of one answer: the contract's figures, and what the engine really spent.

    `engine_media` is planned, and `engine` what it reported, over all candidates.
    """

    prompt: Mapping[Modality, int]
    candidates: int = 0
    thoughts: int = 0
    engine_media: int = 0
    engine: EngineUsage = field(default_factory=EngineUsage)

    @property
    def prompt_total(self) -> int:
        """All input tokens."""
        return sum(self.prompt.values())

    @property
    def total(self) -> int:
        """Input, output and thoughts together."""
        return self.prompt_total + self.candidates + self.thoughts
