"""Measure what it costs to look at a film once a second, and at a clip from its middle.

The baselines are what other servers do: OpenCV grabs every frame and retrieves the wanted ones, PyAV
decodes every frame in sequence and scales the wanted ones. Times are CPU seconds of one thread, all sides
in turn within one run. Sample times begin at 0.35 s, so that they fall on no key frame and mostly on frames
that others do not lean on. Run: python bench/video.py [folder for the films, kept for the next run]
"""

from __future__ import annotations

import math
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any, cast

os.environ |= {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}

import av
import cv2
import numpy as np
import skimage.data
from av.video.reformatter import VideoReformatter
from av.video.stream import VideoStream
from numpy.typing import NDArray

from twinlens.domain.geometry import area32
from twinlens.media.decoders import frames
from twinlens.media.worker.source import DescriptorReader
from twinlens.media.worker.time_slice import TimeSlice

FPS = 30
SIZE = (1920, 1080)
TOKENS = 280
OFFSET_S = 0.35
BATCH = 78
"""Frames a job, as many as there is room for; the server asks for the rest again."""

Pixels = NDArray[np.uint8]


@dataclass(frozen=True)
class Made:
    """How a film is encoded: a passage of it, which is then repeated."""

    suffix: str
    codec: str
    options: Mapping[str, str]
    passage: int
    """In frames; whole groups of pictures."""
    seconds: int
    size: tuple[int, int] = SIZE
    bit_rate: int = 5_000_000


X264 = {"preset": "faster", "bf": "3", "sc_threshold": "0", "x264-params": "open-gop=0"}
SMALL = (640, 360)

FILMS: Mapping[str, Made] = {
    "GOP 60": Made("mp4", "libx264", {**X264, "g": "60"}, 1800, 600),
    "GOP 250": Made("mp4", "libx264", {**X264, "g": "250"}, 2000, 600),
    "H.264, open": Made(
        "mp4", "libx264", {**X264, "g": "50", "x264-params": "open-gop=1"}, 600, 20, SMALL, 800_000
    ),
    "HEVC": Made(
        "mp4",
        "libx265",
        {"preset": "ultrafast", "x265-params": "log-level=none:keyint=60:bframes=3"},
        600,
        20,
        SMALL,
        800_000,
    ),
    "VP9": Made(
        "webm", "libvpx-vp9", {"deadline": "realtime", "cpu-used": "8", "g": "60"}, 600, 20, SMALL, 800_000
    ),
    "MPEG-2": Made("ts", "mpeg2video", {"g": "15", "bf": "2"}, 600, 20, SMALL, 2_000_000),
    "MPEG-4": Made("mp4", "mpeg4", {"g": "60", "bf": "2"}, 600, 20, SMALL, 2_000_000),
    "an hour": Made("mp4", "libx264", {**X264, "g": "60"}, 600, 3600, SMALL, 400_000),
    "a minute": Made("mp4", "libx264", {**X264, "g": "60"}, 600, 60, SMALL, 400_000),
}


def main() -> None:
    """Print the tables."""
    if len(sys.argv) > 2:
        print(peak_mib(Path(sys.argv[2])))
        return
    cv2.setNumThreads(1)
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(sys.argv[1] if len(sys.argv) > 1 else temporary)
        folder.mkdir(exist_ok=True)
        films = {name: film(made, folder / f"{name}.{made.suffix}") for name, made in FILMS.items()}
        print_exactness(films)
        print_clips(films)
        print_memory(films)
        print_whole(films)


def print_whole(films: Mapping[str, Path]) -> None:
    """Print what a whole film costs at a frame a second."""
    print("\n### 10 minutes of 1080p30 H.264 at 5 Mb/s, a frame a second, CPU s of one thread\n")
    print(
        "| film | frames | grab loop | in sequence | twinlens | to the grab loop | to the sequence | equal |"
    )
    print("| --- | --: | --: | --: | --: | --: | --: | --- |", flush=True)
    for name in ("GOP 60", "GOP 250"):
        times = sampled(0, 600)
        grabbed, _ = timed(by_grabbing, films[name], times)
        sequence, expected = timed(in_sequence, films[name], times)
        ours, found = timed(by_twinlens, films[name], times)
        print(
            f"| {name} | {len(times)} | {grabbed:.1f} | {sequence:.1f} | {ours:.1f} | "
            f"{grabbed / ours:.2f}x | {sequence / ours:.2f}x | {same_in(expected, found)} of {len(times)} |",
            flush=True,
        )


