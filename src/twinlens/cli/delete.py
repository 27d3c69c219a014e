"""`twinlens files delete`: every name is tried, whatever became of the one before."""

from __future__ import annotations

from collections.abc import Sequence

import click

from ..client.connection import Connection
from ..client.errors import Refused
from ..client.files import Files
from .output import printable


def delete_all(connection: Connection, names: Sequence[str]) -> int:
    """Delete files by name and give the exit status."""
    failed = 0
    for name in names:
        try:
            Files(connection).delete(name)
            click.echo(f"Deleted {printable(name)}.", err=True)
        except Refused as refused:
            failed = 1
            click.echo(f"Error: {printable(refused.long_message())}", err=True)
    return failed
