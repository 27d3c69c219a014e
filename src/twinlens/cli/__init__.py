"""The command line: each command calls one function. Nothing heavy is imported before it is needed."""

from __future__ import annotations

import click

from .. import __version__
from .files import files
from .serve import serve
from .variables import mistyped


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(__version__, prog_name="twinlens")
def main() -> None:
    """Run and use a self-hosted, drop-in server for the Gemini multimodal-understanding API."""
    for sentence in mistyped():
        click.echo(f"Warning: {sentence}", err=True)


main.add_command(serve)
main.add_command(files)
