from __future__ import annotations

import asyncio
import gzip
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from twinlens.domain.errors import InvalidArgument
from twinlens.pipeline.fetch import Fetcher, Resolver, system_resolver

FIELD = "contents[0].parts[1].file_data.file_uri"
CANNOT = "Cannot fetch content from the provided URL."
NOT_PUBLIC = f"{CANNOT} The host has no public address."

Reply = Callable[[asyncio.StreamWriter], Awaitable[None]]


def http(body: bytes = b"", status: str = "200 OK", **headers: str) -> bytes:
    """Write a response; a header's name is given with underscores."""
    fields = {"content_length": str(len(body)), **headers}
    lines = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in fields.items() if value)
    return f"HTTP/1.1 {status}\r\n{lines}\r\n".encode("latin-1") + body


def redirect(location: str, status: str = "302 Found") -> bytes:
    return http(status=status, location=location)


class Server:
    """A real server on the loopback: paths with their answers, and the requests it saw."""

    def __init__(self) -> None:
        self.answers: dict[str, bytes | Reply] = {}
        self.seen: list[str] = []
        self.connections = 0
        self.port = 0

    @property
    def host(self) -> str:
        return f"127.0.0.1:{self.port}"

    def url(self, path: str = "/") -> str:
        return f"http://{self.host}{path}"

    async def handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
            self.seen.append(head)
            answer = self.answers[head.split(" ")[1]]
            if isinstance(answer, bytes):
                writer.write(answer)
                await writer.drain()
            else:
                await answer(writer)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()


@asynccontextmanager
async def serving(tls: ssl.SSLContext | None = None) -> AsyncIterator[Server]:
    server = Server()
    listening = await asyncio.start_server(server.handle, "127.0.0.1", 0, ssl=tls)
    server.port = listening.sockets[0].getsockname()[1]
    async with listening:
        yield server


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    async with serving() as server:
        yield server


@asynccontextmanager
async def fetching(
    *allow: str,
    enabled: bool = True,
    max_bytes: int = 1000,
    timeout_s: float = 10.0,
    max_redirects: int = 5,
    resolver: Resolver = system_resolver,
    tls: ssl.SSLContext | None = None,
) -> AsyncIterator[Fetcher]:
    fetcher = Fetcher(enabled, allow, max_bytes, timeout_s, max_redirects, resolver=resolver, tls=tls)
    try:
        yield fetcher
    finally:
        await fetcher.close()


def always(*addresses: str) -> Resolver:
    async def resolve(host: str, port: int) -> Sequence[str]:
        return addresses

    return resolve


async def refusal(fetcher: Fetcher, url: str) -> str:
    with pytest.raises(InvalidArgument) as caught:
        await fetcher.fetch(url, FIELD)
    assert [violation.field for violation in caught.value.violations] == [FIELD]
    return caught.value.message


# --- what comes back


@pytest.mark.parametrize(
    ("header", "mime_type"),
    [
        ("image/png", "image/png"),
        ("Image/JPEG; charset=binary", "image/jpeg"),
        ("application/octet-stream", None),
        ("binary/octet-stream", None),
        ("", None),
    ],
)
async def test_the_bytes_come_with_the_type_the_server_names(
    server: Server, header: str, mime_type: str | None
) -> None:
    server.answers["/cat"] = http(b"meow", content_type=header)

    async with fetching(server.host) as fetcher:
        assert await fetcher.fetch(server.url("/cat"), FIELD) == (b"meow", mime_type)


async def test_a_body_of_unknown_length_is_read_to_its_end(server: Server) -> None:
    server.answers["/"] = http(b"4\r\nmeow\r\n0\r\n\r\n", content_length="", transfer_encoding="chunked")

    async with fetching(server.host) as fetcher:
        assert await fetcher.fetch(server.url(), FIELD) == (b"meow", None)


async def test_a_zipped_body_is_unzipped(server: Server) -> None:
    server.answers["/"] = http(gzip.compress(b"meow" * 100), content_encoding="gzip")

    async with fetching(server.host) as fetcher:
        assert await fetcher.fetch(server.url(), FIELD) == (b"meow" * 100, None)


