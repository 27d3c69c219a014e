"""Stored interactions: found, continued, changed, deleted, expired, and the bytes of their media."""

from __future__ import annotations

import hashlib
import random
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Protocol

import pytest

from storing import interactions_of
from twinlens.domain.engine import FunctionCall, Text, Thought, Usage
from twinlens.domain.errors import FailedPrecondition, NotFound, ResourceExhausted
from twinlens.domain.interaction import Failure, Interaction, Outcome
from twinlens.domain.media import Modality
from twinlens.domain.request import BlobRef
from twinlens.store.contents import Contents
from twinlens.store.files import FileStore
from twinlens.store.interactions import STEP, InteractionStore
from twinlens.store.records import FileRecord, InteractionUsage
from twinlens.store.storage import Storage, open_storage

Upload = Callable[..., Awaitable[FileRecord]]

DAY = timedelta(days=1)
MAX_BYTES = 1000
DONE = Outcome("completed", (Text("Yes."),), Usage({Modality.TEXT: 3}, 1))
EMPTY = Outcome("queued")


class Clock(Protocol):
    def __call__(self) -> datetime: ...
    def move(self, by: timedelta) -> None: ...


class Server(Protocol):
    async def restart(self) -> Storage: ...


def store_of(storage: Storage, max_bytes: int = MAX_BYTES) -> InteractionStore:
    return interactions_of(storage, DAY, max_bytes)


@pytest.fixture
def store(storage: Storage) -> InteractionStore:
    return store_of(storage)


Add = Callable[..., Awaitable[Interaction]]


@pytest.fixture
def add(store: InteractionStore, contents: Contents, clock: Clock) -> Add:
    """Add an interaction with its media, as a server does it."""

    async def add(
        name: str,
        previous: str | None = None,
        *,
        media: tuple[bytes, ...] = (),
        project: str = "p",
        sent: bytes = b"{}",
        outcome: Outcome = DONE,
        into: InteractionStore = store,
    ) -> Interaction:
        kept = tuple(kept_of(data) for data in media)
        made = Interaction(name, "gemini-3", sent, clock(), clock(), previous, kept, outcome=outcome)
        async with contents.pinned(item.sha256 for item in kept):
            for data, item in zip(media, kept, strict=True):
                await contents.put(data, item.sha256)
            await into.add(project, made)
        return made

    return add


def kept_of(data: bytes) -> BlobRef:
    return BlobRef(hashlib.sha256(data).hexdigest(), len(data), "image/png")


def blobs(folder: Path) -> set[str]:
    return {path.name for path in (folder / "blobs").rglob("*") if path.is_file()}


def names(history: tuple[Interaction, ...]) -> list[str]:
    return [interaction.id for interaction in history]


async def is_gone(store: InteractionStore, name: str, project: str = "p") -> bool:
    try:
        await store.get(project, name)
    except NotFound:
        return True
    return False


async def test_an_interaction_is_found_with_all_that_is_known_of_it(
    store: InteractionStore, add: Add, clock: Clock
) -> None:
    first = await add("first")
    made = Interaction(
        id="second",
        model="gemini-3-flash",
        sent=b'{"input": "\xc3\xa9"}',
        created=clock(),
        updated=clock() + timedelta(seconds=1),
        previous=first.id,
        media=(None, kept_of(b"picture"), None),
        background=True,
        attempt=2,
        outcome=Outcome(
            "failed",
            (Thought("hm"), Text("so far"), FunctionCall("look", {"where": [1, {"deep": None}]}, "c")),
            Usage({Modality.IMAGE: 1120}, 1, 2, 3),
            Failure("INTERNAL", "Sorry."),
        ),
    )

    await store.add("p", made)

    assert await store.get("p", "second") == made


async def test_one_that_is_not_there_is_not_found(store: InteractionStore) -> None:
    with pytest.raises(NotFound) as raised:
        await store.get("p", "v1_nothing")

    assert raised.value.message == (
        "Interaction v1_nothing was not found: it does not exist, was deleted, or has expired."
    )


