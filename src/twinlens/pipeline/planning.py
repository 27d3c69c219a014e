"""What each medium of a request costs, and how the engine will see it; nothing is decoded.

Images are measured by their headers. Recordings and PDFs are inspected, and texts read, by a worker.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

from .. import media
from ..concurrency.off_loop import ON_LOOP_HEADERS, count_off_loop, off_loop, off_loop_unless
from ..concurrency.tasks import gather
from ..domain import budget
from ..domain.budget import Budget
from ..domain.clip import DEFAULT_FPS, Span, sample_count, span_of
from ..domain.geometry import Fit
from ..domain.media import Blob, ImageInfo, Modality, PdfInfo, SoundInfo, VideoInfo
from ..domain.media_types import Kind
from ..domain.request import Media, Request
from ..engines.router import Served
from ..media.recordings import MAX_BATCH_BYTES
from ..media.worker.compute_quota import ComputeQuota
from ..media.worker.jobs import to_file
from .content_hash import content_of
from .declared_type import check_kind, check_pictures
from .inspection_cache import InspectionCache
from .media_limits import too_much

MAX_SOUND_S = 9.5 * 3600
"""Of all audio recordings in a request, in seconds: the contract's limit, section 5.1."""

IMAGES_AT_ONCE = 4
"""Of one request's images are counted as held in memory: engines take one after another, or a few."""

LOOKS_AT_ONCE = 32
"""More would only wait for the workers, each with a file open."""

PAGE_SIDE = 3072
"""A page has no pixels of its own: its longer side counts as so many, before the budget is applied."""

_MEGAPIXEL_S, _PAGE_S, _SOUND_SECOND_S = 0.1, 0.02, 0.05
_FILM_SECOND_S, _FILM_MEGAPIXEL_S, _FILM_MOST_S = 0.2, 0.5, 4.0
"""CPU seconds that honest media take of the decoders on a slow core: estimates, generous on purpose."""


@dataclass(frozen=True, slots=True)
class PlannedImage:
    """An image: what it is, what it may cost, and the size at which the engine will see it."""

    blob: Blob
    info: ImageInfo
    budget: Budget
    fit: Fit

    @property
    def costs(self) -> Mapping[Modality, int]:
        """What is billed."""
        return {self.budget.modality: self.budget.billed}

    @property
    def work_s(self) -> float:
        """An upper estimate of the decoders' CPU time, in seconds."""
        return _MEGAPIXEL_S * self.info.width * self.info.height / 1e6

    @property
    def engine_tokens(self) -> int:
        """What the engine spends."""
        return self.fit.tokens


@dataclass(frozen=True, slots=True)
class PlannedVideo:
    """A part of a video: so many frames a second, each with a budget, and the tokens of its audio."""

    blob: Blob
    info: VideoInfo
    span: Span
    fps: float
    budget: Budget
    fit: Fit
    sound_tokens: int

    @property
    def count(self) -> int:
        """How many frames are sampled."""
        return sample_count(self.span, self.fps)

    @property
    def costs(self) -> Mapping[Modality, int]:
        """What is billed."""
        return {Modality.VIDEO: self.count * self.budget.billed, Modality.AUDIO: self.sound_tokens}

    @property
    def work_s(self) -> float:
        """An upper estimate of the decoders' CPU time, in seconds."""
        return self.span.seconds * (_film_s(self.info) + _SOUND_SECOND_S)

    @property
    def engine_tokens(self) -> int:
        """What the engine spends."""
        return self.count * self.fit.tokens + self.sound_tokens


@dataclass(frozen=True, slots=True)
class PlannedSound:
    """A part of an audio recording."""

    blob: Blob
    info: SoundInfo
    span: Span
    tokens: int

    @property
    def costs(self) -> Mapping[Modality, int]:
        """What is billed."""
        return {Modality.AUDIO: self.tokens}

    @property
    def work_s(self) -> float:
        """An upper estimate of the decoders' CPU time, in seconds."""
        return self.span.seconds * _SOUND_SECOND_S

    @property
    def engine_tokens(self) -> int:
        """What the engine spends."""
        return self.tokens


