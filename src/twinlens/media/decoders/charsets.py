"""The character encodings that texts come in, all loaded at once: later nothing may be opened."""

from __future__ import annotations

import codecs
from collections.abc import Mapping

_NAMES = (
    *("ascii", "utf-8", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-32-le", "utf-32-be"),
    *(f"iso8859-{part}" for part in (1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 13, 14, 15, 16)),
    *(f"cp{page}" for page in (437, 737, 775, 850, 852, 855, 857, 860, 861, 862, 863, 864, 865, 866, 869)),
    *(f"cp{page}" for page in (874, 932, 936, 949, 950, *range(1250, 1259))),
    *("koi8-r", "koi8-u", "mac-roman", "mac-cyrillic", "mac-greek", "mac-latin2", "mac-turkish"),
    *("shift_jis", "euc_jp", "iso2022_jp", "gb2312", "gbk", "gb18030", "hz", "big5", "big5hkscs", "euc_kr"),
)

_ALIASES: Mapping[str, str] = {
    # What says Latin 1 is mostly Windows' extension of it.
    "iso8859-1": "cp1252",
    "ascii": "cp1252",
    "gb2312": "gb18030",
    "gbk": "gb18030",
    "shift_jis": "cp932",
    "euc_kr": "cp949",
}
"""Encodings that another one contains, as browsers read them."""

_CODECS: Mapping[str, codecs.CodecInfo] = {codecs.lookup(name).name: codecs.lookup(name) for name in _NAMES}


def codec_of(name: str | None) -> codecs.CodecInfo | None:
    """Find an encoding by whatever name it was called; None for one that is not known."""
    if not name or len(name) > 40:
        return None
    try:
        known = codecs.lookup(name.strip().strip("\"'")).name
    except (LookupError, ValueError, OSError):
        return None
    return _CODECS.get(_ALIASES_BY_CODEC.get(known, known))


_ALIASES_BY_CODEC = {codecs.lookup(name).name: codecs.lookup(other).name for name, other in _ALIASES.items()}
