from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import pytest

from twinlens.domain.errors import InvalidArgument
from twinlens.fetch.fetcher import FetchRefused
from twinlens.fetch.youtube import LookUp, YouTube, choose, is_youtube, video_id
from websites import Server, Watched, always, http, redirect, serving

FIELD = "contents[0].parts[0].file_data.file_uri"
CANNOT = "Cannot fetch content from the provided URL. "
ID = "jNQXAC9IVRw"
WATCH = f"https://www.youtube.com/watch?v={ID}"

PICTURE = {"ext": "mp4", "vcodec": "avc1.4d401f", "acodec": "none", "height": 1080, "filesize": 9_000_000}
SOUND = {"ext": "m4a", "vcodec": "none", "acodec": "mp4a.40.2", "filesize": 300_000}
STORYBOARD = {"ext": "mhtml", "protocol": "mhtml", "vcodec": "none", "acodec": "none", "height": 27}
WHOLE = {"ext": "mp4", "vcodec": "avc1.42001E", "acodec": "mp4a.40.2", "height": 360, "filesize": 800_000}


def offered(*formats: Mapping[str, object], **fields: object) -> dict[str, object]:
    """Write what yt-dlp finds, in its form; the formats' addresses tell their places in the list."""
    return {
        "id": ID,
        "availability": "public",
        "live_status": "not_live",
        "age_limit": 0,
        "formats": [
            {"url": f"https://r{place}.googlevideo.com/videoplayback"} | dict(entry)
            for place, entry in enumerate(formats)
        ],
        "said": [],
        **fields,
    }


def found(answer: Mapping[str, object]) -> LookUp:
    async def look_up(video: str) -> Mapping[str, object]:
        assert video == ID
        return answer

    return look_up


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    async with serving() as server:
        yield server


@asynccontextmanager
async def fetching(
    look_up: LookUp, *allow: str, enabled: bool = True, max_bytes: int = 1_000_000, timeout_s: float = 10.0
) -> AsyncIterator[YouTube]:
    youtube = YouTube(
        enabled,
        allow,
        max_bytes,
        timeout_s,
        look_up=look_up,
        resolver=always("127.0.0.1"),
        transport=Watched(),
    )
    try:
        yield youtube
    finally:
        await youtube.close()


async def refusal(youtube: YouTube, url: str = WATCH, **limits: int) -> str:
    with pytest.raises(InvalidArgument) as caught:
        await youtube.fetch(url, FIELD, **limits)
    assert [violation.field for violation in caught.value.violations] == [FIELD]
    assert caught.value.message.startswith(CANNOT)
    return caught.value.message.removeprefix(CANNOT)


# --- addresses


@pytest.mark.parametrize(
    "url",
    [
        WATCH,
        f"http://www.youtube.com/watch?v={ID}",
        f"HTTPS://WWW.YouTube.com/watch?v={ID}",
        f"https://youtube.com/watch?v={ID}",
        f"https://m.youtube.com/watch?v={ID}&t=90s",
        f"https://music.youtube.com/watch?v={ID}&list=RDAMVM",
        f"https://www.youtube.com/watch?app=desktop&v={ID}&list=PLx&index=2#t=30",
        f"https://www.youtube.com/watch/?v={ID}",
        f"https://www.youtube.com/shorts/{ID}",
        f"https://youtube.com/shorts/{ID}?feature=share",
        f"https://www.youtube.com/live/{ID}?si=abc",
        f"https://www.youtube.com/embed/{ID}?start=5",
        f"https://www.youtube-nocookie.com/embed/{ID}",
        f"https://www.youtube.com/v/{ID}",
        f"https://youtu.be/{ID}",
        f"https://youtu.be/{ID}/",
        f"https://youtu.be/{ID}?si=abc&t=90",
        f"https://www.youtube.com./watch?v={ID}",
    ],
)
def test_the_addresses_of_a_video_name_it(url: str) -> None:
    assert video_id(url) == ID
    assert is_youtube(url)


@pytest.mark.parametrize(
    "url",
    [
        "https://www.youtube.com/",
        "https://www.youtube.com/watch",
        "https://www.youtube.com/watch?v=short",
        f"https://www.youtube.com/watch?v={ID}x",
        "https://www.youtube.com/watch?v=../../a/b/c",
        "https://www.youtube.com/playlist?list=PL590L5WQmH8fJ54F369BLDSqIwcs-TCfs",
        "https://www.youtube.com/embed/videoseries?list=PL590L5WQmH8f",
        "https://www.youtube.com/embed/live_stream?channel=UC",
        "https://www.youtube.com/channel/UC4QobU6STFB0P71PMvOGN5A",
        "https://www.youtube.com/@jawed/videos",
        f"https://www.youtube.com/clip/{ID}",
        f"https://www.youtube.com/shorts/{ID}/more",
        f"https://www.youtube.com/redirect?q=https://youtu.be/{ID}",
        "https://youtu.be/",
    ],
)
async def test_other_pages_of_youtube_are_refused(url: str) -> None:
    assert video_id(url) is None
    assert is_youtube(url)

    async with fetching(found({})) as youtube:
        assert (await refusal(youtube, url)).startswith("It is no video: give the address of a single one")


