"""Small real disks that get full, read-only or lose power, and take nothing else with them.

Each is mounted in a mount namespace of its own: it goes away with the processes in it, whatever
happens to the test. Root needs no more; other users need user namespaces.
"""

from __future__ import annotations

import fcntl
import os
import shlex
import shutil
import signal
import struct
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from crash.serving import Server

_HOLDERS: tuple[tuple[str, ...], ...] = (("unshare", "-m"), ("unshare", "-Urm"))
"""Ways to run a command in a mount namespace of its own: as root, and as anyone."""
_SHUTDOWN = 0x8004587D
_NO_FLUSH = struct.pack("=I", 2)
"""What ext4 is asked to lose its power with (EXT4_IOC_SHUTDOWN, EXT4_GOING_FLAGS_NOLOGFLUSH)."""


@dataclass(frozen=True, slots=True)
class Disk:
    """A mounted disk. `folder` is where processes run by `within` see it, `seen` where the test does."""

    folder: Path
    seen: Path
    within: tuple[str, ...]
    trigger: Path | None = None
    mount: tuple[str, ...] = ()

    @property
    def free(self) -> int:
        """The bytes that still fit."""
        state = os.statvfs(self.seen)
        return state.f_bavail * state.f_frsize

    def fill(self) -> Path:
        """Write a file until nothing fits any more; give it, so that it can be removed."""
        filler = self.seen / "filler"
        with filler.open("wb", buffering=0) as file:
            for size in (65_536, 512, 1):
                with suppress(OSError):
                    while file.write(bytes(size)) == size:
                        pass
        return filler

    def run(self, *command: str) -> None:
        """Run a command that sees the disk."""
        subprocess.run([*self.within, *command], check=True, capture_output=True, text=True)

    def remount(self, option: str) -> None:
        """Mount it again, `ro` or `rw`."""
        self.run("mount", "-o", f"remount,{option}", str(self.folder))

    def fail(self) -> None:
        """Turn read-only, as a disk with errors does; only what `failing_disk` gives can do that."""
        assert self.trigger is not None
        self.trigger.write_text("a test lets it fail")

    def cut_power(self) -> None:
        """Lose what has not been synced; from here on everything fails, until `plug_in`."""
        descriptor = os.open(self.seen, os.O_RDONLY)
        try:
            fcntl.ioctl(descriptor, _SHUTDOWN, _NO_FLUSH)
        finally:
            os.close(descriptor)

    def plug_in(self) -> None:
        """Take the disk out and put it in again."""
        self.run("umount", str(self.folder))
        self.run(*self.mount)


@contextmanager
def small_disk(folder: Path, size: str) -> Iterator[Disk]:
    """Mount a disk in memory for a block, or skip the test where that is not allowed."""
    mount = ("mount", "-t", "tmpfs", "-o", f"size={size}", "twinlens", str(folder))
    with _mounted(folder, mount, _HOLDERS) as disk:
        yield disk


@contextmanager
def failing_disk(folder: Path) -> Iterator[Disk]:
    """Mount an ext4 disk that can fail for a block. Only root may; the test is skipped for others."""
    program = shutil.which("mkfs.ext4", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin")
    if os.geteuid() != 0 or program is None:
        pytest.skip("a disk that fails needs root and mkfs.ext4")
    image = folder.with_suffix(".ext4")
    with image.open("wb") as file:
        file.truncate(32 * 1024 * 1024)
    subprocess.run([program, "-q", str(image)], check=True, capture_output=True)
    mount = ("mount", "-o", "loop,errors=remount-ro", str(image), str(folder))
    with _mounted(folder, mount, _HOLDERS[:1]) as disk:
        name = Path(os.path.realpath(f"/sys/dev/block/{_device(disk.seen)}")).name
        trigger = Path(f"/sys/fs/ext4/{name}/trigger_fs_error")
        if not trigger.exists():
            pytest.skip("this kernel cannot let an ext4 disk fail")
        yield replace(disk, trigger=trigger, mount=mount)


@contextmanager
def _mounted(folder: Path, mount: Sequence[str], holders: Sequence[tuple[str, ...]]) -> Iterator[Disk]:
    folder.mkdir()
    for holder in holders if shutil.which("unshare") else ():
        # The namespace lives until its standard input ends, so at the latest with this process.
        process = subprocess.Popen(
            [*holder, "sh", "-c", f"{shlex.join(mount)} && echo mounted && cat"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
        with process:
            assert process.stdout is not None
            if process.stdout.readline() == b"mounted\n":
                yield Disk(folder, Path(f"/proc/{process.pid}/root{folder}"), _entering(process.pid, holder))
                return
    pytest.skip("no disk can be mounted here: this needs root, or user namespaces")


def _entering(pid: int, holder: tuple[str, ...]) -> tuple[str, ...]:
    user = () if holder == _HOLDERS[0] else ("--user", "--preserve-credentials")
    return ("nsenter", "--target", str(pid), "--mount", *user, "--")


def _device(folder: Path) -> str:
    number = folder.stat().st_dev
    return f"{os.major(number)}:{os.minor(number)}"


class Plugged(Server):
    """A server whose disk loses power when it is killed."""

    def __init__(self, disk: Disk, folder: Path, *flags: str) -> None:
        super().__init__(disk.folder / "data", folder, *flags, within=disk.within)
        self._disk = disk

    def kill(self) -> None:
        """Cut the power: nothing that the server still does reaches the disk, nor a client."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGSTOP)
            self._disk.cut_power()
        super().kill()
