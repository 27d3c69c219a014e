"""What absolute URLs begin with, whose word about it is believed, and when the log says what to set."""

from __future__ import annotations

import pytest
from starlette.requests import Request

from twinlens.api.origin import Origins, Proxies

LOOPBACK = ("127.0.0.0/8", "::1")
SAYS = {"x-forwarded-host": "out.test", "x-forwarded-proto": "https", "x-forwarded-prefix": "/gemini"}


def asked(
    headers: dict[str, str], peer: str = "127.0.0.1", host: str = "twin:8080", http_version: str = "1.1"
) -> Request:
    """Make a request that came from a peer."""
    raw = [(name.encode(), value.encode()) for name, value in ({"host": host} | headers).items()]
    scope = {
        "type": "http",
        "http_version": http_version,
        "scheme": "http",
        "path": "/v1beta/files",
        "query_string": b"",
        "headers": raw,
        "client": (peer, 50000),
        "server": ("127.0.0.1", 8080),
    }
    return Request(scope)


@pytest.mark.parametrize(
    ("trusted", "peer", "begins"),
    [
        (LOOPBACK, "127.0.0.1", "https://out.test/gemini"),
        (LOOPBACK, "127.9.9.9", "https://out.test/gemini"),
        (LOOPBACK, "::1", "https://out.test/gemini"),
        (LOOPBACK, "::ffff:127.0.0.1", "https://out.test/gemini"),
        (LOOPBACK, "172.18.0.5", "http://twin:8080"),
        (LOOPBACK, "not an address", "http://twin:8080"),
        (("172.18.0.0/16",), "172.18.0.5", "https://out.test/gemini"),
        (("172.18.0.5",), "172.18.0.5", "https://out.test/gemini"),
        (("172.18.0.5",), "172.18.0.6", "http://twin:8080"),
        (("172.18.0.0/16",), "127.0.0.1", "http://twin:8080"),
        (("2001:db8::/32",), "2001:db8::7", "https://out.test/gemini"),
        (("0.0.0.0/0",), "8.8.8.8", "https://out.test/gemini"),
        ((), "127.0.0.1", "http://twin:8080"),
    ],
)
def test_only_a_trusted_proxy_says_where_clients_come_in(
    trusted: tuple[str, ...], peer: str, begins: str
) -> None:
    assert Origins(Proxies(trusted))(asked(SAYS, peer)) == begins


def test_what_the_server_says_of_itself_wins() -> None:
    assert Origins(Proxies(LOOPBACK), "https://twin.example/a/")(asked(SAYS)) == "https://twin.example/a"


@pytest.mark.parametrize(
    ("headers", "peer", "host", "http_version", "advice"),
    [
        pytest.param({}, "127.0.0.1", "127.0.0.1:8080", "1.0", "pass on the Host", id="plain proxy_pass"),
        pytest.param({"via": "1.1 p"}, "::1", "localhost:8080", "1.1", "pass on the Host", id="via"),
        pytest.param(
            {"forwarded": "for=9.9.9.9"}, "::1", "[::1]:80", "1.1", "pass on the Host", id="forwarded"
        ),
        pytest.param(
            {"x-forwarded-for": "9.9.9.9"}, "127.0.0.1", "localhost", "1.1", "pass on the Host", id="for only"
        ),
        pytest.param(SAYS, "10.0.0.3", "twin:8080", "1.1", "--trusted-proxies 10.0.0.3", id="not believed"),
        pytest.param({}, "10.0.0.3", "localhost:8080", "1.1", "pass on the Host", id="from elsewhere"),
    ],
)
def test_the_log_says_once_what_a_proxy_leaves_out(
    caplog: pytest.LogCaptureFixture,
    headers: dict[str, str],
    peer: str,
    host: str,
    http_version: str,
    advice: str,
) -> None:
    origins = Origins(Proxies(LOOPBACK))

    for _ in range(3):
        origins(asked(headers, peer, host, http_version))

    (told,) = [record.getMessage() for record in caplog.records]
    assert advice in told
    assert "--public-url" in told
    assert host in told


@pytest.mark.parametrize(
    ("headers", "peer", "host", "http_version"),
    [
        pytest.param({}, "127.0.0.1", "127.0.0.1:8080", "1.1", id="no proxy"),
        pytest.param({}, "10.0.0.3", "twin.lan:8080", "1.1", id="no proxy, from elsewhere"),
        pytest.param(SAYS, "127.0.0.1", "127.0.0.1:8080", "1.0", id="all is said"),
        pytest.param(
            {"x-forwarded-for": "9.9.9.9"}, "127.0.0.1", "twin.example", "1.1", id="Host is passed on"
        ),
        pytest.param({}, "127.0.0.1", "twin.example", "1.0", id="nothing but Host is passed on"),
    ],
)
def test_the_log_is_silent_where_urls_can_be_right(
    caplog: pytest.LogCaptureFixture, headers: dict[str, str], peer: str, host: str, http_version: str
) -> None:
    Origins(Proxies(LOOPBACK))(asked(headers, peer, host, http_version))

    assert not caplog.records


def test_nothing_is_to_be_said_where_the_address_is_configured(caplog: pytest.LogCaptureFixture) -> None:
    Origins(Proxies(LOOPBACK), "https://twin.example")(asked({}, "127.0.0.1", "127.0.0.1:8080", "1.0"))

    assert not caplog.records
