"""Errors as the Interactions API writes them: a sentence and a code that is a word.

There are no details beside the sentence, so it has to name the field itself. The stages behind the wire
name fields as the Gemini dialect does; here they get the names that this API's callers wrote.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from ...domain.errors import TwinlensError
from ...domain.interaction import Failure
from .. import encoding

CODES: Mapping[str, str] = {
    "INVALID_ARGUMENT": "invalid_request",
    "FAILED_PRECONDITION": "invalid_request",
    "UNAUTHENTICATED": "authentication_error",
    "PERMISSION_DENIED": "permission_denied",
    "NOT_FOUND": "not_found",
    "ALREADY_EXISTS": "conflict",
    "RESOURCE_EXHAUSTED": "too_many_requests",
    "CANCELLED": "cancelled",
    "INTERNAL": "internal_error",
    "UNKNOWN": "internal_error",
    "UNIMPLEMENTED": "not_implemented",
    "UNAVAILABLE": "overloaded",
    "DEADLINE_EXCEEDED": "deadline_exceeded",
}
"""Any other status is its own code, in lower case: why a prompt was blocked, or an answer broken off."""

_FIELDS: Mapping[str, str] = {
    "inline_data.data": "data",
    "inline_data.mime_type": "mime_type",
    "inline_data": "data",
    "file_data.file_uri": "uri",
    "file_data.mime_type": "mime_type",
    "file_data": "uri",
    "video_metadata": "processing",
    "media_resolution.level": "resolution",
    "media_resolution": "resolution",
}
"""What a content's fields are called elsewhere, and here; the longer path comes first."""
_FIELD = re.compile(rf"(?<=\.)({'|'.join(map(re.escape, _FIELDS))})(?=\.|$)")
_WHOLE_FIELDS: Mapping[str, str] = {
    "contents": "input",
    "generation_config.response_schema": "response_format.schema",
    "tool_config.function_calling_config.mode": "generation_config.tool_choice",
}
_EARLIER = "previous_interaction_id"
"""What media of earlier turns came in by; it has no fields of its own."""
_PHRASES: Mapping[str, str] = {
    "Media resolution MEDIA_RESOLUTION_ULTRA_HIGH is only supported for image parts": (
        "The resolution ultra_high is only supported for images"
    ),
    "at this media_resolution": "at this resolution",
    "lower media_resolution": "lower their resolution",
    "with video_metadata": "with processing",
}
"""Whole phrases, since a bare word may be what the caller wrote."""
_ENDS = (".", "!", "?", "^")
"""A sentence from elsewhere may lack its full stop; one that shows where it points does not."""


def write_error(error: TwinlensError) -> bytes:
    """Write the envelope."""
    return encoding.write({"error": write_failure(failure_of(error))})


def write_error_event(error: TwinlensError) -> bytes:
    """Write the event that says why a stream ends early."""
    return encoding.write({"event_type": "error", "error": write_failure(failure_of(error))})


def failure_of(error: TwinlensError) -> Failure:
    """Return an error as it is stored with an interaction."""
    message = error.message.rstrip()
    for phrase, ours in _PHRASES.items():
        message = message.replace(phrase, ours)
    paths = dict.fromkeys(_path(one.field) for one in error.violations if one.field)
    unnamed = [path for path in paths if not _names(message, path)]
    sentence = f"{', '.join(unnamed)}: {message}" if unnamed else message
    return Failure(error.status, sentence if sentence.endswith(_ENDS) else f"{sentence}.")


def write_failure(failure: Failure) -> dict[str, str]:
    """Write what an `error` event and the `errors` of an interaction hold."""
    code = CODES.get(failure.status, failure.status.lower())
    return {"code": code, "message": failure.message}


def _path(field: str) -> str:
    if field.startswith(f"{_EARLIER}."):
        return _EARLIER
    return _WHOLE_FIELDS.get(field) or _FIELD.sub(lambda found: _FIELDS[found[1]], field)


def _names(message: str, path: str) -> bool:
    return re.search(rf"(?<!\w){re.escape(path)}(?!\w)", message) is not None
