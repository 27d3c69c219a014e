"""The Engine protocol: what the author of an engine promises."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Protocol

from ..domain.engine import Capabilities, EngineRequest, Event


class Engine(Protocol):
    """Answers questions about media.

    An engine is built by its factory from its settings section, quickly and without loading anything
    heavy; `start` loads it and may take long. All methods are called on the event loop's thread.
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
        """Count the tokens of a text, by this engine's own tokenizer. Pure and quick."""
        ...

    def generate(self, request: EngineRequest) -> AsyncIterator[Event]:
        """Answer once (one candidate), yielding events as they come and `Finished` or `Blocked` last.

        Closing the iterator cancels the work. A failure is raised as a `TwinlensError`. Stop
        sequences and the output limit may be ignored here: the pipeline enforces them.
        """
        ...
