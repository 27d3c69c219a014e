"""Pages and texts through the worker pool: what comes back, what is said, and what is not believed."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import pytest_asyncio

import clips
import images
import pdfs
from pdfs import Page, image_at, jpeg, text_at
from twinlens.descriptors import anonymous_file, write_all
from twinlens.domain.engine_media import PageText, TextLine
from twinlens.domain.errors import BadMedia
from twinlens.domain.media import Blob
from twinlens.domain.regions import Box
from twinlens.media.documents import PageImages, PageTexts, PlainText
from twinlens.media.worker.jobs import Job, Limits, Result, to_file
from twinlens.media.worker.pool import WorkerPool
from twinlens.media.worker.process import WorkerDied

LIMITS = Limits(512, 30)

on_one_loop = pytest.mark.asyncio(loop_scope="module")
"""One pool serves all tests that take it; starting a process costs more than a hundred pages."""


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def pool() -> AsyncIterator[WorkerPool]:
    pool = WorkerPool(1, 512, 30)
    await pool.start()
    yield pool
    await pool.stop()


def blob(data: bytes, mime_type: str = "application/pdf") -> Blob:
    return to_file(Blob(data, mime_type, "contents[0].parts[0]"))


async def refusal(pool: WorkerPool, job: Job[Result]) -> str:
    with pytest.raises(BadMedia) as caught:
        await pool.do(job)
    assert [violation.field for violation in caught.value.violations] == ["contents[0].parts[0]"]
    return caught.value.message


@on_one_loop
async def test_pages_give_their_text_in_the_order_asked_for(pool: WorkerPool) -> None:
    document = pdfs.document([Page(text_at(f"Page {number}", 72, 700)) for number in (1, 2, 3)])

    third, first = await pool.do(PageTexts(blob(document), (3, 1)))

    assert third == PageText(3, (TextLine("Page 3", Box(105, 119, 120, 180)),))
    assert (first.number, first.text) == (1, "Page 1")


@on_one_loop
async def test_pages_give_their_pixels_at_the_sizes_asked_for(pool: WorkerPool) -> None:
    coloured = [Page(f"{colour} rg 0 0 612 792 re f") for colour in ("1 0 0", "0 1 0", "0 0 1")]

    page_images = await pool.do(PageImages(blob(pdfs.document(coloured)), (3, 1), ((30, 40), (51, 17))))
    last, first = map(np.asarray, page_images)

    assert last.shape == (40, 30, 3)
    assert first.shape == (17, 51, 3)
    assert (last == [0, 0, 255]).all()
    assert (first == [255, 0, 0]).all()


@on_one_loop
async def test_scans_are_told_and_decoded(pool: WorkerPool) -> None:
    document = blob(pdfs.scan(2))

    (text,) = await pool.do(PageTexts(document, (2,)))
    page_images = await pool.do(PageImages(document, (1, 2), ((306, 396), (306, 396))))
    first, second = map(np.asarray, page_images)

    assert text == PageText(2, (), is_scan=True)
    assert (first == second).all()
    assert first.std() > 10


@on_one_loop
async def test_a_long_text_comes_in_several_answers(pool: WorkerPool) -> None:
    rows = "".join(text_at("x" * 600, 1, 1.5 * row + 1, size=1) for row in range(1000))
    document = blob(pdfs.document([Page(rows, size=(400, 1510))] * 10))

    texts = await pool.do(PageTexts(document, tuple(range(1, 11))))

    assert 1 <= len(texts) < 10
    assert texts[-1].number == len(texts)


@on_one_loop
async def test_a_page_that_is_not_there_is_named(pool: WorkerPool) -> None:
    document = blob(clips.pdf(3).replace(b"6 0 R 8 0 R", b"99 0 R 8 0 R", 1))
    message = "Page 2 of the document is damaged. Save the document anew as PDF and send it again."

    texts = await pool.do(PageTexts(document, (1, 2, 3)))

    assert [page.text for page in texts] == ["Page 1"]
    assert await refusal(pool, PageTexts(document, (2, 3))) == message
    assert await refusal(pool, PageImages(document, (2, 3), ((9, 9), (9, 9)))) == message


@on_one_loop
@pytest.mark.parametrize(
    ("data", "message"),
    [
        (clips.pdf()[:200], "The PDF data is damaged or incomplete. Check the file and send it again."),
        (
            clips.pdf(locked=True),
            "The document is protected by a password. Remove the password and send it again.",
        ),
    ],
)
async def test_a_document_that_does_not_open_says_why(pool: WorkerPool, data: bytes, message: str) -> None:
    assert await refusal(pool, PageTexts(blob(data), (1,))) == message
    assert await refusal(pool, PageImages(blob(data), (1,), ((9, 9),))) == message


@on_one_loop
async def test_a_document_opens_nothing(pool: WorkerPool, tmp_path: Path) -> None:
    (tmp_path / "page.pdf").write_bytes(clips.pdf())
    actions = (
        f"/OpenAction << /S /Launch /F ({tmp_path}/page.pdf) >> "
        f"/AA << /WC << /S /JavaScript /JS (app.alert\\(1\\)) >> >>"
    )
    elsewhere = f"/Annots [<< /Type /Annot /Subtype /Link /A << /S /GoToR /F ({tmp_path}/page.pdf) >> >>]"
    document = pdfs.document([Page(text_at("Here", 72, 700), extra=elsewhere)], catalog=actions)

    (text,) = await pool.do(PageTexts(blob(document), (1,)))
    (image,) = await pool.do(PageImages(blob(document), (1,), ((61, 79),)))

    assert text.text == "Here"
    assert np.asarray(image).shape == (79, 61, 3)


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="no /proc to read the memory from")
async def test_memory_does_not_grow_with_the_pages() -> None:
    noise = np.random.default_rng(1).integers(0, 255, (700, 700, 3), np.uint8)
    shown = jpeg(of=noise)
    scans = [Page(image_at("P", 612, 792), pictures={"P": replace(shown)}) for _ in range(300)]
    document = blob(pdfs.document(scans))
    peaks = []
    for count in (10, 300):
        pool = WorkerPool(1, 256, 30)
        await pool.start()
        texts = page_images = 0
        while texts < count:
            read = await pool.do(PageTexts(document, tuple(range(texts + 1, count + 1))))
            texts += len(read)
        while page_images < count:
            asked = tuple(range(page_images + 1, count + 1))
            drawn = await pool.do(PageImages(document, asked, ((30, 40),) * len(asked)))
            page_images += len(drawn)
        peaks.append(peak_mib(*pool.pids))
        await pool.stop()

    assert peaks[1] - peaks[0] < 80


def peak_mib(pid: int) -> float:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) / 1024


FUZZED = {
    "text": pdfs.document(
        [Page(text_at(f"Page {number}", 72, 700), extra="/Rotate 90") for number in (1, 2)]
    ),
    "scan": pdfs.scan(of=jpeg((64, 80)), over="BT 3 Tr /F 12 Tf 72 700 Td (Read) Tj ET"),
    "form": pdfs.document(
        [
            Page(
                "/OC /L BDC 1 0 0 rg 9 9 90 90 re f EMC",
                extra="/Annots [<< /Type /Annot /Subtype /Widget /Rect [9 9 90 90] /FT /Tx /T (a) /V (b) >>]",
            )
        ],
        catalog="/AcroForm << /Fields [] /NeedAppearances true >>",
        encrypted=True,
    ),
}


@on_one_loop
@pytest.mark.parametrize("name", FUZZED)
async def test_damage_costs_an_error_at_most(pool: WorkerPool, name: str) -> None:
    read = 0

    for damaged in clips.mutations(FUZZED[name], 200, seed=11):
        document = blob(damaged)
        with suppress(BadMedia):
            texts = await pool.do(PageTexts(document, (1, 2)))
            page_images = await pool.do(PageImages(document, (1,), ((61, 79),)))
            read += len(texts) > 0 and np.asarray(page_images[0]).shape == (79, 61, 3)

    (text,) = await pool.do(PageTexts(blob(clips.pdf()), (1,)))
    assert text.text == "Page 1"
    assert read


class Left:
    """What a worker left for the server, and the job it left it for."""

    job = PageTexts(Blob(b"", None, "f"), (1, 2))

    @classmethod
    def taken(cls, left: bytes, pages: object = 1) -> object:
        with anonymous_file() as buffer:
            write_all(buffer.fileno(), left)
            return cls.job.result({"pages": pages}, buffer)


def test_what_a_worker_left_is_taken() -> None:
    assert Left.taken(b'{"scan": false, "lines": [["a", 1, 2, 3, 4]]}') == (
        PageText(1, (TextLine("a", Box(1, 2, 3, 4)),)),
    )


@pytest.mark.parametrize("pages", [None, True, -1, 3, 1.0, "1", [1], 10**30])
def test_a_worker_that_counts_nonsense_is_lost(pages: object) -> None:
    with pytest.raises(WorkerDied):
        Left.taken(b'{"scan": false, "lines": []}', pages)


@pytest.mark.parametrize(
    "left",
    [
        b"",
        b"nonsense",
        b"[" * 100_000,
        b"\xff",
        b"7",
        b"[]",
        b"{}",
        b'{"scan": 1, "lines": []}',
        b'{"scan": true, "lines": {}}',
        b'{"scan": true, "lines": []}\n{"scan": true, "lines": []}',
        *(
            b'{"scan": true, "lines": [%b]}' % line
            for line in (
                b"1",
                b"[]",
                b'["a", 1, 2, 3]',
                b'["a", 1, 2, 3, 4, 5]',
                b"[1, 1, 2, 3, 4]",
                b'["a", 1, 2, 1, 4]',
                b'["a", 1, 2, 3, 1001]',
                b'["a", -1, 2, 3, 4]',
                b'["a", 1.0, 2, 3, 4]',
                b'["a", 1, 2, 3, true]',
                b'["a", 1, 2, 3, NaN]',
                b'["\\ud800", 1, 2, 3, 4]',
            )
        ),
    ],
)
def test_a_worker_that_leaves_nonsense_is_lost(left: bytes) -> None:
    with pytest.raises(WorkerDied):
        Left.taken(left)


def test_a_worker_that_leaves_too_much_or_too_little_is_lost() -> None:
    page_images = PageImages(Blob(b"", None, "f"), (1,), ((10, 10),))
    with anonymous_file() as buffer:
        write_all(buffer.fileno(), bytes(299))

        with pytest.raises(WorkerDied):
            page_images.result({"pages": 1}, buffer)
        os.truncate(buffer.fileno(), 1 << 40)
        with pytest.raises(WorkerDied):
            Left.job.result({"pages": 1}, buffer)


@on_one_loop
@pytest.mark.parametrize(
    ("data", "mime_type", "text"),
    [
        ("Grüße,\r\n€".encode("cp1252"), "text/plain", "Grüße,\n€"),
        ("Привет".encode("koi8-r"), "text/csv; charset=koi8-r", "Привет"),
        (b"{\\rtf1 Hi\\'e4}", "text/rtf", "Hiä"),
        (b'{"a": 1}', "application/json", '{"a": 1}'),
        (b"plus: +-", "text/plain; charset=utf-7", "plus: +-"),
        (b"", "text/plain", ""),
    ],
)
async def test_a_text_file_gives_its_text(pool: WorkerPool, data: bytes, mime_type: str, text: str) -> None:
    assert await pool.do(PlainText(blob(data, mime_type), mime_type)) == text


@on_one_loop
@pytest.mark.parametrize(
    ("data", "looks"),
    [
        (images.make("png"), "a PNG image"),
        (clips.pdf(), "a PDF document"),
        (b"\xff\xd8\xff" + bytes(range(256)), "a JPEG image"),
        (b"words" * 200 + bytes(200), "binary data"),
        (bytes(range(256)), "binary data"),
        (b"<!DOCTYPE html>" + bytes(200), "binary data"),
    ],
)
async def test_other_data_is_refused_with_what_it_looks_like(
    pool: WorkerPool, data: bytes, looks: str
) -> None:
    message = f"The data is labelled text/plain but looks like {looks}. Send text, or label it as what it is."

    assert await refusal(pool, PlainText(blob(data), "Text/Plain; charset=utf-8")) == message


@on_one_loop
async def test_a_text_that_is_too_long_is_refused(pool: WorkerPool) -> None:
    message = "The text is longer than 32 MiB. Split it and send it again."

    assert await refusal(pool, PlainText(blob(b"a" * (32 << 20) + b"a"), "text/plain")) == message
    # Each of these bytes takes three in UTF-8.
    assert await refusal(pool, PlainText(blob(b"\x80" * (16 << 20)), "text/plain")) == message


@pytest.mark.parametrize("said", [None, -1, True, 2.0, "7"])
def test_a_worker_that_answers_nonsense_on_a_text_is_lost(said: object) -> None:
    with anonymous_file() as buffer, pytest.raises(WorkerDied):
        PlainText(blob(b""), "text/plain").result({"bytes": said}, buffer)


def test_a_worker_that_leaves_no_text_is_lost() -> None:
    with anonymous_file() as buffer:
        write_all(buffer.fileno(), b"\xff")

        with pytest.raises(WorkerDied):
            PlainText(blob(b""), "text/plain").result({"bytes": 1}, buffer)
