"""YouTube addresses: which video is meant, whether everyone may see it, and its bytes.

What YouTube offers of a video is asked in a process of its own (`ytdlp_main.py`). The video is then
fetched like any other: with our fetcher, its guards and its limits, and from YouTube's media hosts only.

One file with images and audio is fetched, of up to 720 lines where there is a choice. A video that has
audio is never fetched without: half of its content would be missing, and no error would say so.
"""

from __future__ import annotations

import asyncio
import math
import re
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import httpx

from .body import Fetched
from .fetcher import TURNED_OFF, Fetcher, FetchRefused, Resolver, cannot_fetch, reason_of
from .ytdlp import Lookup

LookUp = Callable[[str], Awaitable[Mapping[str, object]]]
"""From a video's id to what `extraction.py` prints; `FetchRefused` where nothing can be asked."""

MAX_AT_ONCE = 4
MAX_HEIGHT = 720
MAX_WAIT_S = 10.0
"""YouTube may hand out an address that works only after a few seconds."""

_MEDIA_HOSTS = (".googlevideo.com",)
_HOSTS = re.compile(r"((www|m|music)\.)?(youtube\.com|youtube-nocookie\.com|youtu\.be)\.?")
_ID = re.compile(r"[A-Za-z0-9_-]{11}")
_PATH = re.compile(r"/(?:shorts|live|embed|v|e)/([^/]+)/?")
_NO_IDS = frozenset({"videoseries", "live_stream"})
"""What stands in an id's place, with its length, where a player shows something else."""

_PRIVATE = "The video is private; only public videos are fetched."
_MEMBERS = "The video is for a channel's members only."
_PAID = "The video has to be paid for."
_AGE = "The video is age-restricted; only what everyone may see is fetched."
_UPCOMING = "The video has not begun yet."
_GONE = "There is no such video, or it has been removed."

_BY_STATUS: Mapping[object, str] = {
    "is_live": "The video is live. Ask again when the broadcast is over.",
    "is_upcoming": _UPCOMING,
    "post_live": "The broadcast is over, but YouTube has not finished its recording. Try again later.",
}
_BY_AVAILABILITY: Mapping[object, str] = {
    "private": _PRIVATE,
    "premium_only": _PAID,
    "subscriber_only": _MEMBERS,
    "needs_auth": _AGE,
    "unlisted": "The video is unlisted; only public videos are fetched.",
}
_BY_WORDS = (
    (r"error 429|too many requests", "YouTube refuses more requests for now. Try again later."),
    (r"unable to download|failed to resolve|timed out|connection", "YouTube cannot be reached."),
    (r"not a bot", "YouTube wants this server to sign in, which it does not do. Send the video as a file."),
    (r"confirm your age|age.restricted|inappropriate for some", _AGE),
    (r"members.only|channel's members|join this channel", _MEMBERS),
    (r"premium|payment|purchase|rental|to rent", _PAID),
    (r"private", _PRIVATE),
    (r"premieres? |will begin|begins in", _UPCOMING),
    (r"event has ended|recording is not available", "The broadcast is over, and there is no recording."),
    (r"in your country|from your location", "The video is not available where this server is."),
    (r"drm", "The video is copy-protected."),
    (r"unavailable|not available|no longer|removed|terminated|does not exist|deleted|closed", _GONE),
)
"""What YouTube says of a video that it does not give, and what the caller is told."""

_UNREADABLE = "YouTube's answer cannot be read. A newer yt-dlp may help, or send the video as a file."


@dataclass(frozen=True, slots=True)
class Format:
    """One file that YouTube offers of a video. `preference` is lower for damaged and for dubbed ones."""

    url: str
    extension: str
    height: int
    size: int | None
    has_sound: bool
    preference: tuple[float, float]
    available_at: float

    @property
    def rank(self) -> tuple[object, ...]:
        """The sort key, best last: preference, then the height up to `MAX_HEIGHT`, then MP4."""
        fits = self.height <= MAX_HEIGHT
        return self.preference, fits, self.height if fits else -self.height, self.extension == "mp4"


