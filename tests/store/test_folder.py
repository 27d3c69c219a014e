"""The data folder: refused at the start where it cannot be used, and one server's alone."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from twinlens.store.folder import DataFolder, DataFolderError

SmallDisk = Callable[..., Path]

HOLD = """
import sys, time
from pathlib import Path
from twinlens.store.folder import DataFolder
folder = DataFolder(Path(sys.argv[1]))
print("held", flush=True)
time.sleep(600)
"""


def held_elsewhere(folder: Path) -> subprocess.Popen[bytes]:
    other = subprocess.Popen([sys.executable, "-c", HOLD, str(folder)], stdout=subprocess.PIPE)
    assert other.stdout
    assert other.stdout.readline() == b"held\n"
    return other


def test_a_folder_is_made_where_there_is_none(tmp_path: Path) -> None:
    folder = DataFolder(tmp_path / "new" / "folder")

    assert folder.path.is_dir()
    folder.close()


def test_two_servers_do_not_share_a_folder(tmp_path: Path) -> None:
    first = DataFolder(tmp_path)

    with pytest.raises(DataFolderError, match="in use by another twinlens server") as raised:
        DataFolder(tmp_path)

    assert str(tmp_path) in str(raised.value)
    first.close()


def test_a_folder_can_be_had_again_after_it_was_closed(tmp_path: Path) -> None:
    DataFolder(tmp_path).close()

    again = DataFolder(tmp_path)

    assert again.path == tmp_path.resolve()
    again.close()


def test_a_server_that_was_killed_holds_nothing(tmp_path: Path) -> None:
    other = held_elsewhere(tmp_path)
    with pytest.raises(DataFolderError, match="in use"):
        DataFolder(tmp_path)

    other.send_signal(signal.SIGKILL)
    other.communicate()

    DataFolder(tmp_path).close()


def test_a_program_that_was_started_does_not_hold_the_folder(tmp_path: Path) -> None:
    folder = DataFolder(tmp_path)
    child = subprocess.Popen(
        [sys.executable, "-c", "print(flush=True); input()"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        close_fds=False,
    )
    assert child.stdout
    child.stdout.readline()

    folder.close()

    DataFolder(tmp_path).close()
    child.communicate(b"\n")


def test_a_file_is_no_folder(tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    with pytest.raises(DataFolderError, match="is not a folder"):
        DataFolder(tmp_path / "file")
    with pytest.raises(DataFolderError, match="is not a folder"):
        DataFolder(tmp_path / "file" / "below")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_without_the_right_to_write_is_refused(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)

    with pytest.raises(DataFolderError, match="may not be written by this user"):
        DataFolder(tmp_path)

    tmp_path.chmod(0o700)


def test_a_read_only_folder_is_refused(small_disk: SmallDisk) -> None:
    with pytest.raises(DataFolderError, match="is read-only"):
        DataFolder(small_disk("ro"))


def test_a_full_disk_is_refused(small_disk: SmallDisk, fill: Callable[[Path], Path]) -> None:
    folder = small_disk()
    ballast = fill(folder)

    with pytest.raises(DataFolderError, match="is full"):
        DataFolder(folder)

    ballast.unlink()
    DataFolder(folder).close()


def test_a_folder_that_can_be_used_has_no_trouble(tmp_path: Path) -> None:
    folder = DataFolder(tmp_path)

    assert folder.trouble() is None
    assert folder.trouble() is None
    folder.close()


@pytest.mark.parametrize("is_made_again", [False, True])
def test_a_folder_that_is_gone_is_missed(tmp_path: Path, is_made_again: bool) -> None:
    folder = DataFolder(tmp_path / "data")
    (tmp_path / "data").rename(tmp_path / "elsewhere")
    if is_made_again:
        DataFolder(tmp_path / "data").close()

    assert folder.trouble() == "the data folder is gone"
    folder.close()
