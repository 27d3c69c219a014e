from __future__ import annotations

import pytest

from twinlens.fetch.addresses import is_address, is_plain, is_public


@pytest.mark.parametrize(
    "address",
    [
        "8.8.8.8",
        "1.1.1.1",
        "172.15.255.255",
        "172.32.0.0",
        "100.128.0.0",
        "2606:4700::1111",
        "64:ff9b::8.8.8.8",
    ],
)
def test_addresses_of_the_internet_are_public(address: str) -> None:
    assert is_public(address)


@pytest.mark.parametrize(
    "address",
    [
        "0.0.0.0",
        "0.1.2.3",
        "10.0.0.1",
        "100.64.0.1",
        "100.100.100.200",
        "127.0.0.1",
        "127.255.255.254",
        "168.63.129.16",
        "169.254.169.254",
        "172.16.0.1",
        "172.31.255.255",
        "192.0.0.192",
        "192.0.2.1",
        "192.168.1.1",
        "198.18.0.1",
        "198.51.100.1",
        "203.0.113.1",
        "224.0.0.1",
        "240.0.0.1",
        "255.255.255.255",
        "::",
        "::1",
        "::127.0.0.1",
        "::ffff:127.0.0.1",
        "::ffff:8.8.8.8",
        "64:ff9b::127.0.0.1",
        "64:ff9b::a9fe:a9fe",
        "64:ff9b:1::7f00:1",
        "100::1",
        "2001::1",
        "2001:db8::1",
        "2002:7f00:1::",
        "3fff::1",
        "fc00::1",
        "fd00:ec2::254",
        "fe80::1",
        "fe80::1%eth0",
        "2606:4700::1111%eth0",
        "fec0::1",
        "ff02::1",
        "localhost",
        "2130706433",
        "",
    ],
)
def test_all_others_are_not(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize("host", ["127.0.0.1", "8.8.8.8", "::1", "2606:4700::1111"])
def test_an_address_in_its_usual_form_is_plain(host: str) -> None:
    assert is_address(host)
    assert is_plain(host)


@pytest.mark.parametrize(
    "host", ["localhost", "localhost.", "a.b", "4chan.test", "a_b.test", "1.a", "0x7f.test"]
)
def test_a_name_is_plain(host: str) -> None:
    assert not is_address(host)
    assert is_plain(host)


@pytest.mark.parametrize(
    "host",
    [
        "",
        ".",
        "a..b",
        ".a",
        "127.1",
        "127.0.0.1.",
        "0177.0.0.1",
        "0x7f",
        "a.1",
        "a.0x",
        "a%2e",
        "fe80::1%lo",
        "A",
    ],
)
def test_what_some_resolver_takes_for_an_address_is_not(host: str) -> None:
    assert not is_address(host)
    assert not is_plain(host)