def print_clips(films: Mapping[str, Path]) -> None:
    """Print what a clip costs at the start and in the middle."""
    print("\n### 30 seconds of the same films, CPU s of one thread\n")
    print("| film | grab loop, 285 s on | twinlens, 285 s on | 0 s on | to the grab loop | middle to start |")
    print("| --- | --: | --: | --: | --: | --: |", flush=True)
    for name in ("GOP 60", "GOP 250"):
        grabbed, _ = timed(by_grabbing, films[name], sampled(285, 315))
        start, middle = (
            min(timed(by_twinlens, films[name], sampled(*clip))[0] for _ in range(3))
            for clip in ((0, 30), (285, 315))
        )
        print(
            f"| {name} | {grabbed:.1f} | {middle:.2f} | {start:.2f} | {grabbed / middle:.1f}x | "
            f"{middle / start:.2f}x |",
            flush=True,
        )


def print_exactness(films: Mapping[str, Path]) -> None:
    """Print whether the frames are those of decoding in sequence, and what they cost."""
    print("\n### 20 seconds of 360p, three offsets, CPU s of one thread\n")
    print("| codec | frames | in sequence | twinlens | ratio | equal |")
    print("| --- | --: | --: | --: | --: | --- |")
    for name in ("H.264, open", "HEVC", "VP9", "MPEG-2", "MPEG-4"):
        sequence = ours = 0.0
        same = 0
        wanted = [[offset + second for second in range(19)] for offset in (0, 0.35, 0.37)]
        for times in wanted:
            spent, expected = timed(in_sequence, films[name], times)
            sequence += spent
            spent, found = timed(by_twinlens, films[name], times)
            ours += spent
            same += same_in(expected, found)
        total = sum(map(len, wanted))
        ratio = f"{sequence / ours:.2f}x"
        print(f"| {name} | {total} | {sequence:.2f} | {ours:.2f} | {ratio} | {same} of {total} |", flush=True)


def print_memory(films: Mapping[str, Path]) -> None:
    """Print the peak memory of a process that samples a film, whose length is all that differs."""
    print("\n### Peak memory of a process that samples a film of 360p once a second\n")
    print("| a minute, MiB | an hour, MiB | ratio |")
    print("| --: | --: | --: |")
    minute, hour = (
        float(subprocess.check_output([sys.executable, __file__, "-", films[name]]))
        for name in ("a minute", "an hour")
    )
    print(f"| {minute:.1f} | {hour:.1f} | {hour / minute:.2f} |", flush=True)


def sampled(start: float, end: float) -> list[float]:
    """Give the moments that are looked at."""
    return [start + OFFSET_S + second for second in range(int(end - start))]


Side = Callable[[Path, Sequence[float]], list[Pixels]]


def timed(side: Side, path: Path, times: Sequence[float]) -> tuple[float, list[Pixels]]:
    """Run one side; give its CPU time and what it found."""
    start = time.process_time()
    found = side(path, times)
    return time.process_time() - start, found


def target(path: Path) -> tuple[int, int]:
    """Give the size that the budget pays for."""
    with av.open(path) as container:
        stream = container.streams.video[0]
        fit = area32(stream.width, stream.height, TOKENS)
    return fit.width, fit.height


def by_twinlens(path: Path, times: Sequence[float]) -> list[Pixels]:
    """Decode as a worker does, a batch at a time."""
    width, height = target(path)
    found: list[Pixels] = []
    with path.open("rb") as file:
        while len(found) < len(times):
            rest = times[len(found) :][: BATCH + 1]
            pixels = np.empty((min(len(rest), BATCH), height, width, 3), np.uint8)
            found.extend(
                pixels[
                    : len(frames.decode(DescriptorReader(file.fileno()), rest, pixels, TimeSlice(math.inf)))
                ]
            )
    return found


def by_grabbing(path: Path, times: Sequence[float]) -> list[Pixels]:
    """Grab every frame, retrieve those that are wanted, and scale them."""
    size = target(path)
    capture = cv2.VideoCapture(str(path), cv2.CAP_FFMPEG, [cv2.CAP_PROP_N_THREADS, 1])
    wanted = {round(moment * FPS) for moment in times}
    found = []
    for number in range(max(wanted) + 1):
        if not capture.grab():
            break
        if number in wanted:
            scaled = cv2.resize(capture.retrieve()[1], size, interpolation=cv2.INTER_AREA)
            found.append(cv2.cvtColor(scaled, cv2.COLOR_BGR2RGB))
    capture.release()
    return cast("list[Pixels]", found)


