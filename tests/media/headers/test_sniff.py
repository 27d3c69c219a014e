"""What a file is by its first bytes, where nobody has said."""

from __future__ import annotations

import numpy as np
import pytest

import clips
import images
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
    ("name", "mime_type"),
    [
        ("wav", "audio/wav"),
        ("mp3", "audio/mpeg"),
        ("aiff", "audio/aiff"),
        ("aac", "audio/aac"),
        ("ogg", "audio/ogg"),
        ("flac", "audio/flac"),
        ("m4a", "audio/m4a"),
        ("opus", "audio/opus"),
        ("webm", "video/webm"),
    ],
)
def test_sound_is_told_by_its_container(name: str, mime_type: str) -> None:
    assert file_type_of(clips.sound(name, np.zeros((2, 4800)))) == mime_type


@pytest.mark.parametrize(
    ("data", "mime_type"),
    [
        (b"\xff\xfb\x90\x64", "audio/mpeg"),
        (b"\xff\xf3\x64\xc4", "audio/mpeg"),
        (b"\xff\xf1\x50\x80", "audio/aac"),
        (b"\xff\xfeh\0i\0", None),
        (b"FORM\0\0\0\0AIFC", "audio/aiff"),
        (b"\0\0\0\x20ftypM4B ", "audio/m4a"),
        (b"#!AMR\n", "audio/amr"),
    ],
)
def test_sound_without_a_container_is_told_by_its_frames(data: bytes, mime_type: str | None) -> None:
    assert file_type_of(data) == mime_type


@pytest.mark.parametrize(
    ("data", "mime_type"),
    [
        (images.make("png"), "image/png"),
        (images.make("jpeg"), "image/jpeg"),
        (images.make("avif"), "image/avif"),
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


@pytest.mark.parametrize("data", [b"", b"PK\3\4", b"\0\1\2\3", b"\0\0\0\x10ftypmif3avif"])
def test_what_cannot_be_stored_has_no_type(data: bytes) -> None:
    assert file_type_of(data) is None
