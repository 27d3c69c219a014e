"""What a caller asks for, in one form for every dialect."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Generic, Literal, TypeVar

from .clip import Clip
from .media import Data, Json

Role = Literal["user", "model"]
MediaKind = Literal["image", "video", "audio", "document"]
Level = Literal["UNSPECIFIED", "LOW", "MEDIUM", "HIGH", "ULTRA_HIGH"]
MediumT = TypeVar("MediumT", covariant=True)


@dataclass(frozen=True, slots=True)
class Inline:
    """Media bytes that came in the request itself."""

    data: Data


@dataclass(frozen=True, slots=True)
class FileRef:
    """A file of the caller's project, by its id."""

    file_id: str


@dataclass(frozen=True, slots=True)
class Url:
    """Media to be fetched."""

    url: str


@dataclass(frozen=True, slots=True)
class BlobRef:
    """Bytes that a stored interaction keeps: their SHA-256 in hexadecimal, their size, and their type."""

    sha256: str
    size: int
    mime_type: str


Source = Inline | FileRef | Url | BlobRef


@dataclass(frozen=True, slots=True)
class Resolution:
    """How much of a medium to look at: a level, or an exact cap in tokens that wins over it."""

    level: Level = "UNSPECIFIED"
    num_tokens: int | None = None


@dataclass(frozen=True, slots=True)
class Text:
    """A text part; `thought` marks a thought of an earlier answer that the client sent back."""

    text: str
    thought: bool = False


@dataclass(frozen=True, slots=True)
class Media:
    """A media part. `resolution` is the part's own; None leaves it to the request's.

    `clip` says which part of a recording is meant; other media have none, whatever was sent with them.
    `kind` is what the caller said that it is, where the dialect has callers say so.
    """

    source: Source
    mime_type: str | None
    field: str
    resolution: Resolution | None = None
    clip: Clip | None = None
    kind: MediaKind | None = None


@dataclass(frozen=True, slots=True)
class FunctionCall:
    """A function that the caller is to run, or was to run earlier: whole, never in pieces.

    `id` is what the result names. In a request it is empty where the client sent none; an engine without
    ids of its own leaves it empty too, and is given one.
    """

    name: str
    arguments: Mapping[str, Json]
    id: str = ""


# Without slots: in Python 3.11 a frozen generic class that has them cannot be called by its full name,
# FunctionResult[Media](...).
@dataclass(frozen=True)
class FunctionResult(Generic[MediumT]):
    """What a function gave, for the call with this `id`: JSON (None where none was sent), and media.

    The media are `Media` in a request, and what an engine gets of them in an engine's request.
    """

    name: str
    response: Json | None = None
    id: str = ""
    media: tuple[MediumT, ...] = ()


@dataclass(frozen=True, slots=True)
class ExecutableCode:
    """Code that an earlier answer had run. None is what was not sent."""

    language: str | None = None
    code: str | None = None


@dataclass(frozen=True, slots=True)
class CodeExecutionResult:
    """What came of running it. None is what was not sent."""

    outcome: str | None = None
    output: str | None = None


Part = Text | Media | FunctionCall | FunctionResult[Media] | ExecutableCode | CodeExecutionResult


@dataclass(frozen=True, slots=True)
class Turn:
    """One side's say in the conversation."""

    role: Role
    parts: tuple[Part, ...]


@dataclass(frozen=True, slots=True)
class Sampling:
    """How to choose and when to stop. None means: as the engine does by default."""

    temperature: float | None = None
    top_p: float | None = None
    top_k: int | None = None
    seed: int | None = None
    presence_penalty: float | None = None
    frequency_penalty: float | None = None
    max_output_tokens: int | None = None
    stop_sequences: tuple[str, ...] = ()
    candidates: int = 1


@dataclass(frozen=True, slots=True)
class Thinking:
    """Whether to show thoughts, and how much to think (a budget in tokens, or a level)."""

    include: bool = False
    budget: int | None = None
    level: str | None = None


@dataclass(frozen=True, slots=True)
class OutputFormat:
    """The form the answer must have.

    `schema` is plain JSON Schema, whichever way the caller wrote it: types in lower case, `nullable`
    as a type of two, properties in the order they are to be written.
    """

    mime_type: Literal["text/plain", "application/json", "text/x.enum"] = "text/plain"
    schema: Json | None = None


@dataclass(frozen=True, slots=True)
class ToolChoice:
    """Whether functions may be called, must be, or must not, and which of them; none named means all."""

    mode: Literal["AUTO", "ANY", "NONE", "VALIDATED"] = "AUTO"
    allowed: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Request:
    """One question about any number of media, with the conversation before it."""

    model: str
    turns: tuple[Turn, ...]
    system: tuple[Text, ...] = ()
    resolution: Level = "UNSPECIFIED"
    sampling: Sampling = field(default_factory=Sampling)
    thinking: Thinking = field(default_factory=Thinking)
    output: OutputFormat = field(default_factory=OutputFormat)
    tools: Json | None = None
    tool_choice: ToolChoice = field(default_factory=ToolChoice)

    @property
    def media(self) -> tuple[Media, ...]:
        """All media, also those of functions' results, in the order they were sent."""
        return tuple(medium for turn in self.turns for medium in _media(turn.parts))


def _media(parts: Iterable[Part]) -> Iterator[Media]:
    for part in parts:
        if isinstance(part, Media):
            yield part
        elif isinstance(part, FunctionResult):
            yield from part.media
