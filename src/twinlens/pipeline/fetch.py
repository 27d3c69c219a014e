"""The URL leg: media from public https addresses, and from nowhere else unless the operator says so.

A name is resolved once, every address it has is checked, and the connection goes to a checked one: what
a resolver says the next time does not matter. The same holds for every redirect. The transport is used
without a client around it, so there are no cookies, no proxies and no environment to be misled by.
"""

from __future__ import annotations

import asyncio
import re
import socket
import ssl
import zlib
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from ipaddress import ip_address

import httpx

from ..domain.errors import InvalidArgument
from .addresses import is_public

Resolver = Callable[[str, int], Awaitable[Sequence[str]]]
"""From a host and a port to addresses; an `OSError` where there are none."""

PORTS = {"http": 80, "https": 443}
REDIRECTS = frozenset((301, 302, 303, 307, 308))
MAX_AT_ONCE = 32
MAX_ADDRESSES = 3

_NOT_PUBLIC = "The host has no public address."
"""One sentence for all reasons, so that nobody learns which names exist in a private network."""

_NAME = re.compile(r"[a-z0-9_-]+(\.[a-z0-9_-]+)*\.?")
_ENDS_IN_NUMBER = re.compile(r"(.*\.)?(\d+|0x[0-9a-f]*)\.?")
_MIME_TYPE = re.compile(r"[\w.+-]{1,60}/[\w.+-]{1,60}", re.ASCII)
_SAYS_NOTHING = frozenset(("", "application/octet-stream", "binary/octet-stream"))

_HEADERS = {
    "User-Agent": "twinlens",
    "Accept": "image/*, application/octet-stream;q=0.5",
    "Accept-Encoding": "identity",
    "Connection": "close",
}


async def system_resolver(host: str, port: int) -> list[str]:
    """Ask the operating system for the addresses of a host."""
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [str(address[0]) for *_, address in found]


