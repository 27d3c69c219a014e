"""From a planned medium to what the engine gets: images, frames, pages and audio, read on demand."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import replace

from ..concurrency.tasks import gather
from ..domain.clip import Span, label, sample_times
from ..domain.engine import AudioForm, ImageForm, MediaForms, Medium
from ..domain.engine_media import (
    SAMPLE_RATE,
    Document,
    Frame,
    PageImage,
    PageText,
    Samples,
    Sound,
    StillImage,
    TextFile,
    Video,
)
from ..domain.media import Blob, Image, ImageData
from ..media.documents import PageImages, PageTexts
from ..media.recordings import Frames, Sounds, wav_samples
from ..media.worker.buffers import KEPT_BYTES
from .content_hash import content_of
from .decoder import ImagePlan, RequestDecoder
from .planning import PlannedDocument, PlannedImage, PlannedMedia, PlannedSound, PlannedText, PlannedVideo

AUDIO_JOB_S = 600
"""The most audio of one decoding job: 38 MB of samples. Chosen, not measured."""

AUDIO_PIECE_S = 60
"""The most audio that an engine gets at a time: 3.8 MB of samples, or half of that as WAV."""

CHECKED_AT_ONCE = 4
"""How many of one request's images are checked at once. More would only wait for the same workers."""

PAGES_AT_ONCE = 200
"""How many pages' text one job asks for; a worker returns fewer where they hold much. Chosen."""


class EngineMedia:
    """Builds the media of one request for an engine, in the forms that it declares."""

    def __init__(self, decoder: RequestDecoder, forms: MediaForms) -> None:
        self._decoder = decoder
        self._forms = forms
        self._unchecked: dict[str, PlannedImage] = {}

    async def of(self, planned: Sequence[PlannedMedia]) -> tuple[Medium, ...]:
        """Return all media as the engine reads them; nothing is decoded yet."""
        return tuple([await self._of(item) for item in planned])

    async def check_images(self) -> None:
        """Decode the images that the engine has not asked for: a damaged one is an error all the same."""
        waiting, self._unchecked = self._unchecked, {}
        await gather((self._check(image) for image in waiting.values()), at_once=CHECKED_AT_ONCE)

    async def _check(self, planned: PlannedImage) -> None:
        fit = planned.fit
        await self._decoder.check(planned.blob, planned.info, fit.width, fit.height, self._forms.image)

    async def _of(self, planned: PlannedMedia) -> Medium:
        match planned:
            case PlannedImage():
                return await self._image(planned)
            case PlannedVideo():
                return _video(planned, self._decoder, self._forms)
            case PlannedSound(blob, info, span, tokens):
                return _sound(blob, info.mime_type, span, tokens, self._decoder, self._forms.audio)
            case PlannedDocument():
                return _document(planned, self._decoder, self._forms.page)
            case PlannedText(blob, mime_type, text):
                return TextFile(mime_type, text, self._decoder.name(blob))

    async def _image(self, planned: PlannedImage) -> StillImage:
        fit, info = planned.fit, planned.info
        blob = replace(planned.blob, digest=await content_of(planned.blob))
        digest = f"{self._decoder.name(blob)}-{ImagePlan(fit.width, fit.height).name}"
        self._unchecked.setdefault(digest, replace(planned, blob=blob))

        async def read() -> Image:
            data = await self._decoder.image(blob, info, fit.width, fit.height, self._forms.image)
            self._unchecked.pop(digest, None)
            return Image(data, info.width, info.height, info.mime_type, fit.tokens, digest)

        return StillImage(
            mime_type=info.mime_type,
            width=fit.width,
            height=fit.height,
            source_width=info.width,
            source_height=info.height,
            tokens=fit.tokens,
            digest=digest,
            read=read,
        )


