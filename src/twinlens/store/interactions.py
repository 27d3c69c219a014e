"""Stored interactions of a project: each a request, its outcome, and what it continues.

One that is missing, deleted, expired, or another project's looks the same from outside: not found. Later
turns that were built on it keep it as a part of their history all the same, until the last of them goes.
Bytes of media lie among the contents; records only name them.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from ..concurrency.locks import uncancelled
from ..domain.clock import Clock
from ..domain.interaction import Interaction, Outcome
from ..domain.request import BlobRef
from .contents import Contents
from .quota import interactions_exhausted
from .records import Cleared, InteractionRecords, InteractionUsage, Limits

STEP = 100
"""Rows that go in one transaction, when the last turn of a long conversation is deleted."""


class InteractionStore:
    """Keeps interactions for `lifetime`, in at most `max_bytes` for each project.

    Whoever names media here first puts their bytes among the `contents`, pinned meanwhile.
    """

    def __init__(
        self,
        records: InteractionRecords,
        contents: Contents,
        clock: Clock,
        *,
        lifetime: timedelta,
        max_bytes: int,
    ) -> None:
        self._records = records
        self._contents = contents
        self._clock = clock
        self._lifetime = lifetime
        self._max_bytes = max_bytes

    async def add(self, project: str, interaction: Interaction) -> None:
        """Store a new interaction. What it continues must still be there, and the project must have quota."""
        await self._records.add(project, interaction, self._limits())

    async def check_room(self, project: str, size: int) -> None:
        """Raise where so many bytes more are over the project's quota, before any work is done."""
        used = await self._records.used(project)
        if used + size > self._max_bytes:
            raise interactions_exhausted(used, self._max_bytes)

    async def get(self, project: str, interaction_id: str) -> Interaction:
        """Return an interaction."""
        return await self._records.get(project, interaction_id, self._oldest())

    async def history(self, project: str, interaction_id: str) -> tuple[Interaction, ...]:
        """Return an interaction and all that it was built on, deleted or not, oldest first."""
        return await self._records.history(project, interaction_id, self._oldest())

    async def update(
        self,
        project: str,
        interaction_id: str,
        outcome: Outcome,
        media: tuple[BlobRef | None, ...] | None = None,
        *,
        time: datetime | None = None,
    ) -> bool:
        """Store its outcome and its media; False where it is deleted, or is finished.

        `time` is when; now, where none is given.

        Media that the project has no room for are refused, and nothing is written. An answer is not.
        """
        return await self._records.update(project, interaction_id, outcome, media, self._limits(time))

    async def retry(self, project: str, interaction_id: str) -> Interaction:
        """Queue an unfinished one again, with no output; what was sent is left out."""
        return await self._records.retry(project, interaction_id, self._limits())

    async def unfinished(self) -> Sequence[tuple[str, Interaction]]:
        """Return the unfinished ones of all projects, oldest first, each with its project.

        What was sent is left out.
        """
        return await self._records.unfinished(self._oldest())

    async def delete(self, project: str, interaction_id: str) -> None:
        """Delete an interaction, and with it what only it still referenced."""
        await uncancelled(self._delete(project, interaction_id))

    async def remove_expired(self, limit: int) -> Cleared | None:
        """Remove up to `limit` expired ones, but those that others continue; None is the end.

        Their bytes are the caller's to drop.
        """
        return await self._records.remove_expired(limit, self._oldest())

    async def usage(self) -> InteractionUsage:
        """Count what is stored."""
        return await self._records.usage(self._oldest())

    async def _delete(self, project: str, interaction_id: str) -> None:
        cleared = await self._records.delete(project, interaction_id, STEP, self._oldest())
        while cleared.removed:
            # Bytes go only after it is certain that the records are gone.
            for blob in cleared.blobs:
                await self._contents.drop_unused(blob.sha256)
            cleared = await self._records.remove_dead(STEP)

    def _limits(self, time: datetime | None = None) -> Limits:
        return Limits(self._max_bytes, time or self._clock(), self._oldest())

    def _oldest(self) -> datetime:
        return self._clock() - self._lifetime
