"""What a file is, by its name. Where the name does not tell, the server looks at the bytes."""

from __future__ import annotations

import mimetypes
from pathlib import PurePath

from ..domain.media_types import EXTENSIONS

# A table of its own: the common one also reads files of the system, and differs between machines.
_PYTHONS = mimetypes.MimeTypes()


def guess(name: str) -> str | None:
    """Give the MIME type that belongs to a file's extension; None where there is no telling."""
    known = EXTENSIONS.get(PurePath(name).suffix.lower())
    if known:
        return known
    kind, encoding = _PYTHONS.guess_type(PurePath(name).name, strict=True)
    return None if encoding else kind