class Fetcher:
    """Fetches media by URL within limits of size, time, redirects and type.

    `allow` names hosts (`HOST` or `HOST:PORT`) that may be private and may speak plain http; an entry
    that is neither is a ValueError. `tls` replaces the certificates that are trusted.
    """

    def __init__(
        self,
        enabled: bool,
        allow: Sequence[str],
        max_bytes: int,
        timeout_s: float,
        max_redirects: int = 5,
        *,
        resolver: Resolver = system_resolver,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self._allow = frozenset(map(_allowed, allow))
        self._max_bytes = max_bytes
        self._timeout_s = timeout_s
        self._max_redirects = max_redirects
        self._resolver = resolver
        self._slots = asyncio.Semaphore(MAX_AT_ONCE)
        self._transport = _transport(tls) if enabled else None

    async def fetch(self, url: str, field: str) -> tuple[bytes, str | None]:
        """Get the bytes behind a URL and the media type the server names, None where it names none."""
        target = _parse(url)
        if target is None:
            raise InvalidArgument(f"Invalid or unsupported file uri: {url[:200]}", field=field)
        if self._transport is None:
            raise _refusal("Fetching is turned off; the setting TWINLENS_FETCH turns it on.", field)
        async with self._slots:
            with _told(field, self._timeout_s):
                async with asyncio.timeout(self._timeout_s):
                    return await self._follow(target, self._transport)

    async def close(self) -> None:
        """Close what is still open."""
        if self._transport is not None:
            await self._transport.aclose()

    async def _follow(self, url: httpx.URL, transport: httpx.AsyncHTTPTransport) -> tuple[bytes, str | None]:
        for _ in range(self._max_redirects + 1):
            addresses = await self._addresses(url)
            async with _get(url, addresses, self._timeout_s, transport) as response:
                if response.status_code not in REDIRECTS:
                    return await self._read(response)
                url = _redirected(url, response)
        raise _Refused(f"It redirects more than {self._max_redirects} times.")

    async def _addresses(self, url: httpx.URL) -> Sequence[str]:
        """Resolve a URL's host, and refuse it unless all its addresses may be connected to."""
        host, port = _host(url), PORTS[url.scheme] if url.port is None else url.port
        is_allowed = not self._allow.isdisjoint(((host, None), (host, port)))
        if url.scheme != "https" and not is_allowed:
            raise _Refused("Only https addresses are fetched.")
        if not _is_plain(host) or not 0 < port < 65536 or url.userinfo:
            raise _Refused("It is not written plainly: give a host name or an IP address, without a user.")
        try:
            addresses = await self._resolver(host, port)
        except (OSError, UnicodeError) as cause:
            raise _Refused(_NOT_PUBLIC) from cause
        if not addresses or not (is_allowed or all(map(is_public, addresses))):
            raise _Refused(_NOT_PUBLIC)
        return addresses[:MAX_ADDRESSES]

    async def _read(self, response: httpx.Response) -> tuple[bytes, str | None]:
        if response.status_code != 200:
            raise _Refused(f"The server answered with status {response.status_code}.")
        mime_type = _media_type(response.headers.get("content-type", ""))
        decoder = _decoder(response.headers.get("content-encoding", ""))
        if int(response.headers.get("content-length", 0)) > self._max_bytes:
            raise _too_large(self._max_bytes)
        content = bytearray()
        received = 0
        async for piece in response.aiter_raw():
            received += len(piece)
            content += decoder.feed(piece, self._max_bytes - len(content) + 1)
            if max(received, len(content)) > self._max_bytes:
                raise _too_large(self._max_bytes)
        decoder.finish()
        return bytes(content), mime_type


class _Refused(Exception):
    """The content cannot be had, for a reason that the caller may know."""


@contextmanager
def _told(field: str, timeout_s: float) -> Iterator[None]:
    """Turn everything that can go wrong into an error for the caller; the causes are for the log."""
    try:
        yield
    except _Refused as cause:
        raise _refusal(str(cause), field) from cause
    except TimeoutError as cause:
        raise _refusal(f"It took longer than {timeout_s:g} s.", field) from cause
    except (httpx.HTTPError, httpx.InvalidURL) as cause:
        raise _refusal("The server broke off.", field) from cause


def _refusal(reason: str, field: str) -> InvalidArgument:
    return InvalidArgument(f"Cannot fetch content from the provided URL. {reason}", field=field)


def _too_large(max_bytes: int) -> _Refused:
    return _Refused(f"It is larger than {max_bytes} bytes.")


def _transport(tls: ssl.SSLContext | None) -> httpx.AsyncHTTPTransport:
    # Nothing is kept alive: connections are pooled by address, and two hosts may share one.
    limits = httpx.Limits(max_connections=None, max_keepalive_connections=0)
    return httpx.AsyncHTTPTransport(verify=tls or True, trust_env=False, limits=limits)


def _allowed(entry: str) -> tuple[str, int | None]:
    try:
        url = httpx.URL(f"//{entry}")
    except (httpx.InvalidURL, ValueError) as cause:
        raise ValueError(f"{entry!r} is not HOST or HOST:PORT") from cause
    if not _is_plain(_host(url)) or url.netloc.decode() != entry.lower():
        raise ValueError(f"{entry!r} is not HOST or HOST:PORT")
    return _host(url), url.port


def _parse(url: str) -> httpx.URL | None:
    """Read a URL with the parser that also makes the connection; None for what cannot be fetched."""
    if "\\" in url:
        return None
    try:
        parsed = httpx.URL(url)
    except (httpx.InvalidURL, ValueError):
        return None
    return parsed if parsed.scheme in PORTS and parsed.host else None


def _host(url: httpx.URL) -> str:
    return url.raw_host.decode("ascii")


def _is_plain(host: str) -> bool:
    """Tell IP addresses in their usual form and names from other ways to write an IP address."""
    if _NAME.fullmatch(host) and not _ENDS_IN_NUMBER.fullmatch(host):
        return True
    try:
        return getattr(ip_address(host), "scope_id", None) is None
    except ValueError:
        return False


@asynccontextmanager
async def _get(
    url: httpx.URL, addresses: Sequence[str], timeout_s: float, transport: httpx.AsyncHTTPTransport
) -> AsyncIterator[httpx.Response]:
    """Ask the first address that can be connected to, in the name of the URL's host."""
    failure: Exception | None = None
    for address in addresses:
        request = httpx.Request(
            "GET",
            url.copy_with(host=address),
            headers={"Host": url.netloc.decode("ascii"), **_HEADERS},
            extensions={"sni_hostname": _host(url), "timeout": {"connect": timeout_s / len(addresses)}},
        )
        try:
            response = await transport.handle_async_request(request)
        except (httpx.ConnectError, httpx.ConnectTimeout) as cause:
            failure = cause
            continue
        try:
            yield response
        finally:
            await response.aclose()
        return
    raise _Refused("The server cannot be reached.") from failure


def _redirected(url: httpx.URL, response: httpx.Response) -> httpx.URL:
    location = response.headers.get("location", "")
    try:
        target = _parse(str(url.join(location))) if "\\" not in location else None
    except (httpx.InvalidURL, ValueError) as cause:
        raise _Refused("It redirects to an address that is not valid.") from cause
    if not location or target is None:
        raise _Refused("It redirects to an address that is not valid.")
    return target


def _media_type(header: str) -> str | None:
    """Read a content type; only media are let through, and what may be anything."""
    mime_type = header.partition(";")[0].strip().lower()
    if mime_type in _SAYS_NOTHING:
        return None
    if not _MIME_TYPE.fullmatch(mime_type):
        raise _Refused("Its content type is not that of an image.")
    if not mime_type.startswith("image/"):
        raise _Refused(f"Its content type is {mime_type}, not that of an image.")
    return mime_type


class _Plain:
    """A body that is as it is."""

    def feed(self, piece: bytes, _most: int) -> bytes:
        return piece

    def finish(self) -> None:
        pass


class _Gzip:
    """A zipped body. It was not asked for, but some servers know better."""

    def __init__(self) -> None:
        self._decoder = zlib.decompressobj(wbits=zlib.MAX_WBITS | 16)

    def feed(self, piece: bytes, most: int) -> bytes:
        """Unzip no more than `most` bytes; what a bomb holds beyond them is never made."""
        try:
            return self._decoder.decompress(piece, most)
        except zlib.error as cause:
            raise _Refused("Its content encoding is broken.") from cause

    def finish(self) -> None:
        if not self._decoder.eof or self._decoder.unused_data:
            raise _Refused("Its content encoding is broken.")


_DECODERS: dict[str, type[_Plain | _Gzip]] = {
    "": _Plain,
    "identity": _Plain,
    "gzip": _Gzip,
    "x-gzip": _Gzip,
}


def _decoder(header: str) -> _Plain | _Gzip:
    decoder = _DECODERS.get(header.strip().lower())
    if decoder is None:
        raise _Refused("Its content encoding is not one that is read.")
    return decoder()
