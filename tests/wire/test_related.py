"""`multipart/related` bodies, split into metadata and bytes."""

from __future__ import annotations

import pytest

from twinlens.domain.errors import InvalidArgument
from twinlens.wire.related import read_related


def test_a_related_body_is_split_into_its_parts() -> None:
    body = b"--B\r\n\r\n{}\r\n--B\r\nContent-Type: image/png\r\n\r\n\x00\r\n\r\n--\x00\r\n--B--\r\n"

    related = read_related(body, 'multipart/related; boundary="B"')

    assert (related.metadata, related.data) == (b"{}", b"\x00\r\n\r\n--\x00")
    assert related.mime_type == "image/png"


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (b"--B\r\n\r\n{}\r\n--B--", "multipart/related; boundary=B"),
        (b"--B\r\n\r\n{}\r\n--B\r\n\r\nbytes", "multipart/related; boundary=B"),
        (b"", "multipart/related"),
        (b"--B", "multipart/form-data; boundary=B"),
    ],
)
def test_a_related_body_without_two_parts_is_refused(body: bytes, content_type: str) -> None:
    with pytest.raises(InvalidArgument):
        read_related(body, content_type)