@pytest.mark.parametrize("name", ["x" * 5000, "half a pair \ud83d", "\0", ""])
async def test_any_text_can_be_asked_for(store: InteractionStore, name: str) -> None:
    with pytest.raises(NotFound) as raised:
        await store.get("p", name)

    assert len(raised.value.message.encode()) < 200


async def test_projects_never_cross(store: InteractionStore, add: Add, clock: Clock) -> None:
    await add("name", project="theirs", outcome=EMPTY)

    for refused in (
        store.get("mine", "name"),
        store.history("mine", "name"),
        store.retry("mine", "name"),
        store.delete("mine", "name"),
        add("next", "name", project="mine"),
    ):
        with pytest.raises(NotFound):
            await refused
    assert not await store.update("mine", "name", DONE)
    assert (await store.get("theirs", "name")).outcome == EMPTY


async def test_a_name_may_be_used_in_two_projects(store: InteractionStore, add: Add) -> None:
    for project in "ab":
        await add("one", project=project, sent=project.encode())
        await add("two", "one", project=project)

    await store.delete("a", "one")
    await store.delete("a", "two")

    assert [turn.sent for turn in await store.history("b", "two")] == [b"b", b"{}"]


async def test_a_history_goes_from_the_first_turn_to_the_one_named(store: InteractionStore, add: Add) -> None:
    await add("a", media=(b"picture",))
    await add("aside", "a")
    await add("b", "a")
    await add("c", "b", media=(b"other", b"picture"))
    await add("d", "c")

    history = await store.history("p", "c")

    assert names(history) == ["a", "b", "c"]
    assert [turn.previous for turn in history] == [None, "a", "b"]
    assert history[0].media == (kept_of(b"picture"),)
    assert history[2].media == (kept_of(b"other"), kept_of(b"picture"))


async def test_one_that_was_deleted_cannot_be_read_or_continued(store: InteractionStore, add: Add) -> None:
    await add("a")
    await add("b", "a")

    await store.delete("p", "a")

    assert await is_gone(store, "a")
    with pytest.raises(NotFound):
        await store.delete("p", "a")
    with pytest.raises(NotFound):
        await store.history("p", "a")
    with pytest.raises(NotFound):
        await add("c", "a")
    assert await is_gone(store, "c")


async def test_what_was_deleted_stays_a_part_of_what_was_built_on_it(
    store: InteractionStore, add: Add, tmp_path: Path
) -> None:
    await add("a", media=(b"of a",))
    await add("b", "a", media=(b"of b",))
    await add("c", "b", media=(b"of c",))

    await store.delete("p", "b")
    assert names(await store.history("p", "c")) == ["a", "b", "c"]
    await store.delete("p", "a")
    assert names(await store.history("p", "c")) == ["a", "b", "c"]
    assert len(blobs(tmp_path)) == 3
    await store.delete("p", "c")

    assert blobs(tmp_path) == set()
    assert await store.usage() == InteractionUsage(0, 0)


async def test_what_two_were_built_on_stays_until_both_are_gone(
    store: InteractionStore, add: Add, tmp_path: Path
) -> None:
    await add("a", media=(b"of a",))
    for name in ("b", "c"):
        await add(name, "a", media=(b"of " + name.encode(),))

    await store.delete("p", "a")
    await store.delete("p", "b")
    assert names(await store.history("p", "c")) == ["a", "c"]
    assert blobs(tmp_path) == {kept_of(b"of a").sha256, kept_of(b"of c").sha256}
    await store.delete("p", "c")

    assert blobs(tmp_path) == set()


async def test_the_last_turn_takes_along_a_conversation_of_any_length(storage: Storage, add: Add) -> None:
    store = store_of(storage, 1_000_000)
    made = [await add("0", into=store)]
    made += [await add(f"{number}", f"{number - 1}", into=store) for number in range(1, 2 * STEP + 1)]
    for turn in made[:-1]:
        await store.delete("p", turn.id)
    assert len(await store.history("p", made[-1].id)) == len(made)

    await store.delete("p", made[-1].id)

    assert await store.usage() == InteractionUsage(0, 0)


