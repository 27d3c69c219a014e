"""An interaction that is being run, and its watchers.

Its status (`Outcome.status`), and who changes it:

    (created)   ── Scheduler.start ──▶  queued        a background one finds no free run slot
                                        in_progress   all others
    queued      ── Executor, when it gets its slot ──▶  in_progress
    in_progress ── the engine's last chunk ──▶  completed        STOP
                                                requires_action  STOP, with function calls
                                                incomplete       MAX_TOKENS
                                                failed           any other reason, or a blocked prompt
    queued, in_progress ── an error, a timeout, or a restart too many ──▶  failed
    queued, in_progress ── Scheduler.cancel, Scheduler.delete ──▶  cancelled

A restart of the server leaves both first states as they are, for `Scheduler.recover`: background ones are
resumed, one in_progress with another attempt; all others become failed. The rest is final.
"""

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
"""The status that follows from an answer's finish reason; every other reason means failed."""


class Job:
    """The state of one running interaction: one task changes it, any number watch.

    `failure` is the error that ended it, for watchers that have received nothing yet. `media_stored` is set
    when the bytes of its media are stored; `is_announced`, guarded by the lock `announcing`, says that a
    caller may know of it; `is_added` that it may be in the store.
    """

    def __init__(self, interaction: Interaction) -> None:
        self.failure: TwinlensError | None = None
        self.is_announced = self.is_added = False
        self.announcing = asyncio.Lock()
        self.media_stored = asyncio.Event()
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
            # Chunks come much more often than a watcher reads.
            outcome = replace(self._interaction.outcome, said=self._said, usage=self._usage)
            self._interaction, self._is_stale = replace(self._interaction, outcome=outcome), False
        return self._interaction

    async def wait_announced(self) -> Interaction:
        """Wait until it is certain that the interaction will exist; raise the error that prevented it."""
        await self._settled.wait()
        if self.failure and not self.is_announced:
            raise self.failure
        return self.interaction

    async def finished(self) -> Interaction:
        """Wait for the end and return the interaction; raise the error that ended it, if any."""
        async for _ in self.changes():
            pass
        if self.failure:
            raise self.failure
        return self.interaction

    async def changes(self) -> AsyncGenerator[Interaction, None]:
        """Yield the interaction as it is, and again after each change, until it is finished."""
        while True:
            changed, now = self._changed, self.interaction
            yield now
            if now.finished:
                return
            if self._is_released:
                raise Unavailable("The server is stopping. The interaction goes on when it is back.")
            await changed.wait()

    def release(self) -> None:
        """Disconnect all watchers; the work goes on."""
        self._is_released = True
        self._wake()

    def announce(self) -> None:
        """Let watchers know that the interaction exists now."""
        self.is_announced = True
        self._settled.set()

    def set_media(self, media: tuple[BlobRef | None, ...]) -> None:
        """Record where its media are stored so far."""
        self._interaction = replace(self.interaction, media=media)

    def release_body(self) -> None:
        """Free the request body: it is in the store, and the run slot may come late."""
        self._interaction = replace(self.interaction, sent=b"")

    def mark_running(self) -> None:
        """Move from queued to in_progress."""
        self._set(replace(self.interaction.outcome, status="in_progress"))

    def set_plan(self, usage: Usage, media: tuple[BlobRef | None, ...]) -> None:
        """Record the planned usage, and where its media are stored."""
        self.set_media(media)
        self._usage, self._is_stale = usage, True

    def add_chunk(self, piece: Answer) -> None:
        """Add a chunk of the answer. The status that follows from the last one is published by `end`."""
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
        """Wait for the first chunk, at most `patience_s`; return whether it came."""
        with suppress(TimeoutError):
            async with asyncio.timeout(patience_s):
                await self._has_output.wait()
        return self._has_output.is_set()

    @property
    def has_output(self) -> bool:
        """Whether the engine has produced any output."""
        return self._has_output.is_set()

    @property
    def is_whole(self) -> bool:
        """Whether the last chunk of the answer was added."""
        return self._ending is not None

    @property
    def outcome(self) -> Outcome:
        """The outcome of the whole answer, once its last chunk was added."""
        status, failure = self._ending or ("completed", None)
        return replace(self.interaction.outcome, status=status, failure=failure)

    def end(self, outcome: Outcome, time: datetime, error: TwinlensError | None = None) -> None:
        """Publish how it ended; called after that is stored, where it is stored."""
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