def in_sequence(path: Path, times: Sequence[float]) -> list[Pixels]:
    """Decode every frame, and scale those that are wanted as twinlens does."""
    width, height = target(path)
    reformatter = VideoReformatter()
    found: list[Pixels] = []
    for frame in nearest(path, times):
        scaled = reformatter.reformat(
            frame,
            width,
            height,
            "rgb24",
            src_colorspace=frames.colours_of(frame),
            interpolation=frames.SCALING,
            threads=1,
        )
        found.append(cast("Pixels", scaled.to_ndarray()))
    return found


def nearest(path: Path, times: Sequence[float]) -> Iterator[Any]:
    """Decode every frame, and give for each moment the one whose time is nearest."""
    waiting = list(times)
    with av.open(path) as container:
        stream = container.streams.video[0]
        stream.codec_context.thread_count = 1
        zero = before = None
        for frame in container.decode(stream):
            zero = frame.time if zero is None else zero
            while waiting and frame.time - zero > waiting[0]:
                wanted = waiting.pop(0) + zero
                is_earlier = before is not None and wanted - before.time <= frame.time - wanted + 1e-6
                yield before if is_earlier else frame
            if not waiting:
                return
            before = frame
        for _ in waiting:
            yield before


def same_in(expected: Sequence[Pixels], found: Sequence[Pixels]) -> int:
    """Count the frames that are equal, pixel for pixel."""
    return sum(np.array_equal(one, other) for one, other in zip(expected, found, strict=True))


def peak_mib(path: Path) -> float:
    """Sample a film once a second, keeping nothing; give this process's peak."""
    width, height = target(path)
    with path.open("rb") as file, av.open(path) as container:
        seconds = int((container.duration or 0) / av.time_base)
    times = [second + OFFSET_S for second in range(seconds)]
    pixels = np.empty((30, height, width, 3), np.uint8)
    with path.open("rb") as file:
        while times:
            done = len(
                frames.decode(
                    DescriptorReader(file.fileno()), times[:31], pixels[: len(times)], TimeSlice(math.inf)
                )
            )
            del times[:done]
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) / 1024


def film(made: Made, path: Path) -> Path:
    """Make a film, unless it is there already: encode a passage, and repeat its packets."""
    if path.exists():
        return path
    passage = path.with_name(f"passage of {path.name}")
    encode(made, passage)
    repeats = -(-made.seconds * FPS // made.passage)
    with av.open(path, "w") as output:
        copy = None
        for repeat in range(repeats):
            with av.open(passage) as source:
                stream = source.streams.video[0]
                copy = copy or output.add_stream_from_template(stream)
                shift = int(repeat * made.passage / FPS / cast("Fraction", stream.time_base))
                for packet in source.demux(stream):
                    if packet.dts is None:
                        continue
                    packet.pts, packet.dts = cast("int", packet.pts) + shift, packet.dts + shift
                    packet.stream = copy
                    output.mux(packet)
    passage.unlink()
    return path


def encode(made: Made, path: Path) -> None:
    """Encode a passage: photos that pass by, with the noise of a sensor."""
    width, height = made.size
    with av.open(path, "w") as output:
        stream = cast("VideoStream", output.add_stream(made.codec, FPS, options=dict(made.options)))
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        stream.bit_rate = made.bit_rate
        for picture in pictures(width, height, made.passage):
            output.mux(stream.encode(av.VideoFrame.from_ndarray(picture, "rgb24")))
        output.mux(stream.encode(None))


def pictures(width: int, height: int, count: int) -> Iterator[Pixels]:
    """Pass a view over a wide photo, another photo after each ten seconds."""
    random = np.random.default_rng(1)
    grain = random.normal(0, 3, (8, height, width, 3)).round().clip(-9, 9).astype(np.int8)
    wide = [
        cv2.resize(
            getattr(skimage.data, name)(), (width * 3 // 2, height * 3 // 2), interpolation=cv2.INTER_CUBIC
        )
        for name in ("astronaut", "coffee", "chelsea", "rocket")
    ]
    for number in range(count):
        photo, at = wide[number // (10 * FPS) % 4], number % (10 * FPS)
        top, left = at * height // (20 * FPS), at * width // (20 * FPS)
        view = photo[top : top + height, left : left + width]
        yield cv2.add(view, grain[number % 8], dtype=cv2.CV_8U)


if __name__ == "__main__":
    main()
