"""`multipart/related` bodies, split into metadata and bytes while they come in."""

from __future__ import annotations

import pytest

from twinlens.domain.errors import InvalidArgument
from twinlens.wire.related import MAX_HEAD_BYTES, PartHead, Related

BODY = b"--B\r\n\r\n{}\r\n--B\r\nContent-Type: image/png\r\n\r\n\x00\r\n\r\n--\x00\r\n--\r\n--B--\r\nepilogue"


def split(
    body: bytes, size: int, content_type: str = "multipart/related; boundary=B"
) -> tuple[PartHead, bytes]:
    """Feed a body in pieces of a size."""
    related = Related(content_type)
    content = b"".join(related.feed(body[at : at + size]) for at in range(0, len(body), size))
    related.finish()
    return related.head, content


@pytest.mark.parametrize("size", [1, 2, 3, 5, 7, 11, 64, 1000])
@pytest.mark.parametrize("content_type", ["multipart/related; boundary=B", 'Multipart/Related; Boundary="B"'])
def test_a_body_is_split_however_it_comes(size: int, content_type: str) -> None:
    assert split(BODY, size, content_type) == (PartHead(b"{}", "image/png"), b"\x00\r\n\r\n--\x00\r\n--")


@pytest.mark.parametrize("size", [1, 1000])
def test_a_file_may_be_empty_and_have_no_type(size: int) -> None:
    assert split(b"preamble\r\n--B\r\n\r\n{}\r\n--B\r\n\r\n\r\n--B--", size) == (PartHead(b"{}", ""), b"")


def test_the_bytes_pass_through_and_are_not_held() -> None:
    related = Related("multipart/related; boundary=B")
    related.feed(b"--B\r\n\r\n{}\r\n--B\r\n\r\n")

    passed = sum(len(related.feed(bytes(1000))) for _ in range(10))

    assert 9_900 < passed <= 10_000


@pytest.mark.parametrize("size", [1, 7, 1000])
def test_a_line_that_only_begins_like_the_boundary_is_part_of_the_file(size: int) -> None:
    _, content = split(b"--B\r\n\r\n{}\r\n--B\r\n\r\n\r\n--Bx\r\n--B-\r\n--B--", size)

    assert content == b"\r\n--Bx\r\n--B-"


def test_encoded_bytes_are_refused() -> None:
    body = b"--B\r\n\r\n{}\r\n--B\r\nContent-Transfer-Encoding: base64\r\n\r\nAAAA\r\n--B--"

    with pytest.raises(InvalidArgument, match="transfer encoding"):
        split(body, 1000)


@pytest.mark.parametrize("size", [1, 1000])
@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"--B\r\n\r\n{}\r\n--B--",
        b"--B\r\n\r\n{}\r\n--B\r\n\r\nbytes",
        b"--B\r\n\r\n{}\r\n--B\r\n\r\nbytes\r\n--B",
        b"--B\r\n\r\n{}\r\n--B\r\n\r\nbytes\r\n--B\r\n\r\nmore\r\n--B--",
    ],
)
def test_a_body_without_two_parts_is_refused(body: bytes, size: int) -> None:
    with pytest.raises(InvalidArgument):
        split(body, size)


@pytest.mark.parametrize("content_type", ["multipart/related", "multipart/form-data; boundary=B", ""])
def test_another_kind_of_body_is_refused(content_type: str) -> None:
    with pytest.raises(InvalidArgument, match="multipart/related"):
        Related(content_type)


def test_a_head_without_end_is_refused() -> None:
    related = Related("multipart/related; boundary=B")

    with pytest.raises(InvalidArgument, match="64 KiB"):
        related.feed(b"--B\r\n\r\n" + b" " * MAX_HEAD_BYTES)
