"""The labels that the world gives to files, and what they stand for."""

from __future__ import annotations

import pytest

from twinlens.domain.media_types import Kind, is_file, kind_of, meant

BROWSERS = {
    "image": "image/png image/jpeg image/webp image/gif image/bmp image/heic image/heif image/tiff "
    "image/apng image/jpg image/pjpeg image/x-png",
    "recording": "video/mp4 video/quicktime video/webm video/x-m4v video/avi video/x-ms-wmv video/3gpp "
    "video/x-matroska audio/mpeg audio/mp3 audio/wav audio/x-wav audio/wave audio/ogg audio/flac "
    "audio/x-flac audio/aac audio/mp4 audio/x-m4a audio/aiff audio/x-aiff audio/webm audio/opus "
    "application/ogg",
    "pdf": "application/pdf application/x-pdf",
    "text": "text/plain text/csv text/html text/markdown text/xml application/xml application/json "
    "text/javascript application/x-javascript text/calendar text/vtt application/rtf "
    "application/xhtml+xml application/x-sh application/x-subrip application/x-yaml text/x-python "
    "application/x-php",
}
LINUX = {
    "image": "image/png image/jpeg image/webp image/heif image/gif image/bmp image/tiff "
    "image/vnd.mozilla.apng",
    "recording": "video/mp4 video/mpeg video/vnd.avi video/x-msvideo video/x-flv video/webm video/x-ms-wmv "
    "video/3gpp video/3gpp2 video/mp2t video/matroska video/ogg video/x-theora+ogg audio/vnd.wave "
    "audio/x-wav audio/mpeg audio/mp2 audio/x-aiff audio/x-aifc audio/aac audio/x-vorbis+ogg "
    "audio/x-opus+ogg audio/x-speex+ogg audio/x-flac+ogg audio/flac audio/mp4 audio/x-m4b audio/AMR "
    "audio/x-ms-wma application/mp4",
    "pdf": "application/pdf",
    "text": "application/x-subrip text/markdown application/yaml application/toml application/sql text/x-log "
    "application/x-shellscript text/x-python3 application/javascript application/typescript "
    "application/x-perl application/x-ruby application/x-ndjson application/geo+json "
    "application/rss+xml text/tab-separated-values",
}
WINDOWS = {
    "image": "image/pjpeg image/x-png image/jpeg image/bmp image/tiff",
    "recording": "video/x-ms-asf video/msvideo video/avi video/vnd.dlna.mpeg-tts audio/vnd.dlna.adts "
    "audio/mpeg3 audio/x-mpeg-3 audio/x-ms-wma audio/aiff",
    "pdf": "application/pdf",
    "text": "application/vnd.ms-excel application/csv application/markdown text/comma-separated-values",
}


@pytest.mark.parametrize(
    ("label", "kind"),
    sorted(
        {
            (label, kind)
            for table in (BROWSERS, LINUX, WINDOWS)
            for kind, labels in table.items()
            for label in labels.split()
        }
    ),
)
def test_each_label_of_what_is_read_is_taken_in_a_request_and_in_an_upload(label: str, kind: Kind) -> None:
    assert kind_of(label) == kind
    assert is_file(label.lower())


@pytest.mark.parametrize(
    "label", ["application/zip", "application/msword", "bad/mime_type", "font/woff2", "image/", "", "text"]
)
def test_a_label_of_anything_else_stands_for_nothing(label: str) -> None:
    assert kind_of(label) is None
    assert not is_file(label)


@pytest.mark.parametrize(
    ("label", "means"),
    [
        ("application/vnd.ms-excel", "text/csv"),
        ("Application/CSV; charset=utf-8", "text/csv"),
        ("text/x-csv", "text/csv"),
        ("application/markdown", "text/markdown"),
        ("text/x-markdown", "text/markdown"),
        ("application/x-subrip", "application/x-subrip"),
        ("image/x-new", "image/x-new"),
    ],
)
def test_labels_for_one_form_mean_one_type(label: str, means: str) -> None:
    assert meant(label) == means


def test_what_is_new_can_be_asked_about_but_not_stored() -> None:
    assert (kind_of("image/x-new"), is_file("image/x-new")) == ("image", False)


@pytest.mark.parametrize(
    ("mime_type", "kind"),
    [
        ("image/png", "image"),
        ("video/3gpp", "recording"),
        ("VIDEO/MP4; codecs=avc1", "recording"),
        ("audio/x-m4a", "recording"),
        ("application/ogg", "recording"),
        ("audio/3gpp", "recording"),
        ("application/pdf", "pdf"),
        ("text/csv", "text"),
        ("application/rtf", "text"),
        ("application/ld+json", "text"),
        ("application/zip", None),
        ("application/octet-stream", None),
        ("video/", None),
        ("", None),
        (None, None),
    ],
)
def test_a_label_stands_for_a_kind(mime_type: str | None, kind: str | None) -> None:
    assert kind_of(mime_type) == kind
