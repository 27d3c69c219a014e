"""`twinlens serve`: a flag and a variable for every setting, and one server."""

from __future__ import annotations

import logging
import signal
import socket
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_type_hints

import click
from click.core import ParameterSource

from .. import __version__
from ..settings import KNOBS, Settings, SettingsError, env, flag
from .engine_help import help_engine
from .units import UNITS, Amount

if TYPE_CHECKING:
    from ..engines.backend import EngineStatus


class _Option(click.Option):
    """An option whose help shows several values as its variable takes them."""

    def get_help_extra(self, ctx: click.Context) -> click.types.OptionHelpExtra:
        """Give what stands in brackets behind the help."""
        extra = super().get_help_extra(ctx)
        if "default" in extra and isinstance(self.default, tuple):
            extra["default"] = " ".join(self.default)
        return extra


def _knobs(command: Callable[..., None]) -> Callable[..., None]:
    """Add a flag and an environment variable for every setting."""
    hints = get_type_hints(Settings)
    for knob in reversed(KNOBS):
        kind, many = hints[knob.name], isinstance(knob.default, tuple)
        unit = knob.metadata["unit"]
        names = (
            [f"{flag(knob.name)}/--no-{knob.name.replace('_', '-')}"] if kind is bool else [flag(knob.name)]
        )
        command = click.option(
            *names,
            knob.name,
            cls=_Option,
            default=UNITS[unit].write(knob.default) if unit in UNITS else knob.default,
            type=Amount(unit, kind) if unit in UNITS else _CLICK_TYPES.get(kind, click.STRING),
            multiple=many,
            envvar=env(knob.name),
            show_envvar=True,
            show_default=knob.default is not None and knob.default != (),
            metavar=unit.upper() or None,
            help=knob.metadata["help"],
        )(command)
    return command


_PATH = click.Path(path_type=Path)
_CLICK_TYPES: dict[Any, Any] = {
    bool: click.BOOL,
    int: click.INT,
    float: click.FLOAT,
    Path: _PATH,
    Path | None: _PATH,
}


@click.command()
@_knobs
@help_engine
def serve(**values: Any) -> None:
    """Run the API server.

    SIGTERM or Ctrl-C stops it after the requests in flight. Sizes and durations accept units: 2GiB, 500MB,
    200MP, 55d, 90min, 10s. The exit status is 2 for an invalid option, and 1 when the server cannot start for
    another reason.
    """
    settings = Settings(**values)
    problems = settings.problems()
    # Settings cannot distinguish the default from the same value given; the command can.
    is_given = click.get_current_context().get_parameter_source("engine") is not ParameterSource.DEFAULT
    if settings.engines is not None and is_given and not settings.is_given("engine"):
        problems.append(f"--engines and --engine exclude each other: leave out --engine {settings.engine}.")
    if problems:
        raise click.UsageError("\n".join(problems))
    _run(settings)


def _run(settings: Settings) -> None:
    import uvicorn

    from ..app import DataFolderError, EngineSetupError, create_app
    from ..domain.errors import TwinlensError
    from .protocol import Interrupted, bounded
    from .stopping import Stopping

    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(name)s: %(message)s")
    _allow_open_files()
    try:
        app = create_app(settings)
        listener = _listen(settings)
    except (EngineSetupError, SettingsError) as error:
        raise click.UsageError(str(error)) from error
    except (TwinlensError, DataFolderError, OSError) as error:
        raise click.ClickException(str(error)) from error
    config = uvicorn.Config(
        Interrupted(app),
        http=bounded(settings.receive_timeout_s, settings.send_timeout_s),
        log_level="info" if settings.access_log else "warning",
        access_log=settings.access_log,
        timeout_graceful_shutdown=settings.shutdown_timeout_s,
        server_header=False,
        proxy_headers=False,
        ws="none",
    )
    logging.getLogger("uvicorn.access").addFilter(_without_query)
    server = Stopping(config, app.release)
    # uvicorn has handlers of its own while it serves, and raises the signal again after a clean stop:
    # these are for the moments before, and turn that second signal into the end it is.
    signal.signal(signal.SIGTERM, server.stop)
    signal.signal(signal.SIGINT, server.stop)
    host, port = listener.getsockname()[:2]
    engines = app.engines
    click.echo(_welcome(settings, engines.statuses, host, port))
    sys.stdout.flush()
    engines.on_change = _report
    server.run(sockets=[listener])


def _allow_open_files() -> None:
    """Raise the limit of open files as far as the system lets us; a medium of a request may need one."""
    # Not every system has such limits, and some refuse what they say is allowed.
    with suppress(ImportError, ValueError, OSError):
        import resource

        _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


def _without_query(record: logging.LogRecord) -> bool:
    """Keep out of the log what a query may hold: API keys, and the ids of uploads, which are as good."""
    if isinstance(record.args, tuple):
        record.args = tuple(
            value.partition("?")[0] if isinstance(value, str) else value for value in record.args
        )
    return True


def _listen(settings: Settings) -> socket.socket:
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    listener = socket.socket(family)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((settings.host, settings.port))
    except OSError as error:
        listener.close()
        raise OSError(
            f"Cannot listen on {settings.host}:{settings.port}: {error.strerror}. "
            "Choose another --port or --host."
        ) from error
    listener.listen(2048)
    return listener


def _report(engine: EngineStatus) -> None:
    """Print that an engine has loaded, or could not be."""
    click.echo(f"The engine {engine.name} " + _ENDS[engine.state])
    sys.stdout.flush()


_ENDS: Mapping[str, str] = {
    "ready": "is ready.",
    "failed": "could not be loaded; its requests are answered 503. The log says why.",
}


def _welcome(settings: Settings, engines: Sequence[EngineStatus], host: str, port: int) -> str:
    """Return the start screen: address, engines, and how to point clients at it."""
    address = _url(host, port)
    base = _url(_LOOPBACK.get(host, host), port)
    key = "YOUR_KEY" if settings.api_key else "any"
    keys = (
        f"{len(settings.api_key)} configured"
        if settings.api_key
        else "any, from this machine only; --api-key lets others in"
    )
    name = "engines" if len(engines) > 1 else "engine"
    shown = ("\n" + " " * 10).join([f"{name:8}{engines[0]}", *map(str, engines[1:])])
    return f"""\
twinlens {__version__} listens on {address}
  {shown}
  keys    {keys}
  data    {settings.data_dir}

Point a client at it:
  Python      genai.Client(api_key="{key}", http_options={{"base_url": "{base}"}})
  JavaScript  new GoogleGenAI({{apiKey: "{key}", httpOptions: {{baseUrl: "{base}"}}}})
  either      export GOOGLE_GEMINI_BASE_URL={base} GEMINI_API_KEY={key}
  curl        curl {base}/v1beta/models/gemini-3-flash-preview:generateContent \\
                -H 'x-goog-api-key: {key}' -d '{{"contents": [{{"parts": [{{"text": "Hello"}}]}}]}}'

Stop with Ctrl-C."""


_LOOPBACK = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104  nothing listens because of this
"""Where a client of the same machine finds a server that listens on every address."""


def _url(host: str, port: int) -> str:
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
