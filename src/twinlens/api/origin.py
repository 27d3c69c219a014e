"""Where the client reaches this server: what absolute URLs in answers begin with.

Behind a proxy that is what the proxy was asked for. The headers are the client's word, and the URLs
go back to that client alone.
"""

from __future__ import annotations

import re

from starlette.requests import Request

_HOST = re.compile(r"(?:[A-Za-z0-9_-][A-Za-z0-9._-]*|\[[0-9A-Fa-f:.]+\])(?::\d{1,5})?")
_PREFIX = re.compile(r"(?:/[A-Za-z0-9_~-][A-Za-z0-9._~-]*)+")


def origin_of(request: Request) -> str:
    """Give scheme, host and path prefix, without a slash at the end."""
    scheme = _forwarded(request, "proto").lower()
    host = _forwarded(request, "host")
    prefix = _forwarded(request, "prefix").rstrip("/")
    if scheme not in ("http", "https"):
        scheme = request.url.scheme
    if not _HOST.fullmatch(host):
        host = request.headers.get("host", "")
    if not _HOST.fullmatch(host):
        server = request.scope.get("server")
        host = f"{server[0]}:{server[1]}" if server else "localhost"
    if not _PREFIX.fullmatch(prefix):
        prefix = ""
    return f"{scheme}://{host}{prefix}{request.scope.get('root_path', '')}"


def _forwarded(request: Request, what: str) -> str:
    """Read the value the outermost proxy put in, which is the first of the list."""
    return request.headers.get(f"x-forwarded-{what}", "").partition(",")[0].strip()
