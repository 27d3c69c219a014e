"""The pictures of a recording and their times."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

import clips
from twinlens.media.decoders.unreadable import Unreadable
from twinlens.media.decoders.video_reader import VideoReader


@pytest.fixture
def reader() -> Iterator[VideoReader]:
    with ExitStack() as stack:
        yield VideoReader(io.BytesIO(clips.video(seconds=2)), stack)


def test_frames_come_with_rising_times(reader: VideoReader) -> None:
    times = [time for time, _ in reader.frames_from(reader.zero)]

    assert times[0] == reader.zero
    assert times == sorted(set(times))
    assert (times[-1] - times[0]) / reader.second == pytest.approx(2, abs=0.2)


def test_reading_begins_ever_earlier_down_to_the_beginning(reader: VideoReader) -> None:
    steps = list(reader.steps_back(reader.zero + 1.5 * reader.second))

    assert steps == sorted(steps, reverse=True)
    assert steps[-1] == reader.zero
    assert all(map(reader.is_beginning, steps[-1:]))


@pytest.mark.parametrize(("wanted", "chosen"), [(-5, 0), (0, 0), (4, 0), (5, 0), (6, 1), (99, 2)])
def test_the_nearest_frame_is_chosen_and_of_two_the_earlier(
    reader: VideoReader, wanted: float, chosen: int
) -> None:
    scale = reader.second / 100

    assert reader.choose([0, int(10 * scale), int(20 * scale)], wanted * scale) == chosen


def test_a_frame_that_stays_long_is_right_for_as_long_as_it_stays(reader: VideoReader) -> None:
    second = int(reader.second)

    assert reader.choose([0, 10 * second], 9.5 * second) == 0


def test_sound_alone_has_no_pictures() -> None:
    with ExitStack() as stack, pytest.raises(Unreadable):
        VideoReader(io.BytesIO(clips.audio()), stack)
