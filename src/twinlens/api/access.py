"""Whom a server without keys answers: what runs on the same machine, and not the web pages opened there.

Any page can have its reader's browser send requests to localhost. Two headers tell, which no page can
change: `Origin` (with `Sec-Fetch-Site` for requests that have none) says which page asks, and `Host`
under which name. A name that is not known may be a stranger's that leads here now (DNS rebinding).
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from starlette.requests import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from ..domain.errors import PermissionDenied
from ..domain.hosts import Host, is_loopback, read_host
from .error_handlers import on_api_error
from .origin import Proxies

MAX_SHOWN = 100
"""Characters of a header that a refusal repeats."""

_DEFAULT_PORTS = {"http": 80, "https": 443}
_OWN_SITES = frozenset({b"same-origin", b"none"})

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Allowed:
    """What is answered beside the machine's own names: `hosts` as `name[:port]`, `origins` as browsers
    write them. Both must be well-formed."""

    hosts: frozenset[Host]
    origins: frozenset[str]

    @classmethod
    def of(cls, hosts: Iterable[str], origins: Iterable[str], public_url: str | None) -> Allowed:
        """Parse what was configured; the public URL's host and origin are allowed, too."""
        names = [host for host in map(read_host, hosts) if host]
        pages = {_origin(origin) for origin in origins}
        if public_url:
            origin = _origin("/".join(public_url.split("/", 3)[:3]))
            public = read_host(origin.partition("://")[2])
            names += [Host(public.name)] if public else []
            pages.add(origin)
        return cls(frozenset(names), frozenset(pages))

    def has(self, host: Host) -> bool:
        """Whether the server answers to a name: an entry without a port holds for each."""
        return is_loopback(host.name) or host in self.hosts or Host(host.name) in self.hosts


class OriginGuard:
    """An app around another that answers 403 to what comes from a page or under a name of somebody else."""

    def __init__(self, app: ASGIApp, allowed: Allowed, proxies: Proxies) -> None:
        self._app = app
        self._allowed = allowed
        self._proxies = proxies
        self._told: set[str] = set()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or refuse it."""
        if scope["type"] == "http":
            refusal = self._refusal(scope)
            if refusal:
                answer = await on_api_error(Request(scope), PermissionDenied(refusal))
                await answer(scope, receive, send)
                return
        await self._app(scope, receive, send)

    def _refusal(self, scope: Scope) -> str | None:
        """Return why a request is refused, and what to set; None where it is not."""
        hosts: list[bytes] = []
        origins: list[bytes] = []
        sites: list[bytes] = []
        for name, value in scope["headers"]:
            if name == b"host":
                hosts.append(value)
            elif name == b"origin":
                origins.append(value)
            elif name == b"sec-fetch-site":
                sites.append(value)
        host = read_host(_text(hosts) or "")
        if host is None or not self._allowed.has(host):
            return self._no_host(hosts)
        # A proxy may put its own idea of a Host in the place of what it was asked for.
        outer = read_host(self._proxies.forwarded(scope, "host"))
        if outer and not self._allowed.has(outer):
            return self._no_host([outer.name.encode("latin-1")])
        if origins:
            origin = _text(origins)
            if origin is None or not self._may_ask(origin, host, outer):
                return self._no_page(origins)
        elif sites and not _is_near(sites, outer or host):
            return (
                "This server has no keys, and a web page of another site sent this request. Start it with "
                "--allow-origin (TWINLENS_ALLOW_ORIGIN) for the pages that may, or with --api-key."
            )
        return None

    def _may_ask(self, origin: str, *hosts: Host | None) -> bool:
        """Whether a page may ask: it is this server's own, on this machine, or one that was allowed."""
        origin = origin.lower()
        if origin in self._allowed.origins:
            return True
        scheme, _, authority = origin.partition("://")
        page = read_host(authority) if scheme in _DEFAULT_PORTS else None
        if page is None:
            return False
        return is_loopback(page.name) or any(_same(scheme, page, host) for host in hosts if host)

    def _no_host(self, hosts: Sequence[bytes]) -> str:
        if len(hosts) != 1:
            return f"The request must have one Host header, and has {len(hosts) or 'none'}."
        shown = _shown(hosts)
        self._tell(shown, "the Host %s was refused; --allow-host lets it in", shown)
        return (
            f"This server has no keys, and answers to localhost only, not to the Host {shown}. "
            "Start it with --allow-host (TWINLENS_ALLOW_HOST) and that name, or with --api-key."
        )

    def _no_page(self, origins: Sequence[bytes]) -> str:
        shown = _shown(origins)
        if _text(origins) == "null":
            self._tell(shown, "a page without an origin was refused; it can be let in with --api-key only")
            return (
                "This server has no keys, and is not open to pages without an origin (a file or a sandboxed "
                "frame). Serve the page from http://localhost, or start the server with --api-key."
            )
        self._tell(shown, "a web page of %s was refused; --allow-origin lets it in", shown)
        return (
            f"This server has no keys, and is not open to web pages of {shown}. Start it with "
            "--allow-origin (TWINLENS_ALLOW_ORIGIN) and that origin, or with --api-key."
        )

    def _tell(self, what: str, message: str, *values: object) -> None:
        """Log it once for each, up to a limit: browsers do not show the response's text."""
        if what not in self._told and len(self._told) < MAX_SHOWN:
            self._told.add(what)
            log.warning(message, *values)


def _origin(text: str) -> str:
    """Write an origin as browsers do: in lower case, without the port that its scheme has anyway."""
    origin = text.lower().rstrip("/")
    port = _DEFAULT_PORTS.get(origin.partition("://")[0])
    return origin.removesuffix(f":{port}")


def _text(values: Sequence[bytes]) -> str | None:
    """Return the value of a header that must occur once; else None."""
    return values[0].decode("latin-1").strip(" \t") if len(values) == 1 else None


def _shown(values: Sequence[bytes]) -> str:
    return repr(b", ".join(values)[:MAX_SHOWN].decode("latin-1"))


def _same(scheme: str, page: Host, own: Host) -> bool:
    """Whether a page's origin is the host that it asks; behind a proxy, the scheme here says nothing."""
    default = _DEFAULT_PORTS[scheme]
    return (page.name, page.port or default) == (own.name, own.port or default)


def _is_near(sites: Sequence[bytes], host: Host) -> bool:
    """Whether a request without an Origin comes from near enough: no page, an own one, or one beside it.

    The site of a loopback name is the machine. Other names may share theirs with strangers.
    """
    if len(sites) != 1:
        return False
    return sites[0] in _OWN_SITES or (sites[0] == b"same-site" and is_loopback(host.name))
