"""Answers that are whole, as responses."""

from __future__ import annotations

from starlette.responses import Response

JSON = "application/json; charset=UTF-8"

ZIPPED_BYTES = 256 * 1024
"""Larger answers are sent as they are: zipping them would hold up everybody else."""


def answered(body: bytes) -> Response:
    """Make a response of a JSON text."""
    headers = {"Content-Encoding": "identity"} if len(body) > ZIPPED_BYTES else None
    return Response(body, media_type=JSON, headers=headers)
