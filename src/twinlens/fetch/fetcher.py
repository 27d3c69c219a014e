"""Fetch media from public https addresses, and from nowhere else unless the operator allows it.

A name is resolved once, every address it has is checked, and the connection goes to a checked one: what
a resolver says the next time does not matter. The same holds for every redirect. The transport is used
without a client around it, so there are no cookies, no proxies and no environment to be misled by.

Ports: 443 and everything from 1024 up, where people run web servers of their own. The services below are
known by their numbers (mail, shells, directories), and none of them serves media; a TLS handshake would
tell them nothing, but what the refusal says would tell a caller who is there.
"""

from __future__ import annotations

import asyncio
import re
import socket
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from functools import cache

import httpx

from ..domain.errors import InvalidArgument
from ..domain.media_types import ACCEPT, DOWNLOADS, essence, essential, kind_of
from .addresses import is_address, is_plain, is_public
from .body import Body, BrokenCoding, Fetched, TooLarge

Resolver = Callable[[str, int], Awaitable[Sequence[str]]]
"""From a host name and a port to addresses; an `OSError` where there are none."""

PORTS = {"http": 80, "https": 443}
REDIRECTS = frozenset((301, 302, 303, 307, 308))
MAX_AT_ONCE = 32
MAX_ADDRESSES = 3

TURNED_OFF = "Fetching is turned off; the setting TWINLENS_FETCH turns it on."

_NOT_PUBLIC = "The host has no public address."
"""One sentence for all reasons, so that no caller learns which names exist in a private network."""

_MIME_TYPE = re.compile(r"[\w.+-]{1,60}/[\w.+-]{1,60}", re.ASCII)
_HEADERS = {"User-Agent": "twinlens", "Accept-Encoding": "identity", "Connection": "close"}


class FetchRefused(Exception):
    """The content cannot be fetched, for a reason that the caller may know."""


@dataclass(frozen=True, slots=True)
class _Order:
    """What the caller takes: the type it called the content, if any, and how much of it."""

    mime_type: str | None
    max_bytes: int

    @property
    def accept(self) -> str:
        """The `Accept` header for it."""
        if self.mime_type is None or not _MIME_TYPE.fullmatch(self.mime_type):
            return ACCEPT
        return f"{self.mime_type}, {ACCEPT}"


