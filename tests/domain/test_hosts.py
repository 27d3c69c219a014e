"""Names and addresses in a Host header."""

from __future__ import annotations

import pytest

from twinlens.domain.hosts import Host, is_loopback, read_address, read_host


@pytest.mark.parametrize(
    ("text", "host"),
    [
        ("localhost", Host("localhost")),
        ("LocalHost.:8080", Host("localhost", 8080)),
        ("a_b.test:1", Host("a_b.test", 1)),
        ("10.0.0.1:80", Host("10.0.0.1", 80)),
        ("[0:0::1]:80", Host("::1", 80)),
        ("[::1]", Host("::1")),
        ("name:", Host("name")),
    ],
)
def test_a_host_is_read(text: str, host: Host) -> None:
    assert read_host(text) == host


@pytest.mark.parametrize(
    "text",
    ["", ".", ":80", "a b", "a/b", "a@b", "a:70000", "a:-1", "[]", "[::1", "::1", "[a]", "é", "a" * 300],
)
def test_what_is_no_host_is_none(text: str) -> None:
    assert read_host(text) is None


@pytest.mark.parametrize(
    ("name", "is_own"),
    [
        ("localhost", True),
        ("a.localhost", True),
        ("127.8.9.1", True),
        ("::1", True),
        ("::ffff:127.0.0.1", True),
        ("localhost.test", False),
        ("0.0.0.0", False),
        ("::", False),
        ("::ffff:10.0.0.1", False),
        ("", False),
    ],
)
def test_only_the_machine_itself_is_loopback(name: str, is_own: bool) -> None:
    assert is_loopback(name) is is_own


def test_an_ipv4_address_in_ipv6_is_itself() -> None:
    assert str(read_address("::ffff:10.0.0.1")) == "10.0.0.1"
