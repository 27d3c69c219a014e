"""What is let in, and what those who are not are told."""

from __future__ import annotations

import io
import struct

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import images
from twinlens import media
from twinlens.domain.errors import BadMedia
from twinlens.domain.media import Blob, Data, ImageInfo

FIELD = "contents[0].parts[1].inline_data"
MEGA = 1_000_000

ZIP = b"PK\x03\x04" + bytes(60)
MP4 = b"\0\0\0\x18ftypmp42" + bytes(60)


def probe(data: Data, label: str | None = "image/png", max_pixels: int = 100 * MEGA) -> ImageInfo:
    return media.probe(Blob(data, label, FIELD), max_pixels)


def refusal(data: Data, label: str | None = "image/png", max_pixels: int = 100 * MEGA) -> str:
    with pytest.raises(BadMedia) as caught:
        probe(data, label, max_pixels)
    assert [violation.field for violation in caught.value.violations] == [FIELD]
    return caught.value.message


@pytest.mark.parametrize("name", images.FORMATS)
def test_each_format_is_recognised_and_measured(name: str) -> None:
    info = probe(images.make(name, 64, 48), images.MIME_TYPES[name])

    assert info == ImageInfo(name, images.MIME_TYPES[name], 64, 48)


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("name", images.TURNED_FORMATS)
def test_the_size_is_that_of_the_upright_image(name: str, orientation: int) -> None:
    info = probe(images.make_turned(name, orientation, 128, 64))

    assert (info.width, info.height, info.orientation) == (128, 64, orientation)


@pytest.mark.parametrize("options", [{"lossless": True}, {"exif": b"Exif\0\0junk"}, {"quality": 50}])
def test_each_kind_of_webp_is_measured(options: dict[str, object]) -> None:
    info = probe(images.encode(images.quarters(63, 47), "webp", **options))

    assert (info.width, info.height, info.orientation) == (63, 47, 1)


@pytest.mark.parametrize("options", [{"progressive": True}, {"quality": 10}, {"comment": "x" * 60_000}])
def test_each_kind_of_jpeg_is_measured(options: dict[str, object]) -> None:
    info = probe(images.encode(images.quarters(63, 47), "jpeg", **options))

    assert (info.width, info.height) == (63, 47)


def test_an_odd_sized_heic_is_measured_after_its_crop() -> None:
    info = probe(images.make("heif", 63, 47))

    assert (info.width, info.height) == (63, 47)


def test_an_old_bitmap_and_one_that_runs_from_the_top_are_measured() -> None:
    old = b"BM" + bytes(12) + struct.pack("<IHHHH", 12, 5, 7, 1, 24) + bytes(140)
    down = b"BM" + bytes(12) + struct.pack("<IiiHHI", 40, 5, -7, 1, 24, 0) + bytes(140)

    assert [(probe(body).width, probe(body).height) for body in (old, down)] == [(5, 7), (5, 7)]


def test_a_big_tiff_is_measured() -> None:
    tags = struct.pack("<HHQI4xHHQI4x", 256, 4, 1, 5, 257, 4, 1, 7)
    body = b"II+\0" + struct.pack("<HHQQ", 8, 0, 16, 2) + tags

    assert (probe(body).width, probe(body).height) == (5, 7)


@pytest.mark.parametrize("label", ["image/png", "image/gif", "image/x-new", "application/octet-stream", None])
def test_the_bytes_decide_and_not_the_label(label: str | None) -> None:
    assert probe(images.make("jpeg"), label).mime_type == "image/jpeg"


@pytest.mark.parametrize("wrap", [bytearray, memoryview])
def test_any_kind_of_bytes_is_read(wrap: type[bytearray] | type[memoryview]) -> None:
    assert probe(wrap(images.make("jpeg"))).width == 64


@pytest.mark.parametrize("label", ["application/zip", "video/mp4", "text/plain", "audio/mp3"])
def test_a_label_that_is_no_image_is_unsupported(label: str) -> None:
    assert refusal(images.make("png"), label) == f"Unsupported MIME type: {label}"


def test_an_unsupported_image_label_on_such_bytes_is_unsupported() -> None:
    assert refusal(b"<svg/>", "image/svg+xml; charset=utf-8") == "Unsupported MIME type: image/svg+xml"