async def test_a_redirect_is_followed(server: Server) -> None:
    server.answers |= {"/a?x=1": redirect("b/c"), "/b/c": redirect(server.url("/d")), "/d": http(b"meow")}

    async with fetching(server.host) as fetcher:
        assert await fetcher.fetch(server.url("/a?x=1#top"), FIELD) == (b"meow", None)


async def test_no_cookie_is_kept(server: Server) -> None:
    server.answers |= {"/": http(status="302 Found", location="/b", set_cookie="a=b"), "/b": http(b"meow")}

    async with fetching(server.host) as fetcher:
        await fetcher.fetch(server.url(), FIELD)
        await fetcher.fetch(server.url(), FIELD)

    assert len(server.seen) == 4
    assert not any("cookie" in head.lower() for head in server.seen)


async def test_a_proxy_of_the_environment_is_not_used(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.answers["/"] = http(b"meow")
    async with serving() as proxy, fetching(server.host) as fetcher:
        monkeypatch.setenv("HTTP_PROXY", proxy.url())
        monkeypatch.setenv("ALL_PROXY", proxy.url())

        assert await fetcher.fetch(server.url(), FIELD) == (b"meow", None)
        assert proxy.connections == 0


# --- where it may go


@pytest.mark.parametrize(
    "url",
    [
        "https://127.0.0.1:{port}/",
        "https://localhost:{port}/",
        "https://[::1]:{port}/",
        "https://[::ffff:127.0.0.1]:{port}/",
        "https://0.0.0.0:{port}/",
        "https://127。0。0。1:{port}/",
    ],
)
async def test_private_addresses_are_refused(server: Server, url: str) -> None:
    async with fetching() as fetcher:
        assert await refusal(fetcher, url.format(port=server.port)) == NOT_PUBLIC

    assert server.connections == 0


@pytest.mark.parametrize(
    "url",
    [
        "https://2130706433:{port}/",
        "https://0x7f000001:{port}/",
        "https://0x7f.1:{port}/",
        "https://127.1:{port}/",
        "https://8.8.8.8@127.0.0.1:{port}/",
        "https://user:password@example.com/",
        "https://exa%6dple.com/",
        "https://[fe80::1%25eth0]/",
        "https://example.com:99999/",
        "https://example.com:0/",
    ],
)
async def test_odd_ways_to_write_an_address_are_refused(server: Server, url: str) -> None:
    asked: list[str] = []

    async def resolve(host: str, port: int) -> Sequence[str]:
        asked.append(host)
        return ["127.0.0.1"]

    async with fetching(resolver=resolve) as fetcher:
        message = await refusal(fetcher, url.format(port=server.port))

    assert message.startswith(f"{CANNOT} It is not written plainly")
    assert not asked
    assert server.connections == 0


@pytest.mark.parametrize(
    "url",
    [
        "gs://bucket/cat.png",
        "ftp://example.com/",
        "file:///etc/passwd",
        "cat.png",
        "//example.com/cat.png",
        "https:///cat.png",
        "https://0177.0.0.1/",
        "https://example.com\\@127.0.0.1/",
        "https://exa\tmple.com/",
        "https://[::1/",
        "https://\ud800/",
        "",
    ],
)
async def test_what_is_no_web_address_is_called_so(url: str) -> None:
    async with fetching() as fetcher:
        assert await refusal(fetcher, url) == f"Invalid or unsupported file uri: {url}"


async def test_what_is_no_web_address_is_called_so_where_fetching_is_off() -> None:
    async with fetching(enabled=False) as fetcher:
        assert await refusal(fetcher, "gs://b/c") == "Invalid or unsupported file uri: gs://b/c"


async def test_plain_http_is_refused(server: Server) -> None:
    async with fetching() as fetcher:
        assert await refusal(fetcher, server.url()) == f"{CANNOT} Only https addresses are fetched."

    assert server.connections == 0


@pytest.mark.parametrize("addresses", [["10.0.0.1"], ["8.8.8.8", "127.0.0.1"], ["::ffff:8.8.8.8"], []])
async def test_a_name_is_refused_unless_all_its_addresses_are_public(addresses: list[str]) -> None:
    async with fetching(resolver=always(*addresses)) as fetcher:
        assert await refusal(fetcher, "https://media.test/") == NOT_PUBLIC


async def test_a_name_that_does_not_exist_is_answered_as_a_private_one() -> None:
    async def resolve(host: str, port: int) -> Sequence[str]:
        raise OSError("no such host")

    async with fetching(resolver=resolve) as fetcher:
        assert await refusal(fetcher, "https://media.test/") == NOT_PUBLIC


async def test_a_label_too_long_for_a_name_is_answered_the_same() -> None:
    async with fetching() as fetcher:
        assert await refusal(fetcher, f"https://{'a' * 64}.test/") == NOT_PUBLIC


async def test_a_name_is_resolved_once_and_connected_to_as_resolved(server: Server) -> None:
    server.answers["/"] = http(b"meow")
    answers = iter(["127.0.0.1"])

    async def resolve(host: str, port: int) -> Sequence[str]:
        return [next(answers)]

    async with fetching("media.test", resolver=resolve) as fetcher:
        assert await fetcher.fetch(f"http://media.test:{server.port}/", FIELD) == (b"meow", None)

    assert f"Host: media.test:{server.port}\r\n" in server.seen[0]


async def test_a_name_that_changes_its_address_is_refused_at_the_next_step(server: Server) -> None:
    server.answers["/"] = redirect("https://media.test/metadata")
    answers = iter([["127.0.0.1"], ["169.254.169.254"]])

    async def resolve(host: str, port: int) -> Sequence[str]:
        return next(answers)

    async with fetching(f"media.test:{server.port}", resolver=resolve) as fetcher:
        assert await refusal(fetcher, f"http://media.test:{server.port}/") == NOT_PUBLIC

    assert server.connections == 1


async def test_the_next_address_is_tried_where_one_does_not_answer(server: Server) -> None:
    server.answers["/"] = http(b"meow")

    async with fetching("media.test", resolver=always("::1", "127.0.0.1")) as fetcher:
        assert await fetcher.fetch(f"http://media.test:{server.port}/", FIELD) == (b"meow", None)


@pytest.mark.parametrize(
    ("location", "message"),
    [
        ("https://169.254.169.254/latest/meta-data/", NOT_PUBLIC),
        ("https://127.0.0.1:{other}/", NOT_PUBLIC),
        ("//127.0.0.1:{other}/", f"{CANNOT} Only https"),
        ("http://127.0.0.1:{other}/", f"{CANNOT} Only https"),
        ("https://localhost:{other}/", NOT_PUBLIC),
        ("https://2130706433:{other}/", f"{CANNOT} It is not written plainly"),
        ("https://user@127.0.0.1:{other}/", f"{CANNOT} It is not written plainly"),
        ("https:\\\\127.0.0.1:{other}\\", f"{CANNOT} It redirects to an address that is not valid"),
        ("file:///etc/passwd", f"{CANNOT} It redirects to an address that is not valid"),
        ("https://[::1", f"{CANNOT} It redirects to an address that is not valid"),
        ("", f"{CANNOT} It redirects to an address that is not valid"),
    ],
)
async def test_a_redirect_is_checked_as_the_first_address_is(
    server: Server, location: str, message: str
) -> None:
    async with serving() as other, fetching(server.host) as fetcher:
        server.answers["/"] = redirect(location.format(other=other.port))

        assert (await refusal(fetcher, server.url())).startswith(message)

        assert other.connections == 0
        assert server.connections == 1


async def test_an_allowed_host_is_allowed_on_its_port_only(server: Server) -> None:
    async with fetching("127.0.0.1:1", "localhost") as fetcher:
        assert await refusal(fetcher, server.url()) == f"{CANNOT} Only https addresses are fetched."

    assert server.connections == 0


@pytest.mark.parametrize("allow", ["127.0.0.1", "localhost", "LOCALHOST:{port}"])
async def test_an_allowed_host_may_be_private_and_plain(server: Server, allow: str) -> None:
    server.answers["/"] = http(b"meow")
    host = allow.partition(":")[0].lower()

    async with fetching(allow.format(port=server.port)) as fetcher:
        assert await fetcher.fetch(f"http://{host}:{server.port}/", FIELD) == (b"meow", None)


@pytest.mark.parametrize("entry", ["", "http://a", "a/b", "u@a", "a:b", "a:99999x", "::1", "a b", "127.1"])
def test_an_entry_that_is_no_host_is_refused_at_once(entry: str) -> None:
    with pytest.raises(ValueError, match="is not HOST or HOST:PORT"):
        Fetcher(True, [entry], 1, 1.0)


async def test_turned_off_it_says_what_turns_it_on(server: Server) -> None:
    async with fetching(server.host, enabled=False) as fetcher:
        assert "TWINLENS_FETCH" in await refusal(fetcher, server.url())

    assert server.connections == 0


# --- limits


async def test_a_body_of_just_the_limit_is_read(server: Server) -> None:
    server.answers["/"] = http(b"x" * 1000)

    async with fetching(server.host, max_bytes=1000) as fetcher:
        assert len((await fetcher.fetch(server.url(), FIELD))[0]) == 1000


async def test_a_body_that_announces_too_much_is_not_read(server: Server) -> None:
    server.answers["/"] = http(b"x", content_length="1001")

    async with fetching(server.host, max_bytes=1000) as fetcher:
        assert await refusal(fetcher, server.url()) == f"{CANNOT} It is larger than 1000 bytes."


async def test_an_endless_body_is_cut_off_at_the_limit(server: Server) -> None:
    async def endless(writer: asyncio.StreamWriter) -> None:
        writer.write(http(content_length=""))
        while True:
            writer.write(b"x" * 1000)
            await writer.drain()

    server.answers["/"] = endless

    async with fetching(server.host, max_bytes=100_000) as fetcher:
        assert await refusal(fetcher, server.url()) == f"{CANNOT} It is larger than 100000 bytes."


async def test_a_zipped_bomb_hits_the_limit(server: Server) -> None:
    bomb = gzip.compress(b"\0" * 50_000_000)
    server.answers["/"] = http(bomb, content_encoding="gzip")

    async with fetching(server.host, max_bytes=100_000) as fetcher:
        assert await refusal(fetcher, server.url()) == f"{CANNOT} It is larger than 100000 bytes."


@pytest.mark.parametrize(
    ("body", "encoding"),
    [
        (b"not gzip", "gzip"),
        (gzip.compress(b"meow")[:-4], "gzip"),
        (gzip.compress(b"a") + gzip.compress(b"b"), "gzip"),
        (b"meow", "br"),
    ],
)
async def test_an_encoding_that_cannot_be_undone_is_refused(
    server: Server, body: bytes, encoding: str
) -> None:
    server.answers["/"] = http(body, content_encoding=encoding)

    async with fetching(server.host) as fetcher:
        assert (await refusal(fetcher, server.url())).startswith(f"{CANNOT} Its content encoding is")


async def test_a_server_that_never_answers_is_given_up(server: Server) -> None:
    async def silence(writer: asyncio.StreamWriter) -> None:
        await asyncio.Event().wait()

    server.answers["/"] = silence

    async with fetching(server.host, timeout_s=0.05) as fetcher:
        assert await refusal(fetcher, server.url()) == f"{CANNOT} It took longer than 0.05 s."


async def test_a_server_that_drips_is_given_up(server: Server) -> None:
    async def drip(writer: asyncio.StreamWriter) -> None:
        writer.write(http(content_length="1000"))
        while True:
            writer.write(b"x")
            await writer.drain()
            await asyncio.sleep(0.01)

    server.answers["/"] = drip

    async with fetching(server.host, timeout_s=0.1) as fetcher:
        assert await refusal(fetcher, server.url()) == f"{CANNOT} It took longer than 0.1 s."


async def test_a_resolver_that_hangs_is_given_up() -> None:
    async def resolve(host: str, port: int) -> Sequence[str]:
        await asyncio.Event().wait()
        return []

    async with fetching(timeout_s=0.05, resolver=resolve) as fetcher:
        assert await refusal(fetcher, "https://media.test/") == f"{CANNOT} It took longer than 0.05 s."


async def test_redirects_are_counted(server: Server) -> None:
    server.answers["/"] = redirect("/")

    async with fetching(server.host, max_redirects=3) as fetcher:
        assert await refusal(fetcher, server.url()) == f"{CANNOT} It redirects more than 3 times."

    assert server.connections == 4


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (http(b"no", status="404 Not Found"), "The server answered with status 404."),
        (http(status="204 No Content"), "The server answered with status 204."),
        (http(b"<p>", content_type="text/html"), "Its content type is text/html, not that of an image."),
        (http(b"x", content_type="<script>"), "Its content type is not that of an image."),
        (http(b"meow", content_length="100"), "The server broke off."),
        (http(b"meow", content_length="nine"), "The server broke off."),
        (b"SSH-2.0-OpenSSH\r\n\r\n", "The server broke off."),
        (b"", "The server broke off."),
    ],
)
async def test_an_answer_without_media_is_refused(server: Server, answer: bytes, reason: str) -> None:
    server.answers["/"] = answer

    async with fetching(server.host) as fetcher:
        assert await refusal(fetcher, server.url()) == f"{CANNOT} {reason}"


