"""Measure what it costs to draw the pages of a PDF at their budgets, and to read their text.

The baseline is pdf2image, which runs poppler's pdftoppm; both draw each page at the same size. Times are
CPU seconds of the process and its children, one thread, the quickest of three runs; memory is the growth of
a process's peak. Where pdf2image or pdftoppm is missing, its columns are left out.
Run: python bench/pages.py
"""

from __future__ import annotations

import importlib
import importlib.util
import math
import os
import resource
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path

os.environ |= {"VIPS_CONCURRENCY": "1", "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}

import numpy as np
import skimage.data
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from twinlens.descriptors import anonymous_file
from twinlens.domain.geometry import area32
from twinlens.media.decoders import image, page_image, pages, pdf
from twinlens.media.worker.buffers import KEPT_BYTES, ResultBuffer
from twinlens.media.worker.time_slice import TimeSlice

BUDGETS = (280, 560, 1120)
LETTER = 612, 792
SHEET = 6120, 7920
"""A page has no pixels of its own: its size is that of a picture no budget reaches."""
TEXT_PAGES, SCANNED_PAGES = 100, 20
POPPLER = bool(shutil.which("pdftoppm") and importlib.util.find_spec("pdf2image"))

Draw = Callable[[Path, int, tuple[int, int]], object]

PROSE = """the quick survey of pages shows that a column of small print costs more to draw than a picture and
less to read than anyone would think who has not counted the letters in it"""
WORDS = PROSE.split()


def main() -> None:
    """Print the tables."""
    image.limit_libraries()
    if len(sys.argv) > 1:
        print(peak_growth_mib(sys.argv[1], Path(sys.argv[2]), int(sys.argv[3])))
        return
    if not POPPLER:
        print("pdf2image and poppler's pdftoppm are not both installed: no baseline.")
    with tempfile.TemporaryDirectory() as folder:
        text, scanned, long = (Path(folder, name) for name in ("text.pdf", "scanned.pdf", "long.pdf"))
        text.write_bytes(text_document(TEXT_PAGES))
        long.write_bytes(text_document(1000))
        save_scans(scanned, SCANNED_PAGES)
        print_drawing(
            {f"{TEXT_PAGES} pages of text": (text, TEXT_PAGES), "scans of 300 dpi": (scanned, SCANNED_PAGES)}
        )
        print_reading(text)
        print_memory(long)


def text_document(count: int) -> bytes:
    """Write pages of two columns of small print under a heading."""
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Count %d /Kids [%b] >>"
        % (count, b" ".join(b"%d 0 R" % (4 + 2 * page) for page in range(count))),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Times-Roman >>",
    ]
    for page in range(count):
        content = page_content(page).encode()
        objects += [
            b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 %d %d] /Resources << /Font << /F 3 0 R >> >> "
            b"/Contents %d 0 R >>" % (*LETTER, 5 + 2 * page),
            b"<< /Length %d >>\nstream\n%b\nendstream" % (len(content), content),
        ]
    body, places = bytearray(b"%PDF-1.4\n"), []
    for number, content in enumerate(objects, start=1):
        places.append(len(body))
        body += b"%d 0 obj\n%b\nendobj\n" % (number, content)
    start = len(body)
    body += b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    body += b"".join(b"%010d 00000 n \n" % place for place in places)
    body += b"trailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (len(objects) + 1, start)
    return bytes(body)


def page_content(page: int) -> str:
    """Write what a page draws: a heading, two columns of 55 lines, and a line between them."""
    drawn = [f"BT /F 18 Tf 54 740 Td (Chapter {page + 1}) Tj ET", "306 60 m 306 720 l S"]
    for column in range(2):
        for line in range(55):
            start = (page * 7 + column * 5 + line * 3) % len(WORDS)
            words = " ".join((WORDS + WORDS)[start : start + 9])[:44]
            drawn.append(f"BT /F 10 Tf {54 + 264 * column} {714 - 12 * line} Td ({words}) Tj ET")
    return "\n".join(drawn)


def save_scans(path: Path, count: int) -> None:
    """Have Pillow write Letter pages of 300 dpi, each one JPEG: print on paper with a scanner's grain."""
    noise = np.random.default_rng(1)
    sheets = []
    for number in range(count):
        sheet = Image.new("RGB", (2550, 3300), (246, 244, 238))
        drawing = ImageDraw.Draw(sheet)
        for line in range(60):
            words = " ".join((WORDS * 2)[(line + number) % len(WORDS) :][:13])
            drawing.text((220, 220 + line * 48), words, fill=(30, 30, 36), font_size=34)
        sheet.paste(Image.fromarray(photo()).resize((900, 900)), (1450, 2250))
        grain = noise.normal(0, 3, (3300, 2550, 1)).astype(np.int16)
        sheets.append(Image.fromarray(np.clip(np.asarray(sheet) + grain, 0, 255).astype(np.uint8)))
    sheets[0].save(path, "PDF", save_all=True, append_images=sheets[1:], resolution=300, quality=80)


def photo() -> NDArray[np.uint8]:
    """Take a photo that a library carries."""
    pixels: NDArray[np.uint8] = skimage.data.astronaut()  # type: ignore[no-untyped-call]
    return pixels


def by_twinlens(path: Path, count: int, size: tuple[int, int]) -> None:
    """Draw pages one after the other, as a worker does."""
    with path.open("rb") as file, pdf.Pdf.opened(file) as document:
        for index in range(count):
            with document.page(index) as page:
                assert page_image.draw(document, page, *size).shape == (size[1], size[0], 3)


