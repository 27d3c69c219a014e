"""The disk: what its errors mean to a caller."""

from __future__ import annotations

import errno
from pathlib import Path

import pytest

from twinlens.domain.errors import Internal, ResourceExhausted, TwinlensError, Unavailable
from twinlens.store.disk import disk_errors, make_folder, probe


@pytest.mark.parametrize(
    ("number", "expected", "message"),
    [
        (errno.ENOSPC, ResourceExhausted, r"exhausted \(e\.g\. check quota\)\. The server's disk is full"),
        (errno.EDQUOT, ResourceExhausted, "disk is full; what was acknowledged is kept"),
        (errno.EFBIG, ResourceExhausted, "disk is full"),
        (errno.EROFS, Unavailable, "read-only"),
        (errno.ENOENT, Unavailable, "cannot store anything now: its data folder is gone"),
        (errno.ESTALE, Unavailable, "its data folder is gone"),
        (errno.EMFILE, Unavailable, "as many files open as it may. Try again later, or send fewer media"),
        (errno.ENFILE, Unavailable, "as many files open"),
        (errno.EIO, Internal, "internal error"),
    ],
)
def test_an_error_of_the_disk_says_what_it_means_and_keeps_its_cause(
    number: int, expected: type[TwinlensError], message: str
) -> None:
    with pytest.raises(expected, match=message) as raised, disk_errors():
        raise OSError(number, "of the disk")

    assert isinstance(raised.value.__cause__, OSError)


def test_a_probe_leaves_nothing_behind(tmp_path: Path) -> None:
    probe(tmp_path)

    assert list(tmp_path.iterdir()) == []


def test_a_probe_says_what_the_disk_says(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        probe(tmp_path / "nowhere")


def test_a_folder_is_made_with_those_above_it(tmp_path: Path) -> None:
    make_folder(tmp_path / "a" / "b")
    make_folder(tmp_path / "a" / "b")

    assert (tmp_path / "a" / "b").is_dir()


def test_a_folder_is_not_made_where_the_one_that_it_belongs_into_is_gone(tmp_path: Path) -> None:
    root = tmp_path / "root"

    with pytest.raises(FileNotFoundError):
        make_folder(root / "a" / "b", within=root)

    assert list(tmp_path.iterdir()) == []
