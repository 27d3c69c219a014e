"""What an engine gets of recordings and documents, with a real pool and a real cache."""

from __future__ import annotations

import io
import wave
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest
from PIL import Image as Pillow

import clips
import images
from twinlens import media
from twinlens.domain.budget import Budget
from twinlens.domain.clip import Span
from twinlens.domain.engine import ImageForm, MediaForms, Medium
from twinlens.domain.engine_media import Document, Sound, StillImage, TextFile, Video
from twinlens.domain.errors import BadMedia
from twinlens.domain.geometry import Fit
from twinlens.domain.media import Blob, Image, Modality, PdfInfo, SoundInfo, VideoInfo
from twinlens.media.worker.compute_quota import ComputeQuota
from twinlens.media.worker.jobs import to_file
from twinlens.media.worker.pool import WorkerPool
from twinlens.pipeline.decoder import Decoder
from twinlens.pipeline.engine_media import EngineMedia
from twinlens.pipeline.planning import (
    PlannedDocument,
    PlannedImage,
    PlannedMedia,
    PlannedSound,
    PlannedText,
    PlannedVideo,
)
from twinlens.store.cache import PixelCache

FILM = clips.video(seconds=6, fps=5, size=(320, 240), sound=True)
PART = Span(1, 5)
PHOTO = images.encode(images.quarters(400, 300), "jpeg")
PIXELS = MediaForms()
BUDGET = Budget(70, 70, Modality.VIDEO)


@pytest.fixture
async def pool() -> AsyncIterator[WorkerPool]:
    pool = WorkerPool(1, 1024, 30)
    await pool.start()
    yield pool
    await pool.stop()


@pytest.fixture
async def decoded(pool: WorkerPool, tmp_path: Path) -> AsyncIterator[Decoder]:
    cache = PixelCache(tmp_path, 50_000_000)
    yield Decoder(pool, cache)
    await cache.close()


def blob(data: bytes, mime_type: str) -> Blob:
    return to_file(Blob(data, mime_type, "contents[0].parts[0].inline_data", f"digest of {len(data)}"))


async def of(planned: PlannedMedia, decoder: Decoder, forms: MediaForms = PIXELS) -> Medium:
    (item,) = await EngineMedia(decoder.for_request(ComputeQuota("p")), forms).of([planned])
    return item


async def video(decoded: Decoder, span: Span = PART, fps: float = 2, forms: MediaForms = PIXELS) -> Video:
    info = VideoInfo("video/mp4", 320, 240, timedelta(seconds=6), has_sound=True)
    planned = PlannedVideo(blob(FILM, "video/mp4"), info, span, fps, BUDGET, Fit(64, 48, 3), 100)
    item = await of(planned, decoded, forms)
    assert isinstance(item, Video)
    return item


async def test_a_video_gives_a_frame_for_each_moment(decoded: Decoder) -> None:
    film = await video(decoded)

    frames = [frame async for frame in film.frames()]

    assert [frame.time for frame in frames] == list(film.times) == [1, 1.5, 2, 2.5, 3, 3.5, 4, 4.5]
    assert [frame.label for frame in frames][:3] == ["00:01.0", "00:01.5", "00:02.0"]
    assert {frame.image.pixels.shape for frame in frames} == {(48, 64, 3)}
    assert len({frame.image.digest for frame in frames}) == len(frames)
    assert (frames[0].image.source_width, frames[0].image.tokens) == (320, 3)


async def test_another_part_of_a_video_is_called_by_another_name(decoded: Decoder) -> None:
    named = [
        (await video(decoded, span, fps)).digest
        for span, fps in ((Span(1, 5), 2), (Span(1, 4), 2), (Span(2, 5), 2), (Span(1, 5), 1), (Span(1, 5), 2))
    ]

    assert len(set(named)) == 4
    assert named[0] == named[-1]