@pytest.mark.parametrize("label", ["image/x-tiff", "image/jfif", "image/x-bmp", "image/apng", "image/x-png"])
def test_every_label_that_an_upload_may_have_is_told_what_the_bytes_are(label: str) -> None:
    message = refusal(b"%PDF-1.7", label)

    assert message.startswith(f"Unable to process input image. The data is labelled {label} but looks like")


@pytest.mark.parametrize("label", ["image/avif", "image/avif-sequence", "image/heif", "image/png", None])
def test_avif_is_told_from_heif_and_measured_whatever_its_label(label: str | None) -> None:
    info = probe(images.make("avif", 63, 47), label)

    assert info == ImageInfo("avif", "image/avif", 63, 47)


def test_an_avif_bomb_is_refused_by_its_header_alone() -> None:
    bomb = images.avif_that_says(20_000, 20_000)

    assert "The image has 20000 x 20000 pixels" in refusal(bomb, "image/avif")


def test_what_an_avif_file_holds_that_is_not_av1_is_named() -> None:
    data = images.heif_of(b"hvc1").replace(b"mif1", b"avif")

    assert "The AVIF file holds an HEVC image, which is not read from AVIF." in refusal(data, "image/avif")


def test_an_avif_file_that_wants_a_crop_is_refused() -> None:
    cropped = images.make("avif").replace(b"pixi", b"clap")

    assert "The AVIF file holds a cropped image, which is not read" in refusal(cropped, "image/avif")


@pytest.mark.parametrize(
    ("sort", "picture"),
    [
        (b"jpeg", "a JPEG image"),
        (b"j2k1", "a JPEG 2000 image"),
        (b"vvc1", "a VVC image"),
        (b"avc1", "an AVC image"),
        (b"unci", "an uncompressed image"),
        (b"av01", "an AV1 image"),
    ],
)
@pytest.mark.parametrize("grid", [False, True])
@pytest.mark.parametrize("wide", [False, True])
def test_a_heif_file_says_what_it_holds_that_is_not_read(
    sort: bytes, picture: str, grid: bool, wide: bool
) -> None:
    message = refusal(images.heif_of(sort, grid=grid, wide=wide), "image/heif")

    assert message == (
        f"Unable to process input image. The HEIF file holds {picture}, which is not read from HEIF. "
        "Convert it to PNG or JPEG and send it again."
    )


@pytest.mark.parametrize("brand", [b"jpeg", b"j2ki", b"avci", b"vvic", b"miaf"])
def test_a_heif_file_is_known_by_each_of_its_brands(brand: bytes) -> None:
    data = images.heif_of(b"vvc1").replace(b"mif1", brand)

    assert "The HEIF file holds a VVC image" in refusal(data, "image/heif")


@pytest.mark.parametrize("sort", [b"hvc1", b"zzz1"])
def test_what_a_heif_file_holds_else_is_left_to_the_decoder(sort: bytes) -> None:
    assert probe(images.heif_of(sort, grid=True), "image/heif").format == "heif"


@pytest.mark.parametrize("codec", [b"heic", b"avif"])
@pytest.mark.parametrize("label", ["image/heif", None])
def test_a_mini_heif_file_says_that_it_is_one_and_what_to_send(codec: bytes, label: str | None) -> None:
    message = refusal(b"\0\0\0\x10ftypmif3" + codec + b"\0\0\0\x20mini" + bytes(24), label)

    assert message == (
        "Unable to process input image. This is a Mini-HEIF image, which is not read. "
        "Convert it to PNG or JPEG and send it again."
    )


def test_what_has_only_the_brand_of_avif_is_told_what_is_missing() -> None:
    message = refusal(b"\0\0\0\x10ftypavio" + bytes(24), "image/heif")

    assert message == "Unable to process input image. The AVIF header lacks its meta box."


@pytest.mark.parametrize(
    ("compression", "picture"),
    [(50001, "a WEBP image"), (34712, "a JPEG 2000 image"), (50002, "a JPEG XL image")],
)
def test_a_tiff_file_says_what_it_holds_that_is_not_read(compression: int, picture: str) -> None:
    whole = images.make("tiff")
    entry = struct.pack("<HHI", 259, 3, 1)
    at = whole.index(entry) + len(entry)

    message = refusal(whole[:at] + struct.pack("<H", compression) + whole[at + 2 :], "image/tiff")

    assert message.endswith(
        f"The TIFF file holds {picture}, which is not read from TIFF. "
        "Convert it to PNG or JPEG and send it again."
    )


