"""What files are, by their names."""

from __future__ import annotations

import pytest

from twinlens.client.mime import guess
from twinlens.wire.files import read_metadata

EXTENSIONS = """
    png jpg jpeg webp heic heif gif bmp tiff tif
    mp4 mpeg mpg mov avi flv webm wmv 3gp mkv m4v
    wav mp3 aiff aac ogg flac m4a opus
    pdf json xml rtf js txt md html css csv py yaml log
"""


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("photo.JPG", "image/jpeg"),
        ("a.b/photo.heic", "image/heic"),
        ("x.webp", "image/webp"),
        ("clip.mkv", "video/x-matroska"),
        ("clip.3gp", "video/3gpp"),
        ("clip.mov", "video/quicktime"),
        ("song.m4a", "audio/mp4"),
        ("song.opus", "audio/opus"),
        ("notes.md", "text/markdown"),
        ("paper.pdf", "application/pdf"),
        ("table.csv", "text/csv"),
        ("table.csv.gz", None),
        ("strange.qqq", None),
        ("README", None),
        (".png", None),
    ],
)
def test_a_type_belongs_to_an_extension(name: str, kind: str | None) -> None:
    assert guess(name) == kind


@pytest.mark.parametrize("extension", EXTENSIONS.split())
def test_every_type_that_is_known_here_is_supported_by_the_server(extension: str) -> None:
    kind = guess(f"x.{extension}")

    assert kind is not None
    assert read_metadata(b"", {"x-goog-upload-header-content-type": kind}).mime_type == kind
