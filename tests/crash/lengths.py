"""How long a run is: brief every time, and at length where `make test-long` asks for it."""

from __future__ import annotations

import os

import pytest


def lengths(variable: str, brief: int, long: int) -> pytest.MarkDecorator:
    """Run a test, which takes a `length`, for so long; the environment's variable sets another brief one."""
    return pytest.mark.parametrize(
        "length",
        [
            pytest.param(int(os.environ.get(variable, brief)), id="brief"),
            pytest.param(long, id="long", marks=pytest.mark.long),
        ],
    )
