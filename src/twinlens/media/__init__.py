"""Untrusted bytes to pixels, samples and text within a budget.

`probe` reads headers in the server process and decodes nothing; `worker.pool.WorkerPool` decodes and
inspects stored files, in processes of their own. `image.py`, `video.py` and `pdf.py` are the only code that
calls a decoder library, and the server never imports them.
"""

from __future__ import annotations

from blake3 import blake3

from ..domain.media import Data
from .headers.admission import probe
from .headers.kinds import is_inspected, labelled
from .headers.sniff import file_type_of

__all__ = ["digest", "file_type_of", "is_inspected", "labelled", "probe"]


def digest(data: Data) -> str:
    """Return the BLAKE3 digest of bytes: equal digests, equal bytes."""
    return blake3(data).hexdigest()
