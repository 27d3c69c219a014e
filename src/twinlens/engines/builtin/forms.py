"""The forms that a schema's `format` names, and whether a text has one.

A form that is not known here fits any text.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import date, datetime
from ipaddress import IPv4Address, IPv6Address
from uuid import UUID

_CLOCK = r"\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:[Zz]|[+-]\d\d:\d\d)"
_SHAPES: Mapping[str, str] = {
    "date": r"\d{4}-\d\d-\d\d",
    "date-time": rf"\d{{4}}-\d\d-\d\d[Tt ]{_CLOCK}",
    "time": _CLOCK,
    "duration": r"P(?=[\dT])(?:\d+W|(?:\d+Y)?(?:\d+M)?(?:\d+D)?(?:T(?=\d)(?:\d+H)?(?:\d+M)?(?:[\d.]+S)?)?)",
    "email": r"[^@\s]{1,64}@[A-Za-z0-9.-]{1,253}",
    "idn-email": r"[^@\s]{1,64}@[^@\s]{1,253}",
    "hostname": r"(?!-)[A-Za-z0-9-]{1,63}(?<!-)(?:\.(?!-)[A-Za-z0-9-]{1,63}(?<!-)){0,126}",
    "idn-hostname": r"[^\s@/]{1,253}",
    "uri": r"(?:[A-Za-z][A-Za-z0-9+.-]*:|www\.)[!-~]*",
    "iri": r"(?:[A-Za-z][A-Za-z0-9+.-]*:|www\.)\S*",
    "uuid": r"[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}",
}
"""An address as people print it may begin with `www.`: it is what a page says."""
_COMPILED = {name: re.compile(shape, re.ASCII) for name, shape in _SHAPES.items()}
_READERS: Mapping[str, Callable[[str], object]] = {
    "date": date.fromisoformat,
    "date-time": lambda text: datetime.fromisoformat(text.upper()),
    "time": lambda text: datetime.fromisoformat(f"2000-01-01T{text.upper()}"),
    "ipv4": IPv4Address,
    "ipv6": IPv6Address,
    "uuid": UUID,
}
_LONGEST = 2_000


def is_form(text: str, form: str) -> bool:
    """Tell whether a text has the form, as far as it is known here."""
    shape, reader = _COMPILED.get(form), _READERS.get(form)
    if (shape or reader) and len(text) > _LONGEST:
        return False
    if shape is not None and shape.fullmatch(text) is None:
        return False
    try:
        return reader is None or reader(text) is not None
    except ValueError:
        return False