async def test_frames_are_given_by_their_number(decoded: Decoder) -> None:
    film = await video(decoded)
    every = [frame async for frame in film.frames()]

    some = [frame async for frame in film.frames([1, 6])]

    assert [frame.index for frame in some] == [1, 6]
    assert np.array_equal(some[1].image.pixels, every[6].image.pixels)


async def test_only_the_frames_that_are_asked_for_are_decoded(decoded: Decoder) -> None:
    film = await video(decoded)

    assert [frame.label async for frame in film.frames([4])] == ["00:03.0"]

    assert (decoded.hits, decoded.misses) == (0, 1)


async def test_frames_that_were_seen_are_not_decoded_again(decoded: Decoder, pool: WorkerPool) -> None:
    first = [frame.image.pixels async for frame in (await video(decoded)).frames()]
    await pool.stop()

    again = [frame.image.pixels async for frame in (await video(decoded)).frames()]

    assert np.array_equal(first, again)


async def test_the_sound_of_a_clip_is_that_of_its_span(decoded: Decoder) -> None:
    film = await video(decoded)
    assert film.sound is not None

    pieces = [piece async for piece in film.sound.samples()]

    assert sum(map(len, pieces)) == 4 * 16_000
    assert np.abs(np.concatenate(pieces)).max() > 0.1


