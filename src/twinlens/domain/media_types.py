"""The media types that are read: one table, and what follows from it.

Everything that names a type reads it here: what uploads and requests may be labelled, what bytes are told
by their beginning, what a client guesses from a file's name, what a URL may lead to, which content of an
interaction a type belongs to, and which decoder reads it. A label decides what kind of medium is meant;
what it really is, its bytes do.

A new type is a row here and what decodes it (`media/decoders/`). One in a container of its own also takes
a reader of that container's header (`media/headers/header.py`).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

from . import raw_audio
from .request import MediaKind

Kind = Literal["image", "recording", "pdf", "text"]

MAX_LABEL = 127
"""Characters of a label: RFC 6838 allows a type and a subtype of as many each, and nobody uses half."""


@dataclass(frozen=True, slots=True)
class Signature:
    """Bytes that a file of a type begins with, or has at an offset.

    `means` says what a file with them looks like, where that is not what its type is called.
    """

    magic: bytes
    offset: int = 0
    means: str = ""

    def fits(self, head: bytes) -> bool:
        """Check whether a file that begins with `head` carries this signature."""
        return head.startswith(self.magic, self.offset)


@dataclass(frozen=True, slots=True)
class MediaType:
    """One type: a row of the table.

    `aliases` are other labels of it that stay what they are; one without a slash has the main type of the
    name. `replaced` are labels that the name takes the place of. `form` is what it is called in a list of
    what can be sent, `looks` what its bytes look like. `decoder` names who reads it; for an image that is
    also its format. `header` names the container whose header tells an image's size, where that is not the
    decoder's name, and `codings` which sorts of pixels in such a container are read. `brands` are those of
    a file in ISO boxes (ISO/IEC 14496-12). `parameters` of a label that reading takes are kept, and `flaw`
    says what is wrong with them.
    """

    name: str
    kind: Kind
    aliases: str = ""
    replaced: str = ""
    extensions: str = ""
    form: str = ""
    looks: str = ""
    decoder: str = ""
    header: str = ""
    codings: frozenset[bytes] = frozenset()
    signatures: tuple[Signature, ...] = ()
    brands: frozenset[bytes] = frozenset()
    parameters: tuple[str, ...] = ()
    flaw: Callable[[Mapping[str, str]], str | None] = lambda _: None
    can_be_uploaded: bool = True

    @property
    def main(self) -> str:
        """What stands before the slash."""
        return self.name.partition("/")[0]

    @property
    def labels(self) -> tuple[str, ...]:
        """All labels of this type."""
        full = (alias if "/" in alias else f"{self.main}/{alias}" for alias in self.aliases.split())
        return (self.name, *full, *self.replaced.split())


def _signatures(*magics: bytes, offset: int = 0) -> tuple[Signature, ...]:
    return tuple(Signature(magic, offset) for magic in magics)


_HEVC = frozenset({b"hvc1"})

_IMAGES = (
    MediaType(
        "image/png",
        "image",
        decoder="png",
        form="PNG",
        looks="a PNG image",
        aliases="x-png apng vnd.mozilla.apng",
        signatures=_signatures(b"\x89PNG\r\n\x1a\n"),
    ),
    MediaType(
        "image/jpeg",
        "image",
        decoder="jpeg",
        form="JPEG",
        looks="a JPEG image",
        aliases="jpg pjpeg jfif x-jpeg",
        extensions="jfif",
        signatures=_signatures(b"\xff\xd8\xff"),
    ),
    MediaType(
        "image/webp",
        "image",
        decoder="webp",
        form="WEBP",
        looks="a WEBP image",
        aliases="x-webp",
        extensions="webp",
        signatures=_signatures(b"WEBP", offset=8),
    ),
    # Of brands, the first row that has one of a file's counts: HEVC that is promised, then AV1, then any.
    MediaType(
        "image/heic",
        "image",
        decoder="heif",
        form="HEIC",
        looks="a HEIF image",
        aliases="heic-sequence",
        extensions="heic",
        codings=_HEVC,
        brands=frozenset({b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx"}),
    ),
    MediaType(
        "image/avif",
        "image",
        decoder="avif",
        form="AVIF",
        looks="an AVIF image",
        aliases="avif-sequence",
        extensions="avif avifs",
        header="heif",
        codings=frozenset({b"av01"}),
        brands=frozenset({b"avif", b"avis", b"avio"}),
    ),
    MediaType(
        "image/heif",
        "image",
        decoder="heif",
        form="HEIF",
        looks="a HEIF image",
        aliases="heif-sequence",
        extensions="heif",
        codings=_HEVC,
        brands=frozenset(
            {b"mif1", b"mif2", b"msf1", b"miaf", b"jpeg", b"jpgs", b"j2ki", b"j2is", b"avci", b"avcs"}
            | {b"vvic", b"vvis", b"evbi", b"evbs", b"unif"}
        ),
    ),
    MediaType(
        "image/gif",
        "image",
        decoder="gif",
        form="GIF",
        looks="a GIF image",
        signatures=_signatures(b"GIF87a", b"GIF89a"),
    ),
    MediaType(
        "image/bmp",
        "image",
        decoder="bmp",
        form="BMP",
        looks="a BMP image",
        aliases="x-bmp x-ms-bmp x-windows-bmp",
        extensions="bmp",
        signatures=_signatures(b"BM"),
    ),
    MediaType(
        "image/tiff",
        "image",
        decoder="tiff",
        form="TIFF",
        looks="a TIFF image",
        aliases="tif x-tiff x-tif",
        signatures=_signatures(b"II*\0", b"MM\0*", b"II+\0", b"MM\0+"),
    ),
)

_VIDEOS = (
    MediaType(
        "video/mp4",
        "recording",
        form="MP4",
        looks="an MP4 video",
        aliases="x-mp4 m4v x-m4v",
        replaced="application/mp4",
        extensions="m4v",
        signatures=_signatures(b"ftyp", offset=4),
    ),
    MediaType(
        "video/quicktime",
        "recording",
        form="MOV",
        looks="a QuickTime video",
        aliases="mov",
        signatures=_signatures(b"ftypqt", b"moov", b"mdat", b"wide", offset=4),
    ),
    MediaType(
        "video/mpeg",
        "recording",
        form="MPEG",
        looks="an MPEG video",
        aliases="mpg x-mpeg x-mpeg2 mpeg-system x-mpeg-system mp2p mp2t x-mpegts vnd.dlna.mpeg-tts",
        signatures=(
            *_signatures(b"\0\0\1\xba", b"\0\0\1\xb3"),
            Signature(b"\x47\x40", means="an MPEG transport stream"),
        ),
    ),
    MediaType(
        "video/avi",
        "recording",
        form="AVI",
        looks="an AVI video",
        aliases="x-avi msvideo x-msvideo vnd.avi",
        signatures=_signatures(b"AVI ", offset=8),
    ),
    MediaType(
        "video/x-flv",
        "recording",
        form="FLV",
        looks="an FLV video",
        aliases="flv",
        extensions="flv",
        signatures=_signatures(b"FLV\1"),
    ),
    MediaType(
        "video/webm",
        "recording",
        form="WEBM",
        looks="a WebM or Matroska video",
        extensions="webm",
        signatures=_signatures(b"\x1a\x45\xdf\xa3"),
    ),
    MediaType(
        "video/x-matroska",
        "recording",
        aliases="matroska",
        replaced="application/x-matroska",
        extensions="mkv",
    ),
    MediaType(
        "video/wmv",
        "recording",
        form="WMV",
        looks="a WMV video",
        signatures=_signatures(b"\x30\x26\xb2\x75\x8e\x66\xcf\x11"),
    ),
    MediaType("video/x-ms-wmv", "recording", aliases="x-ms-wm x-ms-asf", extensions="wmv"),
    # What clients that go by a file's name call a sound may well be a video.
    MediaType(
        "video/3gpp",
        "recording",
        form="3GPP",
        looks="a 3GPP video",
        aliases="3gp",
        replaced="audio/3gpp",
        extensions="3gp 3gpp",
        signatures=_signatures(b"ftyp3g", offset=4),
    ),
    MediaType("video/3gpp2", "recording", replaced="audio/3gpp2"),
    MediaType("video/ogg", "recording", aliases="x-ogg x-theora+ogg x-ogm+ogg"),
)

_SOUNDS = (
    MediaType(
        "audio/wav",
        "recording",
        form="WAV",
        looks="WAV audio",
        aliases="x-wav wave x-wave vnd.wave x-pn-wav",
        extensions="wav",
        signatures=_signatures(b"WAVE", offset=8),
    ),
    MediaType(
        "audio/mpeg",
        "recording",
        form="MP3",
        looks="MP3 audio",
        aliases="mp3 x-mp3 mpeg3 x-mpeg x-mpeg-3 mpg x-mpg mpga mp2 x-mp2",
        signatures=_signatures(
            b"ID3",
            *(
                bytes((0xFF, second))
                for second in (0xE2, 0xE3, 0xF2, 0xF3, 0xF4, 0xF5, 0xFA, 0xFB, 0xFC, 0xFD)
            ),
        ),
    ),
    MediaType(
        "audio/aiff",
        "recording",
        form="AIFF",
        looks="AIFF audio",
        aliases="x-aiff aif x-aifc",
        extensions="aif aiff",
        signatures=_signatures(b"AIFF", b"AIFC", offset=8),
    ),
    MediaType(
        "audio/aac",
        "recording",
        form="AAC",
        looks="AAC audio",
        aliases="x-aac aacp x-hx-aac-adts vnd.dlna.adts",
        extensions="aac",
        signatures=_signatures(*(bytes((0xFF, second)) for second in (0xF0, 0xF1, 0xF8, 0xF9))),
    ),
    MediaType(
        "audio/ogg",
        "recording",
        form="OGG",
        looks="Ogg audio",
        aliases="x-ogg vorbis x-vorbis x-vorbis+ogg speex x-speex x-speex+ogg x-flac+ogg",
        replaced="application/ogg application/x-ogg",
        extensions="oga ogg",
        signatures=_signatures(b"OggS"),
    ),
    MediaType(
        "audio/flac",
        "recording",
        form="FLAC",
        looks="FLAC audio",
        aliases="x-flac",
        extensions="flac",
        signatures=_signatures(b"fLaC"),
    ),
    MediaType(
        "audio/m4a",
        "recording",
        form="M4A",
        looks="M4A audio",
        aliases="x-m4a m4b x-m4b",
        signatures=_signatures(b"ftypM4A", b"ftypM4B", offset=4),
    ),
    MediaType("audio/mp4", "recording", aliases="x-mp4 mp4a-latm", extensions="m4a"),
    MediaType(
        "audio/opus",
        "recording",
        form="OPUS",
        looks="Opus audio",
        aliases="x-opus+ogg",
        extensions="opus",
        signatures=_signatures(b"OpusHead", offset=28),
    ),
    MediaType("audio/webm", "recording", form="WEBM"),
    MediaType("audio/matroska", "recording", aliases="x-matroska"),
    MediaType(
        "audio/amr", "recording", looks="AMR audio", aliases="amr-wb", signatures=_signatures(b"#!AMR")
    ),
    MediaType("audio/x-ms-wma", "recording", aliases="wma x-ms-asf"),
    # Bare samples, which nothing tells but their label.
    MediaType(
        "audio/l16",
        "recording",
        decoder="pcm",
        parameters=raw_audio.PARAMETERS,
        flaw=raw_audio.flaw,
    ),
)

_DOCUMENTS = (
    MediaType(
        "application/pdf",
        "pdf",
        looks="a PDF document",
        replaced="application/x-pdf",
        signatures=_signatures(b"%PDF"),
    ),
)

_TEXTS = (
    MediaType("text/plain", "text", extensions="log toml yaml yml"),
    MediaType("text/html", "text", looks="a web page", signatures=_signatures(b"<!DOCTYPE", b"<html")),
    MediaType(
        "text/csv",
        "text",
        # Where Excel is installed, Windows calls CSV files so; a workbook is no text, and refused for that.
        replaced="application/vnd.ms-excel application/csv application/x-csv text/x-csv "
        "text/comma-separated-values text/x-comma-separated-values",
    ),
    MediaType("text/tab-separated-values", "text", replaced="text/tsv"),
    MediaType(
        "text/markdown",
        "text",
        replaced="application/markdown application/x-markdown text/x-markdown text/x-web-markdown",
        extensions="md markdown",
    ),
    MediaType("text/vtt", "text", extensions="vtt"),
    MediaType("application/json", "text", replaced="application/x-json text/x-json"),
    MediaType("application/x-ndjson", "text", replaced="application/ndjson"),
    MediaType("application/jsonl", "text", replaced="application/jsonlines application/x-jsonlines"),
    MediaType("application/json5", "text"),
    MediaType("application/xml", "text", aliases="xml-dtd"),
    MediaType(
        "application/rtf",
        "text",
        aliases="text/rtf",
        replaced="application/x-rtf",
        extensions="rtf",
        decoder="rtf",
    ),
    MediaType("application/x-subrip", "text", aliases="x-srt", extensions="srt"),
    MediaType("application/yaml", "text", aliases="x-yaml x-yml"),
    MediaType("application/toml", "text"),
    MediaType("application/sql", "text", aliases="x-sql graphql"),
    MediaType(
        "application/javascript",
        "text",
        aliases="x-javascript ecmascript x-ecmascript typescript x-typescript node",
    ),
    MediaType(
        "application/x-sh",
        "text",
        aliases="x-shellscript x-csh x-bash x-powershell x-bat x-msdos-program",
    ),
    MediaType(
        "application/x-python",
        "text",
        aliases="x-python-code x-perl x-ruby x-php x-httpd-php x-lua x-tcl",
    ),
    MediaType("application/x-tex", "text", aliases="x-latex x-bibtex"),
)
"""Kinds of text are too many for a list: those that do not call themselves `text/`, and those with a name
or a beginning of their own."""

TYPES: tuple[MediaType, ...] = (*_IMAGES, *_DOCUMENTS, *_TEXTS, *_SOUNDS, *_VIDEOS)

PDF, PLAIN_TEXT, MP4 = "application/pdf", "text/plain", "video/mp4"

UNKNOWN = "application/octet-stream"

NO_LABELS = frozenset({"", UNKNOWN, "binary/octet-stream"})
"""Labels that claim nothing: the bytes decide."""

DOWNLOADS = NO_LABELS | {"application/force-download", "application/x-download"}
"""What web servers call a file, whatever is in it."""

BODIES = frozenset({"application/json", "application/xml"})
"""What clients call any body of a request, whatever is in it."""

ACCEPT = "image/*, video/*, audio/*, application/pdf, text/*;q=0.9, */*;q=0.5"
"""What a web server is asked for."""

_ROWS: Mapping[str, MediaType] = {label: row for row in TYPES for label in row.labels}

_MEANT: Mapping[str, str] = {label: row.name for row in TYPES for label in row.replaced.split()}

_ANY: Mapping[str, Kind] = {"image": "image", "video": "recording", "audio": "recording", "text": "text"}
"""What may be asked about whatever stands behind the slash: its bytes decide whether it can be read."""

_CONTENTS: Mapping[Kind, MediaKind] = {"image": "image", "pdf": "document", "text": "document"}

_DECODERS: Mapping[Kind, str] = {"recording": "recording", "pdf": "pdf", "text": "text"}
"""Who reads what has no decoder of its own."""

_SUFFIXED = re.compile(r"application/[a-z0-9.-]+\+(?:json|xml)")

_TEXT = re.compile(r"text/[a-z0-9.+-]+")

_PARAMETER = re.compile(r"\s*([\w.-]{1,32})\s*=\s*\"?([^\s\";=]{1,64})\"?\s*", re.ASCII)

EXTENSIONS: Mapping[str, str] = {f".{name}": row.name for row in TYPES for name in row.extensions.split()}
"""The type by a file's extension: what Python does not know, or calls by another name."""