class Fetcher:
    """Fetches media by URL within limits of size, time, redirects and type.

    `allow` names hosts (`HOST` or `HOST:PORT`) that may be private, may speak plain http and on any port;
    an entry that is neither is a ValueError. `within` narrows all others down to hosts that end so.
    `resolver` and `transport` stand in for the system's resolver and for `direct_transport`.
    """

    def __init__(
        self,
        enabled: bool,
        allow: Sequence[str],
        max_bytes: int,
        timeout_s: float,
        max_redirects: int = 5,
        *,
        within: tuple[str, ...] = ("",),
        resolver: Resolver | None = None,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        self._allow = frozenset(map(_allowed, allow))
        self._max_bytes = max_bytes
        self._timeout_s = timeout_s
        self._max_redirects = max_redirects
        self._within = within
        self._threads = ThreadPoolExecutor(MAX_AT_ONCE, "resolve")
        self._resolver = resolver or self._system_resolver
        self._slots = asyncio.Semaphore(MAX_AT_ONCE)
        self._transport = (transport or direct_transport()) if enabled else None

    async def fetch(
        self, url: str, field: str, wanted: str | None = None, *, max_bytes: int | None = None
    ) -> Fetched:
        """Fetch a URL into a file; its content must be of the same kind of media as the type `wanted`.

        `max_bytes` lowers the limit for this once.
        """
        target = _parse(url)
        if target is None:
            raise InvalidArgument(f"Invalid or unsupported file uri: {url[:200]}", field=field)
        if self._transport is None:
            raise cannot_fetch(TURNED_OFF, field)
        most = self._max_bytes if max_bytes is None else min(max_bytes, self._max_bytes)
        order = _Order(essence(wanted) or None, most)
        async with self._slots:
            with reason_of(field, self._timeout_s):
                async with asyncio.timeout(self._timeout_s):
                    return await self._follow(target, order, self._transport)

    async def close(self) -> None:
        """Close what is still open."""
        self._threads.shutdown(wait=False, cancel_futures=True)
        if self._transport is not None:
            await self._transport.aclose()

    async def _follow(self, url: httpx.URL, order: _Order, transport: httpx.AsyncBaseTransport) -> Fetched:
        for _ in range(self._max_redirects + 1):
            addresses = await self._addresses(url)
            async with _get(url, addresses, order.accept, self._timeout_s, transport) as response:
                if response.status_code not in REDIRECTS:
                    return await _read(response, order)
                url = _redirected(url, response)
        raise FetchRefused(f"It redirects more than {self._max_redirects} times.")

    async def _addresses(self, url: httpx.URL) -> Sequence[str]:
        """Resolve a URL's host, and refuse it unless all its addresses may be connected to."""
        host, port = _host(url), PORTS[url.scheme] if url.port is None else url.port
        is_allowed = not self._allow.isdisjoint(((host, None), (host, port)))
        if url.scheme != "https" and not is_allowed:
            raise FetchRefused("Only https addresses are fetched.")
        if not is_plain(host) or not 0 < port < 65536 or url.userinfo:
            raise FetchRefused(
                "It is not written plainly: give a host name or an IP address, without a user."
            )
        if not is_allowed and port != PORTS["https"] and port < 1024:
            raise FetchRefused("Of ports below 1024, only 443 is fetched from.")
        if not is_allowed and not host.endswith(self._within):
            raise FetchRefused("It leads to a host of somebody else.")
        try:
            addresses = [host] if is_address(host) else await self._resolver(host, port)
        except (OSError, UnicodeError) as cause:
            raise FetchRefused(_NOT_PUBLIC) from cause
        if not addresses or not (is_allowed or all(map(is_public, addresses))):
            raise FetchRefused(_NOT_PUBLIC)
        return addresses[:MAX_ADDRESSES]

    async def _system_resolver(self, host: str, port: int) -> list[str]:
        """Resolve by the system, in threads of our own: a slow name server must not block other work."""
        found = await asyncio.get_running_loop().run_in_executor(
            self._threads, lambda: socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        )
        return [str(address[0]) for *_, address in found]


def direct_transport(tls: ssl.SSLContext | None = None) -> httpx.AsyncBaseTransport:
    """Return a transport without proxy and keep-alive; `tls` says which certificates to trust."""
    # Connections that are kept are found by address, and two hosts may share one.
    limits = httpx.Limits(max_connections=None, max_keepalive_connections=0)
    return httpx.AsyncHTTPTransport(verify=tls or _usual_certificates(), trust_env=False, limits=limits)


@cache
def _usual_certificates() -> ssl.SSLContext:
    """Trust whom everybody trusts. Loading all their certificates is a good part of a server's start."""
    return httpx.create_ssl_context(trust_env=False)


@contextmanager
def reason_of(field: str, timeout_s: float) -> Iterator[None]:
    """Turn everything that can go wrong into an error for the caller; the causes are for the log."""
    try:
        yield
    except FetchRefused as cause:
        raise cannot_fetch(str(cause), field) from cause
    except TimeoutError as cause:
        raise cannot_fetch(f"It took longer than {timeout_s:g} s.", field) from cause
    except (httpx.HTTPError, httpx.InvalidURL) as cause:
        raise cannot_fetch("The server broke off.", field) from cause


def cannot_fetch(reason: str, field: str) -> InvalidArgument:
    """Return the error for a URL that cannot be fetched."""
    return InvalidArgument(f"Cannot fetch content from the provided URL. {reason}", field=field)


def _allowed(entry: str) -> tuple[str, int | None]:
    try:
        url = httpx.URL(f"//{entry}")
    except (httpx.InvalidURL, ValueError) as cause:
        raise ValueError(f"{entry!r} is not HOST or HOST:PORT") from cause
    is_port = url.port is None or 0 < url.port < 65536
    if not is_plain(_host(url)) or not is_port or url.netloc.decode() != entry.lower():
        raise ValueError(f"{entry!r} is not HOST or HOST:PORT")
    return _host(url), url.port


def _parse(url: str) -> httpx.URL | None:
    """Parse a URL with the parser that also makes the connection; None for what cannot be fetched."""
    if "\\" in url:
        return None
    try:
        parsed = httpx.URL(url)
    except (httpx.InvalidURL, ValueError):
        return None
    return parsed if parsed.scheme in PORTS and _host(parsed) else None


def _host(url: httpx.URL) -> str:
    return url.raw_host.decode("ascii")


@asynccontextmanager
async def _get(
    url: httpx.URL,
    addresses: Sequence[str],
    accept: str,
    timeout_s: float,
    transport: httpx.AsyncBaseTransport,
) -> AsyncIterator[httpx.Response]:
    """Ask the first address that can be connected to, in the name of the URL's host."""
    failure: Exception | None = None
    for address in addresses:
        request = httpx.Request(
            "GET",
            url.copy_with(host=address),
            headers={"Host": url.netloc.decode("ascii"), "Accept": accept, **_HEADERS},
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
    raise FetchRefused("The server cannot be reached.") from failure


def _redirected(url: httpx.URL, response: httpx.Response) -> httpx.URL:
    location = response.headers.get("location", "")
    try:
        target = _parse(str(url.join(location))) if "\\" not in location else None
    except (httpx.InvalidURL, ValueError) as cause:
        raise FetchRefused("It redirects to an address that is not valid.") from cause
    if not location or target is None:
        raise FetchRefused("It redirects to an address that is not valid.")
    return target


async def _read(response: httpx.Response, order: _Order) -> Fetched:
    if response.status_code != 200:
        raise FetchRefused(f"The server answered with status {response.status_code}.")
    mime_type = _media_type(response.headers.get("content-type", ""))
    _check_kind(mime_type, order.mime_type)
    coding = response.headers.get("content-encoding", "").strip().lower()
    if not Body.is_known(coding):
        raise FetchRefused("Its content encoding is not one that is read.")
    try:
        return await _received(response, mime_type, Body(coding, order.max_bytes), order.max_bytes)
    except TooLarge as cause:
        raise FetchRefused(f"It is larger than {order.max_bytes} bytes.") from cause
    except BrokenCoding as cause:
        raise FetchRefused("Its content encoding is broken.") from cause


async def _received(response: httpx.Response, mime_type: str | None, body: Body, max_bytes: int) -> Fetched:
    if int(response.headers.get("content-length", 0)) > max_bytes:
        raise TooLarge
    async for piece in response.aiter_raw():
        for _ in body.add(piece):
            await asyncio.sleep(0)
    return body.finish(mime_type)


def _media_type(header: str) -> str | None:
    """Parse a content type; refuse all but supported media and types that may be anything."""
    mime_type = essence(header)
    if mime_type in DOWNLOADS:
        return None
    if not _MIME_TYPE.fullmatch(mime_type):
        raise FetchRefused("Its content type cannot be read.")
    if kind_of(mime_type) is None:
        raise FetchRefused(f"Its content type is {mime_type}: no image, audio, video, PDF or text.")
    return essential(header)


def _check_kind(mime_type: str | None, wanted: str | None) -> None:
    """Refuse another kind than was requested: many servers send a login page in place of a video."""
    known, said = kind_of(mime_type), kind_of(wanted)
    if known and said and known != said:
        raise FetchRefused(f"Its content type is {mime_type}, but the part's mime_type is {wanted}.")
