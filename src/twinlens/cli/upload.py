"""`twinlens files upload`: file after file, with a bar for each where somebody is watching."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import click

from ..client.connection import Connection
from ..client.errors import ClientError, Refused, SourceChanged
from ..client.files import File, Files
from ..client.mime import guess
from ..client.resume import Resumable, can_go_on
from ..client.upload_records import SavedUploads, state_file
from ..client.upload_source import UploadSource, open_source
from ..client.uploads import Label
from .exit_codes import INTERRUPTED
from .output import print_file, printable, write_json
from .progress import inspected, reported

_GOES_ON = "The same command goes on where it stopped."


@dataclass(frozen=True, slots=True)
class UploadOptions:
    """What the command was asked for beside the paths."""

    name: str | None
    display_name: str | None
    mime_type: str | None
    restart: bool
    wait: bool
    as_json: bool


def upload_all(connection: Connection, paths: Sequence[Path], options: UploadOptions) -> int:
    """Upload files one after another and give the exit status.

    A file that the server refuses does not keep the others back; a server that is gone does.
    """
    sources = [open_source(path) for path in paths]
    status = 0
    for number, source in enumerate(sources):
        if number and not options.as_json:
            click.echo()
        try:
            file = _upload(connection, source, options)
        except ClientError as error:
            _complain(source, error.long_message())
            status = 1
            if isinstance(error, (Refused, SourceChanged)):
                continue
            break
        if options.as_json:
            write_json(file)
        else:
            print_file(file)
        if file.state == "FAILED":
            _complain(source, file.error)
            status = 1
    return status


def _upload(connection: Connection, source: UploadSource, options: UploadOptions) -> File:
    name = source.path.name
    resumable = Resumable(connection, SavedUploads(state_file()))
    with _interruptible(f"{printable(name)}: interrupted. {_GOES_ON}"), reported(name, source.size) as report:
        try:
            file = resumable.upload(source, _label(name, options), report, restart=options.restart)
        except ClientError as error:
            if report.position and can_go_on(error):
                error.advice = f"{error.advice} {_GOES_ON}".strip()
            raise
    if file.state != "PROCESSING" or not options.wait:
        return file
    shown = f"{printable(name)}: interrupted. `twinlens files get {file.name}` shows the file."
    with _interruptible(shown), inspected(name) as look:
        return Files(connection).wait(file, watch=lambda seen: look.moved(seen.progress_percent))


def _label(name: str, options: UploadOptions) -> Label:
    """Say of a file what was wished, and otherwise what its name tells."""
    # A name on disk and a word of a command are bytes, and not always text.
    title = os.fsencode(options.display_name or name).decode("utf-8", "replace")
    return Label(options.name, title, options.mime_type or guess(name))


@contextmanager
def _interruptible(sentence: str) -> Iterator[None]:
    """Print, on Ctrl-C, that the upload can be resumed."""
    try:
        yield
    except KeyboardInterrupt:
        click.echo(sentence, err=True)
        raise SystemExit(INTERRUPTED) from None


def _complain(source: UploadSource, sentence: str) -> None:
    click.echo(f"Error: {printable(source.path.name)}: {printable(sentence)}", err=True)
