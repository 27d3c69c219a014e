"""JPEGs that ask for more passes than anybody makes."""

from __future__ import annotations

import pytest
from PIL import Image

import images
from twinlens.media.decoders.scans import MAX_SCANS, check_scans
from twinlens.media.decoders.unreadable import Unreadable


@pytest.mark.parametrize("count", [MAX_SCANS + 1, 5000])
def test_too_many_scans_are_refused(count: int) -> None:
    with pytest.raises(Unreadable) as refusal:
        check_scans(images.many_scans(count))

    assert refusal.value.reason == "scans"


@pytest.mark.parametrize("options", [{}, {"progressive": True}, {"restart_marker_rows": 1}])
def test_what_encoders_make_passes(options: dict[str, object]) -> None:
    noise = Image.effect_noise((640, 480), 90)

    check_scans(images.encode(noise, "jpeg", **options))


def test_what_lies_in_a_segment_or_after_the_end_is_no_scan() -> None:
    body, scans = images.make("jpeg"), b"\xff\xda\0\0" * 2000
    segment = b"\xff\xef" + (len(scans) + 2).to_bytes(2, "big") + scans

    check_scans(body[:2] + segment + body[2:] + scans)


@pytest.mark.parametrize("length", [2, 3, 20, 300])
def test_what_is_torn_is_left_to_the_decoder(length: int) -> None:
    check_scans(images.make("jpeg")[:length])
