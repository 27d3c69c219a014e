"""Child processes: what one that fails or dies costs."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator

import pytest

from twinlens.domain.errors import Internal, Unavailable
from twinlens.engines.builtin.children import ChildError, Children, told


@pytest.fixture
async def children() -> AsyncIterator[Children]:
    children = Children(1, "counts")
    yield children
    await children.stop()


def count(number: int) -> int:
    return told(lambda: number + 1)


def fail() -> None:
    told(lambda: [][0])


def die() -> None:
    os._exit(3)


async def test_a_child_does_what_it_is_asked(children: Children) -> None:
    assert await children.do(count, 1) == 2


async def test_what_goes_wrong_is_our_fault_and_told_to_the_log(children: Children) -> None:
    with pytest.raises(Internal) as caught:
        await children.do(fail)

    assert isinstance(caught.value.__cause__, ChildError)
    assert "IndexError" in str(caught.value.__cause__)


async def test_a_death_costs_its_request_and_no_other(children: Children) -> None:
    with pytest.raises(Unavailable, match=r"^The process that counts ended"):
        await children.do(die)

    assert await children.do(count, 2) == 3
