"""What comes back on a call to another process: items, then a result or why there is none."""

from __future__ import annotations

import asyncio
import traceback
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ..domain.errors import TwinlensError


class PeerLost(Exception):
    """The other process has ended or hung up before the result came."""


class RemoteError(Exception):
    """What went wrong in the other process, as text: not every exception survives the way."""


@dataclass(frozen=True, slots=True)
class Failure:
    """An error on its way to the other process: one of ours whole, any other as the text of its traceback."""

    kind: type[TwinlensError] | None
    arguments: tuple[Any, ...] = ()
    state: Mapping[str, Any] = field(default_factory=dict)
    text: str = ""

    @classmethod
    def of(cls, error: BaseException) -> Failure:
        """Return what of an error can be sent."""
        if isinstance(error, TwinlensError):
            return cls(type(error), error.args, dict(error.__dict__))
        return cls(None, text="".join(traceback.format_exception(error)))

    def error(self) -> Exception:
        """Return the error as it was, or a `RemoteError` with its text."""
        if self.kind is None:
            return RemoteError(self.text)
        error = self.kind.__new__(self.kind)
        error.args = self.arguments
        error.__dict__.update(self.state)
        return error


@dataclass(frozen=True, slots=True)
class End:
    """The end of a call: its result, or why there is none."""

    result: Any = None
    failure: Exception | None = None

    def value(self) -> Any:
        """Return the result, or raise what there is in its place."""
        if self.failure is not None:
            raise self.failure
        return self.result


class Answers:
    """What comes back on one call, until its end."""

    def __init__(self, number: int) -> None:
        self.number = number
        self.is_over = False
        self._queue: asyncio.Queue[Any] = asyncio.Queue()

    def put(self, answer: object) -> None:
        """Add an item, or the end."""
        self.is_over = self.is_over or isinstance(answer, End)
        self._queue.put_nowait(answer)

    async def get(self) -> Any:
        """Wait for the next."""
        return await self._queue.get()
