"""How much of texts without a charset is read right, by detector; and what a detector costs at most.

Run it alone: `python bench/charsets.py`. Each charset is tried with 40 pieces of a text for each length.
`charset_normalizer` is measured where it is installed: twinlens does not need it.
"""

from __future__ import annotations

import random
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

sys.path.append(str(Path(__file__).parents[1] / "tests"))

import chardet

import tongues
from twinlens.media.decoders import charsets

Detector = Callable[[bytes], str | None]

LENGTHS = (25, 100, 2000)
PIECES = 40


def main() -> None:
    """Print both tables."""
    found = detectors()
    print("| charset | letters | " + " | ".join(found) + " |")
    print("| --- | --: | " + "--: | " * len(found))
    sums = dict.fromkeys(found, 0)
    texts = [*tongues.CHARSETS.items(), *(("cp1252", text) for text in tongues.WESTERN.values())]
    for charset, text in texts:
        for count in LENGTHS:
            shares = {name: right(read, charset, text, count) for name, read in found.items()}
            for name, share in shares.items():
                sums[name] += share == PIECES
            print(f"| {charset} | {count} | " + " | ".join(f"{n}/{PIECES}" for n in shares.values()) + " |")
    print(
        f"| rows of {len(texts) * len(LENGTHS)} without a mistake | | "
        + " | ".join(map(str, sums.values()))
        + " |\n"
    )
    print("| 2 MB of | " + " | ".join(f"{name}, ms" for name in found) + " |")
    print("| --- | " + "--: | " * len(found))
    for name, data in hostile():
        print(f"| {name} | " + " | ".join(f"{cost_ms(read, data):.0f}" for read in found.values()) + " |")


def right(detect: Detector, charset: str, text: str, count: int) -> int:
    """Count the pieces that come out as they were written."""
    starts = (index * len(text) // PIECES for index in range(PIECES))
    pieces = (tongues.letters(text, count, start).encode(charset) for start in starts)
    return sum(read(detect, piece) == piece.decode(charset) for piece in pieces)


def read(detect: Detector, data: bytes) -> str | None:
    """Decode by what a detector says."""
    name = detect(data)
    try:
        return data.decode(name) if name else None
    except (LookupError, UnicodeError):
        return None


def cost_ms(detect: Detector, data: bytes) -> float:
    """Time one detection."""
    start = time.perf_counter()
    detect(data)
    return (time.perf_counter() - start) * 1000


def hostile() -> Iterator[tuple[str, bytes]]:
    """Give 2 MB each of what may be slow to judge."""
    size, rng = 2_000_000, random.Random(0)
    yield "random bytes", rng.randbytes(size)
    yield "random bytes above 127", bytes(rng.randrange(128, 256) for _ in range(size))
    yield "each byte in turn", (bytes(range(256)) * (size // 256 + 1))[:size]
    yield "one letter of two bytes", b"\xa4\xa2" * (size // 2)
    yield "ASCII, and one other byte at the end", b"a" * (size - 1) + b"\xe4"
    yield "escape sequences", b"\x1b$B" * (size // 3)
    yield "tildes and braces", b"~{~}" * (size // 4)
    yield "Russian in KOI8-R", tongues.letters(tongues.RUSSIAN, size).encode("koi8-r")
    yield "declarations of a charset", b"<meta charset=" * (size // 14)


def detectors() -> Mapping[str, Detector]:
    """Give what there is: by name, a function from bytes to an encoding."""
    found: dict[str, Detector] = {
        "twinlens": lambda data: codec.name if (codec := charsets.likely_codec(data)) else "cp1252",
        "chardet": lambda data: chardet.detect(data)["encoding"],
    }
    if find_spec("charset_normalizer"):
        from_bytes = import_module("charset_normalizer").from_bytes
        found["charset_normalizer"] = lambda data: (
            best.encoding if (best := from_bytes(data).best()) else None
        )
    return found


if __name__ == "__main__":
    main()
