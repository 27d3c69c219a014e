"""Answers that are whole, as responses."""

from __future__ import annotations

from collections.abc import Mapping

from starlette.responses import Response

from ..wire.encoding import JSON

ZIPPED_BYTES = 256 * 1024
"""Larger answers are sent as they are: zipping them would hold up everybody else."""


def answered(body: bytes, headers: Mapping[str, str] | None = None) -> Response:
    """Make a response of a JSON text."""
    as_it_is = {"Content-Encoding": "identity"} if len(body) > ZIPPED_BYTES else {}
    return Response(body, media_type=JSON, headers={**(headers or {}), **as_it_is})
