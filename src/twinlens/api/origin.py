"""Where the client reaches this server: what absolute URLs in answers begin with.

Behind a proxy that is what the proxy was asked for. Proxies say so in `X-Forwarded-*`, and are believed
where they are known: a client's own word about them is not.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterable
from functools import lru_cache
from ipaddress import ip_network

from starlette.requests import Request
from starlette.types import Scope

from ..domain.hosts import is_loopback, read_address, read_host

_PREFIX = re.compile(r"(?:/[A-Za-z0-9_~-][A-Za-z0-9._~-]*)+")
_MARKS = ("x-forwarded-for", "x-forwarded-host", "x-forwarded-proto", "x-real-ip", "forwarded", "via")
"""Headers that only proxies send."""

log = logging.getLogger(__name__)


class Proxies:
    """The proxies that are believed, by their addresses or networks, which must be well-formed."""

    def __init__(self, trusted: Iterable[str]) -> None:
        self._networks = tuple(ip_network(each, strict=False) for each in trusted)
        self.trusts = lru_cache(maxsize=1024)(self._trusts)

    def forwarded(self, scope: Scope, what: str) -> str:
        """Give what a trusted proxy says of a request as it came in, or nothing.

        Where there are several, the outermost is believed: it stands first in the list.
        """
        wanted = b"x-forwarded-" + what.encode("ascii")
        for name, value in scope["headers"]:
            if name == wanted:
                if not self.trusts(peer_of(scope)):
                    return ""
                return str(value.decode("latin-1")).partition(",")[0].strip()
        return ""

    def _trusts(self, peer: str) -> bool:
        address = read_address(peer)
        return address is not None and any(address in network for network in self._networks)


class Origins:
    """Tells what absolute URLs begin with: scheme, host and path prefix, without a slash at the end.

    `public_url` is where clients come in, whatever they say. Without it, a proxy that does not pass on what
    it was asked for makes for URLs that clients cannot reach: the log says so, once.
    """

    def __init__(self, proxies: Proxies, public_url: str | None = None) -> None:
        self._proxies = proxies
        self._public = (public_url or "").rstrip("/")
        self._is_told = False

    def __call__(self, request: Request) -> str:
        """Return the base URL of the response to a request."""
        if self._public:
            return self._public
        if not self._is_told:
            self._warn(request)
        scope = request.scope
        scheme = self._proxies.forwarded(scope, "proto").lower()
        host = self._proxies.forwarded(scope, "host")
        prefix = self._proxies.forwarded(scope, "prefix").rstrip("/")
        if scheme not in ("http", "https"):
            scheme = request.url.scheme
        if not read_host(host):
            host = request.headers.get("host", "")
        if not read_host(host):
            server = scope.get("server")
            host = f"{server[0]}:{server[1]}" if server else "localhost"
        if not _PREFIX.fullmatch(prefix):
            prefix = ""
        return f"{scheme}://{host}{prefix}{scope.get('root_path', '')}"

    def _warn(self, request: Request) -> None:
        """Say it once where a proxy seems to stand in front and keeps to itself what it was asked for."""
        advice = self._advice(request)
        if advice:
            self._is_told = True
            log.warning(
                "A request seems to have come through a proxy, and URLs of uploads and files will begin with "
                "http://%s. If clients cannot reach that, %s; or set --public-url (TWINLENS_PUBLIC_URL). "
                "See docs/deployment.md.",
                request.headers.get("host", "")[:100],
                advice,
            )

    def _advice(self, request: Request) -> str | None:
        peer, headers = peer_of(request.scope), request.headers
        host = read_host(headers.get("host", ""))
        is_local_name = host is not None and is_loopback(host.name)
        is_marked = any(mark in headers for mark in _MARKS)
        if is_marked and not self._proxies.trusts(peer):
            return f"believe the proxy with --trusted-proxies {peer}"
        # nginx passes a request on as HTTP/1.0, and says nothing else of itself.
        is_passed_on = is_marked or (request.scope.get("http_version") == "1.0" and host is not None)
        is_from_elsewhere = is_local_name and not is_loopback(peer)
        if (is_passed_on and is_local_name and "x-forwarded-host" not in headers) or is_from_elsewhere:
            return "have the proxy pass on the Host header, or X-Forwarded-Host"
        return None


def peer_of(scope: Scope) -> str:
    """Return the address that a request came from, the last proxy's where there are some."""
    client = scope.get("client")
    return str(client[0]) if client else ""
