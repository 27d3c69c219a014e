"""Lets every test import the makers beside this file: `pictures`, `clips` and `resumable`."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.append(str(Path(__file__).parent))
