"""Which moments of a recording are looked at: the clip a caller asks for, the times in it, their labels.

Times are seconds from the start of the recording. Source: video understanding (document 003), customize
video processing and technical details.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil

from .errors import InvalidArgument

DEFAULT_FPS = 1.0
MAX_FPS = 24.0

SLACK_S = 0.001
"""What a container's whole milliseconds may add to the end of a recording; no frame is sampled for that."""

_FLOATS = 1e-6
"""What arithmetic in floats may add to a number of frames."""


@dataclass(frozen=True, slots=True)
class Clip:
    """What is wanted of a recording: from `start` to `end` (None: to its end), `fps` frames a second."""

    start: float = 0.0
    end: float | None = None
    fps: float | None = None


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of a recording, in seconds from its start."""

    start: float
    end: float

    @property
    def seconds(self) -> float:
        """How long it lasts."""
        return self.end - self.start


def span_of(clip: Clip | None, duration: float, field: str) -> Span:
    """Return what a clip covers of a recording. An end after the recording's is clamped."""
    clip = clip or Clip()
    if clip.start >= duration:
        raise InvalidArgument(
            f"start_offset ({_written(clip.start)}) must be before the end of the recording, "
            f"which lasts {_written(duration)}.",
            field=f"{field}.video_metadata.start_offset",
        )
    return Span(clip.start, duration if clip.end is None else min(clip.end, duration))


def _written(seconds: float) -> str:
    """Write seconds as the protocol does: all digits that are not zero."""
    return f"{seconds:.9f}".rstrip("0").rstrip(".") + "s"


def sample_count(span: Span, fps: float) -> int:
    """Count the frames that are looked at: ceil(seconds x fps), at least one."""
    return max(ceil((span.seconds - SLACK_S) * fps - _FLOATS), 1)


def sample_times(span: Span, fps: float) -> tuple[float, ...]:
    """Return the times at which a frame is sampled, the first at the span's start."""
    return tuple(span.start + index / fps for index in range(sample_count(span, fps)))


def label(seconds: float, fps: float = DEFAULT_FPS) -> str:
    """Write a moment as `MM:SS`, beyond an hour `H:MM:SS`; above 1 fps with fractions."""
    decimals = 0 if fps <= 1 else 1 if fps <= 10 else 2
    # Like a clock, it shows what has passed; what floats lose on the way is no time.
    units = int(seconds * 10**decimals + 1e-6)
    whole, fraction = divmod(units, 10**decimals)
    minutes, second = divmod(whole, 60)
    hours, minute = divmod(minutes, 60)
    clock = f"{hours}:{minute:02}:{second:02}" if hours else f"{minute:02}:{second:02}"
    return f"{clock}.{fraction:0{decimals}}" if decimals else clock
