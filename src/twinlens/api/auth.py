"""Who calls: the API key, and the project it stands for."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterable

from starlette.requests import Request

from ..domain.errors import InvalidApiKey, PermissionDenied

NO_KEY = (
    "Method doesn't allow unregistered callers (callers without established identity). "
    "Please use API Key or other form of API consumer identity to call this API."
)


class Keys:
    """The keys this server accepts; none means that any key will do, and all callers share a project."""

    def __init__(self, keys: Iterable[str]) -> None:
        self._projects = {key: hashlib.sha256(key.encode()).hexdigest()[:16] for key in keys}

    def project_of(self, request: Request) -> str:
        """Return the project of a request's key; raise where there is no key, or a wrong one."""
        key = key_of(request)
        if not key:
            raise PermissionDenied(NO_KEY)
        if not self._projects:
            return "default"
        for known, project in self._projects.items():
            if hmac.compare_digest(known.encode(), key.encode()):
                return project
        raise InvalidApiKey


def key_of(request: Request) -> str | None:
    """Look up the key where clients put it: header, query, or bearer token, in this order."""
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    bearer = token.strip() if scheme.lower() == "bearer" else None
    return request.headers.get("x-goog-api-key") or request.query_params.get("key") or bearer
