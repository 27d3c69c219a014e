"""The query parameters every method tolerates, and the refusal of all others."""

from __future__ import annotations

from collections.abc import Container

from starlette.requests import Request

from ..domain.errors import InvalidArgument, Violation

_NAMES = {"access_token", "alt", "callback", "fields", "prettyPrint"}
SYSTEM = frozenset(
    {"key", "oauth_token", "quotaUser", "upload_id", "upload_protocol", "uploadType"}
    | _NAMES
    | {f"${name}" for name in _NAMES}
    | {"$.xgafv", "$.uploadType", "$.upload_protocol"}
)


def check_query(request: Request, own: Container[str] = ()) -> None:
    """Refuse the first query parameter that is neither the method's own nor a system one."""
    if not request.scope["query_string"]:
        return
    for name in request.query_params:
        if name not in SYSTEM and name not in own:
            reason = f"Cannot bind query parameter. Field '{name}' could not be found in request message."
            message = f'Invalid JSON payload received. Unknown name "{name}": {reason}'
            raise InvalidArgument(message, violations=[Violation("", message)])