async def test_a_server_that_is_not_there_is_refused(server: Server) -> None:
    async with serving() as gone:
        pass

    async with fetching(gone.host) as fetcher:
        assert await refusal(fetcher, gone.url()) == f"{CANNOT} The server cannot be reached."


async def test_cancelling_a_fetch_ends_it(server: Server) -> None:
    asked = asyncio.Event()

    async def silence(writer: asyncio.StreamWriter) -> None:
        asked.set()
        await asyncio.Event().wait()

    server.answers["/"] = silence
    async with fetching(server.host) as fetcher:
        task = asyncio.create_task(fetcher.fetch(server.url(), FIELD))
        await asked.wait()

        task.cancel()

        with pytest.raises(asyncio.CancelledError):
            await task


# --- certificates


def certified(name: str, folder: Path) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """Make a certificate for a name: one context for its server, one for who trusts it."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .sign(key, hashes.SHA256())
    )
    pem = folder / "certificate.pem"
    pem.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        + certificate.public_bytes(serialization.Encoding.PEM)
    )
    serves = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    serves.load_cert_chain(pem)
    trusts = ssl.create_default_context(cadata=certificate.public_bytes(serialization.Encoding.PEM).decode())
    return serves, trusts


async def test_the_certificate_is_checked_for_the_name_and_not_for_the_address(tmp_path: Path) -> None:
    serves, trusts = certified("media.test", tmp_path)
    names: list[str | None] = []
    serves.sni_callback = lambda _socket, name, _context: names.append(name)

    async with (
        serving(serves) as server,
        fetching("media.test", resolver=always("127.0.0.1"), tls=trusts) as fetcher,
    ):
        server.answers["/"] = http(b"meow")
        assert await fetcher.fetch(f"https://media.test:{server.port}/", FIELD) == (b"meow", None)

    assert names == ["media.test"]


async def test_the_certificate_of_another_name_is_refused(tmp_path: Path) -> None:
    serves, trusts = certified("media.test", tmp_path)

    async with (
        serving(serves) as server,
        fetching("other.test", resolver=always("127.0.0.1"), tls=trusts) as fetcher,
    ):
        message = await refusal(fetcher, f"https://other.test:{server.port}/")

    assert message == f"{CANNOT} The server cannot be reached."
    assert server.seen == []


async def test_a_certificate_that_is_not_trusted_is_refused(tmp_path: Path) -> None:
    serves, _ = certified("media.test", tmp_path)

    async with serving(serves) as server, fetching("media.test", resolver=always("127.0.0.1")) as fetcher:
        message = await refusal(fetcher, f"https://media.test:{server.port}/")

    assert message == f"{CANNOT} The server cannot be reached."
    assert server.seen == []
