"""The name of what a blob holds."""

from __future__ import annotations

import hashlib

import pytest

from twinlens.concurrency.off_loop import ON_LOOP_BYTES
from twinlens.domain.media import Blob
from twinlens.pipeline.content_hash import content_of, named_for, sha256_of

SIZES = [0, 1, ON_LOOP_BYTES, ON_LOOP_BYTES + 1]


@pytest.mark.parametrize("size", SIZES)
async def test_bytes_are_named_as_the_store_does(size: int) -> None:
    assert await sha256_of(bytes(size)) == hashlib.sha256(bytes(size)).hexdigest()


@pytest.mark.parametrize("size", SIZES)
async def test_equal_bytes_have_equal_names_whatever_holds_them(size: int) -> None:
    one = await content_of(Blob(bytes(size), "image/png", "a"))
    other = await content_of(Blob(memoryview(bytes(size)), None, "b"))

    assert one == other
    assert one != await content_of(Blob(bytes(size) + b"x", None, "a"))


async def test_a_name_that_is_known_is_taken() -> None:
    assert await content_of(Blob(b"", None, "a", "known")) == "known"


def test_another_projects_content_has_another_name() -> None:
    assert named_for("a", "c") != named_for("b", "c")
