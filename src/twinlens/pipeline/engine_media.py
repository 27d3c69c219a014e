"""From a planned medium to what the engine gets: a picture, or what gives frames, pages and sound."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing

from ..domain.clip import Span, label, sample_times
from ..domain.engine import Medium
from ..domain.engine_media import (
    SAMPLE_RATE,
    Document,
    Frame,
    PageImage,
    PageText,
    Samples,
    Sound,
    TextFile,
    Video,
)
from ..domain.media import Blob, Image, Pixels
from ..media.documents import PageImages, PageTexts
from ..media.recordings import Frames, Sounds
from ..media.worker.buffers import KEPT_BYTES
from .decoder import RequestDecoder
from .planning import PlannedDocument, PlannedImage, PlannedMedia, PlannedSound, PlannedText, PlannedVideo

SOUND_JOB_S = 600
"""So much sound is decoded at a time, 38 MB."""

SOUND_PIECE_S = 60

PAGES_AT_ONCE = 200
"""The text of so many pages is asked for at a time; a worker gives back fewer where they hold much."""


async def item_of(planned: PlannedMedia, decoder: RequestDecoder) -> Medium:
    """Decode an image; of other media, say only how their pieces are to be had."""
    match planned:
        case PlannedImage():
            return await _image(planned, decoder)
        case PlannedVideo():
            return _video(planned, decoder)
        case PlannedSound(blob, info, span, tokens):
            return _sound(blob, info.mime_type, span, tokens, decoder)
        case PlannedDocument():
            return _document(planned, decoder)
        case PlannedText(blob, mime_type, text):
            return TextFile(mime_type, text, decoder.name(blob))


async def _image(planned: PlannedImage, decoder: RequestDecoder) -> Image:
    fit, info = planned.fit, planned.info
    pixels, digest = await decoder.image(planned.blob, info, fit.width, fit.height)
    return Image(pixels, info.width, info.height, info.mime_type, fit.tokens, digest)


def _video(planned: PlannedVideo, decoder: RequestDecoder) -> Video:
    blob, info, fit, span, fps = planned.blob, planned.info, planned.fit, planned.span, planned.fps
    times = sample_times(span, fps)
    size = f"{fit.width}x{fit.height}"

    async def read(which: Sequence[int]) -> AsyncGenerator[Frame, None]:
        wanted = tuple(times[index] for index in which)

        async def load(done: int) -> Sequence[Pixels]:
            batch = await decoder.do(Frames(blob, wanted[done:], fit.width, fit.height))
            return tuple(batch.pixels)

        names = tuple(f"{size}@{time:.6f}" for time in wanted)
        async with aclosing(decoder.series(blob, names, load)) as pictures:
            waiting = iter(zip(which, wanted, names, strict=True))
            async for pixels in pictures:
                index, time, name = next(waiting)
                image = Image(
                    pixels,
                    info.width,
                    info.height,
                    info.mime_type,
                    fit.tokens,
                    f"{decoder.name(blob)}-{name}",
                )
                yield Frame(image, index, time, label(time, fps))

    return Video(
        mime_type=info.mime_type,
        start=span.start,
        duration=span.seconds,
        fps=fps,
        times=times,
        width=fit.width,
        height=fit.height,
        source_width=info.width,
        source_height=info.height,
        tokens=fit.tokens,
        digest=f"{decoder.name(blob)}-{size}@{span.start!r}+{span.seconds!r}x{fps!r}",
        sound=_sound(blob, info.mime_type, span, planned.sound_tokens, decoder) if info.has_sound else None,
        read=read,
    )


def _sound(blob: Blob, mime_type: str, span: Span, tokens: int, decoder: RequestDecoder) -> Sound:
    async def read(start: float, end: float) -> AsyncGenerator[Samples, None]:
        # All cuts are on whole samples, so that the pieces join without a gap.
        first, last = round(start * SAMPLE_RATE), round(end * SAMPLE_RATE)
        while first < last:
            until = min(first + SOUND_JOB_S * SAMPLE_RATE, last)
            samples = await decoder.do(Sounds(blob, first / SAMPLE_RATE, until / SAMPLE_RATE))
            first += len(samples)
            for at in range(0, len(samples), SOUND_PIECE_S * SAMPLE_RATE):
                yield samples[at : at + SOUND_PIECE_S * SAMPLE_RATE]

    return Sound(mime_type, span.start, span.seconds, tokens, decoder.name(blob), read)


def _document(planned: PlannedDocument, decoder: RequestDecoder) -> Document:
    blob, info, fits = planned.blob, planned.info, planned.fits

    async def read_texts(which: Sequence[int]) -> AsyncGenerator[PageText, None]:
        done = 0
        while done < len(which):
            pages = await decoder.do(PageTexts(blob, tuple(which[done : done + PAGES_AT_ONCE])))
            for page in pages:
                yield page
            done += len(pages)

    async def read_images(which: Sequence[int]) -> AsyncGenerator[PageImage, None]:
        sizes = tuple((fits[number - 1].width, fits[number - 1].height) for number in which)

        async def load(done: int) -> Sequence[Pixels]:
            part = slice(done, done + _fitting(sizes[done:]))
            return await decoder.do(PageImages(blob, tuple(which[part]), sizes[part]))

        names = tuple(
            f"{width}x{height} of page {n}" for n, (width, height) in zip(which, sizes, strict=True)
        )
        async with aclosing(decoder.series(blob, names, load)) as pictures:
            waiting = iter(zip(which, names, strict=True))
            async for pixels in pictures:
                number, name = next(waiting)
                height, width, _ = pixels.shape
                tokens = fits[number - 1].tokens
                image = Image(pixels, width, height, info.mime_type, tokens, f"{decoder.name(blob)}-{name}")
                yield PageImage(number, image)

    return Document(info.mime_type, len(info.pages), decoder.name(blob), read_texts, read_images)


def _fitting(sizes: Sequence[tuple[int, int]]) -> int:
    """Count the pages at the beginning that a worker's kept room is large enough for, at least one."""
    room, count = KEPT_BYTES, 0
    for width, height in sizes:
        room -= width * height * 3
        if room < 0:
            break
        count += 1
    return max(count, 1)
