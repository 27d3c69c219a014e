"""An interaction that is being worked on, and those who wait for what comes of it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import suppress
from dataclasses import replace
from datetime import datetime

from ..domain.answer import Answer
from ..domain.engine import Finished, FunctionCall, OutputPart, Usage
from ..domain.errors import TwinlensError, Unavailable
from ..domain.interaction import Failure, Interaction, Outcome, Status
from ..domain.request import BlobRef

STATUS_OF: dict[str, Status] = {"STOP": "completed", "MAX_TOKENS": "incomplete"}
"""What an interaction is when its answer has ended so; for every other reason it has failed."""


class Job:
    """The state of one interaction under way: one task changes it, any number watch.

    `failure` is the error that ended it, for those who have not been told anything yet. `kept` is set when
    the bytes of its media are; `is_announced` says that somebody may know of it, under the lock `announcing`;
    `is_added` that there may be a record of it.
    """

    def __init__(self, interaction: Interaction) -> None:
        self.failure: TwinlensError | None = None
        self.is_announced = self.is_added = False
        self.announcing = asyncio.Lock()
        self.kept = asyncio.Event()
        self._interaction = interaction
        self._said: list[OutputPart] = []
        self._usage: Usage | None = None
        self._ending: tuple[Status, Failure | None] | None = None
        self._is_stale = self._is_released = False
        self._has_output, self._changed, self._settled = asyncio.Event(), asyncio.Event(), asyncio.Event()

    @property
    def interaction(self) -> Interaction:
        """The interaction as it is."""
        if self._is_stale:
            # A piece comes much more often than anybody looks.
            outcome = replace(self._interaction.outcome, said=self._said, usage=self._usage)
            self._interaction, self._is_stale = replace(self._interaction, outcome=outcome), False
        return self._interaction

    async def wait_announced(self) -> Interaction:
        """Wait until it is sure that there will be an interaction; raise what was in the way."""
        await self._settled.wait()
        if self.failure and not self.is_announced:
            raise self.failure
        return self.interaction

    async def finished(self) -> Interaction:
        """Wait for the end; raise what kept it from a good one."""
        async for _ in self.changes():
            pass
        if self.failure:
            raise self.failure
        return self.interaction

    async def changes(self) -> AsyncGenerator[Interaction, None]:
        """Give the interaction as it is, and again whenever there is more of it, until it is finished."""
        while True:
            changed, now = self._changed, self.interaction
            yield now
            if now.finished:
                return
            if self._is_released:
                raise Unavailable("The server is stopping. The interaction goes on when it is back.")
            await changed.wait()

    def release(self) -> None:
        """Let those go who watch; the work is left as it is."""
        self._is_released = True
        self._wake()

    def announce(self) -> None:
        """Tell those who wait that there is an interaction now."""
        self.is_announced = True
        self._settled.set()

    def set_media(self, media: tuple[BlobRef | None, ...]) -> None:
        """Remember what is kept of its media so far."""
        self._interaction = replace(self.interaction, media=media)

    def release_body(self) -> None:
        """Let go of what was sent: the store has it, and the turn may come late."""
        self._interaction = replace(self.interaction, sent=b"")

    def mark_running(self) -> None:
        """Take it up: it waits no more."""
        self._set(replace(self.interaction.outcome, status="in_progress"))

    def set_plan(self, usage: Usage, media: tuple[BlobRef | None, ...]) -> None:
        """Remember what the question costs, and what is kept of its media."""
        self.set_media(media)
        self._usage, self._is_stale = usage, True

    def add_chunk(self, piece: Answer) -> None:
        """Add a piece of the answer. How it ended, which the last one says, is not told yet."""
        for candidate in piece.candidates:
            self._said += (said for said in candidate.parts if isinstance(said, FunctionCall) or said.text)
            if candidate.finish:
                self._ending = self._ended(candidate.finish)
        if piece.blocked:
            reason = piece.blocked.reason
            self._ending = "failed", Failure(reason, f"The prompt was blocked: {reason}.")
        self._usage, self._is_stale = piece.usage, True
        self._has_output.set()
        self._wake()

    async def first_chunk(self, patience_s: float) -> bool:
        """Wait for the first piece, but no longer than that; say whether it came."""
        with suppress(TimeoutError):
            async with asyncio.timeout(patience_s):
                await self._has_output.wait()
        return self._has_output.is_set()

    @property
    def has_output(self) -> bool:
        """Whether the engine has said anything."""
        return self._has_output.is_set()

    @property
    def is_whole(self) -> bool:
        """Whether the last piece of the answer was taken."""
        return self._ending is not None

    @property
    def outcome(self) -> Outcome:
        """What it has come to, now that the whole answer was taken."""
        status, failure = self._ending or ("completed", None)
        return replace(self.interaction.outcome, status=status, failure=failure)

    def end(self, outcome: Outcome, time: datetime, error: TwinlensError | None = None) -> None:
        """Tell how it ended: after that is written down, where it is."""
        self.failure = error
        self._interaction = replace(self.interaction, updated=time)
        self._set(outcome)
        self._settled.set()

    def _ended(self, finish: Finished) -> tuple[Status, Failure | None]:
        status = STATUS_OF.get(finish.reason, "failed")
        if status == "failed":
            return status, Failure(finish.reason, finish.message or f"The answer was cut: {finish.reason}.")
        calls = any(isinstance(said, FunctionCall) for said in self._said)
        return "requires_action" if calls and status == "completed" else status, None

    def _set(self, outcome: Outcome) -> None:
        self._interaction, self._is_stale = replace(self.interaction, outcome=outcome), False
        self._wake()

    def _wake(self) -> None:
        changed, self._changed = self._changed, asyncio.Event()
        changed.set()
