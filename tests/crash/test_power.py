"""The power goes at any moment: what was acknowledged is on the disk, not on its way there.

`kill -9` leaves to the system what was written but not synced; here that is lost as well.
"""

from __future__ import annotations

import os
import signal
from pathlib import Path

from crash.disks import Disk, failing_disk
from crash.lives import Lives
from crash.serving import Server, wait_until_gone

CUTS = int(os.environ.get("TWINLENS_TEST_KILLS", "60")) // 6


class Plugged(Server):
    """A server whose disk loses power when it is killed."""

    def __init__(self, disk: Disk, folder: Path) -> None:
        super().__init__(disk.folder / "data", folder, within=disk.within)
        self._disk = disk

    def kill(self) -> None:
        """Cut the power: nothing that the server still does reaches the disk, nor a client."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGSTOP)
            self._disk.cut_power()
        super().kill()


def test_what_was_acknowledged_survives_a_power_cut(tmp_path: Path) -> None:
    with failing_disk(tmp_path / "disk") as disk:

        def serve() -> Server:
            # The disk cannot be taken out while a process of the last life still has a file of it.
            assert wait_until_gone(tmp_path) == set()
            disk.plug_in()
            return Plugged(disk, tmp_path)

        Lives(serve, disk.seen / "data", lanes=2).run(CUTS)