BY_FORMAT: Mapping[str, MediaType] = {row.decoder: row for row in reversed(_IMAGES)}
"""The type of each image format: of several, the first."""


def essence(mime_type: str | None) -> str:
    """Return a media type without its parameters, in lower case."""
    return (mime_type or "").partition(";")[0].strip().lower()


def parameters_of(mime_type: str | None) -> dict[str, str]:
    """Return the parameters of a label, in lower case; of one that is repeated, the first counts."""
    found: dict[str, str] = {}
    for piece in (mime_type or "").lower().split(";")[1:9]:
        if match := _PARAMETER.fullmatch(piece):
            found.setdefault(match[1], match[2])
    return found


def essential(mime_type: str | None) -> str:
    """Return a label in lower case without its parameters, but with those that reading its type takes."""
    label, own = essence(mime_type), parameters_of(mime_type)
    row = _ROWS.get(label)
    kept = (name for name in row.parameters if name in own) if row else ()
    return label + "".join(f";{name}={own[name]}" for name in kept)


def meant(mime_type: str | None) -> str:
    """Return the media type that a label means, with the parameters that reading it takes."""
    label = essential(mime_type)
    return _MEANT.get(label, label)


def stored_as(mime_type: str | None) -> str:
    """Return what a file is called that was uploaded with a label: that label, unless it means a video."""
    label = essential(mime_type)
    return meant(label) if label.startswith("audio/") else label


