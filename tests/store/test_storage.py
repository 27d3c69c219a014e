"""A data folder with all that is kept in it: opened whole or not at all, and closed together."""

from __future__ import annotations

from pathlib import Path

import pytest

from twinlens.store.folder import DataFolderError
from twinlens.store.storage import open_storage


async def test_a_store_that_could_not_be_opened_lets_go_of_the_folder(tmp_path: Path) -> None:
    (tmp_path / "twinlens.db").write_bytes(b"not a database" * 100)
    with pytest.raises(DataFolderError, match="damaged"):
        open_storage(tmp_path)

    (tmp_path / "twinlens.db").unlink()

    await open_storage(tmp_path).close()


async def test_a_store_holds_its_folder_until_it_is_closed(tmp_path: Path) -> None:
    store = open_storage(tmp_path)
    with pytest.raises(DataFolderError, match="in use"):
        open_storage(tmp_path)

    await store.close()

    await open_storage(tmp_path).close()
