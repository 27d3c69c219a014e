"""Labels, and the bytes where a label says nothing."""

from __future__ import annotations

import pytest

import clips
import images
from twinlens.domain.errors import BadMedia
from twinlens.domain.media import Blob
from twinlens.domain.media_types import MAX_LABEL
from twinlens.media.headers.kinds import is_inspected, labelled


@pytest.mark.parametrize("label", [None, "", "application/octet-stream", "binary/octet-stream"])
@pytest.mark.parametrize(
    ("data", "found"),
    [
        (images.make("png"), ("image", "image/png")),
        (clips.video(), ("recording", "video/mp4")),
        (clips.audio("mkv", codec="flac"), ("recording", "video/webm")),
        (clips.pdf(), ("pdf", "application/pdf")),
        (b"Some words.", ("text", "text/plain")),
    ],
    ids=["image", "video", "sound", "pdf", "text"],
)
def test_where_the_label_says_nothing_the_bytes_do(
    label: str | None, data: bytes, found: tuple[str, str]
) -> None:
    assert labelled(Blob(data, label, "parts[0]")) == found


@pytest.mark.parametrize("label", [None, "", "application/octet-stream", "binary/octet-stream"])
@pytest.mark.parametrize(
    ("data", "looks"),
    [
        (b"\x81\x82\x83" * 9, "unknown data"),
        (b"PK\x03\x04", "a ZIP archive or an Office document"),
        (b"<?xml version='1.0'?>", "an XML document"),
        (b"", "nothing: it is empty"),
    ],
)
def test_where_neither_says_anything_all_that_is_taken_is_named(
    label: str | None, data: bytes, looks: str
) -> None:
    with pytest.raises(BadMedia) as caught:
        labelled(Blob(data, label, "parts[0]"))

    assert caught.value.message == (
        f"The data looks like {looks}. Send an image, a video, audio, a PDF or text, with its mime_type."
    )
    assert caught.value.violations[0].field == "parts[0]"


@pytest.mark.parametrize("data", [b"\0\0\0\x10ftypmif3avif", b"8BPS", b"iVBORw0KGgoAAA", b"<svg/>"])
def test_what_looks_like_an_image_is_judged_as_one(data: bytes) -> None:
    assert labelled(Blob(data, None, "parts[0]")) == ("image", "")


@pytest.mark.parametrize(
    ("label", "mime_type"),
    [
        ("Audio/3gpp; codecs=x", "video/3gpp"),
        ("audio/3gpp2", "video/3gpp2"),
        ("audio/mp4", "audio/mp4"),
        ("audio/webm", "audio/webm"),
    ],
)
def test_what_clients_call_a_file_by_its_name_may_mean_a_video(label: str, mime_type: str) -> None:
    assert labelled(Blob(b"", label, "parts[0]")) == ("recording", mime_type)


def test_what_is_not_served_is_refused_by_its_name() -> None:
    with pytest.raises(BadMedia, match=r"^Unsupported MIME type: application/zip$"):
        labelled(Blob(b"PK", "Application/ZIP", "parts[0]"))


def test_recordings_and_pdfs_are_looked_into_before_they_are_used() -> None:
    types = ("video/mp4", "audio/wav", "application/pdf", "image/png", "text/plain", "")

    assert [is_inspected(mime_type) for mime_type in types] == [True, True, True, False, False, False]


@pytest.mark.parametrize("main", ["application/", "image/", "video/", "text/"])
def test_a_label_of_any_length_is_refused_and_not_repeated_whole(main: str) -> None:
    label = main + "x" * 100_000

    with pytest.raises(BadMedia) as caught:
        labelled(Blob(b"", label, "parts[0]"))

    assert caught.value.message == f"Unsupported MIME type: {label[:MAX_LABEL]}..."
