"""Lets every test say `import pictures`: the maker of the tiny images they need."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.append(str(Path(__file__).parent))
