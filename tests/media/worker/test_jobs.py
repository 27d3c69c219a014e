"""What a job may take, by what it is about."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from twinlens.domain.media import Blob, Descriptor, ImageInfo
from twinlens.media.inspection import Inspect
from twinlens.media.worker.jobs import Decode, Limits


def limit_of(side: int, timeout_s: float = 30) -> float:
    info = ImageInfo("png", "image/png", side, side)
    return Decode(Blob(b"", None, "f"), info, 8, 8).limit_s(Limits(512, timeout_s))


@pytest.mark.parametrize(("side", "seconds"), [(100, 5), (3464, 6.5), (14_143, 30), (20_000, 30)])
def test_a_large_image_may_take_longer_than_a_small_one(side: int, seconds: float) -> None:
    assert limit_of(side) == pytest.approx(seconds, abs=0.01)


@pytest.mark.parametrize(("mib", "seconds"), [(0, 5), (256, 17.5), (448, 26.875), (512, 30), (2048, 30)])
def test_a_large_file_may_be_looked_into_for_longer_than_a_small_one(
    tmp_path: Path, mib: int, seconds: float
) -> None:
    path = tmp_path / "film"
    path.touch()
    os.truncate(path, mib << 20)
    blob = Blob(b"", None, "f", file=Descriptor(os.open(path, os.O_RDONLY)))

    assert Inspect(blob, "video/mp4").limit_s(Limits(512, 30)) == pytest.approx(seconds)


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
