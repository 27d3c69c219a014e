"""Which form an error has: each API has its own, and the path tells which is asked."""

from __future__ import annotations

import re

from ..domain.errors import TwinlensError
from ..domain.versions import VERSIONS
from ..wire import status
from ..wire.interactions import errors

_INTERACTIONS = re.compile(rf"/({'|'.join(VERSIONS)})/interactions(/|\?|$)")


def write_refusal(error: TwinlensError, path: str) -> bytes:
    """Write the body of a response that is an error."""
    return errors.write_error(error) if _INTERACTIONS.match(path) else status.write_error(error)
