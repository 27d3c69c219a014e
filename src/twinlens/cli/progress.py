"""How an upload goes, for the one who waits: a bar on a terminal, plain lines elsewhere.

All of it goes to the standard error, so that the standard output holds results only.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

import click
from rich.console import Console, RenderableType
from rich.progress import (
    BarColumn,
    DownloadColumn,
    Progress,
    ProgressColumn,
    SpinnerColumn,
    Task,
    TaskProgressColumn,
    TextColumn,
    TimeRemainingColumn,
    TransferSpeedColumn,
)
from rich.table import Column
from rich.text import Text

from ..client.errors import ClientError
from .output import printable, shorten, size_of

_LONGEST_NAME = 24
_LOOKS = "the server looks at the file."


class Report:
    """Tells of one upload in plain lines: for a log or a pipe, nothing that moves."""

    def __init__(self, name: str, size: int) -> None:
        self.name = printable(name)
        self.size = size
        self.first = self.position = 0

    def moved(self, position: int) -> None:
        """Take note that the bytes before `position` are under way."""
        self.position = position

    def resumes(self, received: int) -> None:
        """Say how much was there already."""
        self.first = self.position = received
        self.say(f"resumed at {size_of(received)} of {size_of(self.size)}.")

    def waits(self, error: ClientError, seconds: float) -> None:
        """Say what went wrong, and that it is tried again."""
        self.say(f"{printable(str(error))} Trying again in {seconds:.3g} s.")

    def cannot_remember(self, error: OSError) -> None:
        """Say that an interruption costs everything."""
        why = (error.strerror or "unknown error").lower()
        self.say(f"if interrupted, this upload will begin anew: {error.filename} cannot be written ({why}).")

    def say(self, sentence: str) -> None:
        """Write a sentence about this file."""
        click.echo(f"{self.name}: {sentence}", err=True)


class _Bar(Report):
    """Tells of one upload with a bar that moves, the sentences above it."""

    def __init__(self, name: str, size: int, progress: Progress) -> None:
        super().__init__(name, size)
        self._progress = progress
        # A bar of nothing would never be full.
        self._task = progress.add_task(shorten(self.name, _LONGEST_NAME), total=size or None)

    def moved(self, position: int) -> None:
        super().moved(position)
        self._progress.update(self._task, completed=position)

    def resumes(self, received: int) -> None:
        super().resumes(received)
        # Not an update: what was sent by another command says nothing of the speed of this one.
        self._progress.reset(self._task, completed=received)

    def say(self, sentence: str) -> None:
        self._progress.console.print(Text(f"{self.name}: {sentence}"))


@contextmanager
def reported(name: str, size: int) -> Iterator[Report]:
    """Report an upload in the way that suits where the standard error goes."""
    if _is_watched():
        with Progress(*_columns(), console=Console(stderr=True), expand=True) as progress:
            yield _Bar(name, size, progress)
        return
    report, begun = Report(name, size), time.monotonic()
    yield report
    report.say(f"{size_of(size - report.first)} sent in {time.monotonic() - begun:.1f} s.")


class InspectionProgress:
    """Tells in plain lines how far the server's look at one file is: each quarter."""

    def __init__(self, name: str) -> None:
        self.name = printable(name)
        self._quarters = 0

    def moved(self, percent: int | None) -> None:
        """Take note of how far it is, where the server says so; the end shows in what is printed after."""
        quarters = min((percent or 0) // 25, 3)
        if quarters > self._quarters:
            self._quarters = quarters
            click.echo(f"{self.name}: {25 * quarters} % looked at.", err=True)


class _LookBar(InspectionProgress):
    """Tells of it with a spinner, and beside it a bar once it is known how far the look is."""

    def __init__(self, name: str, progress: Progress) -> None:
        super().__init__(name)
        self._progress = progress
        self._task = progress.add_task(f"{shorten(self.name, _LONGEST_NAME)}: {_LOOKS}", total=None)

    def moved(self, percent: int | None) -> None:
        if percent is not None:
            self._progress.update(self._task, completed=percent, total=100)


@contextmanager
def inspected(name: str) -> Iterator[InspectionProgress]:
    """Show that the bytes are over there, and the server looks at them; in the way that suits, as above."""
    if not _is_watched():
        click.echo(f"{printable(name)}: {_LOOKS}", err=True)
        yield InspectionProgress(name)
        return
    with Progress(*_look_columns(), console=Console(stderr=True), expand=True, transient=True) as progress:
        yield _LookBar(name, progress)


def _columns() -> list[ProgressColumn]:
    return [
        TextColumn("{task.description}", markup=False),
        BarColumn(bar_width=None),
        DownloadColumn(),
        TransferSpeedColumn(),
        TimeRemainingColumn(),
    ]


def _look_columns() -> list[ProgressColumn]:
    return [
        SpinnerColumn(),
        TextColumn("{task.description}", markup=False),
        _KnownBar(),
        TaskProgressColumn("{task.percentage:>3.0f} %", text_format_no_percentage=""),
    ]


class _KnownBar(ProgressColumn):
    """A bar where the end is known, and only room for one where it is not."""

    def __init__(self) -> None:
        super().__init__(Column(ratio=1))
        self._bar = BarColumn(bar_width=None)

    def render(self, task: Task) -> RenderableType:
        return Text() if task.total is None else self._bar(task)


def _is_watched() -> bool:
    # Asked of the stream itself: rich also takes the word of variables, and a log would get the bar.
    return sys.stderr.isatty() and os.environ.get("TERM") != "dumb"
