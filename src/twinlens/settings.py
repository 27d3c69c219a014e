"""Every knob of the server, once: default, unit and a sentence. Flags and TWINLENS_* names follow from it."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import Field, dataclass, field, fields
from ipaddress import ip_network
from math import inf, isfinite
from pathlib import Path
from typing import Any

from .domain.hosts import is_loopback, read_address, read_host
from .domain.versions import VERSIONS

ENV_PREFIX = "TWINLENS_"

_PUBLIC_URL = re.compile(
    r"https?://(?:[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(?::\d{1,5})?(?:/[A-Za-z0-9._~-]+)*/?"
)
_FILE_URI_BASE = re.compile(f"{_PUBLIC_URL.pattern.removesuffix('/?')}/(?:{'|'.join(VERSIONS)})/?")
_TOKEN = re.compile("[!-~]+")
_ORIGIN = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://([^/@\s]+)/?")


class SettingsError(ValueError):
    """A setting is wrong; the sentence names its flag and says what to change."""


_BOUNDS = {
    "bytes": (1, 2**53),
    "MiB": (1, 2**33),
    "pixels": (1, 2**53),
    "seconds": (0.001, 100 * 365 * 24 * 3600),
    "processes": (1, inf),
    "requests": (1, inf),
}
"""By unit. What is larger was mistyped, and dates and databases could not hold it."""


def knob(
    default: Any,
    help_text: str,
    *,
    unit: str = "",
    secret: bool = False,
    least: float | None = None,
    most: float | None = None,
) -> Any:
    """Declare one setting. A tuple as default makes it repeatable; its unit bounds it, unless it says so."""
    lowest, highest = _BOUNDS.get(unit, (-inf, inf))
    bounds = {"least": lowest if least is None else least, "most": highest if most is None else most}
    return field(default=default, metadata={"help": help_text, "unit": unit, "secret": secret, **bounds})


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """The settings of `twinlens serve`, in the order that `--help` lists them."""

    host: str = knob("127.0.0.1", "Address to listen on; any but a loopback address requires an API key.")
    port: int = knob(8080, "Port to listen on; 0 picks a free one.", least=0, most=65535)
    public_url: str | None = knob(
        None,
        "URL at which clients reach this server, where proxies do not forward it: http(s)://host[:port][/prefix].",
    )
    file_uri_base: str | None = knob(
        None,
        "Start of file URIs, for clients that accept one host only: http(s)://host/v1beta.",
    )
    trusted_proxies: tuple[str, ...] = knob(
        ("127.0.0.0/8", "::1"),
        "Address or network of a proxy whose X-Forwarded-Host, -Proto and -Prefix are trusted; repeatable.",
    )
    allow_host: tuple[str, ...] = knob(
        (), "Host[:port] that a server without keys accepts in addition to localhost; repeatable."
    )
    allow_origin: tuple[str, ...] = knob(
        (), "Origin of web pages that a server without keys answers, scheme://host[:port]; repeatable."
    )
    data_dir: Path = knob(
        Path("twinlens-data"), "Folder for uploaded files, stored interactions, the cache and the database."
    )
    max_file_bytes: int = knob(2 * 1024**3, "Maximum size of an uploaded file.", unit="bytes")
    max_project_bytes: int = knob(
        20 * 1024**3, "Maximum total size of a project's files and unfinished uploads.", unit="bytes"
    )
    upload_lifetime_s: int = knob(
        7 * 24 * 3600,
        "Maximum age of an unfinished upload; older ones are discarded.",
        unit="seconds",
        least=1,
    )
    processing_wait_s: float = knob(
        30.0, "Maximum time a request waits for a file that is still PROCESSING.", unit="seconds", least=0
    )
    sweep_interval_s: float = knob(
        60.0, "Interval between cleanups of expired files and abandoned uploads.", unit="seconds", least=0.1
    )
    cache_max_bytes: int = knob(
        2 * 1024**3,
        "Maximum size of the on-disk cache of decoded images; 0 disables it.",
        unit="bytes",
        least=0,
    )
    interaction_lifetime_s: int = knob(
        55 * 24 * 3600,
        "Lifetime of stored interactions.",
        unit="seconds",
        least=1,
    )
    max_interaction_bytes: int = knob(
        20 * 1024**3, "Maximum total size of a project's stored interactions, media included.", unit="bytes"
    )
    engine: str = knob("builtin", "Engine to run: builtin, script, or the name of an installed engine.")
    engine_option: tuple[str, ...] = knob(
        (), "Option of the engine, as KEY=VALUE; repeatable. --help-engine NAME lists them."
    )
    engines: Path | None = knob(
        None, "TOML file that configures several engines, in place of --engine and its options."
    )
    model: str | None = knob(
        None,
        "Model that the engine loads or queries; builtin and script only use its name.",
    )
    strict_models: bool = knob(
        False, "Serve only the model names in the list; other names of known families are 404."
    )
    script: Path | None = knob(None, "YAML file with the answers of the script engine.")
    engine_processes: int = knob(
        1, "Number of processes in which the built-in engine analyses images.", least=1
    )
    speech_model: Path | None = knob(
        None, "Folder of a Whisper model (CTranslate2) with which the built-in engine transcribes speech."
    )
    api_key: tuple[str, ...] = knob(
        (),
        "API key to accept; repeatable. Each is a separate project. Without one, any key is accepted.",
        secret=True,
    )
    metrics_key: str | None = knob(
        None, "Bearer token that GET /metrics requires; API keys do not grant access to it.", secret=True
    )
    open_metrics: bool = knob(False, "Serve GET /metrics without a key, even where API keys are set.")
    fetch: bool = knob(True, "Fetch media from public https URLs in requests.")
    fetch_allow: tuple[str, ...] = knob(
        (), "Host[:port] to fetch from even if it is private, plain http or a low port; repeatable."
    )
    fetch_max_bytes: int = knob(100 * 1024 * 1024, "Maximum size of a body fetched from a URL.", unit="bytes")
    fetch_total_bytes: int = knob(
        1024 * 1024 * 1024,
        "Maximum total size of all bodies that one request fetches from URLs.",
        unit="bytes",
    )
    fetch_timeout_s: float = knob(20.0, "Timeout of one fetch, redirects included.", unit="seconds")
    youtube_max_bytes: int = knob(
        512 * 1024 * 1024, "Maximum size of a YouTube video, which is held in memory.", unit="bytes"
    )
    youtube_timeout_s: float = knob(
        120.0, "Timeout of looking up a YouTube video, and of fetching it.", unit="seconds"
    )
    youtube_resolver: Path | None = knob(
        None, "Program that looks up a YouTube video by its id, in place of yt-dlp."
    )
    max_request_bytes: int = knob(20 * 1024 * 1024, "Maximum size of a request body.", unit="bytes")
    max_image_pixels: int = knob(
        200_000_000,
        "Maximum size of an image, width x height, checked against its header before decoding.",
        unit="pixels",
    )
    max_decoded_pixels: int = knob(
        256_000_000,
        "Maximum number of decoded pixels in memory, 3 bytes each, for all requests together.",
        unit="pixels",
    )
    receive_timeout_s: float = knob(
        60.0, "Timeout of a request's headers, and of a pause in its body.", unit="seconds"
    )
    send_timeout_s: float = knob(
        60.0, "Timeout of a client that does not read its answer; it is then disconnected.", unit="seconds"
    )
    request_timeout_s: float = knob(600.0, "Timeout of one request.", unit="seconds")
    background_timeout_s: float = knob(
        3600.0,
        "Timeout of a background interaction, from when it leaves the queue.",
        unit="seconds",
    )
    max_running: int = knob(32, "Maximum number of requests processed at the same time.", unit="requests")
    max_waiting: int = knob(
        256, "Maximum number of requests in the queue; more are answered 429.", unit="requests", least=0
    )
    decode_workers: int = knob(
        os.cpu_count() or 1, "Number of worker processes that decode media.", unit="processes"
    )
    decode_memory_mib: int = knob(1536, "Memory limit of each decoding process.", unit="MiB", least=256)
    decode_timeout_s: float = knob(
        30.0, "Timeout of decoding one medium, or one indivisible part of it.", unit="seconds"
    )
    work_limit_s: float = knob(
        60.0,
        "CPU time that decoding one request's media may take beyond what such media usually take.",
        unit="seconds",
    )
    engine_usage: bool = knob(
        False, "Add engineUsage to usageMetadata: the tokens that the engine really spent."
    )
    shutdown_timeout_s: int = knob(
        30, "Grace period for requests in flight when the server stops.", unit="seconds", least=0
    )
    access_log: bool = knob(False, "Log one line per request.")

    def problems(self) -> list[str]:
        """Return what is wrong with these settings, each with the flag to change."""
        found = [said for knob in KNOBS for said in _beyond(knob, getattr(self, knob.name))]
        if read_address(self.host) is None and (read_host(self.host) is None or ":" in self.host):
            found.append(f"--host must be one address or name, without a port, not {self.host!r}.")
        elif not self.api_key and not is_loopback(self.host):
            found.append(
                f"--host {self.host} is open to others, and no key is set. "
                "Add --api-key KEY (or TWINLENS_API_KEY), or listen on 127.0.0.1."
            )
        if self.youtube_resolver is not None and not _is_program(self.youtube_resolver):
            found.append(f"--youtube-resolver {self.youtube_resolver} is no program that can be run.")
        if self.public_url is not None and not _PUBLIC_URL.fullmatch(self.public_url):
            found.append(f"--public-url must be http(s)://host[:port][/prefix], not {self.public_url!r}.")
        if self.file_uri_base is not None and not _FILE_URI_BASE.fullmatch(self.file_uri_base):
            found.append(
                "--file-uri-base must be http(s)://host[:port][/prefix] and a version, such as "
                f"https://generativelanguage.googleapis.com/v1beta, not {self.file_uri_base!r}."
            )
        found += self._callers()
        if self.script is not None and self.engine != "script" and self.engines is None:
            found.append("--script is read by the script engine only. Add --engine script.")
        if self.engines is not None:
            found += [
                f"--engines and {flag(name)} exclude each other: the file describes each engine whole."
                for name in ("engine", "engine_option", *ENGINE_FLAGS)
                if self.is_given(name)
            ]
        return found

    def is_given(self, name: str) -> bool:
        """Whether a setting differs from its default."""
        value = getattr(self, name)
        return value not in (None, "") and value != next(knob.default for knob in KNOBS if knob.name == name)

    def _callers(self) -> list[str]:
        """Return what is wrong with the settings that say who may call."""
        found = [
            f"--trusted-proxies must be an address or a network like 10.0.0.0/8, not {each!r}."
            for each in self.trusted_proxies
            if not _is_network(each)
        ]
        found += [
            f"--allow-host must be host[:port], not {each!r}."
            for each in self.allow_host
            if read_host(each) is None
        ]
        found += [
            f"--allow-origin must be scheme://host[:port], not {each!r}. To let in any page, set --api-key."
            for each in self.allow_origin
            if not _is_origin(each)
        ]
        if self.api_key and (self.allow_host or self.allow_origin):
            found.append(
                "A server with keys answers every Host and every page: "
                "leave out --allow-host and --allow-origin."
            )
        if not all(map(_TOKEN.fullmatch, self.api_key)):
            # It is not shown, as the other key is not.
            found.append(
                "--api-key must be letters, digits and signs of ASCII, without spaces. "
                "Repeat the option, or put spaces between keys in TWINLENS_API_KEY."
            )
        if self.metrics_key is not None and (self.open_metrics or self.metrics_key in self.api_key):
            found.append("--metrics-key must be no --api-key, and stand without --open-metrics.")
        if self.metrics_key is not None and not _TOKEN.fullmatch(self.metrics_key):
            # It is not shown: it may be a true one with a line break at its end.
            found.append("--metrics-key must have letters, digits and signs of ASCII, and no spaces.")
        return found


ENGINE_FLAGS = {
    "model": "model",
    "script": "script",
    "engine_processes": "processes",
    "speech_model": "speech_model",
}
"""Settings that are options of an engine, and as which: what an engine has no option for is refused."""


def flag(name: str) -> str:
    """Spell a setting as its flag: `data_dir` is `--data-dir`."""
    return "--" + name.replace("_", "-")


def env(name: str) -> str:
    """Spell a setting as its environment variable: `data_dir` is `TWINLENS_DATA_DIR`."""
    return ENV_PREFIX + name.upper()


KNOBS = fields(Settings)


def _beyond(knob: Field[Any], value: Any) -> Iterator[str]:
    """Yield what is wrong with the size of a setting that is a number."""
    least, most, unit = (knob.metadata[name] for name in ("least", "most", "unit"))
    if not isinstance(value, int | float):
        return
    if isinstance(knob.default, float) and not isfinite(value):
        yield f"{flag(knob.name)} must be a number, not {value}."
    if value < least:
        yield f"{flag(knob.name)} must be at least {least}, not {value}."
    if most < value < inf:
        limit = f"{most:.0f} {unit}".rstrip()
        yield f"{flag(knob.name)} must be at most {limit}, not {value}."


def _is_program(path: Path) -> bool:
    return path.is_file() and os.access(path, os.X_OK)


def _is_network(text: str) -> bool:
    try:
        ip_network(text, strict=False)
    except ValueError:
        return False
    return True


def _is_origin(text: str) -> bool:
    found = _ORIGIN.fullmatch(text)
    return found is not None and read_host(found[1]) is not None
