"""What can go wrong on the client's side, as one tree. Every message is a sentence for the user.

    ClientError
      Unreachable      nobody answers at the address
      Broken           the connection ended before the answer came, or no answer came in time
      Refused          the server said no, with its own message
      Gone             the server no longer knows the upload
      OutOfStep        the upload is elsewhere than this side believed
      SourceChanged    the file changed while it was being sent
      NotFinished      the server takes longer than anyone should wait

`Refused` is of use to the caller by its `code`; whether trying again may help is asked of the error.
"""

from __future__ import annotations


class ClientError(Exception):
    """An error with a sentence for the user; `advice` is a second one, on what to do now."""

    passing = False
    """Whether the same request may succeed a little later."""
    retry_after_s = 0.0
    """How long the server asked to be left alone."""
    advice = ""

    def long_message(self) -> str:
        """Give both sentences, for the one who has to act on them."""
        end = "" if str(self).endswith((".", "?", "!")) else "."
        return f"{self}{end} {self.advice}" if self.advice else str(self)


class Unreachable(ClientError):
    """Nobody answers at the server's address."""

    passing = True
    advice = "Is it running? `twinlens serve` starts one; --server names another."

    def __init__(self, server: str, why: str) -> None:
        super().__init__(f"The server at {server} cannot be reached ({why}).")


class Broken(ClientError):
    """The connection ended before the answer came, or no answer came in time."""

    passing = True


class Refused(ClientError):
    """The server said no. `received` is how far the upload got, where the answer tells."""

    def __init__(
        self,
        code: int,
        message: str,
        *,
        advice: str = "",
        passing: bool = False,
        retry_after_s: float = 0.0,
        received: int | None = None,
    ) -> None:
        super().__init__(message)
        self.code = code
        self.advice = advice
        self.passing = passing
        self.retry_after_s = retry_after_s
        self.received = received


class Gone(ClientError):
    """The server no longer knows the upload."""

    def __init__(self) -> None:
        super().__init__("The server no longer knows this upload.")


class OutOfStep(ClientError):
    """The upload is elsewhere than this side believed; the server is to be asked."""

    passing = True


class SourceChanged(ClientError):
    """The file changed while it was being sent."""


class NotFinished(ClientError):
    """The server takes longer than anyone should wait."""