@pytest.mark.parametrize(
    ("marker", "bits", "picture"),
    [
        (0xC3, 8, "a lossless image"),
        (0xC5, 8, "a hierarchical image"),
        (0xC1, 12, "an image of 12 bits a channel"),
    ],
)
def test_a_jpeg_file_says_what_it_holds_that_is_not_read(marker: int, bits: int, picture: str) -> None:
    whole = images.make("jpeg")
    at = whole.index(b"\xff\xc0")

    message = refusal(whole[: at + 1] + bytes([marker, 0, 17, bits]) + whole[at + 5 :], "image/jpeg")

    assert f"The JPEG file holds {picture}, which is not read from JPEG." in message


@pytest.mark.parametrize(
    ("data", "looks"),
    [
        (b"hello, world", "plain text"),
        ("héllo".encode() * 200, "plain text"),
        (b"%PDF-1.7", "a PDF document"),
        (ZIP, "a ZIP archive"),
        (MP4, "an MP4 video"),
        (b"iVBORw0KGgoAAAANSUhEUg", "encoded in base64 twice"),
        (b"", "it is empty"),
        (b"\x81\x82\x83" * 9, "unknown data"),
    ],
)
def test_what_is_no_image_is_told_what_it_looks_like(data: bytes, looks: str) -> None:
    message = refusal(data, "image/png")

    assert message.startswith("Unable to process input image. The data is labelled image/png but looks like")
    assert looks in message


def test_an_image_over_the_limit_is_refused_by_its_header_alone() -> None:
    bomb = images.black_png(16_000, 16_000)

    message = refusal(bomb)

    assert len(bomb) < MEGA
    assert message == (
        "The image has 16000 x 16000 pixels, 256000000 in all; the limit is 100000000. "
        "Scale it down and send it again."
    )


def test_an_image_of_exactly_the_limit_is_let_in() -> None:
    assert probe(images.make("png", 64, 48), max_pixels=64 * 48).width == 64


def test_an_image_without_pixels_is_refused() -> None:
    assert "no pixels" in refusal(images.png(0, 9, iter([])))


@pytest.mark.parametrize("name", images.FORMATS)
def test_a_header_that_breaks_off_is_refused(name: str) -> None:
    body = images.make(name)
    start = body.index(b"ftyp") + 24 if name in ("heif", "avif") else 9

    assert refusal(body[:start]).startswith("Unable to process input image.")


def test_a_jpeg_whose_first_marker_comes_late_is_measured() -> None:
    body = images.make("jpeg")

    assert probe(body[:3] + b"\xff" * 5 + body[3:]).width == 64


def test_endless_tiny_chunks_are_given_up_on() -> None:
    body = images.make("png")
    flood = body[:33] + b"\0\0\0\0teXt\0\0\0\0" * 200_000 + body[33:]

    assert probe(flood).orientation == 1


def test_endless_tiny_segments_are_refused() -> None:
    assert "too many parts" in refusal(b"\xff\xd8" + b"\xff\xfe\0\2" * 200_000)


def test_equal_bytes_have_equal_digests_whatever_holds_them() -> None:
    body = io.BytesIO(b"abc").getbuffer()

    assert media.digest(body) == media.digest(b"abc") != media.digest(b"abd")


HEADERS = [
    *(images.make(name) for name in images.FORMATS),
    *(images.make_turned(name, 6) for name in images.TURNED_FORMATS),
]


@st.composite
def mutated(draw: st.DrawFn) -> bytes:
    """Take a real header and overwrite, cut or lengthen it somewhere."""
    body = bytearray(draw(st.sampled_from(HEADERS)))
    for _ in range(draw(st.integers(1, 6))):
        at = draw(st.integers(0, min(len(body), 600)))
        piece = draw(st.binary(min_size=0, max_size=8))
        body[at : at + draw(st.integers(0, 8))] = piece
    return bytes(body[: draw(st.integers(0, len(body)))]) if draw(st.booleans()) else bytes(body)


@settings(max_examples=600, deadline=None)
@given(st.one_of(mutated(), st.binary(max_size=200)))
def test_any_bytes_are_measured_or_refused(data: bytes) -> None:
    try:
        info = probe(data, "application/octet-stream")
    except BadMedia:
        return

    assert 1 <= info.width * info.height <= 100 * MEGA
    assert 1 <= info.orientation <= 8
