"""Every error twinlens answers with, as one tree.

    TwinlensError                 what went wrong, for the caller's eyes
      InvalidArgument             400  the request is wrong: the message says what to change
        BadMedia                       the bytes are not what they should be, or too much
        PayloadTooLarge                the whole request is over the size limit
      InvalidApiKey               400  a key was sent that this server does not know
      FailedPrecondition          400  the request is right, but not now
      Unauthenticated             401
      PermissionDenied            403  no key, or not the caller's file
      NotFound                    404  no such model, method or upload session
        UnknownModel                   no such model, and what is known of its name
      AlreadyExists               409
      ResourceExhausted           429  a quota or a queue is full; carries when to try again
      Cancelled                   499
      Internal                    500  our fault; the cause is logged, never sent
      Unimplemented               501
      Unavailable                 503
      DeadlineExceeded            504

Which HTTP status a class has is known to `wire/status.py` alone.
The public message and the cause are two things: raise `… from cause` and the log gets both.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar


@dataclass(frozen=True, slots=True)
class Violation:
    """One field that is wrong: its snake_case path (`contents[0].parts[1].text`), and why."""

    field: str
    description: str


class TwinlensError(Exception):
    """An error with a canonical status, a sentence for the caller, and the fields it is about."""

    status: ClassVar[str] = "UNKNOWN"

    def __init__(
        self, message: str, *, field: str | None = None, violations: Sequence[Violation] = ()
    ) -> None:
        super().__init__(message)
        self.message = message
        self.violations = tuple(violations) or ((Violation(field, message),) if field else ())


class InvalidArgument(TwinlensError):
    """The request is wrong; the message says what to change."""

    status = "INVALID_ARGUMENT"


class BadMedia(InvalidArgument):
    """Media bytes that cannot be read, are not what they claim to be, or exceed a limit."""


class PayloadTooLarge(InvalidArgument):
    """The request body is larger than the server accepts."""

    def __init__(self, limit_bytes: int) -> None:
        super().__init__(f"Request payload size exceeds the limit: {limit_bytes} bytes.")


class InvalidApiKey(TwinlensError):
    """A key was sent, and it is none of the configured ones."""

    status = "INVALID_ARGUMENT"

    def __init__(self) -> None:
        super().__init__("API key not valid. Please pass a valid API key.")


class FailedPrecondition(TwinlensError):
    """The request is right, but the state of the thing it names does not allow it."""

    status = "FAILED_PRECONDITION"


class Unauthenticated(TwinlensError):
    """The credential's form is not one that can be accepted."""

    status = "UNAUTHENTICATED"


class PermissionDenied(TwinlensError):
    """The caller may not do this, or the thing may not exist: the two are not told apart."""

    status = "PERMISSION_DENIED"


class NotFound(TwinlensError):
    """There is no such model, method, operation or upload session."""

    status = "NOT_FOUND"


class UnknownModel(NotFound):
    """There is no such model. `why` is a sentence about its name, `paints` tells a maker of images."""

    def __init__(self, model: str, why: str = "", *, paints: bool = False) -> None:
        super().__init__(". ".join(filter(None, (f"Model not found: models/{model}", why))))
        self.why = why
        self.paints = paints


class AlreadyExists(TwinlensError):
    """The name is taken."""

    status = "ALREADY_EXISTS"


class ResourceExhausted(TwinlensError):
    """A quota is used up or the queue is full; `retry_after_s` says when to come back."""

    status = "RESOURCE_EXHAUSTED"

    def __init__(self, message: str, *, retry_after_s: float | None = None) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


class Cancelled(TwinlensError):
    """The client went away."""

    status = "CANCELLED"


class Internal(TwinlensError):
    """Our fault. The cause is logged and never sent."""

    status = "INTERNAL"

    def __init__(self, message: str = "An internal error has occurred. Please retry.") -> None:
        super().__init__(message)


class Unimplemented(TwinlensError):
    """A method of the API that twinlens does not serve."""

    status = "UNIMPLEMENTED"


class Unavailable(TwinlensError):
    """The engine cannot answer now; trying again may help."""

    status = "UNAVAILABLE"


class DeadlineExceeded(TwinlensError):
    """The time the client or the operator allowed is over."""

    status = "DEADLINE_EXCEEDED"
