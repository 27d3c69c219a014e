"""What a job may take, by what it is about."""

from __future__ import annotations

import pytest

from twinlens.domain.media import Blob, ImageInfo
from twinlens.media.jobs import Decode, Limits


def limit_of(side: int, timeout_s: float = 30) -> float:
    info = ImageInfo("png", "image/png", side, side)
    return Decode(Blob(b"", None, "f"), info, 8, 8).limit_s(Limits(512, timeout_s))


@pytest.mark.parametrize(("side", "seconds"), [(100, 5), (3464, 6.5), (14_143, 30), (20_000, 30)])
def test_a_large_image_may_take_longer_than_a_small_one(side: int, seconds: float) -> None:
    assert limit_of(side) == pytest.approx(seconds, abs=0.01)


@pytest.mark.parametrize(("timeout_s", "seconds"), [(6, 2), (1, 1), (0.1, 0.1)])
def test_a_few_seconds_are_allowed_where_they_are_there(timeout_s: float, seconds: float) -> None:
    assert limit_of(100, timeout_s) == seconds


@pytest.mark.parametrize(
    ("format_", "side", "is_long"),
    [
        ("jpeg", 4000, False),
        ("png", 4000, False),
        ("heif", 4000, False),
        ("heif", 7000, True),
        ("png", 12_000, True),
    ],
)
def test_what_takes_more_than_a_second_is_long(format_: str, side: int, is_long: bool) -> None:
    info = ImageInfo(format_, f"image/{format_}", side, side)

    assert Decode(Blob(b"", None, "f"), info, 8, 8).is_long == is_long
