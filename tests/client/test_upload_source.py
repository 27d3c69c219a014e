"""What a file to be sent is, before anything is sent."""

from __future__ import annotations

from pathlib import Path

import pytest

from twinlens.client.errors import ClientError
from twinlens.client.upload_source import open_source


@pytest.mark.parametrize("content", [b"", b"x", b"xy" * 5000])
def test_a_files_size_is_what_it_holds(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a").write_bytes(content)

    assert open_source(tmp_path / "a").size == len(content)


@pytest.mark.parametrize("path", ["/proc/self/status", "/sys/kernel/mm/transparent_hugepage/enabled"])
def test_a_file_whose_size_is_not_what_it_holds_is_refused(path: str) -> None:
    if not Path(path).exists():
        pytest.skip(f"there is no {path}: the refusal of files of such systems is not tried")

    with pytest.raises(ClientError, match="does not end where its size says"):
        open_source(Path(path))


@pytest.mark.parametrize("name", ["nowhere", "."])
def test_what_cannot_be_read_or_is_no_file_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(ClientError, match=r"cannot be read|not a regular file"):
        open_source(tmp_path / name)
