"""`twinlens files`: what its commands are called and take. What they do is in the files beside this one.

The imports inside the functions keep `--help` quick: HTTP and terminal libraries take longer to load
than most commands to run.
"""

from __future__ import annotations

import ipaddress
import re
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar
from urllib.parse import urlsplit

import click

from ..domain.versions import VERSIONS
from .exit_codes import INTERRUPTED

if TYPE_CHECKING:
    from ..client.connection import Connection

DEFAULT_SERVER = "http://127.0.0.1:8080"
SERVER_VARIABLES = ("TWINLENS_SERVER", "GOOGLE_GEMINI_BASE_URL")
KEY_VARIABLES = ("TWINLENS_KEY", "GEMINI_API_KEY", "GOOGLE_API_KEY")
Command = TypeVar("Command", bound=Callable[..., None])
Names = TypeVar("Names", str, tuple[str, ...], None)

_VERSION = re.compile(f"/*(/({'|'.join(VERSIONS)}))?/*$")
_LABEL = re.compile("[A-Za-z0-9_-]{1,63}")
_LONGEST_HOST = 253
_MIME_TYPE = re.compile(r"(?=.{3,127}$)[\w!#$&^.+-]+/[\w!#$&^.+-]+(; ?[\w-]+=[\w.+-]+)*", re.ASCII)


@click.group()
def files() -> None:
    """Upload files to a server; list, show and delete them.

    Files expire after 48 hours. Results are written to standard output, everything else to standard
    error. The exit status is 0 on success, 1 on failure, 2 for an invalid command, and 130 after
    Ctrl-C.
    """


def _read_server(_context: click.Context, _parameter: click.Parameter, value: str) -> str:
    """Take an address as people write it: without a scheme it is plain http."""
    url = value if "://" in value else f"http://{value}"
    try:
        parts = urlsplit(url)
        is_usable = parts.scheme in ("http", "https") and _is_host(parts.hostname or "") and parts.port != 0
    except ValueError:
        is_usable = False
    # The parts are without line breaks, even where the address has some.
    is_plain = url.isascii() and url.isprintable() and " " not in url
    if not is_usable or not is_plain or parts.query or parts.fragment:
        raise click.BadParameter(f"{value!r} is not the address of a server, like {DEFAULT_SERVER}.")
    return _VERSION.sub("", url)


def _is_host(name: str) -> bool:
    if ":" in name:
        return bool(ipaddress.IPv6Address(name))
    labels = name.removesuffix(".").split(".")
    return len(name) <= _LONGEST_HOST and all(_LABEL.fullmatch(label) for label in labels)


def _read_key(_context: click.Context, _parameter: click.Parameter, value: str) -> str:
    if not value.isascii() or not value.isprintable() or value != value.strip():
        # The key itself is not shown: it may be a true one with a line break at its end.
        raise click.BadParameter(
            "A key has only letters, digits and signs of ASCII, and no spaces around it."
        )
    return value


def _read_mime_type(_context: click.Context, _parameter: click.Parameter, value: str | None) -> str | None:
    if value is not None and not _MIME_TYPE.fullmatch(value):
        raise click.BadParameter(f"{value[:80]!r} is not a MIME type, like image/png.")
    return value


def _read_names(_context: click.Context, _parameter: click.Parameter, value: Names) -> Names:
    """Refuse what cannot be a file's name before anything is asked of the server."""
    from ..client.errors import ClientError
    from ..client.files import id_of

    try:
        names: tuple[str, ...] = (value,) if isinstance(value, str) else value or ()
        for name in names:
            id_of(name)
    except ClientError as error:
        raise click.BadParameter(str(error)) from error
    return value


def _with_server(command: Command) -> Command:
    """Add the two options that every command needs to reach its server."""
    key = click.option(
        "--key",
        default="any",
        envvar=KEY_VARIABLES,
        show_envvar=True,
        show_default=True,
        callback=_read_key,
        help="API key; a server without keys accepts any.",
    )
    server = click.option(
        "--server",
        metavar="URL",
        default=DEFAULT_SERVER,
        envvar=SERVER_VARIABLES,
        show_envvar=True,
        show_default=True,
        callback=_read_server,
        help="URL of the server.",
    )
    return server(key(command))


_as_json = click.option("--json", "as_json", is_flag=True, help="Print the API's JSON, one object per line.")


@files.command()
@click.argument(
    "paths",
    metavar="PATH...",
    nargs=-1,
    required=True,
    type=click.Path(exists=True, dir_okay=False, readable=True, path_type=Path),
)
@click.option(
    "--name",
    metavar="ID",
    callback=_read_names,
    help="Name of the file; the server chooses one by default.",
)
@click.option("--display-name", metavar="TEXT", help="Display name of the file; by default the name of PATH.")
@click.option(
    "--mime-type",
    metavar="TYPE",
    callback=_read_mime_type,
    help="MIME type of the file; by default guessed from its extension.",
)
@click.option("--restart", is_flag=True, help="Restart from the beginning instead of resuming.")
@click.option("--no-wait", is_flag=True, help="Do not wait until the server has processed the file.")
@_as_json
@_with_server
def upload(
    paths: tuple[Path, ...],
    name: str | None,
    display_name: str | None,
    mime_type: str | None,
    restart: bool,
    no_wait: bool,
    as_json: bool,
    server: str,
    key: str,
) -> None:
    """Upload files, and print their names and URIs on the server.

    Run the same command again to resume an interrupted upload.
    """
    if len(paths) > 1 and (name or display_name):
        raise click.UsageError("--name and --display-name are for one file; give one PATH.")
    with _connected(server, key) as connection:
        from .upload import UploadOptions, upload_all

        options = UploadOptions(
            name, display_name, mime_type, restart=restart, wait=not no_wait, as_json=as_json
        )
        sys.exit(upload_all(connection, paths, options))


@files.command("list")
@click.option("--limit", type=click.IntRange(min=1), metavar="N", help="Show only the newest N files.")
@_as_json
@_with_server
def list_(limit: int | None, as_json: bool, server: str, key: str) -> None:
    """List the files of this API key, newest first."""
    with _connected(server, key) as connection:
        from ..client.files import Files
        from .output import print_table, write_json

        found = Files(connection).list(limit)
        if as_json:
            for file in found:
                write_json(file)
        else:
            print_table(list(found))


@files.command()
@click.argument("name", callback=_read_names)
@_as_json
@_with_server
def get(name: str, as_json: bool, server: str, key: str) -> None:
    """Show one file. NAME is files/ID, the ID alone, or the file's URI."""
    with _connected(server, key) as connection:
        from ..client.files import Files
        from .output import print_file, write_json

        file = Files(connection).get(name)
        if as_json:
            write_json(file)
        else:
            print_file(file)


@files.command()
@click.argument("names", metavar="NAME...", nargs=-1, required=True, callback=_read_names)
@_with_server
def delete(names: tuple[str, ...], server: str, key: str) -> None:
    """Delete files by name, immediately and permanently."""
    with _connected(server, key) as connection:
        from .delete import delete_all

        sys.exit(delete_all(connection, names))


@contextmanager
def _connected(server: str, key: str) -> Iterator[Connection]:
    """Hold a connection for the time of a command, and end as a command does when something fails."""
    try:
        from ..client.connection import Connection
        from ..client.errors import ClientError
        from .output import printable, written

        try:
            with written(), Connection(server, key) as connection:
                yield connection
        except ClientError as error:
            raise click.ClickException(printable(error.long_message())) from error
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)