def with_the_way_back(path: Path, count: int, size: tuple[int, int]) -> None:
    """Draw pages into the file that a worker leaves them in, as many at a time as it keeps room for."""
    room_of_worker = ResultBuffer()
    batch = KEPT_BYTES // (size[0] * size[1] * 3)
    with path.open("rb") as file, closing(room_of_worker):
        for first in range(1, count + 1, batch):
            numbers = range(first, min(first + batch, count + 1))
            with room_of_worker.of(len(numbers) * size[0] * size[1] * 3) as room:
                pages.write_images(
                    file, numbers, [size] * len(numbers), "pixels", room.fileno(), TimeSlice(math.inf)
                )
                room.seek(0)
                for _ in numbers:
                    assert room.readinto(np.empty((size[1], size[0], 3), np.uint8).data)  # type: ignore[attr-defined]


def by_pdf2image(path: Path, count: int, size: tuple[int, int]) -> list[NDArray[np.uint8]]:
    """Draw pages as most Python code does."""
    convert = importlib.import_module("pdf2image").convert_from_path
    return [np.asarray(sheet) for sheet in convert(str(path), last_page=count, size=size)]


def print_drawing(files: dict[str, tuple[Path, int]]) -> None:
    """Print pages a CPU second for each kind of document and budget."""
    print("\n### Drawing, pages a CPU second\n")
    print("| document | tokens | size | pdf2image | twinlens | ratio | with the way back | ratio |")
    print("| --- | --: | --- | --: | --: | --: | --: | --: |")
    for name, (path, count) in files.items():
        for budget in BUDGETS:
            fit = area32(*SHEET, budget)
            size = fit.width, fit.height
            baseline = pages_a_second(by_pdf2image, path, count, size) if POPPLER else None
            drawn = pages_a_second(by_twinlens, path, count, size)
            handed = pages_a_second(with_the_way_back, path, count, size)
            shown = f"{baseline:.1f}" if baseline else "-"
            ratios = [f"{ours / baseline:.1f}x" if baseline else "-" for ours in (drawn, handed)]
            print(
                f"| {name} | {budget} | {size[0]}x{size[1]} | {shown} "
                f"| {drawn:.1f} | {ratios[0]} | {handed:.1f} | {ratios[1]} |"
            )


def pages_a_second(draw: Draw, path: Path, count: int, size: tuple[int, int]) -> float:
    """Draw all pages, and give how many that is in a second of CPU time."""
    return count / cpu_seconds(lambda: draw(path, count, size))


def print_reading(path: Path) -> None:
    """Print pages a CPU second for the text: as PDFium gives it, and as lines with their places in order."""

    def bare() -> None:
        with path.open("rb") as file, pdf.Pdf.opened(file) as document:
            for index in range(document.pages):
                with document.page(index) as page:
                    bare_text(page)

    def lines() -> None:
        with path.open("rb") as file, anonymous_file() as room:
            pages.write_texts(file, range(1, TEXT_PAGES + 1), room.fileno(), TimeSlice(math.inf))

    print("\n### Reading, pages a CPU second\n")
    print("| PDFium's text alone | lines with places, in order |")
    print("| --: | --: |")
    print(f"| {TEXT_PAGES / cpu_seconds(bare):.0f} | {TEXT_PAGES / cpu_seconds(lines):.0f} |")


def bare_text(page: object) -> int:
    """Copy a page's characters out."""
    from ctypes import c_ushort

    from pypdfium2 import raw

    handle = raw.FPDFText_LoadPage(page)
    count = raw.FPDFText_CountChars(handle)
    written: int = raw.FPDFText_GetText(handle, 0, count, (c_ushort * (count + 1))())
    raw.FPDFText_ClosePage(handle)
    return written


def print_memory(path: Path) -> None:
    """Print how much memory it takes to draw and to read 10 and 1000 pages, each in a process of its own."""
    print("\n### A document of 1000 pages, memory that pages of it add, MiB\n")
    print("| | 10 pages | 1000 pages |")
    print("| --- | --: | --: |")
    for what, name in (
        ("images", "twinlens, drawn"),
        ("texts", "twinlens, read"),
        ("pdf2image", "pdf2image"),
    ):
        if what == "pdf2image" and not POPPLER:
            continue
        grown = [run_alone(what, path, count) for count in (10, 1000)]
        print(f"| {name} | {grown[0]:.1f} | {grown[1]:.1f} |")


def run_alone(what: str, path: Path, count: int) -> float:
    """Measure in a new process."""
    command: Sequence[str] = (sys.executable, __file__, what, str(path), str(count))
    return float(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def peak_growth_mib(what: str, path: Path, count: int) -> float:
    """Draw or read pages into a file on disk, and give the growth of this process's peak."""
    fit = area32(*SHEET, 280)
    size = fit.width, fit.height
    before = memory_mib("VmRSS")
    if what == "pdf2image":
        by_pdf2image(path, count, size)
    else:
        with path.open("rb") as file, tempfile.TemporaryFile() as room:
            numbers = range(1, count + 1)
            if what == "images":
                pages.write_images(
                    file, numbers, [size] * count, "pixels", room.fileno(), TimeSlice(math.inf)
                )
            else:
                pages.write_texts(file, numbers, room.fileno(), TimeSlice(math.inf))
    return memory_mib("VmHWM") - before


def memory_mib(name: str) -> float:
    """Read one of this process's memory figures."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(name)) / 1024


def cpu_seconds(step: Callable[[], object]) -> float:
    """Run a step three times, and give the CPU time of the quickest run, children included."""
    spent = []
    for _ in range(3):
        before = cpu_now()
        step()
        spent.append(cpu_now() - before)
    return min(spent)


def cpu_now() -> float:
    """Add up the CPU time of this process and of its children that have ended."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(each.ru_utime + each.ru_stime for each in used)


if __name__ == "__main__":
    main()
