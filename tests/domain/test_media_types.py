"""The labels that the world gives to files, and what they stand for."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from twinlens.domain.media_types import (
    IMAGE_FORMS,
    SOUND_FORMS,
    TYPES,
    VIDEO_FORMS,
    Kind,
    MediaType,
    content_of,
    decoder_of,
    essential,
    flaw_of,
    is_file,
    kind_of,
    meant,
    parameters_of,
    stored_as,
    with_parameters,
)

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


def test_no_label_and_no_extension_stands_in_two_rows() -> None:
    labels = [label for row in TYPES for label in row.labels]
    extensions = [extension for row in TYPES for extension in row.extensions.split()]

    assert len(labels) == len(set(labels))
    assert len(extensions) == len(set(extensions))


@pytest.mark.parametrize("row", TYPES, ids=lambda row: row.name)
def test_each_row_has_all_that_is_asked_of_it(row: MediaType) -> None:
    assert row.name == row.name.lower()
    assert row.looks or not row.signatures
    assert row.decoder or row.kind != "image"
    assert not row.brands or row.codings


def test_what_is_read_is_listed_by_kind() -> None:
    assert IMAGE_FORMS == "PNG, JPEG, WEBP, HEIC, AVIF, HEIF, GIF, BMP or TIFF"
    assert VIDEO_FORMS == "MP4, MOV, MPEG, AVI, FLV, WEBM, WMV or 3GPP"
    assert SOUND_FORMS == "WAV, MP3, AIFF, AAC, OGG, FLAC, M4A, OPUS or WEBM"


@pytest.mark.parametrize(
    ("label", "content"),
    [
        ("image/avif", "image"),
        ("Video/MP4; codecs=avc1", "video"),
        ("audio/3gpp", "video"),
        ("application/ogg", "audio"),
        ("audio/L16;rate=8000", "audio"),
        ("application/x-pdf", "document"),
        ("application/json", "document"),
        ("text/x-new", "document"),
        ("application/zip", None),
        (None, None),
    ],
)
def test_a_label_belongs_to_one_content_of_an_interaction(label: str | None, content: str | None) -> None:
    assert content_of(label) == content


@pytest.mark.parametrize(
    ("label", "decoder"),
    [
        ("image/jpg", "jpeg"),
        ("image/heic", "heif"),
        ("image/avif", "avif"),
        ("image/x-new", None),
        ("audio/x-new", "recording"),
        ("audio/L16; rate=16000", "pcm"),
        ("text/rtf", "rtf"),
        ("text/x-new", "text"),
        ("application/pdf", "pdf"),
    ],
)
def test_a_label_names_who_reads_it(label: str, decoder: str | None) -> None:
    assert decoder_of(label) == decoder


def test_parameters_are_kept_where_reading_takes_them() -> None:
    label = 'Audio/L16 ; channels="2"; x=y ;Rate=44100; rate=8000'

    assert essential(label) == "audio/l16;rate=44100;channels=2"
    assert meant(label) == stored_as(label) == "audio/l16;rate=44100;channels=2"
    assert essential("text/plain; charset=utf-8") == "text/plain"
    assert parameters_of("a/b;;x;c=d=e;f=g") == {"f": "g"}


def test_what_stands_beside_a_label_fills_in_what_it_leaves_out() -> None:
    assert with_parameters("audio/L16", rate=8000, channels=None) == "audio/L16;rate=8000"
    assert with_parameters("audio/L16;rate=16000", rate=8000, channels=2) == "audio/L16;rate=16000;channels=2"
    assert with_parameters("audio/wav", rate=8000, channels=2) == "audio/wav"


@pytest.mark.parametrize(
    ("label", "part"),
    [
        ("audio/l16", "Write audio/l16;rate=16000 or"),
        ("audio/l16;channels=2", "Write audio/l16;rate=16000 or"),
        ("audio/l16;rate=7999", "rate of audio/l16 must be a whole number from 8000 to 192000, not '7999'"),
        ("audio/l16;rate=192001", "from 8000 to 192000"),
        ("audio/l16;rate=16e3", "from 8000 to 192000"),
        ("audio/l16;rate=٨٠٠٠", "from 8000 to 192000"),
        ("audio/l16;rate=16000;channels=0", "channels of audio/l16 must be a whole number from 1 to 8"),
        ("audio/l16;rate=16000;channels=9", "from 1 to 8"),
        ("audio/l16;rate=16000;codec=opus", "The codec of audio/l16 can only be pcm"),
    ],
)
def test_a_label_of_bare_samples_must_tell_how_they_are_read(label: str, part: str) -> None:
    assert part in (flaw_of(label) or "")


@pytest.mark.parametrize(
    "label",
    ["audio/L16;rate=8000", "audio/l16; rate=192000; channels=8;codec=pcm", "audio/wav;rate=7", None],
)
def test_most_labels_have_no_flaw(label: str | None) -> None:
    assert flaw_of(label) is None


SOURCE = Path(__file__).parent.parent.parent / "src" / "twinlens"
TYPE = re.compile(r"(?:image|audio|video|text|application)/[a-z0-9*][a-z0-9.+*-]*\b")
ELSEWHERE = {
    "domain/media_types.py": "the table",
    "domain/raw_audio.py": "sentences about the one type that it is about",
    "domain/request.py": "the forms of an answer",
    "wire/generation.py": "the forms of an answer",
    "wire/interactions/config.py": "the forms of an answer",
    "wire/interactions/messages.py": "the forms of an answer",
    "wire/encoding.py": "the form of every answer over HTTP",
    "api/sse.py": "the form of a stream over HTTP",
    "api/interactions/stream.py": "the form of a stream over HTTP",
    "client/uploads.py": "the form of a request over HTTP",
    "media/decoders": "a decoder's own types",
    "engines": "an engine's own types, and the forms of an answer",
    "cli/files.py": "an example in a message",
}
"""Where a media type may stand that is not read from the table, and why."""


def test_media_types_stand_in_the_table_alone() -> None:
    found = {
        str(path.relative_to(SOURCE)): types
        for path in sorted(SOURCE.rglob("*.py"))
        if (types := sorted(_types_in(ast.parse(path.read_text()))))
        and not any(path.is_relative_to(SOURCE / name) for name in ELSEWHERE)
    }

    assert not found


def _types_in(tree: ast.Module) -> Iterator[str]:
    """Find the media types in strings that are no docstrings."""
    documents = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in documents:
            yield from TYPE.findall(node.value)
