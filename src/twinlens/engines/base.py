"""The Engine protocol: what the author of an engine promises, and what an engine is built from."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from ..domain.engine import Capabilities, EngineRequest, Event


class EngineSetupError(Exception):
    """An engine cannot be built or started. The sentence is for the operator, and says what to change."""


@dataclass(frozen=True, slots=True)
class EngineOptions:
    """What the operator said about the engine; each engine uses what concerns it.

    `model` is which model to load, `script` the answers file, `processes` how many to work in, and
    `speech_model` what writes down speech.
    """

    model: str | None = None
    script: Path | None = None
    processes: int = 1
    speech_model: Path | None = None


class Engine(Protocol):
    """Answers questions about media.

    An engine is built by its factory from its settings section, quickly and without loading anything
    heavy; `start` loads it and may take long. All methods but `count_text` are called on the event loop's
    thread.
    """

    @property
    def capabilities(self) -> Capabilities:
        """What this engine is and can do. Constant, and known before `start`."""
        ...

    async def start(self) -> None:
        """Load what is needed. Called once, before the first `generate`."""
        ...

    async def stop(self) -> None:
        """Let go of everything. Called once; no call follows."""
        ...

    def count_text(self, text: str) -> int:
        """Count the tokens of a text, by this engine's own tokenizer. Pure and quick.

        Called on any thread. Joined texts have no more tokens than their pieces together.
        """
        ...

    def generate(self, request: EngineRequest) -> AsyncGenerator[Event, None]:
        """Answer once (one candidate), yielding events as they come and `Finished` or `Blocked` last.

        Closing the iterator cancels the work. A failure is raised as a `TwinlensError`. Stop
        sequences and the output limit may be ignored here: the pipeline enforces them.
        """
        ...


EngineFactory = Callable[[EngineOptions], Engine]
"""What a name in the registry, or an entry point of the group `twinlens.engines`, must lead to."""


def count_characters(text: str) -> int:
    """Count tokens for an engine without a tokenizer: four characters make one, the last may be short."""
    return -(-len(text) // 4)
