"""The process that asks YouTube about a video: `python -m twinlens.fetch.ytdlp_main VIDEO SECONDS`.

It prints what was found as one JSON object, or the library's messages; both are untrusted. It reads no
settings, cookies, plugins or caches, connects to public addresses only and ends by itself.
"""

from __future__ import annotations

import json
import signal
import sys
from collections.abc import Mapping, Sequence

import yt_dlp  # type: ignore[import-untyped]

from .addresses import is_public

SOCKET_TIMEOUT_S = 10
MAX_SAID = 20

_VIDEO = ("id", "availability", "live_status", "age_limit")
_FORMAT = (
    "url",
    "ext",
    "protocol",
    "vcodec",
    "acodec",
    "height",
    "filesize",
    "has_drm",
    "language_preference",
    "preference",
    "available_at",
)


class _Messages:
    """Collects the library's last messages, newest first."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def debug(self, message: str) -> None:
        pass

    def warning(self, message: str) -> None:
        self.lines = [message, *self.lines][:MAX_SAID]

    error = warning


def extract(video: str) -> Mapping[str, object]:
    """Ask for a video's formats, without fetching any of it."""
    said = _Messages()
    options = {
        "logger": said,
        "quiet": True,
        "cachedir": False,
        "proxy": "",
        "noplaylist": True,
        "allowed_extractors": ["youtube"],
        # A video without formats says why by its other fields; manifests would hold no format to fetch.
        "ignore_no_formats_error": True,
        "extractor_args": {"youtube": {"skip": ["dash", "hls", "translated_subs"]}},
        "retries": 0,
        "extractor_retries": 0,
        "socket_timeout": SOCKET_TIMEOUT_S,
    }
    found: object = None
    try:
        with yt_dlp.YoutubeDL(options, auto_init="no_verbose_header") as library:
            address = f"https://www.youtube.com/watch?v={video}"
            found = library.extract_info(address, download=False, process=False)
    except yt_dlp.utils.YoutubeDLError as error:
        said.error(str(error))
    return {**_picked(found, _VIDEO), "formats": _formats(found), "said": said.lines}


def only_public(event: str, arguments: tuple[object, ...]) -> None:
    """Block connections to private addresses in this process, wherever it is redirected."""
    if event == "socket.connect":
        address = arguments[1]
        if not isinstance(address, tuple) or not is_public(str(address[0])):
            raise ConnectionRefusedError("not a public address")


def _formats(found: object) -> list[Mapping[str, object]]:
    listed = found.get("formats") if isinstance(found, Mapping) else None
    return [_picked(each, _FORMAT) for each in listed or ()]


def _picked(found: object, names: Sequence[str]) -> Mapping[str, object]:
    return {name: found.get(name) for name in names} if isinstance(found, Mapping) else {}


def main(video: str, seconds: str) -> None:
    """Print what is found of a video."""
    signal.alarm(int(seconds))
    sys.addaudithook(only_public)
    out, sys.stdout = sys.stdout, sys.stderr
    json.dump(extract(video), out, default=str)
    out.flush()


if __name__ == "__main__":
    main(*sys.argv[1:])