def with_parameters(mime_type: str, **values: int | None) -> str:
    """Add values that were given beside a label, where reading its type takes them and it has none."""
    row, own = _ROWS.get(essence(mime_type)), parameters_of(mime_type)
    wanted = set(row.parameters if row else ()) - set(own)
    given = {name: value for name, value in values.items() if name in wanted and value is not None}
    return mime_type + "".join(f";{name}={value}" for name, value in given.items())


def flaw_of(mime_type: str | None) -> str | None:
    """Return what is wrong with the parameters of a label; None for most, of which none matters."""
    row = _ROWS.get(essence(mime_type))
    return row.flaw(parameters_of(mime_type)) if row else None


def kind_of(mime_type: str | None) -> Kind | None:
    """Return the kind a label stands for; None where it claims nothing, or nothing that is known."""
    label = essence(mime_type)
    if row := _ROWS.get(label):
        return row.kind
    main, _, name = label.partition("/")
    if _SUFFIXED.fullmatch(label):
        return "text"
    return _ANY.get(main) if name else None


def content_of(mime_type: str | None) -> MediaKind | None:
    """Return which medium of a request a label stands for; None where it claims nothing that is known."""
    kind = kind_of(mime_type)
    if kind == "recording":
        return "audio" if meant(mime_type).startswith("audio/") else "video"
    return _CONTENTS[kind] if kind else None


def decoder_of(mime_type: str | None) -> str | None:
    """Return the decoder of a label; None where the label does not determine one."""
    row, kind = _ROWS.get(essence(mime_type)), kind_of(mime_type)
    return (row and row.decoder) or _DECODERS.get(kind or "image")


def is_file(label: str) -> bool:
    """Check whether a bare label is that of a file that can be stored."""
    if len(label) > MAX_LABEL:
        return False
    row = _ROWS.get(label)
    return row.can_be_uploaded if row else any(form.fullmatch(label) for form in (_SUFFIXED, _TEXT))


def unsupported(mime_type: str) -> str:
    """Return the error for an unsupported type."""
    return f"Unsupported MIME type: {mime_type}"


def _listed(rows: Iterable[MediaType]) -> str:
    *forms, last = dict.fromkeys(row.form for row in rows if row.form)
    return f"{', '.join(forms)} or {last}"


IMAGE_FORMS, VIDEO_FORMS, SOUND_FORMS = map(_listed, (_IMAGES, _VIDEOS, _SOUNDS))
"""What is read of each kind, as the end of a sentence."""
