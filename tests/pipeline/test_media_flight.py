"""Decoder work that several requests wait for is done once."""

from __future__ import annotations

import asyncio

from twinlens.domain.errors import BadMedia
from twinlens.media.worker.compute_quota import ComputeQuota
from twinlens.pipeline.media_flight import MediaFlight


async def test_what_was_too_much_for_another_is_done_again_for_its_own_field() -> None:
    flights: MediaFlight[str] = MediaFlight()
    poor, rich = ComputeQuota("p", 1), ComputeQuota("p", 100)

    async def work_for(quota: ComputeQuota) -> str:
        await asyncio.sleep(0)
        quota.spend(5)
        quota.check("of whoever began")
        return "done"

    failed, done = await asyncio.gather(
        flights.do_for_field("a", lambda: work_for(poor), "parts[0]", poor),
        flights.do_for_field("a", lambda: work_for(rich), "parts[1]", rich),
        return_exceptions=True,
    )

    assert isinstance(failed, BadMedia)
    assert (failed.violations[0].field, done, flights.joined) == ("parts[0]", "done", 1)