def _video(planned: PlannedVideo, decoder: RequestDecoder, forms: MediaForms) -> Video:
    blob, info, fit, span, fps = planned.blob, planned.info, planned.fit, planned.span, planned.fps
    times = sample_times(span, fps)

    async def read(which: Sequence[int]) -> AsyncGenerator[Frame, None]:
        wanted = tuple(times[index] for index in which)

        async def load(done: int) -> Sequence[ImageData]:
            batch = await decoder.do(Frames(blob, wanted[done:], fit.width, fit.height, forms.frame))
            return batch.images

        plans = tuple(ImagePlan(fit.width, fit.height, forms.frame, f"@{time:.6f}") for time in wanted)
        async with aclosing(decoder.series(blob, plans, load)) as images:
            waiting = iter(zip(which, wanted, plans, strict=True))
            async for data in images:
                index, time, plan = next(waiting)
                digest = f"{decoder.name(blob)}-{plan.name}"
                image = Image(data, info.width, info.height, info.mime_type, fit.tokens, digest)
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
        digest=f"{decoder.name(blob)}-{fit.width}x{fit.height}@{span.start!r}+{span.seconds!r}x{fps!r}",
        sound=(
            _sound(blob, info.mime_type, span, planned.sound_tokens, decoder, forms.audio)
            if info.has_sound
            else None
        ),
        read=read,
    )


def _sound(
    blob: Blob, mime_type: str, span: Span, tokens: int, decoder: RequestDecoder, form: AudioForm
) -> Sound:
    job_s = AUDIO_JOB_S if form == "samples" else AUDIO_PIECE_S

    async def read(start: float, end: float) -> AsyncGenerator[Samples | bytes, None]:
        # All cuts are on whole samples, so that the pieces join without a gap.
        first, last = round(start * SAMPLE_RATE), round(end * SAMPLE_RATE)
        while first < last:
            until = min(first + job_s * SAMPLE_RATE, last)
            made = await decoder.do(Sounds(blob, first / SAMPLE_RATE, until / SAMPLE_RATE, form))
            if isinstance(made, bytes):
                first += wav_samples(made)
                yield made
                continue
            first += len(made)
            for at in range(0, len(made), AUDIO_PIECE_S * SAMPLE_RATE):
                yield made[at : at + AUDIO_PIECE_S * SAMPLE_RATE]

    return Sound(mime_type, span.start, span.seconds, tokens, decoder.name(blob), read)


def _document(planned: PlannedDocument, decoder: RequestDecoder, form: ImageForm) -> Document:
    blob, info, fits = planned.blob, planned.info, planned.fits

    async def read_texts(which: Sequence[int]) -> AsyncGenerator[PageText, None]:
        done = 0
        while done < len(which):
            pages = await decoder.do(PageTexts(blob, tuple(which[done : done + PAGES_AT_ONCE])))
            for page in pages:
                yield page
            done += len(pages)

    async def read_images(which: Sequence[int]) -> AsyncGenerator[PageImage, None]:
        plans = tuple(
            ImagePlan(fits[number - 1].width, fits[number - 1].height, form, f" of page {number}")
            for number in which
        )
        sizes = tuple((plan.width, plan.height) for plan in plans)

        async def load(done: int) -> Sequence[ImageData]:
            part = slice(done, done + _fitting(sizes[done:]))
            return await decoder.do(PageImages(blob, tuple(which[part]), sizes[part], form))

        async with aclosing(decoder.series(blob, plans, load)) as images:
            waiting = iter(zip(which, plans, strict=True))
            async for data in images:
                number, plan = next(waiting)
                tokens, digest = fits[number - 1].tokens, f"{decoder.name(blob)}-{plan.name}"
                image = Image(data, plan.width, plan.height, info.mime_type, tokens, digest)
                yield PageImage(number, image)

    return Document(info.mime_type, len(info.pages), decoder.name(blob), read_texts, read_images)


def _fitting(sizes: Sequence[tuple[int, int]]) -> int:
    """Return how many of the first pages fit the buffer that a worker reuses, at least one."""
    room, count = KEPT_BYTES, 0
    for width, height in sizes:
        room -= width * height * 3
        if room < 0:
            break
        count += 1
    return max(count, 1)
