"""Lets every test import the makers beside this file: `pictures`, `clips`, `sheets`, `voices` and others."""

from __future__ import annotations

import gc
import os
import sys
from pathlib import Path

# Before anybody loads numpy: on few cores, threads of its own only get in the way of the workers.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

sys.path.append(str(Path(__file__).parent))


def pytest_collection_finish() -> None:
    """Set aside what collecting the tests has made: the decoders have garbage collected, as in a worker."""
    gc.collect()
    gc.freeze()