class YouTube:
    """Fetches public YouTube videos within limits of size and time; the time holds for each of its two steps.

    `allow` is the fetcher's. `look_up` stands in for yt-dlp; the others are the fetcher's, too.
    """

    def __init__(
        self,
        enabled: bool,
        allow: Sequence[str],
        max_bytes: int,
        timeout_s: float,
        *,
        look_up: LookUp | None = None,
        resolver: Resolver | None = None,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        self._enabled = enabled
        self._max_bytes = max_bytes
        self._timeout_s = timeout_s
        self._look_up = look_up or Lookup(timeout_s)
        self._slots = asyncio.Semaphore(MAX_AT_ONCE)
        self._fetcher = Fetcher(
            enabled,
            allow,
            max_bytes,
            timeout_s,
            within=_MEDIA_HOSTS,
            resolver=resolver,
            transport=transport,
        )

    async def fetch(self, url: str, field: str, *, max_bytes: int | None = None) -> Fetched:
        """Fetch the video of an address for which `is_youtube` holds; `max_bytes` lowers the limit."""
        if not self._enabled:
            raise cannot_fetch(TURNED_OFF, field)
        most = self._max_bytes if max_bytes is None else min(max_bytes, self._max_bytes)
        with reason_of(field, self._timeout_s):
            found = await self._found(url)
            chosen = choose(found, most)
            await asyncio.sleep(min(chosen.available_at - time.time(), MAX_WAIT_S))
        mime_type = f"video/{chosen.extension}"
        fetched = await self._fetcher.fetch(chosen.url, field, mime_type, max_bytes=most)
        return replace(fetched, mime_type=mime_type)

    async def close(self) -> None:
        """Close what is still open."""
        await self._fetcher.close()

    async def _found(self, url: str) -> Mapping[str, object]:
        video = video_id(url)
        if video is None:
            raise FetchRefused(
                "It is no video: give the address of a single one, not of a list or a channel."
            )
        async with self._slots, asyncio.timeout(self._timeout_s):
            found = await self._look_up(video)
        # A video to be paid for leads to its trailer.
        return found if found.get("id") in (None, video) else {"availability": "premium_only"}


def is_youtube(url: str) -> bool:
    """Whether an address is one of YouTube's pages, whatever it shows."""
    return _page(url) is not None


def video_id(url: str) -> str | None:
    """Extract the video's id from a YouTube address; None for what is no single video."""
    page = _page(url)
    shown = _shown(page) if page else ""
    return shown if _ID.fullmatch(shown) and shown not in _NO_IDS else None


def choose(found: Mapping[str, object], max_bytes: int) -> Format:
    """Pick the file to fetch; `FetchRefused` where everyone may not see the video, or none fits."""
    _check_access(found)
    listed = found.get("formats")
    entries = [entry for entry in listed if isinstance(entry, Mapping)] if isinstance(listed, list) else []
    formats = [fetched for entry in entries if (fetched := _format(entry))]
    if any(_has(entry, "acodec") for entry in entries):
        silent, formats = formats, [each for each in formats if each.has_sound]
        if silent and not formats:
            raise FetchRefused(
                "YouTube offers its picture and its sound only apart. Send the video as a file."
            )
    if not formats:
        raise FetchRefused(_reason(found))
    fitting = [each for each in formats if each.size is None or each.size <= max_bytes]
    if not fitting:
        raise FetchRefused(f"It is larger than {max_bytes} bytes.")
    return max(fitting, key=lambda each: each.rank)


def _page(url: str) -> httpx.URL | None:
    try:
        page = httpx.URL(url)
        is_page = page.scheme in ("http", "https") and _HOSTS.fullmatch(page.host)
    except (httpx.InvalidURL, ValueError):
        return None
    return page if is_page else None


def _shown(page: httpx.URL) -> str:
    """Return what stands in the id's place."""
    if page.host.rstrip(".").endswith("youtu.be"):
        return page.path.strip("/")
    if page.path.rstrip("/") == "/watch":
        return str(page.params.get("v", ""))
    found = _PATH.fullmatch(page.path)
    return found[1] if found else ""


def _check_access(found: Mapping[str, object]) -> None:
    age = found.get("age_limit")
    reason = (
        _BY_STATUS.get(found.get("live_status"))
        or _BY_AVAILABILITY.get(found.get("availability"))
        or (_AGE if isinstance(age, int) and age >= 18 else None)
    )
    if reason:
        raise FetchRefused(reason)


def _reason(found: Mapping[str, object]) -> str:
    """Look up our sentence for the library's messages, the last first."""
    said = found.get("said")
    for line in said if isinstance(said, list) else ():
        for pattern, reason in _BY_WORDS:
            if re.search(pattern, str(line), re.IGNORECASE):
                return reason
    return _UNREADABLE


def _format(entry: Mapping[str, object]) -> Format | None:
    """Parse a format that is one plain file with video; None for all others."""
    url, extension = entry.get("url"), entry.get("ext")
    is_plain = entry.get("protocol") in (None, "https", "http") and not entry.get("has_drm")
    if not isinstance(url, str) or extension not in ("mp4", "webm") or not is_plain:
        return None
    if not _has(entry, "vcodec"):
        return None
    return Format(
        url=url,
        extension=str(extension),
        height=int(_number(entry, "height")),
        size=int(_number(entry, "filesize")) or None,
        has_sound=_has(entry, "acodec"),
        preference=(_number(entry, "preference"), _number(entry, "language_preference")),
        available_at=_number(entry, "available_at"),
    )


def _has(entry: Mapping[str, object], codec: str) -> bool:
    return entry.get(codec) not in (None, "none")


def _number(entry: Mapping[str, object], name: str) -> float:
    value = entry.get(name)
    return value if isinstance(value, int | float) and math.isfinite(value) else 0
