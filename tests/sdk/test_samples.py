"""Every copy of a documented sample is what the documents print: a sample is never repaired, twinlens is.

Tests that run a sample put in paths, addresses, model names and what the document leaves to its reader.
"""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path

SAMPLES = Path(__file__).parent / "samples"
PRINTED = Path(__file__).parent / "samples.sha256"
"""The SHA-256 of each sample as printed, but for the document's own indentation and white space at the end of
a line."""


def test_every_sample_is_as_printed() -> None:
    lines = [line.split() for line in PRINTED.read_text().splitlines()]

    copies = [path for path in sorted(SAMPLES.rglob("*")) if path.is_file()]
    assert {
        path.relative_to(SAMPLES).as_posix(): sha256(path.read_bytes()).hexdigest() for path in copies
    } == {name: digest for digest, name in lines}
