from __future__ import annotations

import asyncio
import gc
import gzip
import os
import ssl
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from twinlens.domain.errors import InvalidArgument
from twinlens.fetch.fetcher import Fetcher, Resolver
from websites import Server, Watched, always, certified, http, redirect, serving

FIELD = "contents[0].parts[1].file_data.file_uri"
CANNOT = "Cannot fetch content from the provided URL."
NOT_PUBLIC = f"{CANNOT} The host has no public address."


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
    within: tuple[str, ...] = ("",),
    resolver: Resolver | None = None,
    tls: ssl.SSLContext | None = None,
) -> AsyncIterator[Fetcher]:
    fetcher = Fetcher(
        enabled,
        allow,
        max_bytes,
        timeout_s,
        max_redirects,
        within=within,
        resolver=resolver,
        transport=Watched(tls),
    )
    try:
        yield fetcher
    finally:
        await fetcher.close()


async def got(fetcher: Fetcher, url: str, wanted: str | None = None) -> tuple[bytes, str | None]:
    fetched = await fetcher.fetch(url, FIELD, wanted)
    return bytes(fetched.data), fetched.mime_type


async def refusal(fetcher: Fetcher, url: str, wanted: str | None = None) -> str:
    with pytest.raises(InvalidArgument) as caught:
        await fetcher.fetch(url, FIELD, wanted)
    assert [violation.field for violation in caught.value.violations] == [FIELD]
    return caught.value.message


def open_files() -> list[str]:
    folder = Path("/proc/self/fd")
    # The listing holds the folder itself open, which is gone again when its turn comes.
    return [os.readlink(entry) for entry in folder.iterdir() if entry.is_symlink()]


# --- what comes back


@pytest.mark.parametrize(
    ("header", "mime_type"),
    [
        ("image/png", "image/png"),
        ("Image/JPEG; charset=binary", "image/jpeg"),
        ("application/octet-stream", None),
        ("binary/octet-stream", None),
        ("application/x-download", None),
        ("", None),
        ("video/mp4", "video/mp4"),
        ("audio/mpeg", "audio/mpeg"),
        ("application/ogg", "application/ogg"),
        ("application/pdf", "application/pdf"),
        ("text/html; charset=utf-8", "text/html"),
        ("text/csv", "text/csv"),
        ("application/json", "application/json"),
        ("application/ld+json", "application/ld+json"),
        ("application/xhtml+xml", "application/xhtml+xml"),
        ("application/rtf", "application/rtf"),
        ("application/javascript", "application/javascript"),
        ("application/x-ndjson", "application/x-ndjson"),
        ("application/yaml", "application/yaml"),
        ("Audio/L16; rate=16000; channels=2; x=y", "audio/l16;rate=16000;channels=2"),
    ],
)
async def test_the_bytes_come_with_the_type_the_server_names(
    server: Server, header: str, mime_type: str | None
) -> None:
    server.answers["/cat"] = http(b"meow", content_type=header)

    async with fetching(server.host) as fetcher:
        assert await got(fetcher, server.url("/cat")) == (b"meow", mime_type)


async def test_a_body_of_unknown_length_is_read_to_its_end(server: Server) -> None:
    server.answers["/"] = http(b"4\r\nmeow\r\n0\r\n\r\n", content_length="", transfer_encoding="chunked")

    async with fetching(server.host) as fetcher:
        assert await got(fetcher, server.url()) == (b"meow", None)


async def test_a_zipped_body_is_unzipped(server: Server) -> None:
    server.answers["/"] = http(gzip.compress(b"meow" * 100), content_encoding="gzip")

    async with fetching(server.host) as fetcher:
        assert await got(fetcher, server.url()) == (b"meow" * 100, None)


async def test_the_bytes_lie_in_the_file_that_comes_with_them(server: Server) -> None:
    server.answers["/"] = http(b"meow", content_type="video/mp4")

    async with fetching(server.host) as fetcher:
        fetched = await fetcher.fetch(server.url(), FIELD)

    assert os.pread(fetched.file.fileno(), 10, 0) == bytes(fetched.data) == b"meow"


@pytest.mark.skipif(not hasattr(os, "memfd_create"), reason="this system has no files in memory")
async def test_nobody_who_holds_the_file_can_cut_it(server: Server) -> None:
    server.answers["/"] = http(b"meow")

    async with fetching(server.host) as fetcher:
        fetched = await fetcher.fetch(server.url(), FIELD)

    with pytest.raises(PermissionError):
        os.truncate(fetched.file.fileno(), 1)


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="this system does not list open files")
async def test_the_file_is_gone_with_who_holds_it_and_after_a_refusal(server: Server) -> None:
    server.answers |= {"/": http(b"meow"), "/long": http(b"x" * 2000, content_length="")}

    async with fetching(server.host) as fetcher:
        await got(fetcher, server.url())
        await refusal(fetcher, server.url("/long"))

    gc.collect()
    assert not any("memfd:fetched" in name for name in open_files())


async def test_an_empty_body_is_empty(server: Server) -> None:
    server.answers["/"] = http(b"")

    async with fetching(server.host) as fetcher:
        assert await got(fetcher, server.url()) == (b"", None)