async def test_one_is_gone_when_its_time_is_over(store: InteractionStore, add: Add, clock: Clock) -> None:
    await add("old", outcome=EMPTY)
    clock.move(DAY / 2)
    await add("young", "old")
    clock.move(DAY / 2 - timedelta(microseconds=1))
    assert not await is_gone(store, "old")

    clock.move(timedelta(microseconds=1))

    assert await is_gone(store, "old")
    assert not await store.update("p", "old", DONE)
    assert await store.unfinished() == []
    assert names(await store.history("p", "young")) == ["old", "young"]
    with pytest.raises(NotFound):
        await add("next", "old")
    await add("next", "young")


async def test_how_far_one_is_can_be_written_down(store: InteractionStore, add: Add, clock: Clock) -> None:
    made = await add("a", outcome=EMPTY)
    clock.move(timedelta(seconds=2))

    assert await store.update("p", "a", Outcome("in_progress"))
    assert not (await store.get("p", "a")).finished
    assert await store.update("p", "a", DONE)

    found = await store.get("p", "a")
    assert (found.outcome, found.created, found.updated) == (DONE, made.created, clock())


async def test_media_that_became_known_are_written_down(
    store: InteractionStore, add: Add, clock: Clock
) -> None:
    await store.add("p", Interaction("a", "m", b"", clock(), clock(), media=(None, None)))

    await store.update("p", "a", Outcome("in_progress"), (None, kept_of(b"second")))
    assert (await store.get("p", "a")).media == (None, kept_of(b"second"))
    await store.update("p", "a", Outcome("in_progress"), (kept_of(b"first"), kept_of(b"second")))
    await store.update("p", "a", DONE)

    assert (await store.get("p", "a")).media == (kept_of(b"first"), kept_of(b"second"))


async def test_a_finished_one_never_changes(store: InteractionStore, add: Add) -> None:
    await add("a", outcome=EMPTY)
    assert await store.update("p", "a", Outcome("cancelled"))

    assert not await store.update("p", "a", DONE, (kept_of(b"late"),))
    with pytest.raises(FailedPrecondition):
        await store.retry("p", "a")

    found = await store.get("p", "a")
    assert (found.outcome, found.attempt, found.media) == (Outcome("cancelled"), 1, ())


async def test_one_that_was_deleted_meanwhile_does_not_come_back(store: InteractionStore, add: Add) -> None:
    await add("a", outcome=EMPTY)
    await store.delete("p", "a")

    assert not await store.update("p", "a", DONE)

    assert await is_gone(store, "a")


async def test_unfinished_ones_of_all_projects_are_listed_after_a_restart(server: Server, add: Add) -> None:
    waiting = [
        ("a", await add("one", project="a", outcome=EMPTY)),
        ("b", await add("two", project="b", outcome=Outcome("in_progress", (Text("half"),)))),
    ]
    await add("done", project="b")

    again = store_of(await server.restart())

    without = [(project, replace(one, sent=b"")) for project, one in waiting]
    assert await again.unfinished() == without
    await again.delete("a", "one")
    assert await again.unfinished() == without[1:]


async def test_one_can_be_begun_once_more(store: InteractionStore, add: Add) -> None:
    await add("a", media=(b"picture",), outcome=Outcome("in_progress", (Text("half"),), DONE.usage))

    again = await store.retry("p", "a")

    assert (again.attempt, again.outcome) == (2, Outcome("queued"))
    assert again.media == (kept_of(b"picture"),)
    assert replace(await store.get("p", "a"), sent=b"") == again


async def test_what_does_not_fit_is_refused_and_says_what_to_do(store: InteractionStore, add: Add) -> None:
    await add("a", sent=bytes(600))
    used = (await store.usage()).bytes

    with pytest.raises(ResourceExhausted) as raised:
        await add("b", sent=bytes(400))

    assert raised.value.message == (
        f"Resource has been exhausted (e.g. check quota). The project uses {used} of its 1000 bytes for "
        'stored interactions, and there is no room for this one: delete interactions, send "store": false, '
        "or wait until some expire."
    )
    assert raised.value.retry_after_s
    assert await is_gone(store, "b")
    assert await store.usage() == InteractionUsage(1, used)
    await add("b", sent=bytes(400), project="other")
    await store.delete("p", "a")
    await add("b", sent=bytes(400))


