"""Files as people and programs read them: a table, a list of fields, or JSON. All on the standard output."""

from __future__ import annotations

import errno
import io
import json
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import click
from rich.cells import cell_len, set_cell_size
from rich.console import Console
from rich.table import Table
from rich.text import Text

from ..client.files import File

HEADS = ("NAME", "DISPLAY NAME", "TYPE", "SIZE", "STATE", "EXPIRES IN")
UNITS = ("kB", "MB", "GB", "TB")
STYLES = {"ACTIVE": "green", "PROCESSING": "yellow", "FAILED": "red"}

_TITLE = HEADS.index("DISPLAY NAME")
_GAP = 2
_SHORTEST_TITLE = len(HEADS[_TITLE])


@contextmanager
def written() -> Iterator[None]:
    """Hold the standard output for as long as results are printed, and say so where it takes none."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        # What its encoding does not have is shown as a question mark.
        sys.stdout.reconfigure(errors="replace")
    try:
        yield
    except OSError as error:
        if error.errno == errno.EPIPE:
            raise  # Who closes a pipe has read enough, and click ends quietly.
        # What could not be written is tried once more at the end, and would be complained about again.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        why = (error.strerror or "unknown error").lower()
        raise click.ClickException(f"The results cannot be written: {why}.") from error


def write_json(file: File) -> None:
    """Print a file as the API gives it, on one line; in ASCII, which no terminal obeys or fails at."""
    click.echo(json.dumps(file.resource))


def print_file(file: File) -> None:
    """Print what is known of a file, one field a line."""
    lines = {
        "name": file.name,
        "display name": file.display_name,
        "uri": file.uri,
        "state": file.state,
        "error": file.error,
        "type": file.mime_type,
        "size": _exact(file.size),
        "duration": file.duration,
        "sha256": file.sha256,
        "created": _moment(file.created),
        "expires": f"{_moment(file.expires)} (in {time_left(file)})" if file.expires else "",
    }
    for label, value in lines.items():
        if value:
            shown = printable(value)
            if label == "state" and value in STYLES:
                shown = click.style(shown, fg=STYLES[value])
            click.echo(f"{label:<13} {shown}")


def print_table(files: Sequence[File]) -> None:
    """Print files as a table that fits the terminal; long titles give way, names never."""
    if not files:
        click.echo("There are no files.", err=True)
        return
    rows = [
        (
            printable(file.name),
            printable(file.display_name),
            printable(file.mime_type),
            size_of(file.size),
            printable(file.state),
            time_left(file),
        )
        for file in files
    ]
    widths = [max(cell_len(row[column]) for row in (HEADS, *rows)) for column in range(len(HEADS))]
    others = sum(widths) - widths[_TITLE] + _GAP * (len(HEADS) - 1)
    # Who reads a pipe wants whole lines, and a terminal that is too narrow may break them.
    room = max(Console().width - others, _SHORTEST_TITLE) if sys.stdout.isatty() else widths[_TITLE]
    console = Console(width=others + min(room, widths[_TITLE]))
    table = Table(box=None, padding=(0, _GAP, 0, 0), pad_edge=False, header_style="bold")
    for head in HEADS:
        table.add_column(head, no_wrap=True, justify="right" if head == "SIZE" else "left")
    for row in rows:
        cells = [Text(cell, style=STYLES.get(cell, "")) for cell in row]
        cells[_TITLE] = Text(shorten(row[_TITLE], room))
        table.add_row(*cells)
    with console.capture() as shown:
        console.print(table)
    click.echo(shown.get(), nl=False)


def size_of(count: int) -> str:
    """Write a number of bytes with the unit that suits it."""
    if count < 1000:
        return "1 byte" if count == 1 else f"{count} bytes"
    power = min(len(f"{count * 1.0005:.0f}") - 1, 3 * len(UNITS)) // 3
    return f"{count / 1000**power:.1f} {UNITS[power - 1]}"


def time_left(file: File) -> str:
    """Write how long a file will live, in its two largest units."""
    if file.expires is None:
        return ""
    left = file.expires - datetime.now(UTC)
    if left <= timedelta():
        return "now"
    minutes, seconds = divmod(int(left.total_seconds()), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours} h {minutes} min"
    return f"{minutes} min" if minutes else f"{seconds} s"


def printable(text: str) -> str:
    """Replace what a terminal would obey instead of show."""
    return "".join(sign if sign.isprintable() else "�" for sign in text)


def shorten(text: str, width: int) -> str:
    """Cut a text that is wider than its place."""
    return text if cell_len(text) <= width else set_cell_size(text, width - 1).rstrip() + "…"


def _exact(count: int) -> str:
    return size_of(count) if count < 1000 else f"{size_of(count)} ({count} bytes)"


def _moment(time: datetime | None) -> str:
    return f"{time.astimezone():%Y-%m-%d %H:%M:%S %Z}" if time else ""
