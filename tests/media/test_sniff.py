"""What a file is by its first bytes, where nobody has said."""

from __future__ import annotations

import pytest

import clips
import pictures
from twinlens.media import file_type_of


@pytest.mark.parametrize(
    ("container", "mime_type"),
    [
        ("mp4", "video/mp4"),
        ("mov", "video/quicktime"),
        ("3gp", "video/3gpp"),
        ("webm", "video/webm"),
        ("avi", "video/avi"),
        ("flv", "video/x-flv"),
        ("wmv", "video/wmv"),
        ("mpeg", "video/mpeg"),
        ("ts", "video/mpeg"),
    ],
)
def test_a_video_is_told_by_its_container(container: str, mime_type: str) -> None:
    assert file_type_of(clips.video(container)) == mime_type


@pytest.mark.parametrize(
    ("data", "mime_type"),
    [
        (pictures.make("png"), "image/png"),
        (pictures.make("jpeg"), "image/jpeg"),
        (clips.pdf(1), "application/pdf"),
        (b"RIFF\0\0\0\0WAVEfmt ", "audio/wav"),
        (b"ID3\4", "audio/mpeg"),
        (b"OggS\0", "audio/ogg"),
        (b"fLaC\0", "audio/flac"),
        ("Größe: 3 €\n".encode(), "text/plain"),
        (b"<!DOCTYPE html><html>", "text/html"),
    ],
)
def test_other_files_are_told_by_their_first_bytes(data: bytes, mime_type: str) -> None:
    assert file_type_of(data) == mime_type


@pytest.mark.parametrize("data", [b"", b"PK\3\4", b"\0\1\2\3", b"\0\0\0\x14ftypavif"])
def test_what_cannot_be_stored_has_no_type(data: bytes) -> None:
    assert file_type_of(data) is None
