"""Variables of the environment that look like ours, and mean nothing to us."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator
from difflib import get_close_matches

from ..settings import ENV_PREFIX, KNOBS

_OTHERS = frozenset({"SERVER", "KEY"})
"""What `twinlens files` reads."""

# Kubernetes sets such for a service that is called twinlens; the suites of tests have theirs.
_NOT_OURS = re.compile(r"TWINLENS_(?:SERVICE_|PORT_[0-9]|TEST_).*")


def mistyped(names: Iterable[str] = os.environ) -> Iterator[str]:
    """Say of each variable that begins like ours and is none what it may have been meant to be."""
    known = {knob.name.upper() for knob in KNOBS} | _OTHERS
    for name in sorted(names):
        if (
            not name.upper().startswith(ENV_PREFIX)
            or name.removeprefix(ENV_PREFIX) in known
            or _NOT_OURS.fullmatch(name)
        ):
            continue
        near = get_close_matches(name[len(ENV_PREFIX) :].upper(), known, n=1)
        meant = f"; did you mean {ENV_PREFIX}{near[0]}?" if near else "."
        yield f"{name} is set, but twinlens has no such setting{meant}"