@pytest.mark.parametrize(
    ("wanted", "header"),
    [
        ("image/png", "image/jpeg"),
        ("video/webm", "audio/webm"),
        ("Audio/MPEG; codecs=x", "application/ogg"),
        ("text/plain", "application/json"),
        ("application/pdf", "application/octet-stream"),
        ("something/else", "image/png"),
        ("application/octet-stream", "text/html"),
    ],
)
async def test_a_type_of_the_kind_that_was_asked_for_is_taken(
    server: Server, wanted: str, header: str
) -> None:
    server.answers["/"] = http(b"meow", content_type=header)

    async with fetching(server.host) as fetcher:
        assert (await got(fetcher, server.url(), wanted))[0] == b"meow"


@pytest.mark.parametrize(
    ("wanted", "header"),
    [
        ("video/mp4", "text/html"),
        ("application/pdf", "text/html"),
        ("image/png", "application/pdf"),
        ("text/plain", "image/png"),
        ("audio/wav", "application/json"),
    ],
)
async def test_a_type_of_another_kind_is_refused_and_both_are_named(
    server: Server, wanted: str, header: str
) -> None:
    server.answers["/"] = http(b"<p>Log in</p>", content_type=header)

    async with fetching(server.host) as fetcher:
        message = await refusal(fetcher, server.url(), wanted)

    assert message == f"{CANNOT} Its content type is {header}, but the part's mime_type is {wanted}."


@pytest.mark.parametrize(
    ("wanted", "accept"),
    [
        (None, "Accept: image/*, video/*, audio/*, application/pdf, "),
        ("video/mp4", "Accept: video/mp4, image/*, "),
        ("x/y\r\nEvil: 1", "Accept: image/*, video/*, "),
    ],
)
async def test_the_server_is_told_what_is_wanted(server: Server, wanted: str | None, accept: str) -> None:
    server.answers["/"] = http(b"meow")

    async with fetching(server.host) as fetcher:
        await got(fetcher, server.url(), wanted)

    assert accept in server.seen[0]
    assert "Evil" not in server.seen[0]


async def test_a_redirect_is_followed(server: Server) -> None:
    server.answers |= {"/a?x=1": redirect("b/c"), "/b/c": redirect(server.url("/d")), "/d": http(b"meow")}

    async with fetching(server.host) as fetcher:
        assert await got(fetcher, server.url("/a?x=1#top")) == (b"meow", None)


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

        assert await got(fetcher, server.url()) == (b"meow", None)
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
        assert await got(fetcher, f"http://media.test:{server.port}/") == (b"meow", None)

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
        assert await got(fetcher, f"http://media.test:{server.port}/") == (b"meow", None)


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
        assert await got(fetcher, f"http://{host}:{server.port}/") == (b"meow", None)


async def test_hosts_can_be_narrowed_down(server: Server) -> None:
    server.answers["/"] = redirect("https://elsewhere.test/")
    resolver = always("8.8.8.8")

    async with fetching(server.host, within=(".media.test",), resolver=resolver) as fetcher:
        elsewhere = f"{CANNOT} It leads to a host of somebody else."
        assert await refusal(fetcher, server.url()) == elsewhere
        assert await refusal(fetcher, "https://media.test/") == elsewhere
        assert await refusal(fetcher, "https://media.test.elsewhere.test/") == elsewhere
        assert await refusal(fetcher, "https://a.media.test/") == f"{CANNOT} The server cannot be reached."


@pytest.mark.parametrize("port", [443, 1024, 8443, 65535])
async def test_a_public_host_is_asked_on_a_port_for_web_servers(port: int) -> None:
    async with fetching(resolver=always("8.8.8.8")) as fetcher:
        message = await refusal(fetcher, f"https://media.test:{port}/")

    assert message == f"{CANNOT} The server cannot be reached."


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
        assert len((await got(fetcher, server.url()))[0]) == 1000


async def test_a_body_that_announces_too_much_is_not_read(server: Server) -> None:
    server.answers["/"] = http(b"x", content_length="1001")

    async with fetching(server.host, max_bytes=1000) as fetcher:
        assert await refusal(fetcher, server.url()) == f"{CANNOT} It is larger than 1000 bytes."


async def test_a_lower_limit_holds_for_the_one_fetch(server: Server) -> None:
    server.answers["/"] = http(b"x" * 1000)

    async with fetching(server.host, max_bytes=1000) as fetcher:
        with pytest.raises(InvalidArgument, match="It is larger than 999 bytes"):
            await fetcher.fetch(server.url(), FIELD, max_bytes=999)
        assert (await fetcher.fetch(server.url(), FIELD, max_bytes=2000)).mime_type is None


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
        (gzip.compress(b"a") + b"x" * 200, "gzip"),
        (b"", "gzip"),
        (b"meow", "br"),
    ],
    ids=["no gzip", "cut", "two", "and more", "nothing", "another coding"],
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
        (
            http(b"x", content_type="application/zip"),
            "Its content type is application/zip: no image, audio, video, PDF or text.",
        ),
        (http(b"x", content_type="<script>"), "Its content type cannot be read."),
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


async def test_the_certificate_is_checked_for_the_name_and_not_for_the_address(tmp_path: Path) -> None:
    serves, trusts = certified("media.test", tmp_path)
    names: list[str | None] = []
    serves.sni_callback = lambda _socket, name, _context: names.append(name)

    async with (
        serving(serves) as server,
        fetching("media.test", resolver=always("127.0.0.1"), tls=trusts) as fetcher,
    ):
        server.answers["/"] = http(b"meow")
        assert await got(fetcher, f"https://media.test:{server.port}/") == (b"meow", None)

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