async def test_sound_comes_in_pieces_of_a_minute(decoded: Decoder) -> None:
    data = blob(clips.audio("mp4", seconds=150), "audio/mp4")
    info = SoundInfo("audio/mp4", timedelta(seconds=150))

    sound = await of(PlannedSound(data, info, Span(5, 150), 10), decoded)

    assert isinstance(sound, Sound)
    assert [len(piece) // 16_000 async for piece in sound.samples()] == [60, 60, 25]
    assert [len(piece) async for piece in sound.read(9.5, 10)] == [8000]


async def test_a_document_gives_its_text_and_its_pages(decoded: Decoder) -> None:
    data = blob(clips.pdf(3), "application/pdf")
    info = PdfInfo("application/pdf", ((200, 300),) * 3)
    planned = PlannedDocument(data, info, BUDGET, (Fit(80, 120, 10),) * 3)

    document = await of(planned, decoded)

    assert isinstance(document, Document)
    assert [(page.number, page.text) async for page in document.texts()] == [
        (1, "Page 1"),
        (2, "Page 2"),
        (3, "Page 3"),
    ]
    pages = [page async for page in document.images([3, 1])]
    assert [page.number for page in pages] == [3, 1]
    assert {page.image.pixels.shape for page in pages} == {(120, 80, 3)}
    assert not np.array_equal(pages[0].image.pixels, pages[1].image.pixels)


async def test_a_text_file_is_given_whole(decoded: Decoder) -> None:
    data = blob(b"text", "text/plain")

    item = await of(PlannedText(data, "text/plain", "text", 1), decoded)

    assert item == TextFile("text/plain", "text", f"p/{data.digest}")


def still(data: bytes, digest: str = "photo") -> PlannedImage:
    info = media.probe(Blob(data, None, "contents[0].parts[0].inline_data"), 100_000_000)
    named = Blob(data, None, "contents[0].parts[0].inline_data", digest)
    return PlannedImage(named, info, Budget(258, 258, Modality.IMAGE), Fit(80, 60, 5))


@pytest.mark.parametrize("form", ["jpeg", "png", "webp"])
async def test_an_engine_that_asks_for_image_files_gets_them_at_the_size_of_the_budget(
    decoded: Decoder, form: ImageForm
) -> None:
    forms = MediaForms(image=form)

    image = await of(still(PHOTO), decoded, forms)
    assert isinstance(image, StillImage)
    encoded = (await image.load()).encoded

    shown = Pillow.open(io.BytesIO(encoded.data))
    assert (shown.format or "").lower() == form
    assert (encoded.mime_type, shown.size) == (f"image/{form}", (80, 60))
    pixels = (await as_pixels(PHOTO, decoded)).pixels
    assert np.abs(np.asarray(shown.convert("RGB")).astype(int) - pixels).mean() < 3


async def as_pixels(data: bytes, decoder: Decoder) -> Image:
    image = await of(still(data), decoder)
    assert isinstance(image, StillImage)
    return await image.load()


async def test_what_was_not_asked_for_is_not_to_be_had(decoded: Decoder) -> None:
    pixels = await as_pixels(PHOTO, decoded)

    with pytest.raises(TypeError, match=r"Capabilities\.media ask for pixels"):
        _ = pixels.encoded


async def test_an_image_file_that_was_made_is_not_made_again(decoded: Decoder, pool: WorkerPool) -> None:
    forms = MediaForms(image="jpeg")
    image = await of(still(PHOTO), decoded, forms)
    assert isinstance(image, StillImage)
    first = (await image.load()).encoded
    await pool.stop()

    again = (await image.load()).encoded

    assert (again.data, again.width, again.height) == (first.data, 80, 60)
    assert (decoded.hits, decoded.misses) == (1, 1)


async def test_frames_and_pages_come_as_files_too(decoded: Decoder) -> None:
    forms = MediaForms(frame="jpeg", page="png")
    film = await video(decoded, forms=forms)
    info = PdfInfo("application/pdf", ((200, 300),) * 2)
    planned = PlannedDocument(blob(clips.pdf(2), "application/pdf"), info, BUDGET, (Fit(80, 120, 10),) * 2)
    document = await of(planned, decoded, forms)
    assert isinstance(document, Document)

    frames = [frame.image.encoded async for frame in film.frames()]
    pages = [page.image.encoded async for page in document.images()]

    assert {Pillow.open(io.BytesIO(frame.data)).size for frame in frames} == {(64, 48)}
    assert len({frame.data for frame in frames}) == len(frames) == 8
    assert [Pillow.open(io.BytesIO(page.data)).size for page in pages] == [(80, 120)] * 2
    assert {Pillow.open(io.BytesIO(page.data)).format for page in pages} == {"PNG"}


async def test_sound_comes_as_wav_files_of_a_minute_that_join_without_a_gap(decoded: Decoder) -> None:
    data = blob(clips.audio("mp4", seconds=150), "audio/mp4")
    info = SoundInfo("audio/mp4", timedelta(seconds=150))
    planned = PlannedSound(data, info, Span(5, 150), 10)

    as_files = await of(planned, decoded, MediaForms(audio="wav"))
    as_samples = await of(planned, decoded)
    assert isinstance(as_files, Sound)
    assert isinstance(as_samples, Sound)

    files = [wave.Wave_read(io.BytesIO(piece)) async for piece in as_files.wav()]
    assert [file.getnframes() // 16_000 for file in files] == [60, 60, 25]
    assert {file.getparams()[:3] for file in files} == {(1, 2, 16_000)}
    read = np.concatenate([np.frombuffer(file.readframes(file.getnframes()), "<i2") for file in files])
    samples = np.concatenate([piece async for piece in as_samples.samples()])
    assert np.abs(read / 32767 - samples).max() < 3e-4


async def test_nothing_of_an_image_is_decoded_before_it_is_asked_for(decoded: Decoder) -> None:
    image = await of(still(PHOTO), decoded)
    assert isinstance(image, StillImage)

    assert (image.width, image.height, image.source_width, image.tokens) == (80, 60, 400, 5)
    assert decoded.misses == 0


async def test_an_image_that_nobody_asked_for_is_tried_once(decoded: Decoder) -> None:
    for _ in range(2):
        makes = EngineMedia(decoded.for_request(ComputeQuota("p")), PIXELS)
        await makes.of([still(PHOTO)])
        await makes.check_images()

    assert (decoded.hits, decoded.misses) == (0, 1)


async def test_a_damaged_image_is_an_error_though_nobody_asked_for_it(decoded: Decoder) -> None:
    makes = EngineMedia(decoded.for_request(ComputeQuota("p")), PIXELS)
    await makes.of([still(PHOTO[:-40])])

    with pytest.raises(BadMedia, match="damaged"):
        await makes.check_images()
