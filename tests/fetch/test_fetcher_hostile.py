"""Ways to make a server fetch from its own network. Each is refused before anything goes out."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager

import pytest

from twinlens.domain.errors import InvalidArgument
from twinlens.fetch.fetcher import Fetcher
from websites import Watched, redirect, serving

FIELD = "contents[0].parts[0].file_data.file_uri"
NO_URL = "Invalid or unsupported file uri: "
CANNOT = "Cannot fetch content from the provided URL. "
NOT_PLAIN = f"{CANNOT}It is not written plainly"
NOT_HTTPS = f"{CANNOT}Only https addresses are fetched."
NOT_PUBLIC = f"{CANNOT}The host has no public address."
NO_PORT = f"{CANNOT}Of ports below 1024, only 443 is fetched from."

NAMES = {
    "10-0-0-1.nip.test": ["10.0.0.1"],
    "127.0.0.1.nip.test": ["127.0.0.1"],
    "a9fea9fe.nip.test": ["169.254.169.254"],
    "both.test": ["93.184.216.34", "127.0.0.1"],
    "both6.test": ["2606:4700::1111", "::1"],
    "instance-data": ["169.254.169.254"],
    "ip6-localhost": ["::1"],
    "linked.test": ["fe80::1%eth0"],
    "localhost": ["127.0.0.1", "::1"],
    "localhost.": ["127.0.0.1"],
    "localhost.localdomain": ["127.0.0.1"],
    "mapped.test": ["::ffff:10.0.0.1"],
    "metadata": ["169.254.169.254"],
    "metadata.google.internal": ["169.254.169.254"],
    "metadata.google.internal.": ["169.254.169.254"],
    "nothing.test": [],
    "odd.test": ["localhost"],
    "public.test": ["93.184.216.34"],
    "unspecified.test": ["0.0.0.0"],
    "xn--": ["127.0.0.1"],
    "xn--lcalhost-nbh": ["127.0.0.1"],
    "xn--r8jz45g.test": ["192.168.0.1"],
}
"""What the names in the table resolve to. A host that is none of these is never to be looked up."""

SSRF = [
    # loopback, and other ways to write it
    ("https://127.0.0.1:{port}/", NOT_PUBLIC),
    ("https://127.0.0.2:{port}/", NOT_PUBLIC),
    ("https://127.255.255.254:{port}/", NOT_PUBLIC),
    ("HTTPS://127.0.0.1:{port}/", NOT_PUBLIC),
    ("https://0.0.0.0:{port}/", NOT_PUBLIC),
    ("https://0.1.2.3:{port}/", NOT_PUBLIC),
    ("https://127.1:{port}/", NOT_PLAIN),
    ("https://127.0.1:{port}/", NOT_PLAIN),
    ("https://0:{port}/", NOT_PLAIN),
    ("https://2130706433:{port}/", NOT_PLAIN),
    ("https://4294967296:{port}/", NOT_PLAIN),
    ("https://0x7f000001:{port}/", NOT_PLAIN),
    ("https://0X7F000001:{port}/", NOT_PLAIN),
    ("https://0x7f.1:{port}/", NOT_PLAIN),
    ("https://0x7f.0x0.0x0.0x1:{port}/", NOT_PLAIN),
    ("https://0x0:{port}/", NOT_PLAIN),
    ("https://127.0.0.0x1:{port}/", NOT_PLAIN),
    ("https://017700000001:{port}/", NOT_PLAIN),
    ("https://0177.1:{port}/", NOT_PLAIN),
    ("https://0177.0.0.1:{port}/", NO_URL),
    ("https://0177.0x0.0.1:{port}/", NOT_PLAIN),
    ("https://127.000.000.001:{port}/", NO_URL),
    ("https://127.0.0.1.:{port}/", NOT_PLAIN),
    ("https://127.0.0.1..:{port}/", NOT_PLAIN),
    ("https://127.0.0.1,93.184.216.34:{port}/", NOT_PLAIN),
    # IPv6, and IPv4 within it
    ("https://[::1]:{port}/", NOT_PUBLIC),
    ("https://[0:0:0:0:0:0:0:1]:{port}/", NOT_PUBLIC),
    ("https://[::]:{port}/", NOT_PUBLIC),
    ("https://[::ffff:127.0.0.1]:{port}/", NOT_PUBLIC),
    ("https://[::ffff:7f00:1]:{port}/", NOT_PUBLIC),
    ("https://[0:0:0:0:0:ffff:127.0.0.1]:{port}/", NOT_PUBLIC),
    ("https://[::ffff:93.184.216.34]:{port}/", NOT_PUBLIC),
    ("https://[::ffff:0:127.0.0.1]:{port}/", NOT_PUBLIC),
    ("https://[::127.0.0.1]:{port}/", NOT_PUBLIC),
    ("https://[64:ff9b::127.0.0.1]:{port}/", NOT_PUBLIC),
    ("https://[64:ff9b::a9fe:a9fe]/", NOT_PUBLIC),
    ("https://[64:ff9b:1::7f00:1]:{port}/", NOT_PUBLIC),
    ("https://[2002:7f00:1::]:{port}/", NOT_PUBLIC),
    ("https://[2002:a9fe:a9fe::1]/", NOT_PUBLIC),
    ("https://[2001:0:7f00:1::]/", NOT_PUBLIC),
    ("https://[2001:db8::1]/", NOT_PUBLIC),
    ("https://[fc00::1]/", NOT_PUBLIC),
    ("https://[fd12:3456:789a::1]/", NOT_PUBLIC),
    ("https://[fe80::1]/", NOT_PUBLIC),
    ("https://[fec0::1]/", NOT_PUBLIC),
    ("https://[ff02::1]/", NOT_PUBLIC),
    ("https://[fe80::1%25eth0]/", NOT_PLAIN),
    ("https://[fe80::1%eth0]/", NOT_PLAIN),
    ("https://[::1%25lo]:{port}/", NOT_PLAIN),
    ("https://[2606:4700::1111%25eth0]/", NOT_PLAIN),
    ("https://[127.0.0.1]:{port}/", NO_URL),
    ("https://[v1.fe80]/", NO_URL),
    ("https://[::1:{port}/", NO_URL),
    ("https://[::1].public.test/", NO_URL),
    ("https://::1/", NO_URL),
    # private networks, and where clouds keep their keys
    ("https://10.0.0.1/", NOT_PUBLIC),
    ("https://172.16.0.1/", NOT_PUBLIC),
    ("https://192.168.1.1/", NOT_PUBLIC),
    ("https://169.254.169.254/latest/meta-data/", NOT_PUBLIC),
    ("https://169.254.170.2/v2/credentials", NOT_PUBLIC),
    ("https://[fd00:ec2::254]/latest/meta-data/", NOT_PUBLIC),
    ("https://[fd20:ce::254]/", NOT_PUBLIC),
    ("https://100.100.100.200/latest/meta-data/", NOT_PUBLIC),
    ("https://192.0.0.192/latest/", NOT_PUBLIC),
    ("https://168.63.129.16/", NOT_PUBLIC),
    ("https://2852039166/latest/meta-data/", NOT_PLAIN),
    ("https://0xa9fea9fe/latest/meta-data/", NOT_PLAIN),
    ("https://0251.0376.0251.0376/", NO_URL),
    ("https://[::ffff:169.254.169.254]/", NOT_PUBLIC),
    ("https://224.0.0.1/", NOT_PUBLIC),
    ("https://255.255.255.255/", NOT_PUBLIC),
    ("https://198.18.0.1/", NOT_PUBLIC),
    # names
    *((f"https://{name}:{{port}}/", NOT_PUBLIC) for name in NAMES if name != "public.test"),
    ("https://LOCALHOST:{port}/", NOT_PUBLIC),
    ("https://localhost..:{port}/", NOT_PLAIN),
    ("https://.localhost:{port}/", NOT_PLAIN),
    ("https://*.localhost:{port}/", NOT_PLAIN),
    # other scripts and lookalikes
    ("https://127。0。0。1:{port}/", NOT_PUBLIC),
    ("https://127．0．0．1:{port}/", NOT_PUBLIC),
    ("https://127｡0｡0｡1:{port}/", NOT_PUBLIC),
    ("https://127․0․0․1:{port}/", NO_URL),
    ("https://１２７.0.0.1:{port}/", NO_URL),
    ("https://①②⑦.⓪.⓪.①:{port}/", NO_URL),
    ("https://١٢٧.0.0.1:{port}/", NO_URL),
    ("https://ⓛⓞⓒⓐⓛⓗⓞⓢⓣ:{port}/", NO_URL),
    ("https://ⅼocalhost:{port}/", NO_URL),
    ("https://lоcalhost:{port}/", NOT_PUBLIC),
    ("https://loc\u00adalhost:{port}/", NO_URL),
    ("https://local\u200bhost:{port}/", NO_URL),
    ("https://127.0.0.1:４４３/", NOT_PUBLIC),
    # users, fragments, and what one parser takes for the host and another does not
    ("https://public.test@127.0.0.1:{port}", NOT_PLAIN),
    ("https://public.test:443@127.0.0.1:{port}/", NOT_PLAIN),
    ("https://user:password@public.test/", NOT_PLAIN),
    ("https://a@b@127.0.0.1:{port}/", NOT_PLAIN),
    ("https://public.test;@127.0.0.1:{port}/", NOT_PLAIN),
    ("https://public.test&@127.0.0.1:{port}#@public.test/", NOT_PLAIN),
    ("https://127.0.0.1:{port}#@public.test/", NOT_PUBLIC),
    ("https://127.0.0.1:{port}?@public.test/", NOT_PUBLIC),
    ("https://127.0.0.1:{port}/@public.test/", NOT_PUBLIC),
    ("https://public.test\\@127.0.0.1:{port}/", NO_URL),
    ("https://127.0.0.1:{port}\\@public.test/", NO_URL),
    ("https:\\\\127.0.0.1:{port}\\", NO_URL),
    ("https:/127.0.0.1:{port}/", NO_URL),
    ("https:127.0.0.1:{port}", NO_URL),
    ("https:///127.0.0.1:{port}/", NO_URL),
    ("https:////127.0.0.1:{port}/", NO_URL),
    ("https://127.0.0.1:443:{port}/", NO_URL),
    ("https://%31%32%37.0.0.1:{port}/", NOT_PLAIN),
    ("https://127%2e0%2e0%2e1:{port}/", NOT_PLAIN),
    ("https://loc%61lhost:{port}/", NOT_PLAIN),
    ("https://127.0.0.1%00.public.test:{port}/", NOT_PLAIN),
    ("https://127.0.0.1%2f.public.test:{port}/", NOT_PLAIN),
    ("https://127.0.0.1%23.public.test:{port}/", NOT_PLAIN),
    ("https://127.0.0.1 .public.test:{port}/", NOT_PLAIN),
    # white space and control characters
    ("ht\ttps://127.0.0.1:{port}/", NO_URL),
    ("https:\n//127.0.0.1:{port}/", NO_URL),
    ("https://127.0.0\t.1:{port}/", NO_URL),
    ("https://127.0.0.1:{port}/\r\nX-Metadata: true", NO_URL),
    ("https://127.0.0.1\x00.public.test/", NO_URL),
    (" https://127.0.0.1:{port}/", NO_URL),
    ("\x01https://127.0.0.1:{port}/", NO_URL),
    ("https://\ud800.test/", NO_URL),
    # other schemes
    ("http://127.0.0.1:{port}/", NOT_HTTPS),
    ("http://public.test/", NOT_HTTPS),
    ("http://169.254.169.254/latest/meta-data/", NOT_HTTPS),
    ("file:///etc/passwd", NO_URL),
    ("file://127.0.0.1/etc/passwd", NO_URL),
    ("ftp://127.0.0.1:{port}/", NO_URL),
    ("gopher://127.0.0.1:{port}/_HELO", NO_URL),
    ("dict://127.0.0.1:{port}/info", NO_URL),
    ("ldap://127.0.0.1:{port}/", NO_URL),
    ("ws://127.0.0.1:{port}/", NO_URL),
    ("data:text/plain,secret", NO_URL),
    ("jar:https://127.0.0.1:{port}/!/", NO_URL),
    ("unix:///var/run/docker.sock", NO_URL),
    ("https+unix://127.0.0.1:{port}/", NO_URL),
    ("gs://bucket/object", NO_URL),
    # ports
    ("https://public.test:0/", NOT_PLAIN),
    ("https://public.test:65536/", NOT_PLAIN),
    ("https://public.test:99999999999/", NOT_PLAIN),
    ("https://public.test:-443/", NOT_PLAIN),
    ("https://public.test:22/", NO_PORT),
    ("https://public.test:25/", NO_PORT),
    ("https://public.test:80/", NO_PORT),
    ("https://public.test:465/", NO_PORT),
    ("https://public.test:1023/", NO_PORT),
]
"""Addresses and tricks, and how each is answered. `{port}` is one that is listened on, by IPv4 and IPv6."""


class Listener:
    """Counts who connects to any address of this machine, by any protocol."""

    def __init__(self) -> None:
        self.connections = 0
        self.port = 0

    def connected(self, _reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        writer.close()


@asynccontextmanager
async def listening() -> AsyncIterator[Listener]:
    listener = Listener()
    async with AsyncExitStack() as stack:
        four = await asyncio.start_server(listener.connected, "0.0.0.0", 0)
        listener.port = four.sockets[0].getsockname()[1]
        await stack.enter_async_context(four)
        if HAS_IPV6:
            six = await asyncio.start_server(listener.connected, "::1", listener.port)
            await stack.enter_async_context(six)
        yield listener


def _has_ipv6() -> bool:
    try:
        with socket.create_server(("::1", 0), family=socket.AF_INET6):
            return True
    except OSError:
        return False


HAS_IPV6 = _has_ipv6()


async def look_up(host: str, port: int) -> Sequence[str]:
    return NAMES[host]


@asynccontextmanager
async def fetching(watched: Watched, *allow: str) -> AsyncIterator[Fetcher]:
    fetcher = Fetcher(True, allow, 1000, 10.0, resolver=look_up, transport=watched)
    try:
        yield fetcher
    finally:
        await fetcher.close()


async def refusal(fetcher: Fetcher, url: str) -> str:
    with pytest.raises(InvalidArgument) as caught:
        await fetcher.fetch(url, FIELD)
    return caught.value.message


def test_the_table_is_a_long_one() -> None:
    assert len({url for url, _ in SSRF}) == len(SSRF) >= 60


@pytest.mark.parametrize(("url", "answer"), SSRF, ids=[ascii(url) for url, _ in SSRF])
async def test_it_is_refused_and_nothing_goes_out(url: str, answer: str) -> None:
    watched = Watched()
    async with listening() as listener, fetching(watched) as fetcher:
        message = await refusal(fetcher, url.format(port=listener.port))

        assert message.startswith(answer)
        assert watched.targets == []
        assert listener.connections == 0


@pytest.mark.parametrize("url", [url for url, _ in SSRF], ids=[ascii(url) for url, _ in SSRF])
async def test_a_redirect_there_is_refused_and_nothing_goes_out(url: str) -> None:
    watched = Watched()
    async with listening() as listener, serving() as server, fetching(watched, server.host) as fetcher:
        location = url.format(port=listener.port).encode("utf-8", "surrogatepass").decode("latin-1")
        server.answers["/"] = redirect(location)
        message = await refusal(fetcher, server.url())

        assert message.startswith(CANNOT)
        assert watched.targets == ["127.0.0.1"]
        assert server.connections == 1
        assert listener.connections == 0


async def test_the_listener_hears_what_does_go_out() -> None:
    watched = Watched()
    async with listening() as listener, fetching(watched, "127.0.0.1", "[::1]") as fetcher:
        await refusal(fetcher, f"http://127.0.0.1:{listener.port}/")
        await refusal(fetcher, f"https://[::1]:{listener.port}/")

        assert watched.targets == ["127.0.0.1", "::1"]
        assert listener.connections == 1 + HAS_IPV6


async def test_a_name_whose_address_changes_is_connected_to_as_it_was_checked() -> None:
    answers = iter([["93.184.216.34"], ["127.0.0.1"]])

    async def changing(host: str, port: int) -> Sequence[str]:
        return next(answers)

    watched = Watched()
    async with listening() as listener:
        fetcher = Fetcher(True, (), 1000, 10.0, resolver=changing, transport=watched)
        message = await refusal(fetcher, f"https://rebind.test:{listener.port}/")
        await fetcher.close()

        assert message == f"{CANNOT}The server cannot be reached."
        assert watched.targets == ["93.184.216.34"]
        assert list(answers) == [["127.0.0.1"]]
        assert listener.connections == 0


async def test_a_name_whose_address_changes_is_checked_again_at_a_redirect_to_itself() -> None:
    answers = iter([["127.0.0.1"], ["127.0.0.1"]])

    async def changing(host: str, port: int) -> Sequence[str]:
        return next(answers)

    watched = Watched()
    async with listening() as listener, serving() as server:
        server.answers["/"] = redirect(f"https://rebind.test:{listener.port}/")
        fetcher = Fetcher(
            True, [f"rebind.test:{server.port}"], 1000, 10.0, resolver=changing, transport=watched
        )
        message = await refusal(fetcher, f"http://rebind.test:{server.port}/")
        await fetcher.close()

        assert message == NOT_PUBLIC
        assert watched.targets == ["127.0.0.1"]
        assert listener.connections == 0


async def test_an_address_is_never_looked_up() -> None:
    async def anywhere(host: str, port: int) -> Sequence[str]:
        return ["93.184.216.34"]

    watched = Watched()
    fetcher = Fetcher(True, (), 1000, 10.0, resolver=anywhere, transport=watched)

    assert await refusal(fetcher, "https://10.0.0.1/") == NOT_PUBLIC

    await fetcher.close()
    assert watched.targets == []
