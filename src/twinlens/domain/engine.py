"""The seam to whoever answers: what an engine is given, what it says back, what it can do."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from .engine_media import Document, Sound, TextFile, Video
from .geometry import Geometry
from .media import Image, Json, Modality
from .request import OutputFormat, Role, Sampling, Thinking, ToolChoice

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


Medium = Image | Video | Sound | Document | TextFile

Segment = str | Medium


@dataclass(frozen=True, slots=True)
class EngineTurn:
    """One side's say, media and text in the order they were sent."""

    role: Role
    segments: tuple[Segment, ...]


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
    def images(self) -> tuple[Image, ...]:
        """All pictures of the conversation, in order."""
        return tuple(s for turn in self.turns for s in turn.segments if isinstance(s, Image))

    @property
    def media(self) -> tuple[Medium, ...]:
        """All media of the conversation, in order."""
        return tuple(s for turn in self.turns for s in turn.segments if not isinstance(s, str))

    @property
    def question(self) -> str:
        """The text of the last user turn, its pieces joined by line breaks."""
        for turn in reversed(self.turns):
            if turn.role == "user":
                return "\n".join(s for s in turn.segments if isinstance(s, str))
        return ""


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
class FunctionCall:
    """A function that the caller is to run: whole, never in pieces.

    `id` is what the result will name; an engine without ids of its own leaves it empty, and is given one.
    """

    name: str
    arguments: Mapping[str, Json]
    id: str = ""


@dataclass(frozen=True, slots=True)
class Blocked:
    """The prompt was refused; nothing else follows."""

    reason: BlockReason


@dataclass(frozen=True, slots=True)
class Finished:
    """The end of one candidate, and why it ended. `message` is for people."""

    reason: FinishReason = "STOP"
    message: str | None = None


OutputPart = Text | Thought | FunctionCall
"""What an answer is made of."""

Event = OutputPart | Blocked | Finished


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens of one answer: the contract's figures, and what the engine really spent on the media."""

    prompt: Mapping[Modality, int]
    candidates: int = 0
    thoughts: int = 0
    engine_media: int = 0

    @property
    def prompt_total(self) -> int:
        """All input tokens."""
        return sum(self.prompt.values())

    @property
    def total(self) -> int:
        """Input, output and thoughts together."""
        return self.prompt_total + self.candidates + self.thoughts
