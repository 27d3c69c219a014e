"""Bytes from strangers to items within a budget.

`probe` reads headers in the server process and decodes nothing; `worker.DecodePool` decodes, in
processes of their own. `image.py` is the only code that calls a decoder library, and the server
never imports it.
"""

from __future__ import annotations

from blake3 import blake3

from ..domain.media import Data
from .admission import probe
from .sniff import mime_type_of

__all__ = ["digest", "mime_type_of", "probe"]


def digest(data: Data) -> str:
    """Name bytes by their content: equal names, equal bytes."""
    return blake3(data).hexdigest()
