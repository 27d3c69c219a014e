"""The power goes at any moment: what was acknowledged is on the disk, not on its way there.

`kill -9` leaves to the system what was written but not synced; here that is lost as well.
"""

from __future__ import annotations

from pathlib import Path

from crash.disks import Plugged, failing_disk
from crash.lengths import lengths
from crash.lives import Lives
from crash.serving import Server, wait_until_gone


@lengths("TWINLENS_TEST_KILLS", brief=30, long=500)
def test_what_was_acknowledged_survives_a_power_cut(length: int, tmp_path: Path) -> None:
    with failing_disk(tmp_path / "disk") as disk:

        def serve() -> Server:
            # The disk cannot be taken out while a process of the last life still has a file of it.
            assert wait_until_gone(tmp_path) == set()
            disk.plug_in()
            return Plugged(disk, tmp_path)

        Lives(serve, disk.seen / "data", lanes=2).run(length // 6)
