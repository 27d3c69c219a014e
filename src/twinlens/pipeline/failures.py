"""From unexpected failures to API errors, and to the log."""

from __future__ import annotations

import logging

from ..domain.errors import Internal, TwinlensError
from ..store.disk import public_error

log = logging.getLogger(__name__)


def to_api_error(failure: Exception) -> TwinlensError:
    """Return the API error for a failure that nobody has translated: mostly `Internal`."""
    if isinstance(failure, TwinlensError):
        return failure
    error = public_error(failure.errno) if isinstance(failure, OSError) else Internal()
    error.__cause__ = failure
    return error


def report(error: TwinlensError, what: str) -> None:
    """Log what the caller does not see: an internal error's traceback, or another error's cause."""
    if isinstance(error, Internal):
        log.error("%s broke", what, exc_info=error)
    elif error.__cause__ is not None:
        log.info("%s: %s", error.message, error.__cause__)


def drop_tracebacks(failure: BaseException) -> None:
    """Drop the tracebacks of an error and of its causes.

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
