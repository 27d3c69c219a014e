"""Which addresses the public internet has, and how hosts are written. All else is somebody's own network.

Written out as a table, because what the standard library calls global differs between Python versions.
A network that translates IPv4 under a prefix of its own cannot be distinguished from others.
"""

from __future__ import annotations

import re
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

_NOT_PUBLIC_V4 = tuple(
    map(
        IPv4Network,
        (
            "0.0.0.0/8",  # this host
            "10.0.0.0/8",  # private
            "100.64.0.0/10",  # carrier-grade NAT; one cloud keeps its metadata here
            "127.0.0.0/8",  # loopback
            "168.63.129.16/32",  # public by number, but one cloud's own service
            "169.254.0.0/16",  # link-local; where most clouds keep their metadata
            "172.16.0.0/12",  # private
            "192.0.0.0/24",  # protocol assignments; one cloud keeps its metadata here
            "192.0.2.0/24",  # documentation
            "192.88.99.0/24",  # relays from IPv6, retired
            "192.168.0.0/16",  # private
            "198.18.0.0/15",  # benchmarks
            "198.51.100.0/24",  # documentation
            "203.0.113.0/24",  # documentation
            "224.0.0.0/4",  # multicast
            "240.0.0.0/4",  # reserved, broadcast
        ),
    )
)

_PUBLIC_V6 = IPv6Network("2000::/3")
"""All that has been given out. Loopback, mapped IPv4, private and link-local lie outside of it."""

_NOT_PUBLIC_V6 = tuple(
    map(
        IPv6Network,
        (
            "2001::/23",  # protocol assignments, among them tunnels that carry an IPv4 address
            "2001:db8::/32",  # documentation
            "2002::/16",  # tunnels that carry an IPv4 address
            "3fff::/20",  # documentation
        ),
    )
)

_TRANSLATED_V4 = IPv6Network("64:ff9b::/96")
"""How a network without IPv4 writes IPv4 addresses: the last four bytes decide."""

_NAME = re.compile(r"[a-z0-9_-]+(\.[a-z0-9_-]+)*\.?")
_ENDS_IN_NUMBER = re.compile(r"(.*\.)?(\d+|0x[0-9a-f]*)\.?")


def is_public(address: str) -> bool:
    """Whether an address, as a resolver writes it, is on the public internet."""
    try:
        ip = ip_address(address)
    except ValueError:
        return False
    if isinstance(ip, IPv6Address) and ip in _TRANSLATED_V4:
        ip = IPv4Address(int(ip) & 0xFFFFFFFF)
    if isinstance(ip, IPv4Address):
        return not any(ip in network for network in _NOT_PUBLIC_V4)
    return ip.scope_id is None and ip in _PUBLIC_V6 and not any(ip in network for network in _NOT_PUBLIC_V6)


def is_address(host: str) -> bool:
    """Whether a host is an IP address in its usual form."""
    try:
        return getattr(ip_address(host), "scope_id", None) is None
    except ValueError:
        return False


def is_plain(host: str) -> bool:
    """Whether a host is a name, or an IP address in its usual form, and no other spelling of an address.

    A name that ends in a number is none: some resolver takes it for an address.
    """
    return is_address(host) or bool(_NAME.fullmatch(host) and not _ENDS_IN_NUMBER.fullmatch(host))
