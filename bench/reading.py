"""Reading text: the built-in engine's reader against RapidOCR with the same networks, in one run.

Run it alone: `python bench/reading.py`. RapidOCR runs without its angle classifier, which turns upright lines
over, with one line a batch and one thread: its fastest settings on a CPU that read well.
"""

from __future__ import annotations

import logging
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import cv2
import numpy as np

from twinlens.domain.geometry import area32
from twinlens.domain.media import Pixels
from twinlens.engines.builtin.text import Reader

sys.path.append(str(Path(__file__).parent.parent / "demo"))
import scenes
from scenes import Picture

Read = Callable[[Pixels], Sequence[str]]
CASES = (
    ("small print", scenes.page, (280, 560, 1120, 2240)),
    ("screenshot", scenes.screenshot, (280, 560, 1120)),
    ("chart", scenes.chart, (280, 1120)),
    ("photograph", scenes.photograph, (1120,)),
)
ROUNDS = 3


def main() -> None:
    """Read every picture at every budget with both, and print one table."""
    cv2.setNumThreads(1)
    rivals = {"RapidOCR": rapidocr(), "twinlens": twinlens()}
    print("| picture | tokens | RapidOCR CPU s | twinlens CPU s | ratio | RapidOCR words | twinlens words |")
    print("| --- | --: | --: | --: | --: | --: | --: |")
    for name, draw, budgets in CASES:
        picture = draw()
        for tokens in budgets:
            pixels = scaled(np.asarray(picture.image.convert("RGB")), tokens)
            seconds = {rival: fastest(read, pixels) for rival, read in rivals.items()}
            found = {rival: recall(read(pixels), picture) for rival, read in rivals.items()}
            print(
                f"| {name} | {tokens} | {seconds['RapidOCR']:.2f} | {seconds['twinlens']:.2f} "
                f"| {seconds['RapidOCR'] / seconds['twinlens']:.1f}x "
                f"| {found['RapidOCR']} | {found['twinlens']} |",
                flush=True,
            )


def rapidocr() -> Read:
    """Build RapidOCR."""
    from rapidocr import RapidOCR

    logging.disable(logging.INFO)
    settings = {
        "Global.use_cls": False,
        "Global.log_level": "error",
        "Det.limit_type": "max",
        "Det.limit_side_len": 2000,
        "Rec.rec_batch_num": 1,
        "EngineConfig.onnxruntime.intra_op_num_threads": 1,
    }
    engine = RapidOCR(params=settings)

    def read(pixels: Pixels) -> list[str]:
        texts = getattr(engine(pixels[..., ::-1]), "txts", None) or ()
        return [word for text in texts for word in text.split()]

    return read


def twinlens() -> Read:
    """Build the built-in engine's reader."""
    reader = Reader()
    reader.load()
    return lambda pixels: [word.text for line in reader.read(pixels) for word in line.words]


def scaled(pixels: Pixels, tokens: int) -> Pixels:
    """Scale a picture to a budget."""
    fit = area32(pixels.shape[1], pixels.shape[0], tokens)
    return np.asarray(cv2.resize(pixels, (fit.width, fit.height), interpolation=cv2.INTER_AREA), np.uint8)


def fastest(read: Read, pixels: Pixels) -> float:
    """Time a few readings; give the CPU seconds of the quickest."""
    times = []
    for _ in range(ROUNDS):
        start = time.process_time()
        read(pixels)
        times.append(time.process_time() - start)
    return min(times)


def recall(found: Sequence[str], picture: Picture) -> str:
    """Tell how many of the picture's words were read; where it has none, how many were."""
    right, printed = picture.words_in(" ".join(found))
    return f"{right} of {printed}" if printed else f"{len(found)} of 0"


if __name__ == "__main__":
    main()
