"""The cache of decoded pixels: what it keeps, what it lets go, and what it must never give out."""

from __future__ import annotations

import asyncio
import os
import resource
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

import numpy as np
import pytest

from twinlens.domain.media import Pixels
from twinlens.store.cache import MAX_WAITING_BYTES, PixelCache

OWN, PLAN = "p", "60x50"
ENTRY = 12_288
"""What an entry of `picture()` takes of the disk: three blocks."""


def picture(shade: int = 7, width: int = 60, height: int = 50) -> Pixels:
    found = np.full((height, width, 3), shade, np.uint8)
    found[0, 0] = 255
    return found


@asynccontextmanager
async def opened(folder: Path, max_bytes: int = 1_000_000) -> AsyncIterator[PixelCache]:
    cache = PixelCache(folder, max_bytes)
    try:
        yield cache
    finally:
        await cache.close()


async def keep(folder: Path, *keys: str) -> list[Path]:
    """Keep a picture under each key, oldest first, and give their files."""
    files: list[Path] = []
    for number, key in enumerate(keys):
        async with opened(folder) as cache:
            cache.put(OWN, key, PLAN, picture(number))
        (file,) = set(stored(folder)) - set(files)
        os.utime(file, (number + 1, number + 1))
        files.append(file)
    return files


def stored(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


@contextmanager
def no_room_on_disk() -> Iterator[None]:
    """Let no file of this process grow beyond a few bytes."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


async def test_what_was_kept_is_read_again_after_a_restart(tmp_path: Path) -> None:
    async with opened(tmp_path / "cache") as cache:
        cache.put(OWN, "a", PLAN, picture(3))

    async with opened(tmp_path / "cache") as cache:
        found = await cache.get(OWN, "a", PLAN)

        assert isinstance(found, np.ndarray)
        assert np.array_equal(found, picture(3))
        assert found.dtype == np.uint8
        assert not found.flags.writeable
        assert await cache.get(OWN, "b", PLAN) is None
        assert (cache.hits, cache.misses, cache.entries, cache.bytes) == (1, 1, 1, ENTRY)


async def test_what_still_waits_to_be_written_is_found_already(tmp_path: Path) -> None:
    async with opened(tmp_path) as cache:
        pixels = picture(3)

        cache.put(OWN, "a", PLAN, pixels)

        found = await cache.get(OWN, "a", PLAN)
        assert found is not None
        assert np.array_equal(found, pixels)


async def test_the_least_recently_used_make_room(tmp_path: Path) -> None:
    await keep(tmp_path, "a", "b", "c")

    async with opened(tmp_path, 3 * ENTRY) as cache:
        await cache.get(OWN, "a", PLAN)
        cache.put(OWN, "d", PLAN, picture(9))

    async with opened(tmp_path) as cache:
        assert [await cache.get(OWN, key, PLAN) is None for key in "abcd"] == [False, True, False, False]
        assert cache.bytes == 3 * ENTRY


async def test_a_content_is_forgotten_with_all_its_plans_and_nothing_else(tmp_path: Path) -> None:
    async with opened(tmp_path) as cache:
        for content, plan in (("a", "1x1"), ("a", "2x2"), ("b", "1x1")):
            cache.put(OWN, content, plan, picture())
        cache.forget("a")

    async with opened(tmp_path) as cache:
        assert [await cache.get(OWN, "a", plan) for plan in ("1x1", "2x2")] == [None, None]
        assert await cache.get(OWN, "b", "1x1") is not None
        assert cache.entries == len(stored(tmp_path)) == 1


async def test_what_one_project_has_shown_is_not_there_for_another(tmp_path: Path) -> None:
    async with opened(tmp_path) as cache:
        cache.put("mine", "a", PLAN, picture(3))

        assert await cache.get("theirs", "a", PLAN) is None
        cache.put("theirs", "a", PLAN, picture(4))

    async with opened(tmp_path) as cache:
        mine, theirs = await cache.get("mine", "a", PLAN), await cache.get("theirs", "a", PLAN)
        assert mine is not None
        assert theirs is not None
        assert np.array_equal(mine, picture(3))
        assert np.array_equal(theirs, picture(4))


async def test_a_content_is_forgotten_but_for_those_who_still_have_it(tmp_path: Path) -> None:
    async with opened(tmp_path) as cache:
        for project in ("gone", "left", "also left"):
            cache.put(project, "a", PLAN, picture())
        cache.forget("a", {"left", "also left"})

    async with opened(tmp_path) as cache:
        found = [await cache.get(project, "a", PLAN) for project in ("gone", "left", "also left")]
        assert [pixels is None for pixels in found] == [True, False, False]


async def test_evictions_are_counted(tmp_path: Path) -> None:
    cache = PixelCache(tmp_path, ENTRY)
    cache.put(OWN, "a", PLAN, picture(1))
    cache.put(OWN, "b", PLAN, picture(2))

    await cache.close()

    assert (cache.evictions, cache.entries, cache.bytes) == (1, 1, ENTRY)
    assert len(stored(tmp_path)) == 1


async def test_the_order_of_use_survives_a_restart(tmp_path: Path) -> None:
    await keep(tmp_path, "a", "b", "c")
    async with opened(tmp_path) as cache:
        await cache.get(OWN, "a", PLAN)

    async with opened(tmp_path, ENTRY) as cache:
        assert await cache.get(OWN, "a", PLAN) is not None
        assert (cache.entries, cache.evictions) == (1, 2)


async def test_what_nobody_asks_for_expires(tmp_path: Path) -> None:
    _, new = await keep(tmp_path, "old", "new")
    os.utime(new)

    async with opened(tmp_path) as cache:
        await cache.expire(3600)

        assert (cache.entries, cache.bytes) == (1, ENTRY)
        assert stored(tmp_path) == [new]
    await cache.expire(3600)


async def test_an_entry_larger_than_the_bound_is_not_kept(tmp_path: Path) -> None:
    async with opened(tmp_path, ENTRY) as cache:
        cache.put(OWN, "small", PLAN, picture())
        cache.put(OWN, "large", PLAN, picture(width=600))

    async with opened(tmp_path) as cache:
        assert await cache.get(OWN, "small", PLAN) is not None
        assert await cache.get(OWN, "large", PLAN) is None


def cut(file: Path) -> None:
    os.truncate(file, file.stat().st_size - 1)


def cut_within_the_header(file: Path) -> None:
    os.truncate(file, 5)


def lengthen(file: Path) -> None:
    file.write_bytes(file.read_bytes() + b"x")


def flip_a_bit(file: Path) -> None:
    content = bytearray(file.read_bytes())
    content[-1] ^= 1
    file.write_bytes(content)


def turn_the_shape(file: Path) -> None:
    content = bytearray(file.read_bytes())
    content[8:12], content[12:16] = content[12:16], content[8:12]
    file.write_bytes(content)


def lose_the_pixels(file: Path) -> None:
    content = file.read_bytes()
    file.write_bytes(content[:20] + bytes(len(content) - 20))


def empty_the_shape(file: Path) -> None:
    content = file.read_bytes()
    file.write_bytes(content[:8] + bytes(12))


def take_another_version(file: Path) -> None:
    content = bytearray(file.read_bytes())
    content[7] += 1
    file.write_bytes(content)


DAMAGES = (
    cut,
    cut_within_the_header,
    lengthen,
    flip_a_bit,
    turn_the_shape,
    lose_the_pixels,
    empty_the_shape,
    take_another_version,
)


@pytest.mark.parametrize("damage", DAMAGES, ids=lambda damage: damage.__name__)
async def test_a_damaged_entry_is_not_there_and_is_deleted(
    tmp_path: Path, damage: Callable[[Path], None]
) -> None:
    (file,) = await keep(tmp_path, "a")
    damage(file)

    async with opened(tmp_path) as cache:
        assert await cache.get(OWN, "a", PLAN) is None
        assert (cache.entries, cache.bytes, cache.misses) == (0, 0, 1)
    assert not file.exists()


async def test_an_entry_under_anothers_name_is_not_believed(tmp_path: Path) -> None:
    first, second = await keep(tmp_path, "a", "b")
    os.replace(first, second)

    async with opened(tmp_path) as cache:
        assert await cache.get(OWN, "b", PLAN) is None


async def test_a_damaged_entry_can_be_kept_anew(tmp_path: Path) -> None:
    (file,) = await keep(tmp_path, "a")
    flip_a_bit(file)
    async with opened(tmp_path) as cache:
        await cache.get(OWN, "a", PLAN)
        cache.put(OWN, "a", PLAN, picture(5))

    async with opened(tmp_path) as cache:
        found = await cache.get(OWN, "a", PLAN)

    assert found is not None
    assert np.array_equal(found, picture(5))


async def test_an_entry_that_somebody_deleted_is_not_there(tmp_path: Path) -> None:
    (file,) = await keep(tmp_path, "a")

    async with opened(tmp_path) as cache:
        file.unlink()

        assert await cache.get(OWN, "a", PLAN) is None
        assert (cache.entries, cache.bytes) == (0, 0)


async def test_what_a_crash_left_half_written_is_removed(tmp_path: Path) -> None:
    (file,) = await keep(tmp_path, "a")
    part = file.with_name(file.name + ".part")
    part.write_bytes(b"half")

    async with opened(tmp_path) as cache:
        assert not part.exists()
        assert await cache.get(OWN, "a", PLAN) is not None


async def test_files_of_others_are_left_alone(tmp_path: Path) -> None:
    (file,) = await keep(tmp_path, "a")
    note, other = tmp_path / "note.txt", file.with_name("other")
    note.write_text("mine")
    other.write_text("mine")

    async with opened(tmp_path, 0) as cache:
        assert cache.entries == 0

    assert sorted(stored(tmp_path)) == sorted([note, other])


@pytest.mark.parametrize("key", ["../../escape", "/etc/passwd", "a\0b", "", "é\udcff", "x" * 10_000])
async def test_keys_may_be_any_text(tmp_path: Path, key: str) -> None:
    folder = tmp_path / "inside" / "cache"
    folder.parent.mkdir()
    async with opened(folder) as cache:
        cache.put(OWN, key, PLAN, picture())

    async with opened(folder) as cache:
        assert await cache.get(OWN, key, PLAN) is not None
    assert all(folder in path.parents for path in stored(tmp_path))


async def test_a_full_disk_costs_nothing_but_the_entry(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    cache = PixelCache(tmp_path, 1_000_000)
    with no_room_on_disk():
        cache.put(OWN, "a", PLAN, picture())
        cache.put(OWN, "b", PLAN, picture())
        await cache.close()

    assert await cache.get(OWN, "a", PLAN) is None
    assert (cache.entries, cache.bytes) == (0, 0)
    assert stored(tmp_path) == []
    assert [record.levelname for record in caplog.records] == ["WARNING"]


@pytest.mark.parametrize("folder", ["file", "file/cache"])
async def test_a_folder_that_cannot_be_made_costs_nothing_but_the_entries(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, folder: str
) -> None:
    (tmp_path / "file").write_text("not a folder")

    async with opened(tmp_path / folder) as cache:
        cache.put(OWN, "a", PLAN, picture())
        cache.put(OWN, "b", PLAN, picture())

    assert await cache.get(OWN, "a", PLAN) is None
    assert [record.levelname for record in caplog.records] == ["WARNING"]


async def test_no_more_than_so_much_waits_to_be_written(tmp_path: Path) -> None:
    large = np.zeros((1, MAX_WAITING_BYTES // 3 - 1000, 3), np.uint8)

    async with opened(tmp_path, 1 << 30) as cache:
        cache.put(OWN, "large", PLAN, large)
        cache.put(OWN, "late", PLAN, picture(width=2000))

        assert await cache.get(OWN, "large", PLAN) is not None
        assert await cache.get(OWN, "late", PLAN) is None


async def test_a_closed_cache_keeps_nothing_more(tmp_path: Path) -> None:
    cache = PixelCache(tmp_path, 1_000_000)
    await cache.close()

    cache.put(OWN, "a", PLAN, picture())

    assert await cache.get(OWN, "a", PLAN) is None


async def test_many_readers_and_the_writer_agree(tmp_path: Path) -> None:
    keys = [str(number) for number in range(24)]
    async with opened(tmp_path, 8 * ENTRY) as cache:

        async def ask(key: str) -> None:
            found = await cache.get(OWN, key, PLAN)
            if found is None:
                cache.put(OWN, key, PLAN, picture(int(key)))
            else:
                assert np.array_equal(found, picture(int(key)))

        for round_ in range(10):
            await asyncio.gather(*(ask(key) for key in keys[round_ % 5 :]))

    assert cache.bytes == ENTRY * len(stored(tmp_path)) <= 8 * ENTRY


async def test_a_folder_that_is_gone_with_what_it_lay_in_is_not_made_anew(tmp_path: Path) -> None:
    data = tmp_path / "data"
    data.mkdir()
    async with opened(data / "cache") as cache:
        data.rmdir()
        cache.put(OWN, "content", PLAN, picture())

    assert not data.exists()
