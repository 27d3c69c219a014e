"""What a failure that nobody has translated means to a caller."""

from __future__ import annotations

import logging

from ..domain.errors import Internal, TwinlensError
from ..store.disk import public_error

log = logging.getLogger(__name__)


def to_api_error(failure: Exception) -> TwinlensError:
    """Tell a caller what a failure means that nobody has translated; mostly that it is our fault."""
    if isinstance(failure, TwinlensError):
        return failure
    error = public_error(failure.errno) if isinstance(failure, OSError) else Internal()
    error.__cause__ = failure
    return error


def report(error: TwinlensError, what: str) -> None:
    """Log what no caller is told: a fault of ours in `what`, with its traceback, or what caused a refusal."""
    if isinstance(error, Internal):
        log.error("%s broke", what, exc_info=error)
    elif error.__cause__ is not None:
        log.info("%s: %s", error.message, error.__cause__)


def drop_tracebacks(failure: BaseException) -> None:
    """Let go of the frames that an error has come through.

    They hold the request's media, and errors that refer to one another keep them until the next collection.
    """
    waiting: list[BaseException | None] = [failure]
    while waiting:
        error = waiting.pop()
        if error is not None and error.__traceback__ is not None:
            error.__traceback__ = None
            waiting += (error.__cause__, error.__context__)
            if isinstance(error, BaseExceptionGroup):
                waiting += error.exceptions
