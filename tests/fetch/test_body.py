"""A fetched body on its way into a file."""

from __future__ import annotations

import gzip
import os
import sys

import pytest

from twinlens.fetch.body import STEP_BYTES, Body, BrokenCoding, Fetched, TooLarge


def received(coding: str, *pieces: bytes, max_bytes: int = 10**7) -> Fetched:
    body = Body(coding, max_bytes)
    for piece in pieces:
        for _ in body.add(piece):
            pass
    return body.finish("image/png")


@pytest.mark.parametrize("coding", ["", "identity"])
def test_a_plain_body_is_what_came(coding: str) -> None:
    fetched = received(coding, b"one", b"two")

    assert (bytes(fetched.data), fetched.mime_type) == (b"onetwo", "image/png")
    assert os.pread(fetched.file.fileno(), 99, 0) == b"onetwo"


def test_a_body_may_be_empty() -> None:
    assert bytes(received("").data) == b""


@pytest.mark.parametrize("size", [1, 7, 10**6])
def test_a_zipped_body_is_unzipped_however_it_comes(size: int) -> None:
    data = os.urandom(1000) * 300
    zipped = gzip.compress(data)
    pieces = [zipped[at : at + size] for at in range(0, len(zipped), size)]

    assert bytes(received("gzip", *pieces).data) == data


def test_a_bomb_is_given_up_in_small_steps() -> None:
    body = Body("gzip", STEP_BYTES * 2)
    steps = body.add(gzip.compress(bytes(10**8)))

    assert [next(steps), next(steps)] == [None, None]
    with pytest.raises(TooLarge):
        next(steps)


def test_what_is_larger_than_is_taken_is_refused_before_it_is_unzipped() -> None:
    with pytest.raises(TooLarge):
        received("", b"12345", max_bytes=4)


@pytest.mark.parametrize(
    "zipped",
    [b"no zip at all", gzip.compress(b"whole")[:-3], gzip.compress(b"a") + b"more"],
    ids=["no gzip", "cut", "more behind it"],
)
def test_a_body_that_is_not_coded_as_it_says_is_broken(zipped: bytes) -> None:
    with pytest.raises(BrokenCoding):
        received("gzip", zipped)


def test_only_codings_that_can_be_undone_are_known() -> None:
    assert [name for name in ("", "gzip", "x-gzip", "br", "deflate") if Body.is_known(name)] == [
        "",
        "gzip",
        "x-gzip",
    ]


@pytest.mark.skipif(sys.platform != "linux", reason="needs memfd")
def test_whoever_is_given_the_file_cannot_cut_it() -> None:
    fetched = received("", b"mapped")

    with pytest.raises(PermissionError):
        os.ftruncate(fetched.file.fileno(), 0)
