"""The labels that clients, browsers, Linux and Windows give to the media that are read here.

One table, which the upload protocol and the planner both go by. A label decides what kind of medium is
meant; what it really is, its bytes do.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Literal

Kind = Literal["image", "recording", "pdf", "text"]

MAX_LABEL = 127
"""Characters of a label: RFC 6838 allows a type and a subtype of as many each, and nobody uses half."""

NO_LABELS = frozenset({"", "application/octet-stream", "binary/octet-stream"})
"""Labels that claim nothing: the bytes decide."""

_NAMES: Mapping[tuple[Kind, str], str] = {
    ("image", "image"): (
        "png x-png apng vnd.mozilla.apng jpeg jpg pjpeg jfif x-jpeg webp x-webp heic heif heic- "
        "sequence heif-sequence gif bmp x-bmp x-ms-bmp x-windows-bmp tiff tif x-tiff x-tif"
    ),
    ("recording", "video"): (
        "mp4 x-mp4 m4v x-m4v mpeg mpg x-mpeg x-mpeg2 mpeg-system x-mpeg-system mp2p mp2t x-mpegts "
        "vnd.dlna.mpeg-tts mov quicktime avi x-avi msvideo x-msvideo vnd.avi flv x-flv webm wmv "
        "x-ms-wmv x-ms-wm x-ms-asf 3gp 3gpp 3gpp2 matroska x-matroska ogg x-ogg x-theora+ogg "
        "x-ogm+ogg"
    ),
    ("recording", "audio"): (
        "wav x-wav wave x-wave vnd.wave x-pn-wav mp3 x-mp3 mpeg mpeg3 x-mpeg x-mpeg-3 mpg x-mpg "
        "mpga mp2 x-mp2 aiff x-aiff aif x-aifc aac x-aac aacp x-hx-aac-adts vnd.dlna.adts ogg x-ogg "
        "vorbis x-vorbis x-vorbis+ogg speex x-speex x-speex+ogg opus x-opus+ogg x-flac+ogg flac "
        "x-flac mp4 x-mp4 m4a x-m4a m4b x-m4b mp4a-latm webm matroska x-matroska amr amr-wb 3gpp "
        "3gpp2 wma x-ms-wma x-ms-asf"
    ),
    ("recording", "application"): "mp4 ogg x-ogg x-matroska",
    ("pdf", "application"): "pdf x-pdf",
    ("text", "application"): (
        "json x-json jsonl jsonlines x-jsonlines x-ndjson ndjson json5 xml xml-dtd csv x-csv "
        "vnd.ms-excel rtf x-rtf markdown x-markdown x-subrip x-srt yaml x-yaml toml sql x-sql "
        "graphql javascript x-javascript ecmascript x-ecmascript typescript x-typescript node "
        "x-python x-python-code x-sh x-shellscript x-csh x-bash x-powershell x-bat x-perl x-ruby "
        "x-php x-httpd-php x-lua x-tex x-latex x-bibtex x-tcl x-msdos-program x-yml"
    ),
}
"""Names of types by the kind that they stand for and by what stands before their slash."""

_KINDS: Mapping[str, Kind] = {
    f"{main}/{name}": kind for (kind, main), names in _NAMES.items() for name in names.split()
}

_ANY: Mapping[str, Kind] = {"image": "image", "video": "recording", "audio": "recording", "text": "text"}

VIDEOS: Mapping[str, str] = {"audio/3gpp": "video/3gpp", "audio/3gpp2": "video/3gpp2"}
"""What clients that go by a file's name call a sound, and what it is."""

_MEANT: Mapping[str, str] = {
    **VIDEOS,
    "application/ogg": "audio/ogg",
    "application/x-ogg": "audio/ogg",
    "application/mp4": "video/mp4",
    "application/x-matroska": "video/x-matroska",
    "application/x-pdf": "application/pdf",
    # Where Excel is installed, Windows calls CSV files so; a workbook is no text, and refused for that.
    "application/vnd.ms-excel": "text/csv",
    "application/csv": "text/csv",
    "application/x-csv": "text/csv",
    "text/x-csv": "text/csv",
    "text/comma-separated-values": "text/csv",
    "text/x-comma-separated-values": "text/csv",
    "text/tsv": "text/tab-separated-values",
    "application/markdown": "text/markdown",
    "application/x-markdown": "text/markdown",
    "text/x-markdown": "text/markdown",
    "text/x-web-markdown": "text/markdown",
    "application/x-json": "application/json",
    "text/x-json": "application/json",
    "application/ndjson": "application/x-ndjson",
    "application/jsonlines": "application/jsonl",
    "application/x-jsonlines": "application/jsonl",
    "application/x-rtf": "application/rtf",
}
"""Labels that stand for another one."""

_SUFFIXED = re.compile(r"application/[a-z0-9.-]+\+(?:json|xml)")

_TEXT = re.compile(r"text/[a-z0-9.+-]+")


def essence(mime_type: str | None) -> str:
    """Give a media type without its parameters, in lower case."""
    return (mime_type or "").partition(";")[0].strip().lower()


def meant(mime_type: str | None) -> str:
    """Give the media type that a label means."""
    label = essence(mime_type)
    return _MEANT.get(label, label)


def kind_of(mime_type: str | None) -> Kind | None:
    """Tell what a label stands for; None where it claims nothing, or nothing that is known."""
    label = meant(mime_type)
    if found := _KINDS.get(label):
        return found
    main, _, name = label.partition("/")
    if _SUFFIXED.fullmatch(label):
        return "text"
    return _ANY.get(main) if name else None


def is_file(label: str) -> bool:
    """Tell the bare label of a file that can be stored. Kinds of text are too many for a list."""
    if len(label) > MAX_LABEL:
        return False
    return label in _KINDS or any(form.fullmatch(label) for form in (_SUFFIXED, _TEXT))
