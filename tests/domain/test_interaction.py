"""A turn of a stored conversation."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import get_args

import pytest

from twinlens.domain.interaction import Interaction, Outcome, Status

NOW = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize("status", get_args(Status))
def test_only_what_is_queued_or_in_progress_has_more_to_come(status: Status) -> None:
    interaction = Interaction("a", "gemini-3", b"{}", NOW, NOW, outcome=Outcome(status))

    assert interaction.finished is (status not in ("queued", "in_progress"))