@dataclass(frozen=True, slots=True)
class PlannedDocument:
    """A PDF: a budget for each page, and the size at which the engine will see each."""

    blob: Blob
    info: PdfInfo
    budget: Budget
    fits: tuple[Fit, ...]

    @property
    def costs(self) -> Mapping[Modality, int]:
        """What is billed: pages. Their own text is not."""
        return {self.budget.modality: len(self.fits) * self.budget.billed}

    @property
    def work_s(self) -> float:
        """An upper estimate of the decoders' CPU time, in seconds."""
        return len(self.fits) * _PAGE_S

    @property
    def engine_tokens(self) -> int:
        """What the engine spends."""
        return sum(fit.tokens for fit in self.fits)


@dataclass(frozen=True, slots=True)
class PlannedText:
    """A text file, which is read already: its tokens are those of its text."""

    blob: Blob
    mime_type: str
    text: str
    tokens: int

    @property
    def costs(self) -> Mapping[Modality, int]:
        """What is billed."""
        return {Modality.TEXT: self.tokens}

    @property
    def work_s(self) -> float:
        """None: the text has been read."""
        return 0.0

    @property
    def engine_tokens(self) -> int:
        """What the engine spends on media: a text is none."""
        return 0


PlannedMedia = PlannedImage | PlannedVideo | PlannedSound | PlannedDocument | PlannedText


@dataclass(frozen=True, slots=True)
class Planner:
    """Plans the media of one request, for the model that is to answer it."""

    request: Request
    served: Served
    inspections: InspectionCache
    quota: ComputeQuota
    max_image_pixels: int

    async def plan(self, blobs: Sequence[Blob]) -> tuple[PlannedMedia, ...]:
        """Plan all media, in their order."""
        parts = self.request.media
        look = partial(self._seen, blobs)
        found, planned = await off_loop_unless(len(blobs) <= ON_LOOP_HEADERS, look)
        others = [i for i in range(len(blobs)) if i not in planned]
        steps = (self._other(parts[i], blobs[i], *found[i]) for i in others)
        rest = await gather(steps, at_once=LOOKS_AT_ONCE)
        planned |= dict(zip(others, rest, strict=True))
        result = tuple(planned[i] for i in range(len(blobs)))
        self._check_amounts(result)
        return result

    def _seen(self, blobs: Sequence[Blob]) -> tuple[list[tuple[Kind, str]], dict[int, PlannedMedia]]:
        """Return the kind and type of all blobs by their first bytes, and the plans of images."""
        found, parts = [media.labelled(blob) for blob in blobs], self.request.media
        for part, blob, (kind, mime_type) in zip(parts, blobs, found, strict=True):
            check_kind(part, blob, kind, mime_type)
        images = [i for i, (kind, _) in enumerate(found) if kind == "image"]
        return found, {i: self._image(parts[i], blobs[i]) for i in images}

    def _image(self, part: Media, blob: Blob) -> PlannedImage:
        info = media.probe(blob, self.max_image_pixels)
        cost = budget.plan(
            info, self.served.generation.name, self.request.resolution, part.resolution, part.field
        )
        return PlannedImage(blob, info, cost, self._fit(info.width, info.height, cost))

    async def _other(self, part: Media, blob: Blob, kind: str, mime_type: str) -> PlannedMedia:
        blob = replace(blob, digest=await content_of(blob))
        if blob.file is None:
            blob = await off_loop(partial(to_file, blob))
        if kind == "text":
            text = await self.inspections.text(blob, mime_type, self.quota)
            tokens = await count_off_loop(text, self.served.engine.count_text)
            return PlannedText(replace(blob, file=None), mime_type, text, tokens)
        match await self.inspections.info(blob, mime_type, self.quota):
            case VideoInfo() as info:
                check_pictures(part, blob)
                return self._video(part, blob, info)
            case SoundInfo() as info:
                return self._sound(part, blob, info)
            case PdfInfo() as info:
                return self._document(part, blob, info)

    def _video(self, part: Media, blob: Blob, info: VideoInfo) -> PlannedVideo:
        generation = self.served.generation.name
        cost = budget.plan_frame(generation, self.request.resolution, part.resolution, part.field)
        span = span_of(part.clip, info.duration.total_seconds(), part.field)
        fps = (part.clip and part.clip.fps) or DEFAULT_FPS
        sound = budget.sound_tokens(span.seconds, generation) if info.has_sound else 0
        return PlannedVideo(blob, info, span, fps, cost, self._fit(info.width, info.height, cost), sound)

    def _sound(self, part: Media, blob: Blob, info: SoundInfo) -> PlannedSound:
        budget.check_sound(part.resolution, part.field)
        span = span_of(part.clip, info.duration.total_seconds(), part.field)
        return PlannedSound(blob, info, span, budget.sound_tokens(span.seconds, self.served.generation.name))

    def _document(self, part: Media, blob: Blob, info: PdfInfo) -> PlannedDocument:
        generation = self.served.generation.name
        cost = budget.plan_page(generation, self.request.resolution, part.resolution, part.field)
        return PlannedDocument(blob, info, cost, tuple(self._page(size, cost) for size in info.pages))

    def _page(self, size: tuple[float, float], cost: Budget) -> Fit:
        scale = PAGE_SIDE / max(size)
        width, height = (max(round(side * scale), 1) for side in size)
        return self._fit(width, height, cost)

    def _fit(self, width: int, height: int, cost: Budget) -> Fit:
        return self.served.engine.capabilities.geometry(width, height, cost.payload)

    def _check_amounts(self, planned: Sequence[PlannedMedia]) -> None:
        """Raise where the videos are too many or the audio too long, whatever the labels say."""
        most = self.served.generation.max_videos
        by_part = tuple(zip(self.request.media, planned, strict=True))
        videos = [part for part, item in by_part if isinstance(item, PlannedVideo)]
        if len(videos) > most:
            allowed = f"{most} videos" if most > 1 else "one video"
            raise too_much(
                f"Please use at most {allowed} in your request to models/{self.request.model}", videos
            )
        sounds = [(part, item) for part, item in by_part if isinstance(item, PlannedSound)]
        seconds = sum(item.span.seconds for _, item in sounds)
        if seconds > MAX_SOUND_S:
            raise too_much(
                f"The audio of this request lasts {seconds / 3600:.1f} hours; the limit is "
                f"{MAX_SOUND_S / 3600:g}. Clip it with video_metadata.",
                (part for part, _ in sounds),
            )