@pytest.mark.parametrize(
    "url",
    [
        f"https://www.youtube.com.elsewhere.test/watch?v={ID}",
        f"https://notyoutube.com/watch?v={ID}",
        f"https://elsewhere.test/?u=https://youtu.be/{ID}",
        f"https://youtu.be@elsewhere.test/{ID}",
        "https://i.ytimg.com/vi/jNQXAC9IVRw/hqdefault.jpg",
        f"ftp://youtu.be/{ID}",
        f"www.youtube.com/watch?v={ID}",
        ID,
        "https://xn--/",
        "https://[::1",
        "",
    ],
)
def test_other_addresses_are_not_youtubes(url: str) -> None:
    assert video_id(url) is None
    assert not is_youtube(url)


# --- which file


@pytest.mark.parametrize(
    ("formats", "place"),
    [
        ([STORYBOARD, SOUND, WHOLE, PICTURE], 2),
        ([WHOLE, WHOLE | {"height": 720}, WHOLE | {"height": 1080}], 1),
        ([WHOLE | {"height": 1440}, WHOLE | {"height": 1080}], 1),
        ([WHOLE | {"ext": "webm"}, WHOLE], 1),
        ([WHOLE | {"ext": "webm", "height": 480}, WHOLE], 0),
        ([WHOLE | {"height": 720, "preference": -10}, WHOLE], 1),
        ([WHOLE | {"height": 720, "language_preference": -1}, WHOLE | {"language_preference": 10}], 1),
        ([WHOLE | {"height": 720, "filesize": 2_000_000}, WHOLE], 1),
        ([WHOLE | {"height": 720, "filesize": None}, WHOLE], 0),
        ([WHOLE | {"height": 720, "has_drm": True}, WHOLE], 1),
        ([WHOLE | {"height": 720, "protocol": "m3u8_native"}, WHOLE], 1),
        ([WHOLE | {"height": 720, "ext": "3gp"}, WHOLE], 1),
        ([WHOLE | {"height": 720, "url": None}, WHOLE], 1),
        ([STORYBOARD, PICTURE | {"filesize": 900_000}], 1),
        ([WHOLE | {"height": "tall", "filesize": float("nan"), "available_at": float("inf")}], 0),
    ],
)
def test_the_best_whole_file_of_up_to_720_lines_is_chosen(formats: list[dict[str, Any]], place: int) -> None:
    assert choose(offered(*formats), 1_000_000).url.startswith(f"https://r{place}.")


def test_sound_is_never_left_out() -> None:
    with pytest.raises(FetchRefused, match="picture and its sound only apart"):
        choose(offered(PICTURE, SOUND), 10_000_000)


def test_a_video_that_is_too_large_in_every_form_is_refused() -> None:
    with pytest.raises(FetchRefused, match="It is larger than 1000 bytes"):
        choose(offered(WHOLE, WHOLE | {"height": 720}), 1000)


# --- who may see it


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"live_status": "is_live"}, "is live"),
        ({"live_status": "is_upcoming"}, "has not begun"),
        ({"live_status": "post_live"}, "has not finished its recording"),
        ({"availability": "private"}, "is private"),
        ({"availability": "subscriber_only"}, "members only"),
        ({"availability": "premium_only"}, "paid for"),
        ({"availability": "needs_auth"}, "age-restricted"),
        ({"availability": "unlisted"}, "unlisted"),
        ({"age_limit": 18}, "age-restricted"),
        ({"id": "trailer0001"}, "paid for"),
    ],
)
async def test_what_is_not_for_everyone_is_refused(fields: dict[str, object], words: str) -> None:
    async with fetching(found(offered(WHOLE, **fields))) as youtube:
        assert words in await refusal(youtube)


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ("Private video. Sign in if you've been granted access to this video", "is private"),
        ("Join this channel to get access to members-only content like this video", "members only"),
        ("This video is available to this channel's members on level: Fan", "members only"),
        ("Sign in to confirm your age. This video may be inappropriate for some users.", "age-restricted"),
        ("Sign in to confirm you’re not a bot. Use --cookies-from-browser", "wants this server to sign in"),
        ("This video is only available to Music Premium members", "paid for"),
        ("This video requires payment to watch", "paid for"),
        ("Premieres in 3 hours", "has not begun"),
        ("This live event will begin in 2 days.", "has not begun"),
        ("This live stream recording is not available.", "no recording"),
        ("Video unavailable. This video is no longer available because the account closed", "no such video"),
        ("This video has been removed by the uploader", "no such video"),
        ("The uploader has not made this video available in your country", "where this server is"),
        ("This video is DRM protected", "copy-protected"),
        ("Unable to download API page: HTTP Error 503: Service Unavailable", "cannot be reached"),
        ("Unable to download webpage: HTTP Error 429: Too Many Requests", "refuses more requests"),
        ("Something nobody has heard of", "cannot be read"),
    ],
)
async def test_what_youtube_says_is_told_in_our_words(said: str, words: str) -> None:
    async with fetching(found(offered(said=[f"ERROR: [youtube] {ID}: {said}"]))) as youtube:
        message = await refusal(youtube)

    assert words in message
    assert "ERROR" not in message
    assert "--" not in message


