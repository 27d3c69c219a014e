"""What stands in a `Host` header, and which names and addresses mean the machine itself."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address, ip_address

_AUTHORITY = re.compile(r"([a-z0-9_](?:[a-z0-9._-]{0,252})|\[[0-9a-f:.]{2,45}\])(?::([0-9]{0,5}))?")
_MAX_PORT = 65535
_LONGEST = 260


@dataclass(frozen=True, slots=True)
class Host:
    """A name or an address in lower case, IPv6 in its short form without brackets, and maybe a port."""

    name: str
    port: int | None = None


def read_host(text: str) -> Host | None:
    """Parse `name[:port]`, `1.2.3.4[:port]` or `[::1][:port]`; None for everything else."""
    return _read(text) if len(text) <= _LONGEST else None


@lru_cache(maxsize=256)
def is_loopback(name: str) -> bool:
    """Whether a name or an address is the machine itself, whatever a name server says (RFC 6761, 6.3)."""
    address = read_address(name)
    return address.is_loopback if address else name == "localhost" or name.endswith(".localhost")


def read_address(text: str) -> IPv4Address | IPv6Address | None:
    """Parse an IP address in its usual form; an IPv4 address that is written as IPv6 is that address."""
    try:
        address = ip_address(text)
    except ValueError:
        return None
    return (address.ipv4_mapped or address) if isinstance(address, IPv6Address) else address


@lru_cache(maxsize=256)
def _read(text: str) -> Host | None:
    found = _AUTHORITY.fullmatch(text.lower())
    if not found:
        return None
    name, port = found[1].removesuffix("."), int(found[2]) if found[2] else None
    if name.startswith("["):
        address = read_address(name[1:-1]) if ":" in name else None
        name = str(address or "")
    return Host(name, port) if name and (port or 0) <= _MAX_PORT else None