def _film_s(info: VideoInfo) -> float:
    """Return the CPU seconds that a second of a video takes, all its frames decoded."""
    return min(_FILM_SECOND_S + _FILM_MEGAPIXEL_S * info.width * info.height / 1e6, _FILM_MOST_S)


def costs_of(planned: Sequence[PlannedMedia]) -> Counter[Modality]:
    """Add up what is billed for media."""
    tokens: Counter[Modality] = Counter()
    for item in planned:
        tokens.update(item.costs)
    return tokens


def delimiters_of(planned: Sequence[PlannedMedia]) -> int:
    """Count the tokens that are billed around images, frames and pages, and stand for no pixels."""
    return sum(map(_delimiters, planned))


def _delimiters(item: PlannedMedia) -> int:
    match item:
        case PlannedImage():
            images = 1
        case PlannedVideo():
            images = item.count
        case PlannedDocument():
            images = len(item.fits)
        case _:
            return 0
    return images * (item.budget.billed - item.budget.payload)


def pixels_of(planned: Sequence[PlannedMedia]) -> int:
    """Count the pixels that are held at once: some images, and of one video or PDF what is read ahead."""
    images = sorted(
        (item.fit.width * item.fit.height for item in planned if isinstance(item, PlannedImage)), reverse=True
    )
    return sum(images[:IMAGES_AT_ONCE]) + max(map(_held, planned), default=0)


def _held(item: PlannedMedia) -> int:
    match item:
        case PlannedVideo():
            whole = item.count * item.fit.width * item.fit.height
        case PlannedDocument():
            whole = sum(fit.width * fit.height for fit in item.fits)
        case _:
            return 0
    # One batch is being looked at while the next is being decoded.
    return min(whole, 2 * MAX_BATCH_BYTES // 3)
