"""What a file is, by its name. Where the name does not tell, the server looks at the bytes."""

from __future__ import annotations

import mimetypes
from pathlib import PurePath

_TYPES = {
    ".3gp": "video/3gpp",
    ".3gpp": "video/3gpp",
    ".aac": "audio/aac",
    ".aif": "audio/aiff",
    ".aiff": "audio/aiff",
    ".bmp": "image/bmp",
    ".flac": "audio/flac",
    ".flv": "video/x-flv",
    ".heic": "image/heic",
    ".heif": "image/heif",
    ".jfif": "image/jpeg",
    ".log": "text/plain",
    ".m4a": "audio/mp4",
    ".m4v": "video/mp4",
    ".markdown": "text/markdown",
    ".md": "text/markdown",
    ".mkv": "video/x-matroska",
    ".oga": "audio/ogg",
    ".ogg": "audio/ogg",
    ".opus": "audio/opus",
    ".rtf": "application/rtf",
    ".srt": "application/x-subrip",
    ".toml": "text/plain",
    ".vtt": "text/vtt",
    ".wav": "audio/wav",
    ".webm": "video/webm",
    ".webp": "image/webp",
    ".wmv": "video/x-ms-wmv",
    ".yaml": "text/plain",
    ".yml": "text/plain",
}
"""What Python does not know, knows only in later versions, or calls by another name."""

# A table of its own: the common one also reads files of the system, and differs between machines.
_PYTHONS = mimetypes.MimeTypes()


def guess(name: str) -> str | None:
    """Give the MIME type that belongs to a file's extension; None where there is no telling."""
    known = _TYPES.get(PurePath(name).suffix.lower())
    if known:
        return known
    kind, encoding = _PYTHONS.guess_type(PurePath(name).name, strict=True)
    return None if encoding else kind
