"""Media that an engine takes a piece at a time: images, videos, audio, PDFs. Text files come whole.

Nothing is decoded before it is asked for, and what has been looked at can be forgotten: memory stays flat
however long a medium is. The functions in these values lead to the pipeline; they may be called more than
once, and closing what they give cancels the rest of the work.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .clip import label
from .media import Image
from .regions import Box

SAMPLE_RATE = 16_000
"""Samples a second, of all sound that an engine gets."""

Samples = NDArray[np.float32]
"""Sound of one channel at `SAMPLE_RATE`, from -1 to 1, shape (samples,)."""


@dataclass(frozen=True, slots=True, eq=False)
class StillImage:
    """An image that was sent: the size at which the engine is to see it, and what decodes it to that.

    The fields are those of the `Image` that it becomes.
    """

    mime_type: str
    width: int
    height: int
    source_width: int
    source_height: int
    tokens: int
    digest: str
    read: Callable[[], Awaitable[Image]]

    async def load(self) -> Image:
        """Decode it. Take one image after another, and keep none longer than it is needed."""
        return await self.read()


@dataclass(frozen=True, slots=True, eq=False)
class Frame:
    """One picture of a video: what is shown at `time`, to within half a frame. `label` names that moment."""

    image: Image
    index: int
    time: float
    label: str


@dataclass(frozen=True, slots=True, eq=False)
class Sound:
    """Sound from `start` on for `duration` seconds, in seconds of the recording.

    `read` gives it from such a second to another in pieces of at most a minute, in order, without gaps: as
    samples, or each piece as a WAV file of 16 bits, as the engine's `Capabilities.media` say.
    """

    mime_type: str
    start: float
    duration: float
    tokens: int
    digest: str
    read: Callable[[float, float], AsyncGenerator[Any, None]]

    def samples(self) -> AsyncGenerator[Samples, None]:
        """Return all of it as samples, piece by piece."""
        return self.read(self.start, self.start + self.duration)

    def wav(self) -> AsyncGenerator[bytes, None]:
        """Return all of it as WAV files, piece by piece."""
        return self.read(self.start, self.start + self.duration)


@dataclass(frozen=True, slots=True, eq=False)
class Video:
    """A video, or the part of it that was asked for: a frame for each of `times`, and its sound.

    Times are seconds of the whole recording. `width` and `height` are those of the frames, `tokens` what
    the engine spends on each; boxes are relative to the source's size. `digest` names what is shown: the
    content, the size of the frames, and which of them there are.
    """

    mime_type: str
    start: float
    duration: float
    fps: float
    times: tuple[float, ...]
    width: int
    height: int
    source_width: int
    source_height: int
    tokens: int
    digest: str
    sound: Sound | None
    read: Callable[[Sequence[int]], AsyncGenerator[Frame, None]]

    def frames(self, which: Sequence[int] | None = None) -> AsyncGenerator[Frame, None]:
        """Yield frames by their index in `times`, rising; all of them by default."""
        return self.read(range(len(self.times)) if which is None else which)

    def label(self, index: int) -> str:
        """Format the time of a frame."""
        return label(self.times[index], self.fps)


@dataclass(frozen=True, slots=True)
class TextLine:
    """A line of a page's own text, and where it stands on the page."""

    text: str
    box: Box


@dataclass(frozen=True, slots=True)
class PageText:
    """The text that a page carries, in reading order. `number` counts from 1.

    `is_scan` tells a page that shows a picture of text and carries none: there is something to be read
    on it by other means. A page that a scanner's software has read carries text, and counts as no scan.
    """

    number: int
    lines: tuple[TextLine, ...]
    is_scan: bool = False

    @property
    def text(self) -> str:
        """All lines, one below the other."""
        return "\n".join(line.text for line in self.lines)


@dataclass(frozen=True, slots=True, eq=False)
class PageImage:
    """A page as an image. `number` counts from 1."""

    number: int
    image: Image


@dataclass(frozen=True, slots=True, eq=False)
class Document:
    """A PDF of so many pages, as text and as pictures; either is made for the pages that are asked for.

    Pages go by their numbers, from 1, and come in the order they were asked for.
    """

    mime_type: str
    pages: int
    digest: str
    read_texts: Callable[[Sequence[int]], AsyncGenerator[PageText, None]]
    read_images: Callable[[Sequence[int]], AsyncGenerator[PageImage, None]]

    def texts(self, which: Sequence[int] | None = None) -> AsyncGenerator[PageText, None]:
        """Yield the text of pages; of all by default."""
        return self.read_texts(range(1, self.pages + 1) if which is None else which)

    def images(self, which: Sequence[int] | None = None) -> AsyncGenerator[PageImage, None]:
        """Yield pages as images; all by default."""
        return self.read_images(range(1, self.pages + 1) if which is None else which)


@dataclass(frozen=True, slots=True)
class TextFile:
    """A file of text, whole. `mime_type` tells what sort of text it is."""

    mime_type: str
    text: str
    digest: str
