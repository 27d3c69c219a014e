"""The plan for decoding some frames and no others."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

import clips
from twinlens.media.decoders.timeline import Timeline
from twinlens.media.decoders.video_reader import VideoReader


@pytest.fixture
def film() -> Iterator[VideoReader]:
    with ExitStack() as stack:
        yield VideoReader(io.BytesIO(clips.video(seconds=4)), stack)


def times_of(film: VideoReader, *seconds: float) -> list[float]:
    return [film.zero + one * film.second for one in seconds]


def test_each_wanted_time_has_its_frame(film: VideoReader) -> None:
    wanted = times_of(film, 0.5, 1.5, 3.0)
    timeline = Timeline.read(film, wanted)

    assert timeline is not None
    targets = {
        place: time for run in timeline.runs(wanted) for time, at in run.targets.items() for place in at
    }
    assert sorted(targets) == [0, 1, 2]
    assert [targets[place] for place in range(3)] == pytest.approx(wanted, abs=film.second / 10)


def test_a_run_begins_with_a_key_frame_and_ends_with_what_is_wanted(film: VideoReader) -> None:
    wanted = times_of(film, 2.0)
    timeline = Timeline.read(film, wanted)

    assert timeline is not None
    (run,) = timeline.runs(wanted)
    packets = dict(timeline.packets())
    assert packets[run.first].is_keyframe
    assert packets[run.last].pts in run.targets


def test_nothing_is_decoded_for_nothing(film: VideoReader) -> None:
    timeline = Timeline.read(film, times_of(film, 0.0))

    assert timeline is not None
    assert timeline.runs([]) == []
