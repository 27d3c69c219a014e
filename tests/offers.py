"""What the workers of these tests offer."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import AsyncGenerator, Generator, Mapping

import numpy as np
from numpy.typing import NDArray

from twinlens.domain.errors import ResourceExhausted
from twinlens.processes.forking import server
from twinlens.processes.peer import Handler

OFFERS = f"{__name__}:handlers"


def handlers() -> Mapping[str, Handler]:
    return {
        "add": lambda a, b: a + b,
        "pid": os.getpid,
        "double": double,
        "count": count,
        "steps": steps,
        "wait": wait,
        "block": time.sleep,
        "die": os._exit,
        "ask_back": ask_back,
        "refuse": refuse,
        "break": broken,
        "secret": lambda name: os.environ.get(name),
    }


def double(array: NDArray[np.uint8]) -> NDArray[np.uint8]:
    return array * 2


async def count(until: int) -> AsyncGenerator[int, None]:
    for number in range(until):
        yield number


def steps(number: int) -> Generator[None, None, int]:
    """Work for so many twentieths of a second of CPU."""
    for _ in range(number):
        end = time.thread_time() + 0.05
        while time.thread_time() < end:
            pass
        yield
    return number


async def wait() -> None:
    await asyncio.Event().wait()


async def ask_back(name: str, *arguments: object) -> object:
    return await server().call(name, *arguments)


def refuse() -> None:
    raise ResourceExhausted("Enough.", retry_after_s=7.0)


def broken() -> None:
    raise LookupError("no such thing")
