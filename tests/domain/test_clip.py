"""Clips, the moments they are sampled at, and how those are written."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from twinlens.domain.clip import Clip, Span, label, sample_count, sample_times, span_of
from twinlens.domain.errors import InvalidArgument

FIELD = "contents[0].parts[0]"


@pytest.mark.parametrize(
    ("clip", "span"),
    [
        (None, Span(0, 60)),
        (Clip(), Span(0, 60)),
        (Clip(start=10), Span(10, 60)),
        (Clip(start=10, end=20, fps=2), Span(10, 20)),
        (Clip(end=3600), Span(0, 60)),
        (Clip(start=59.9), Span(59.9, 60)),
    ],
)
def test_a_clip_is_drawn_into_the_recording(clip: Clip | None, span: Span) -> None:
    assert span_of(clip, 60, FIELD) == span


@pytest.mark.parametrize("start", [60, 60.5, 1250])
def test_i4_a_clip_that_begins_after_the_end_is_refused(start: float) -> None:
    with pytest.raises(
        InvalidArgument, match="must be before the end of the recording, which lasts 60s"
    ) as e:
        span_of(Clip(start=start, end=start + 10), 60, FIELD)

    assert e.value.violations[0].field == f"{FIELD}.video_metadata.start_offset"


def test_the_refusal_of_a_clip_writes_all_digits() -> None:
    with pytest.raises(InvalidArgument, match=r"start_offset \(1234567\.0000001s\) .* lasts 1234567s\.$"):
        span_of(Clip(start=1234567.0000001), 1234567, FIELD)


@pytest.mark.parametrize(
    ("span", "fps", "count"),
    [
        (Span(0, 60), 1, 60),
        (Span(10, 20), 2, 20),
        (Span(1250, 1570), 5, 1600),
        (Span(0, 59.96), 1, 60),
        (Span(0, 60.001), 1, 60),
        (Span(0, 4.004), 1, 5),
        (Span(0, 4.004), 24, 97),
        (Span(0, 60.1), 1, 61),
        (Span(0, 0.04), 1, 1),
        (Span(0, 0.001), 24, 1),
        (Span(0, 3600), 0.1, 360),
    ],
)
def test_frames_are_the_seconds_times_the_rate_rounded_up(span: Span, fps: float, count: int) -> None:
    assert sample_count(span, fps) == len(sample_times(span, fps)) == count


@given(st.floats(0, 1e5), st.floats(0.01, 1e3), st.floats(0.01, 24))
def test_all_moments_lie_in_the_span_and_a_frame_apart(start: float, seconds: float, fps: float) -> None:
    span = Span(start, start + seconds)

    times = sample_times(span, fps)

    assert times[0] == start
    assert times[-1] <= span.end
    assert all(abs(b - a - 1 / fps) < 1e-6 for a, b in pairwise(times))


@pytest.mark.parametrize(
    ("seconds", "fps", "text"),
    [
        (0, 1, "00:00"),
        (5, 1, "00:05"),
        (65.9, 1, "01:05"),
        (3599, 0.5, "59:59"),
        (3600, 1, "1:00:00"),
        (36_061, 1, "10:01:01"),
        (0.5, 2, "00:00.5"),
        (1 / 3, 3, "00:00.3"),
        (1.2, 5, "00:01.2"),
        (59.999999999, 5, "01:00.0"),
        (1 / 24, 24, "00:00.04"),
        (3661.25, 12, "1:01:01.25"),
    ],
)
def test_moments_are_written_as_a_clock_shows_them(seconds: float, fps: float, text: str) -> None:
    assert label(seconds, fps) == text


@pytest.mark.parametrize("fps", [0.1, 1, 2, 3, 5, 8, 10, 12, 23.976, 24])
def test_no_two_frames_have_the_same_label(fps: float) -> None:
    times = sample_times(Span(0, 70), fps)

    assert len({label(time, fps) for time in times}) == len(times)