async def test_room_can_be_asked_for_beforehand(store: InteractionStore, add: Add) -> None:
    await store.check_room("p", MAX_BYTES)
    await add("a", sent=bytes(600))

    await store.check_room("p", 200)
    with pytest.raises(ResourceExhausted):
        await store.check_room("p", 400)


async def test_the_same_content_takes_room_once_in_a_project(store: InteractionStore, add: Add) -> None:
    picture = bytes(500)
    await add("a", media=(picture, picture))
    alone = (await store.usage()).bytes
    await add("b", "a", media=(picture,))
    both = (await store.usage()).bytes

    assert both - alone < 500 < alone
    await store.delete("p", "a")
    await add("other", media=(picture,), project="other")
    assert (await store.usage()).bytes == both + alone
    await store.delete("p", "b")
    await store.delete("other", "other")
    assert await store.usage() == InteractionUsage(0, 0)


async def test_media_without_room_are_refused_and_the_answer_is_not(
    store: InteractionStore, add: Add
) -> None:
    await add("a", outcome=EMPTY)

    with pytest.raises(ResourceExhausted):
        await store.update("p", "a", Outcome("in_progress"), (kept_of(bytes(2000)),))
    found = await store.get("p", "a")
    assert (found.media, found.outcome) == ((), EMPTY)
    long = Outcome("completed", (Text("x" * 2000),))
    assert await store.update("p", "a", long)

    assert (await store.get("p", "a")).outcome == long


async def test_room_is_counted_to_the_byte_whatever_happens(
    store: InteractionStore, storage: Storage, contents: Contents, add: Add, clock: Clock, tmp_path: Path
) -> None:
    store, chance, known = store_of(storage, 3000), random.Random(4), list[tuple[str, str]]()
    for number in range(150):
        clock.move(DAY / 60)
        project, media = chance.choice("ab"), tuple(b"x" * chance.randrange(1, 9) for _ in range(2))
        before = [name for owner, name in known if owner == project]
        with suppress(NotFound, ResourceExhausted):
            previous = chance.choice([None, *before[-9:]])
            await add(f"{number}", previous, media=media, project=project, outcome=EMPTY, into=store)
            known.append((project, f"{number}"))
            await store.update(*chance.choice(known[-20:]), DONE, (kept_of(b"xyz"),))
            await store.delete(*chance.choice(known[-20:]))
            await store.remove_expired(3)

    assert (await store.usage()).interactions > 10
    clock.move(DAY)
    while cleared := await store.remove_expired(7):
        for blob in cleared.blobs:
            await contents.drop_unused(blob.sha256)
    assert await store.usage() == InteractionUsage(0, 0)
    assert blobs(tmp_path) == set()


async def test_bytes_stay_while_a_file_or_an_interaction_names_them(
    files: FileStore, contents: Contents, store: InteractionStore, upload: Upload, add: Add, tmp_path: Path
) -> None:
    first = await upload(b"same")
    await add("a", media=(b"same",))
    await add("a", media=(b"same",), project="other")

    await files.delete("p", first.id)
    await store.delete("p", "a")
    assert bytes(await contents.map(first.sha256) or b"") == b"same"
    second = await upload(b"same")
    await store.delete("other", "a")
    assert bytes(await files.map(second)) == b"same"
    await files.delete("p", second.id)

    assert blobs(tmp_path) == set()


async def test_interactions_can_be_deleted_on_a_full_disk(
    small_disk: Callable[[], Path], fill: Callable[[Path], Path]
) -> None:
    storage = open_storage(small_disk())
    store = store_of(storage)
    await store.add("p", Interaction("a", "m", b"{}", storage.clock(), storage.clock()))
    fill(storage.folder.path)

    await store.delete("p", "a")

    assert await is_gone(store, "a")
    await storage.close()