async def test_the_last_that_was_said_counts() -> None:
    said = ["This video has been removed", "Unable to download webpage: timed out"]

    async with fetching(found(offered(said=said))) as youtube:
        assert "no such video" in await refusal(youtube)


@pytest.mark.parametrize("answer", [{}, {"formats": 7, "said": "no"}, {"formats": [None, 1, {}]}])
async def test_an_answer_that_says_nothing_is_refused(answer: dict[str, object]) -> None:
    async with fetching(found(answer)) as youtube:
        assert "cannot be read" in await refusal(youtube)


# --- its bytes


async def test_a_video_is_fetched_and_called_what_it_is(server: Server) -> None:
    server.answers["/film"] = http(b"film", content_type="application/octet-stream")
    answer = offered(WHOLE | {"url": server.url("/film"), "ext": "webm"})

    async with fetching(found(answer), server.host) as youtube:
        fetched = await youtube.fetch(f"https://youtu.be/{ID}", FIELD)

    assert (bytes(fetched.data), fetched.mime_type) == (b"film", "video/webm")
    assert "Accept: video/webm, " in server.seen[0]


async def test_an_address_that_works_later_is_waited_for(server: Server) -> None:
    server.answers["/film"] = http(b"film")
    available_at = time.time() + 0.2
    answer = offered(WHOLE | {"url": server.url("/film"), "available_at": available_at})

    async with fetching(found(answer), server.host) as youtube:
        await youtube.fetch(WATCH, FIELD)

    assert time.time() >= available_at


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("https://elsewhere.test/film", "a host of somebody else"),
        ("https://googlevideo.com.elsewhere.test/film", "a host of somebody else"),
        ("https://r1.googlevideo.com/film", "no public address"),
        ("http://r1.googlevideo.com/film", "Only https"),
        ("https://127.0.0.1/film", "a host of somebody else"),
    ],
)
async def test_the_film_comes_from_the_public_hosts_for_films(url: str, words: str) -> None:
    async with fetching(found(offered(WHOLE | {"url": url}))) as youtube:
        assert words in await refusal(youtube)


async def test_the_film_redirects_to_the_hosts_for_films_only(server: Server) -> None:
    server.answers["/film"] = redirect("https://elsewhere.test/")

    async with fetching(found(offered(WHOLE | {"url": server.url("/film")})), server.host) as youtube:
        assert "a host of somebody else" in await refusal(youtube)


async def test_a_page_in_place_of_the_film_is_refused(server: Server) -> None:
    server.answers["/film"] = http(b"<p>", content_type="text/html")

    async with fetching(found(offered(WHOLE | {"url": server.url("/film")})), server.host) as youtube:
        assert "Its content type is text/html" in await refusal(youtube)


async def test_the_limit_can_be_lowered_for_one_video(server: Server) -> None:
    server.answers["/film"] = http(b"film")
    answer = offered(WHOLE | {"url": server.url("/film"), "filesize": None})

    async with fetching(found(answer), server.host) as youtube:
        assert await refusal(youtube, max_bytes=3) == "It is larger than 3 bytes."


async def test_turned_off_it_says_what_turns_it_on() -> None:
    async with fetching(found(offered(WHOLE)), enabled=False) as youtube:
        assert "TWINLENS_FETCH" in await refusal(youtube)


async def test_a_look_up_that_hangs_is_given_up() -> None:
    async def hang(video: str) -> Mapping[str, object]:
        await asyncio.Event().wait()
        return {}

    async with fetching(hang, timeout_s=0.05) as youtube:
        assert await refusal(youtube) == "It took longer than 0.05 s."
