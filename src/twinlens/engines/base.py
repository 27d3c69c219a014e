"""The Engine protocol: what the author of an engine promises, and what an engine is built from."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable
from typing import Any, Protocol

from ..domain.engine import Capabilities, EngineRequest, Event


class EngineSetupError(Exception):
    """An engine cannot be built or started. The sentence is for the operator, and says what to change."""


class Engine(Protocol):
    """Answers questions about media.

    An engine is built by its factory from its own options, quickly and without loading anything heavy;
    `start` loads it and may take long. All methods but `count_text` are called on the event loop's thread.
    A server may run several engines, and the same one several times with other options.
    """

    @property
    def capabilities(self) -> Capabilities:
        """What this engine is and can do. Constant, and known before `start`."""
        ...

    async def start(self) -> None:
        """Load what is needed. Called once, before the first `generate`."""
        ...

    async def stop(self) -> None:
        """Release everything. Called once; no call follows."""
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


EngineFactory = Callable[[Any], Engine]
"""What a name in the registry, or an entry point of the group `twinlens.engines`, must lead to: a class.

It is called with its options: a value of its own `Options` (`engines/options.py`), a frozen dataclass, or of
`NoOptions` where it has none. It raises `EngineSetupError` where something is missing.
"""


def count_characters(text: str) -> int:
    """Count tokens for an engine without a tokenizer: four characters make one, the last may be short."""
    return -(-len(text) // 4)
