"""What everything that keeps records promises: one suite, over all that do."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from twinlens.domain.engine import FunctionCall, Text, Thought, Usage
from twinlens.domain.errors import AlreadyExists, FailedPrecondition, NotFound, ResourceExhausted
from twinlens.domain.interaction import Failure, Interaction, Outcome
from twinlens.domain.media import Modality
from twinlens.domain.request import BlobRef
from twinlens.store.blobs import StoredBlob
from twinlens.store.quota import Quota
from twinlens.store.records import (
    Cleared,
    FileRecord,
    InteractionUsage,
    Limits,
    Page,
    Records,
    StorageUsage,
    Upload,
)
from twinlens.store.sqlite.records import SqliteRecords

NOW = datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=UTC)
US = timedelta(microseconds=1)
DAY = timedelta(days=1)
LIMITS = Limits(1000, NOW, NOW - DAY)
DONE = Outcome("completed", (Text("Yes."),), Usage({Modality.TEXT: 3}, 1))
QUEUED = Outcome("queued")
NOBODY = "0" * 64

Open = Callable[[Path], Records]


def sqlite(folder: Path) -> Records:
    return SqliteRecords.open(folder / "twinlens.db")


@pytest.fixture(params=[sqlite])
def open_records(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[], Records]:
    """Open the same records as often as one likes."""
    open_one: Open = request.param
    return lambda: open_one(tmp_path)


@pytest.fixture
async def records(open_records: Callable[[], Records]) -> AsyncIterator[Records]:
    records = open_records()
    yield records
    await records.close()


@pytest.fixture
async def others(records: Records, open_records: Callable[[], Records]) -> AsyncIterator[Records]:
    """Another connection to the same records."""
    others = open_records()
    yield others
    await others.close()


def sha256_of(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def file_of(file_id: str, data: bytes = b"bytes", project: str = "p", **more: object) -> FileRecord:
    known = FileRecord(
        project, file_id, None, "image/png", len(data), sha256_of(data), "ACTIVE", NOW, NOW, NOW + DAY
    )
    return replace(known, **more)  # type: ignore[arg-type]


def upload_of(file: FileRecord | None = None, upload_id: str | None = None, **more: object) -> Upload:
    file = file or file_of("name")
    upload_id = upload_id or f"upload of {file.id}"
    known = Upload(upload_id, file.project, file.id, "Ä", "image/png", None, "active", 0)
    return replace(known, **more)  # type: ignore[arg-type]


def blob_of(data: bytes) -> BlobRef:
    return BlobRef(sha256_of(data), len(data), "image/png")


def turn(name: str, previous: str | None = None, *media: bytes, **more: object) -> Interaction:
    kept = tuple(blob_of(data) for data in media)
    known = Interaction(name, "gemini-3", b"{}", NOW, NOW, previous, kept, outcome=DONE)
    return replace(known, **more)  # type: ignore[arg-type]


async def add_file(records: Records, file: FileRecord, limits: Limits = LIMITS) -> FileRecord:
    await records.uploads.finish(upload_of(file), file, limits, listed=False)
    return file


async def add_turns(records: Records, *turns: Interaction, project: str = "p") -> None:
    for one in turns:
        await records.interactions.add(project, one, LIMITS)


async def is_missing(asked: Awaitable[object]) -> bool:
    try:
        await asked
    except NotFound:
        return True
    return False


def outcomes(done: list[BaseException | None]) -> list[type[BaseException] | None]:
    """Sort out who of several had it, and who was refused."""
    return sorted((type(each) if each else None for each in done), key=str)


# Files


async def test_a_file_is_found_as_it_was_written(records: Records) -> None:
    film = file_of(
        "film",
        display_name="Ä film",
        mime_type="video/mp4",
        state="FAILED",
        updated=NOW + US,
        expires=NOW + 2 * US,
        duration=timedelta(seconds=1, microseconds=1),
        error="no film",
    )

    await add_file(records, film)

    assert await records.files.get("p", "film", NOW) == film


async def test_what_returned_is_there_when_it_is_opened_again(open_records: Callable[[], Records]) -> None:
    records = open_records()
    made = await add_file(records, file_of("name"))
    await add_turns(records, turn("a", None, b"picture"))
    await records.uploads.add(upload_of(file_of("other")), LIMITS)
    await records.close()

    again = open_records()

    assert await again.files.get("p", "name", NOW) == made
    assert await again.interactions.get("p", "a", LIMITS.oldest) == turn("a", None, b"picture")
    assert await again.uploads.active() == {"upload of other"}
    assert await again.references.unreferenced([made.sha256, sha256_of(b"picture"), NOBODY]) == {NOBODY}
    await again.close()


async def test_files_of_projects_never_cross(records: Records) -> None:
    theirs = await add_file(records, file_of("name", project="theirs", state="PROCESSING"))

    assert await records.files.get("mine", "name", NOW) is None
    assert await records.files.list("mine", 9, NOW) == Page((), None)
    assert await records.files.remove("mine", "name", NOW) is None
    assert not await records.files.settle(replace(theirs, project="mine", state="ACTIVE"))
    mine = await add_file(records, file_of("name", b"mine", project="mine"))

    assert await records.files.get("theirs", "name", NOW) == theirs
    assert await records.files.get("mine", "name", NOW) == mine


async def test_a_list_goes_from_new_to_old_in_pages(records: Records) -> None:
    made = [await add_file(records, file_of(f"{number}")) for number in range(5)]
    await add_file(records, file_of("other", project="other"))

    first = await records.files.list("p", 2, NOW)
    await records.files.remove("p", "3", NOW)
    await add_file(records, file_of("later"))
    second = await records.files.list("p", 2, NOW, first.next)
    third = await records.files.list("p", 2, NOW, second.next)

    assert [list(page.files) for page in (first, second, third)] == [made[4:2:-1], made[2:0:-1], made[:1]]
    assert third.next is None
    assert (await records.files.list("p", 5, NOW)).next is None


async def test_a_file_has_expired_when_its_time_has_come(records: Records) -> None:
    made = await add_file(records, file_of("name", state="PROCESSING"))
    before, then = made.expires - US, made.expires

    assert await records.files.get("p", "name", before) == made
    assert [list(await records.files.pending(time)) for time in (before, then)] == [[made], []]
    assert [len((await records.files.list("p", 9, time)).files) for time in (before, then)] == [1, 0]
    assert [(await records.files.usage(time)).files for time in (before, then)] == [1, 0]
    assert await records.files.get("p", "name", then) is None


async def test_files_that_wait_are_listed_for_all_projects_oldest_first(records: Records) -> None:
    first = await add_file(records, file_of("z", project="b", state="PROCESSING"))
    await add_file(records, file_of("ready"))
    second = await add_file(records, file_of("a", project="a", state="PROCESSING"))

    assert list(await records.files.pending(NOW)) == [first, second]


async def test_what_became_of_a_file_is_written_once(records: Records) -> None:
    made = await add_file(records, file_of("name", state="PROCESSING"))
    settled = replace(made, state="ACTIVE", duration=US, updated=NOW + US)

    assert await records.files.settle(settled)
    assert not await records.files.settle(replace(made, state="FAILED", error="too late"))

    assert await records.files.get("p", "name", NOW) == settled


@pytest.mark.parametrize("other", [{"data": b"other"}, {"mime_type": "video/mp4"}])
async def test_what_became_of_a_file_is_not_written_of_another_one_of_its_name(
    records: Records, other: dict[str, object]
) -> None:
    old = await add_file(records, file_of("name", state="PROCESSING"))
    await records.files.remove("p", "name", NOW)
    assert not await records.files.settle(replace(old, state="ACTIVE"))
    new = await add_file(records, file_of("name", state="PROCESSING", **other))  # type: ignore[arg-type]

    assert not await records.files.settle(replace(old, state="ACTIVE"))

    assert await records.files.get("p", "name", NOW) == new


async def test_a_file_is_removed_once_and_its_reference_with_it(records: Records) -> None:
    made = await add_file(records, file_of("name"))

    assert await records.files.remove("p", "name", NOW) == made
    assert await records.files.remove("p", "name", NOW) is None

    assert await records.references.unreferenced([made.sha256]) == {made.sha256}


async def test_one_that_has_expired_is_removed_without_a_word(records: Records) -> None:
    made = await add_file(records, file_of("name"))

    assert await records.files.remove("p", "name", made.expires) is None

    assert await records.files.get("p", "name", NOW) is None
    assert await records.references.unreferenced([made.sha256]) == {made.sha256}


async def test_expired_files_are_removed_some_at_a_time_the_oldest_first(records: Records) -> None:
    made = [
        await add_file(records, file_of(f"{number}", b"%d" % number, expires=NOW + number * US))
        for number in (3, 1, 2, 4)
    ]

    first = await records.files.remove_expired(2, NOW + 3 * US)
    second = await records.files.remove_expired(2, NOW + 3 * US)

    assert {file.id for file in first} == {"1", "2"}
    assert [file.id for file in second] == ["3"]
    assert not await records.files.remove_expired(2, NOW + 3 * US)
    assert await records.references.unreferenced(file.sha256 for file in made) == {
        sha256_of(data) for data in (b"1", b"2", b"3")
    }


async def test_usage_counts_the_same_content_once(records: Records) -> None:
    await add_file(records, file_of("a", b"same"))
    await add_file(records, file_of("b", b"same", project="other"))
    await add_turns(records, turn("a", None, b"same", b"picture"))
    await records.uploads.advance(upload_of(file_of("c")), 3, LIMITS, listed=False)
    await records.uploads.add(upload_of(file_of("d")), LIMITS)
    await records.uploads.cancel("upload of d")

    assert await records.files.usage(NOW) == StorageUsage(
        files=2, bytes=8, blobs=2, blob_bytes=11, uploads=1, upload_bytes=3
    )


# Uploads


async def test_an_upload_is_found_as_it_was_begun_until_it_expires(records: Records) -> None:
    begun = upload_of(size=7)
    await records.uploads.add(begun, LIMITS)

    assert await records.uploads.get(begun.id, NOW - US) == begun
    with pytest.raises(NotFound, match="does not exist or has expired"):
        await records.uploads.get(begun.id, NOW)
    with pytest.raises(NotFound):
        await records.uploads.get("unknown", NOW - US)
    with pytest.raises(NotFound):
        await records.uploads.get_with_room("unknown", LIMITS)


async def test_a_name_that_is_taken_admits_no_upload(records: Records) -> None:
    made = await add_file(records, file_of("name"))

    for refused in (records.uploads.admit(upload_of(), LIMITS), records.uploads.add(upload_of(), LIMITS)):
        with pytest.raises(AlreadyExists, match="The File name already exists"):
            await refused
    assert not await records.uploads.active()
    await records.uploads.add(upload_of(file_of("name", project="other"), "theirs"), LIMITS)
    await records.uploads.add(upload_of(), replace(LIMITS, now=made.expires))


async def test_the_room_is_what_files_and_uploads_of_the_project_leave(records: Records) -> None:
    young = await add_file(records, file_of("a", bytes(100)))
    await add_file(records, file_of("b", bytes(100)))
    await add_file(records, file_of("c", bytes(100), project="other"))
    await records.uploads.advance(upload_of(file_of("d")), 50, LIMITS, listed=False)
    own = upload_of(file_of("e"))

    await records.uploads.advance(own, 30, LIMITS, listed=False)

    assert await records.uploads.get_with_room(own.id, LIMITS) == (
        replace(own, received=30),
        Quota(250, 1000),
    )
    later = Limits(1000, young.expires, NOW - US)
    assert (await records.uploads.get_with_room(own.id, later))[1] == Quota(50, 1000)
    assert await records.uploads.admit(upload_of(file_of("f")), replace(later, oldest=NOW)) == Quota(0, 1000)


async def test_a_declared_size_must_fit(records: Records) -> None:
    await add_file(records, file_of("a", bytes(600)))

    with pytest.raises(ResourceExhausted, match="uses 600 of its 1000 bytes for files") as raised:
        await records.uploads.add(upload_of(size=401), LIMITS)

    assert raised.value.retry_after_s
    assert not await records.uploads.active()
    await records.uploads.add(upload_of(size=400), LIMITS)


async def test_bytes_are_counted_as_far_as_there_is_room_and_never_fewer(records: Records) -> None:
    await add_file(records, file_of("a", bytes(600)))
    begun = upload_of()
    await records.uploads.add(begun, LIMITS)

    assert await records.uploads.advance(begun, 300, LIMITS) == (300, Quota(600, 1000))
    known = replace(begun, received=300)
    assert await records.uploads.advance(known, 500, LIMITS) == (400, Quota(600, 1000))
    known = replace(begun, received=400)
    assert (await records.uploads.advance(known, 500, replace(LIMITS, max_bytes=700)))[0] == 400

    assert await records.uploads.get(begun.id, LIMITS.oldest) == known


@pytest.mark.parametrize("state", ["cancelled", "final", "removed"])
async def test_an_upload_that_has_ended_takes_nothing_more(records: Records, state: str) -> None:
    begun, made = upload_of(), file_of("name")
    await records.uploads.add(begun, LIMITS)
    if state == "cancelled":
        await records.uploads.cancel(begun.id)
    elif state == "final":
        await records.uploads.finish(begun, made, LIMITS)
        await records.files.remove("p", "name", NOW)
    else:
        await records.uploads.remove([begun.id])

    with pytest.raises(NotFound):
        await records.uploads.advance(begun, 5, LIMITS)
    with pytest.raises(NotFound):
        await records.uploads.finish(begun, made, LIMITS)

    assert await records.files.get("p", "name", NOW) is None
    assert await records.references.unreferenced([made.sha256]) == {made.sha256}


async def test_finishing_makes_the_file_and_its_reference_and_ends_the_upload(records: Records) -> None:
    begun, made = upload_of(), file_of("name")
    await records.uploads.add(begun, LIMITS)

    await records.uploads.finish(begun, made, LIMITS)

    assert await records.files.get("p", "name", NOW) == made
    assert await records.references.projects_of(made.sha256) == {"p"}
    ended = await records.uploads.get(begun.id, LIMITS.oldest)
    assert ended == replace(begun, state="final", received=5, sha256=made.sha256)
    await records.uploads.cancel(begun.id)
    assert await records.uploads.get(begun.id, LIMITS.oldest) == ended


async def test_a_file_that_cannot_be_made_leaves_the_upload_as_it_was(records: Records) -> None:
    begun = upload_of()
    await records.uploads.add(begun, LIMITS)
    taken = await add_file(records, file_of("name", b"first"))

    with pytest.raises(AlreadyExists):
        await records.uploads.finish(begun, file_of("name", b"second"), LIMITS)
    with pytest.raises(ResourceExhausted):
        await records.uploads.finish(begun, file_of("other", bytes(996)), LIMITS)

    assert await records.uploads.get(begun.id, LIMITS.oldest) == begun
    assert await records.files.get("p", "name", NOW) == taken
    second = sha256_of(b"second")
    assert await records.references.unreferenced([second, taken.sha256]) == {second}


async def test_bytes_that_were_counted_have_their_room_at_the_end(records: Records) -> None:
    begun = upload_of()
    await records.uploads.advance(begun, 100, LIMITS, listed=False)
    known, less = replace(begun, received=100), replace(LIMITS, max_bytes=50)

    with pytest.raises(ResourceExhausted):
        await records.uploads.finish(known, file_of("name", bytes(101)), less)
    await records.uploads.finish(known, file_of("name", bytes(100)), less)

    assert (await records.files.usage(NOW)).bytes == 100


async def test_a_file_that_has_expired_makes_way_with_its_reference(records: Records) -> None:
    old = await add_file(records, file_of("name", b"old"))
    later = replace(LIMITS, now=old.expires)
    new = file_of("name", b"new", expires=old.expires + DAY)

    await add_file(records, new, later)

    assert await records.files.get("p", "name", later.now) == new
    assert await records.references.unreferenced([old.sha256, new.sha256]) == {old.sha256}


async def test_a_cancelled_upload_has_no_bytes_and_takes_no_room(records: Records) -> None:
    begun = upload_of()
    await records.uploads.advance(begun, 100, LIMITS, listed=False)

    for upload_id in (begun.id, begun.id, "unknown"):
        await records.uploads.cancel(upload_id)

    assert await records.uploads.get(begun.id, LIMITS.oldest) == replace(begun, state="cancelled")
    assert (await records.uploads.admit(upload_of(file_of("other")), LIMITS)).used == 0


async def test_expired_uploads_are_listed_oldest_first_whatever_their_state(records: Records) -> None:
    for number in (2, 0, 1, 3):
        begun = upload_of(file_of(f"{number}"), f"{number}")
        await records.uploads.add(begun, replace(LIMITS, now=NOW + number * US))
    await records.uploads.cancel("0")
    await records.uploads.finish(upload_of(file_of("1"), "1"), file_of("1"), LIMITS)

    found = await records.uploads.expired(9, NOW + 2 * US)

    assert [(upload.id, upload.state) for upload in found] == [
        ("0", "cancelled"),
        ("1", "final"),
        ("2", "active"),
    ]
    assert [upload.id for upload in await records.uploads.expired(2, NOW + 2 * US)] == ["0", "1"]
    assert await records.uploads.active() == {"2", "3"}
    await records.uploads.remove(["0", "2", "2", "unknown"])
    assert [upload.id for upload in await records.uploads.expired(9, NOW + 2 * US)] == ["1"]


# References


async def test_a_content_is_referenced_until_its_last_record_goes(records: Records) -> None:
    made = await add_file(records, file_of("name", b"same"))
    await add_turns(records, turn("a", None, b"same", b"same"))
    await add_turns(records, turn("a", None, b"same"), project="other")

    assert await records.references.projects_of(made.sha256) == {"p", "other"}
    await records.files.remove("p", "name", NOW)
    assert await records.references.projects_of(made.sha256) == {"p", "other"}
    await records.interactions.delete("p", "a", 9, LIMITS.oldest)
    assert await records.references.projects_of(made.sha256) == {"other"}
    await records.interactions.delete("other", "a", 9, LIMITS.oldest)

    assert await records.references.projects_of(made.sha256) == frozenset()
    assert await records.references.unreferenced([made.sha256]) == {made.sha256}


async def test_nothing_is_unreferenced_where_nothing_is_asked(records: Records) -> None:
    assert await records.references.unreferenced([]) == set()


# Interactions


async def test_an_interaction_is_found_as_it_was_written(records: Records) -> None:
    await add_turns(records, turn("first"))
    made = turn(
        "second",
        "first",
        sent=b'{"input": "\xc3\xa9"}',
        updated=NOW + US,
        media=(None, blob_of(b"picture"), None),
        background=True,
        attempt=2,
        outcome=Outcome(
            "failed",
            (Thought("hm"), Text("half a pair \ud83d"), FunctionCall("look", {"at": [1, {"x": None}]}, "c")),
            Usage({Modality.IMAGE: 1120}, 1, 2, 3),
            Failure("INTERNAL", "Sorry."),
        ),
    )

    await add_turns(records, made)

    assert await records.interactions.get("p", "second", LIMITS.oldest) == made


@pytest.mark.parametrize("name", ["unknown", "x" * 5000, "half a pair \ud83d", "\0", ""])
async def test_any_text_can_be_asked_for(records: Records, name: str) -> None:
    with pytest.raises(NotFound, match="was not found"):
        await records.interactions.get("p", name, LIMITS.oldest)
    with pytest.raises(NotFound):
        await records.interactions.delete("p", name, 9, LIMITS.oldest)

    assert not await records.interactions.update("p", name, DONE, (blob_of(b"picture"),), LIMITS)


async def test_interactions_of_projects_never_cross(records: Records) -> None:
    store, oldest = records.interactions, LIMITS.oldest
    await add_turns(records, turn("name", outcome=QUEUED), project="theirs")

    for refused in (
        store.get("mine", "name", oldest),
        store.history("mine", "name", oldest),
        store.retry("mine", "name", LIMITS),
        store.delete("mine", "name", 9, oldest),
        store.add("mine", turn("next", "name"), LIMITS),
    ):
        with pytest.raises(NotFound):
            await refused
    assert not await store.update("mine", "name", DONE, None, LIMITS)
    assert await store.used("mine") == 0
    await add_turns(records, turn("name"), project="mine")

    assert (await store.get("theirs", "name", oldest)).outcome == QUEUED


async def test_a_history_goes_from_the_first_turn_to_the_one_named(records: Records) -> None:
    turns = [turn("a", None, b"of a"), turn("b", "a"), turn("c", "b", b"of c", b"of a"), turn("d", "c")]
    await add_turns(records, *turns, turn("aside", "a"))

    assert list(await records.interactions.history("p", "c", LIMITS.oldest)) == turns[:3]


async def test_what_was_deleted_stays_a_part_of_what_was_built_on_it(records: Records) -> None:
    store, oldest = records.interactions, LIMITS.oldest
    await add_turns(
        records, turn("a", None, b"of a"), turn("b", "a", b"of b"), turn("c", "b"), turn("d", "a")
    )

    assert await store.delete("p", "a", 9, oldest) == Cleared(0)
    assert await store.delete("p", "b", 9, oldest) == Cleared(0)
    assert [turn.id for turn in await store.history("p", "c", oldest)] == ["a", "b", "c"]
    assert await is_missing(store.get("p", "b", oldest))
    assert await is_missing(store.history("p", "b", oldest))
    assert await is_missing(store.delete("p", "b", 9, oldest))
    assert await is_missing(store.add("p", turn("e", "b"), LIMITS))
    assert await records.references.unreferenced([sha256_of(b"of a"), sha256_of(b"of b")]) == set()

    assert await store.delete("p", "c", 9, oldest) == Cleared(2, {StoredBlob(sha256_of(b"of b"), 4)})
    assert await store.delete("p", "d", 9, oldest) == Cleared(2, {StoredBlob(sha256_of(b"of a"), 4)})
    assert (await store.usage(oldest), await store.used("p")) == (InteractionUsage(0, 0), 0)


async def test_what_is_dead_goes_some_at_a_time(records: Records) -> None:
    store = records.interactions
    turns = [turn(f"{number}", f"{number - 1}" if number else None) for number in range(5)]
    await add_turns(records, *turns)
    for one in turns[:-1]:
        await store.delete("p", one.id, 2, LIMITS.oldest)

    cleared = [(await store.delete("p", "4", 2, LIMITS.oldest)).removed]
    cleared += [(await store.remove_dead(2)).removed for _ in range(3)]

    assert cleared == [2, 2, 1, 0]


async def test_one_has_expired_when_its_time_has_come_but_for_what_was_built_on_it(records: Records) -> None:
    store, later = records.interactions, replace(LIMITS, oldest=NOW)
    await add_turns(
        records, turn("old", None, b"of old", outcome=QUEUED), turn("young", "old", created=NOW + US)
    )
    assert (await store.get("p", "old", NOW - US)).id == "old"

    assert await is_missing(store.get("p", "old", NOW))
    assert await is_missing(store.retry("p", "old", later))
    assert await is_missing(store.add("p", turn("next", "old"), later))
    assert not await store.update("p", "old", DONE, None, later)
    assert await store.unfinished(NOW) == []
    assert [turn.id for turn in await store.history("p", "young", NOW)] == ["old", "young"]
    assert (await store.usage(NOW)).interactions == 1


async def test_expired_ones_are_removed_until_there_are_no_more(records: Records) -> None:
    store = records.interactions
    await add_turns(records, *(turn(f"{number}", created=NOW + number * US) for number in range(5)))
    await add_turns(records, turn("young", "0", created=NOW + 9 * US))

    removed = 0
    while cleared := await store.remove_expired(2, NOW + 3 * US):
        removed += cleared.removed

    assert removed == 3
    assert [turn.id for turn in await store.history("p", "young", NOW + 3 * US)] == ["0", "young"]
    assert (await store.get("p", "4", NOW + 3 * US)).id == "4"
    assert await store.remove_expired(2, NOW + 3 * US) is None


async def test_an_unfinished_one_is_changed_until_it_is_finished(records: Records) -> None:
    store, oldest = records.interactions, LIMITS.oldest
    await add_turns(records, turn("a", outcome=QUEUED, media=(None, None)))
    first, both = (None, blob_of(b"second")), (blob_of(b"first"), blob_of(b"second"))

    assert await store.update("p", "a", Outcome("in_progress"), first, LIMITS)
    assert (await store.get("p", "a", oldest)).media == first
    assert await store.update("p", "a", Outcome("in_progress"), both, LIMITS)
    assert await store.update("p", "a", DONE, None, replace(LIMITS, now=NOW + US))
    assert not await store.update("p", "a", Outcome("cancelled"), (), LIMITS)
    with pytest.raises(FailedPrecondition, match="Interaction a is finished"):
        await store.retry("p", "a", LIMITS)

    assert await store.get("p", "a", oldest) == turn("a", media=both, updated=NOW + US)
    assert await records.references.unreferenced(media.sha256 for media in both) == set()


async def test_the_references_of_media_are_those_that_were_written_last(records: Records) -> None:
    await add_turns(records, turn("a", None, b"before", outcome=QUEUED))
    used = await records.interactions.used("p")

    await records.interactions.update("p", "a", QUEUED, (blob_of(b"later"),), LIMITS)

    names = [sha256_of(data) for data in (b"before", b"later")]
    assert await records.references.unreferenced(names) == {names[0]}
    assert await records.interactions.used("p") == used - 1


async def test_one_that_is_tried_again_is_queued_and_empty(records: Records) -> None:
    begun = turn("a", None, b"picture", outcome=Outcome("in_progress", (Text("half"),), DONE.usage))
    await add_turns(records, begun)

    again = await records.interactions.retry("p", "a", replace(LIMITS, now=NOW + US))

    expected = replace(begun, outcome=QUEUED, attempt=2, updated=NOW + US)
    assert again == replace(expected, sent=b"")
    assert await records.interactions.get("p", "a", LIMITS.oldest) == expected


async def test_unfinished_ones_of_all_projects_are_listed_oldest_first(records: Records) -> None:
    first, second = turn("z", None, b"picture", outcome=QUEUED), turn("a", outcome=Outcome("in_progress"))
    await add_turns(records, first, project="b")
    await add_turns(records, turn("done"), project="b")
    await add_turns(records, second, turn("deleted", outcome=QUEUED), project="a")
    await records.interactions.delete("a", "deleted", 9, LIMITS.oldest)

    found = await records.interactions.unfinished(LIMITS.oldest)

    assert list(found) == [("b", replace(first, sent=b"")), ("a", replace(second, sent=b""))]


async def test_what_does_not_fit_is_refused_and_nothing_of_it_is_written(records: Records) -> None:
    store = records.interactions
    await add_turns(records, turn("a", sent=bytes(600)))
    used = await store.used("p")

    with pytest.raises(ResourceExhausted, match=f"uses {used} of its 1000 bytes for stored interactions"):
        await store.add("p", turn("b", None, bytes(400)), LIMITS)

    assert await is_missing(store.get("p", "b", LIMITS.oldest))
    assert await records.references.unreferenced([sha256_of(bytes(400))]) == {sha256_of(bytes(400))}
    assert await store.used("p") == used
    await add_turns(records, turn("b", None, bytes(400)), project="other")


async def test_media_that_do_not_fit_are_refused_and_an_outcome_is_not(records: Records) -> None:
    store, small = records.interactions, turn("a", None, b"picture", outcome=QUEUED)
    await add_turns(records, small)

    with pytest.raises(ResourceExhausted):
        await store.update("p", "a", DONE, (blob_of(bytes(2000)),), LIMITS)
    assert await store.get("p", "a", LIMITS.oldest) == small
    assert await records.references.unreferenced([sha256_of(b"picture")]) == set()
    long = Outcome("completed", (Text("x" * 2000),))

    assert await store.update("p", "a", long, None, LIMITS)
    assert await store.used("p") > LIMITS.max_bytes


async def test_a_content_takes_room_once_in_a_project(records: Records) -> None:
    store = records.interactions
    await add_turns(records, turn("a", None, bytes(100), bytes(100)))
    alone = await store.used("p")

    await add_turns(records, turn("b", None, bytes(100)))
    await add_turns(records, turn("b", None, bytes(100)), project="other")

    bare = await store.used("p") - alone
    assert (alone, await store.used("other")) == (100 + bare, 100 + bare)
    await store.delete("p", "a", 9, LIMITS.oldest)
    assert await store.used("p") == 100 + bare
    await store.delete("p", "b", 9, LIMITS.oldest)
    assert await store.used("p") == 0
    assert await store.usage(LIMITS.oldest) == InteractionUsage(1, 100 + bare)


# Several at once


async def test_what_one_connection_has_written_another_one_reads(records: Records, others: Records) -> None:
    made = await add_file(records, file_of("name"))

    assert await others.files.get("p", "name", NOW) == made
    await others.files.remove("p", "name", NOW)
    assert await records.files.get("p", "name", NOW) is None


async def test_of_two_files_for_one_name_one_is_made(records: Records, others: Records) -> None:
    for number in range(20):
        both = [file_of(f"{number}", data) for data in (b"1", b"2")]

        done = await asyncio.gather(
            *(
                one.uploads.finish(upload_of(file), file, LIMITS, listed=False)
                for one, file in zip((records, others), both, strict=True)
            ),
            return_exceptions=True,
        )

        assert outcomes(done) == [AlreadyExists, None]
        assert await records.files.remove("p", f"{number}", NOW) in both


async def test_two_do_not_get_the_same_room(records: Records, others: Records) -> None:
    for number in range(20):
        project = f"{number}"
        uploads = [upload_of(file_of(name, project=project), f"{name} {number}") for name in "ab"]
        counted = await asyncio.gather(
            *(
                one.uploads.advance(upload, 600, LIMITS, listed=False)
                for one, upload in zip((records, others), uploads, strict=True)
            )
        )
        stored = await asyncio.gather(
            *(
                one.interactions.add(project, turn(name, sent=bytes(700)), LIMITS)
                for one, name in ((records, "a"), (others, "b"))
            ),
            return_exceptions=True,
        )

        assert sorted(safe for safe, _ in counted) == [400, 600]
        assert outcomes(stored) == [ResourceExhausted, None]


async def test_one_is_finished_once_whoever_else_does_so_too(records: Records, others: Records) -> None:
    for number in range(20):
        name = f"{number}"
        await add_turns(records, turn(name, outcome=QUEUED), project=name)

        done = await asyncio.gather(
            *(one.interactions.update(name, name, DONE, None, LIMITS) for one in (records, others, records))
        )

        assert sorted(done) == [False, False, True]


async def test_many_calls_at_once_are_all_done(records: Records, others: Records) -> None:
    files = [file_of(f"{number}", b"%d" % number) for number in range(30)]

    await asyncio.gather(
        *(add_file(one, file) for one, file in zip([records, others] * 15, files, strict=True))
    )

    assert {file.id for file in (await records.files.list("p", 99, NOW)).files} == {file.id for file in files}
    assert await records.references.unreferenced(file.sha256 for file in files) == set()


async def test_who_is_cancelled_has_written_all_of_it_or_nothing(records: Records) -> None:
    for steps in range(10):
        file = file_of(f"{steps}", b"%d" % steps)
        begun = upload_of(file)
        await records.uploads.add(begun, LIMITS)
        task = asyncio.create_task(records.uploads.finish(begun, file, LIMITS))
        for _ in range(steps):
            await asyncio.sleep(0)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

        found = await records.files.get("p", file.id, NOW)
        state = (await records.uploads.get(begun.id, LIMITS.oldest)).state
        unreferenced = await records.references.unreferenced([file.sha256])
        assert (found, state, unreferenced) in (
            (file, "final", set()),
            (None, "active", {file.sha256}),
        )


async def test_closing_lets_what_is_under_way_end(open_records: Callable[[], Records]) -> None:
    records = open_records()
    made = file_of("name")
    task = asyncio.create_task(add_file(records, made))
    for _ in range(10):
        await asyncio.sleep(0)
    await records.close()
    await task

    again = open_records()
    assert await again.files.get("p", "name", NOW) == made
    await again.close()


async def test_one_connection_is_closed_and_the_other_goes_on(
    records: Records, open_records: Callable[[], Records]
) -> None:
    others = open_records()
    made = await add_file(others, file_of("name"))

    await others.close()

    assert await records.files.remove("p", "name", NOW) == made
