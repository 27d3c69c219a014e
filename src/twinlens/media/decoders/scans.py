"""How many passes over its pixels a JPEG asks for. Runs in a worker process, before anything is decoded.

A progressive picture comes in some ten scans, and each costs as much work as all its pixels are many. A
scan takes a few bytes to write, so a small file could ask for thousands.
"""

from __future__ import annotations

import re
from typing import Any

from .unreadable import Unreadable

MAX_SCANS = 100
"""Ten times what encoders make."""

_MARKER = re.compile(rb"\xff[^\x00\xd0-\xd7\xff]")
"""What ends a scan's data: neither a byte that is stuffed, nor a restart, nor filling."""
_SCAN, _END = 0xDA, 0xD9
_BARE = frozenset({0x01, 0xD8})


def check_scans(data: Any) -> None:
    """Raise `Unreadable` for a JPEG, in anything that holds bytes, with more scans than anybody makes.

    What is damaged is left to the decoder.
    """
    scans, place = 0, 0
    while (found := _MARKER.search(data, place)) is not None:
        marker, place = found[0][1], found.end()
        if marker == _END:
            return
        if marker in _BARE:
            continue
        scans += marker == _SCAN
        if scans > MAX_SCANS:
            raise Unreadable("scans", f"more than {MAX_SCANS} scans")
        place += int.from_bytes(data[place : place + 2], "big")
