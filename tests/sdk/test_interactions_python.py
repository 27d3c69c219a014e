"""Interactions with Google's Python client: the numbers in the names are those of the contract's rows."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from google import genai
from google.genai._interactions import BadRequestError, NotFoundError

import clips

G3 = "gemini-3-flash-preview"
UNFINISHED = {"queued", "in_progress"}
SLOWLY = "First. 2. 3. 4. 5. 6. Last."
PIRATE = "You are a pirate."
WEATHER = {
    "type": "function",
    "name": "get_weather",
    "description": "Look out of the window.",
    "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
}


def ask(client: genai.Client, said: Any, **body: Any) -> Any:
    """Create an interaction; the body's other fields are given by name."""
    return client.interactions.create(model=G3, input=said, **body)


def text_of(interaction: Any) -> str:
    """Read the answer as the documents do."""
    text: str = interaction.steps[-1].content[0].text
    return text


def text_in(events: list[Any]) -> str:
    """Join the pieces of a streamed answer."""
    deltas = [event.delta for event in events if event.event_type == "step.delta"]
    return "".join(delta.text for delta in deltas if delta.type == "text")


def tokens(interaction: Any) -> dict[str, int]:
    """Give the input's tokens by modality."""
    return {entry.modality: entry.tokens for entry in interaction.usage.input_tokens_by_modality}


def finished(client: genai.Client, name: str) -> Any:
    """Poll an interaction until it has ended."""
    for _ in range(400):
        found = client.interactions.get(name)
        if found.status not in UNFINISHED:
            return found
        time.sleep(0.05)
    raise AssertionError(f"{name} does not end")


def image(path: Path, **more: str) -> dict[str, str]:
    """Read a picture as content of an input."""
    mime_type = "image/png" if path.suffix == ".png" else "image/jpeg"
    data = base64.b64encode(path.read_bytes()).decode()
    return {"type": "image", "data": data, "mime_type": mime_type} | more


def text(said: str) -> dict[str, str]:
    return {"type": "text", "text": said}


@pytest.fixture
def photo(pictures: Path) -> dict[str, str]:
    return image(pictures / "photo.jpg")


@pytest.fixture
def note(pictures: Path) -> dict[str, str]:
    return image(pictures / "note.png")


@pytest.fixture
def endless(scripted: genai.Client) -> Iterator[Any]:
    """Begin an interaction in the background that never ends by itself."""
    begun = ask(scripted, "for ever", background=True)
    yield begun
    if scripted.interactions.get(begun.id).status in UNFINISHED:
        scripted.interactions.cancel(begun.id)


class TestAnswers:
    def test_j2_an_answer_is_the_last_step(self, client: genai.Client, photo: dict[str, str]) -> None:
        answer: Any = ask(client, [text("Caption this image."), photo])

        assert (answer.object, answer.status, answer.model) == ("interaction", "completed", G3)
        assert [step.type for step in answer.steps] == ["model_output"]
        assert answer.steps[-1].content[0].type == "text"
        assert answer.output_text == text_of(answer)
        assert answer.created <= answer.updated

    @pytest.mark.parametrize("revision", ["2026-05-07", "2026-05-20", "garbage"])
    def test_j3_every_revision_gets_steps(self, revision: str, scripted: genai.Client) -> None:
        answer = ask(scripted, "Hello", extra_headers={"Api-Revision": revision})

        assert text_of(answer) == "You asked “Hello” about 0 pictures."

    @pytest.mark.parametrize(
        "said",
        [
            pytest.param("Hello", id="text"),
            pytest.param(text("Hello"), id="content"),
            pytest.param([text("Hello")], id="contents"),
            pytest.param([{"type": "user_input", "content": [text("Hello")]}], id="step"),
            pytest.param(
                [
                    {"type": "user_input", "content": [text("Good day")]},
                    {"type": "model_output", "content": [text("Good day to you")]},
                    {"type": "user_input", "content": [text("Hello")]},
                ],
                id="steps",
            ),
        ],
    )
    def test_j4_every_form_of_input_is_read(self, said: Any, scripted: genai.Client) -> None:
        assert text_of(ask(scripted, said)) == "You asked “Hello” about 0 pictures."

    def test_j4_turns_of_old_are_read(self, scripted: genai.Client) -> None:
        """This client knows them no more, and would send nothing."""
        turns = [
            {"role": "user", "content": "Good day"},
            {"role": "model", "content": [text("Good day to you")]},
            {"role": "user", "content": "Hello"},
        ]

        answer = ask(scripted, "", extra_body={"input": turns})

        assert text_of(answer) == "You asked “Hello” about 0 pictures."

    def test_j5_a_picture_costs_the_same_by_every_way(
        self, scripted: genai.Client, pictures: Path, photo: dict[str, str], web: str
    ) -> None:
        uploaded = scripted.files.upload(file=pictures / "photo.jpg")
        by_uri = {"type": "image", "uri": uploaded.uri, "mime_type": "image/jpeg"}
        untold = {"type": "image", "uri": uploaded.uri}
        by_address = by_uri | {"uri": f"http://{web}/photo.jpg"}

        answers = [ask(scripted, [text("Hello"), one]) for one in (photo, by_uri, untold, by_address)]

        assert {text_of(answer) for answer in answers} == {"You asked “Hello” about 1 pictures."}
        assert [tokens(answer) for answer in answers] == [tokens(answers[0])] * 4

    @pytest.mark.parametrize(("resolution", "cost"), [("low", 280), ("high", 1120)])
    def test_j6_the_resolution_is_billed(
        self, resolution: str, cost: int, scripted: genai.Client, pictures: Path
    ) -> None:
        answer = ask(scripted, [image(pictures / "photo.jpg", resolution=resolution), text("Hello")])

        assert tokens(answer)["image"] == cost

    @pytest.mark.parametrize("in_a_list", [False, True])
    def test_j8_json_has_the_form_asked_for(
        self, in_a_list: bool, client: genai.Client, note: dict[str, str]
    ) -> None:
        words = {"type": "array", "items": {"type": "string"}}
        schema = {"type": "object", "properties": {"words": words}, "required": ["words"]}
        asked_for = {"type": "text", "mime_type": "application/json", "schema": schema}

        answer = ask(
            client,
            [note, text("List the words.")],
            response_format=[asked_for] if in_a_list else asked_for,
        )

        assert all(isinstance(word, str) for word in json.loads(text_of(answer))["words"])

    def test_j9_thinking_can_be_minimal(self, client: genai.Client) -> None:
        answer = ask(client, "What can you do?", generation_config={"thinking_level": "minimal"})

        assert answer.status == "completed"
        assert not answer.usage.total_thought_tokens

    def test_thoughts_are_a_step_before_the_answer(self, scripted: genai.Client) -> None:
        answer: Any = ask(scripted, "think first", generation_config={"thinking_summaries": "auto"})

        assert [step.type for step in answer.steps] == ["thought", "model_output"]
        assert answer.steps[0].summary[0].text == "Hm."
        assert text_of(answer) == "Done."

    @pytest.mark.parametrize("said", ["Hello", "think first"])
    def test_j22_usage_adds_up(self, said: str, scripted: genai.Client) -> None:
        answer = ask(scripted, said, generation_config={"thinking_summaries": "auto"})

        usage = answer.usage
        spent = usage.total_input_tokens + usage.total_output_tokens + (usage.total_thought_tokens or 0)
        assert spent == usage.total_tokens
        assert sum(tokens(answer).values()) == usage.total_input_tokens

    def test_j19_two_seconds_of_a_video_are_two_frames(self, scripted: genai.Client) -> None:
        film = base64.b64encode(clips.video(seconds=10, fps=10, size=(64, 36))).decode()
        clip = {"type": "static", "start_offset": "2s", "end_offset": "4s", "fps": 1}

        answer = ask(
            scripted,
            [{"type": "video", "data": film, "mime_type": "video/mp4", "processing": clip}, text("Hello")],
        )

        assert tokens(answer)["video"] == 2 * 70

    def test_j21_an_answer_that_was_cut_is_incomplete(self, scripted: genai.Client) -> None:
        answer = ask(
            scripted,
            "A long question, said again in the answer",
            generation_config={"max_output_tokens": 5},
        )

        assert answer.status == "incomplete"
        assert 0 < answer.usage.total_output_tokens <= 5
        assert text_of(answer).startswith("You asked")

    def test_j23_a_client_that_was_turned_away_comes_again(self, script_server: str) -> None:
        answers: list[httpx.Response] = []
        hooks = {"event_hooks": {"response": [answers.append]}}
        options: Any = {"base_url": script_server, "client_args": hooks}

        with genai.Client(api_key="any", http_options=options) as counting:
            answer = ask(counting, "try again, Python")

        assert [response.status_code for response in answers] == [429, 200]
        assert answers[0].headers["retry-after"] == "1"
        assert text_of(answer) == "Welcome back."

    def test_a_function_is_called_and_its_result_answered(self, scripted: genai.Client) -> None:
        asked: Any = ask(scripted, "What is the weather in Paris?", tools=[WEATHER])
        call = asked.steps[-1]
        result = {"type": "function_result", "call_id": call.id, "name": call.name, "result": {"sky": "blue"}}
        answer = ask(scripted, [result], previous_interaction_id=asked.id, tools=[WEATHER])

        assert asked.status == "requires_action"
        assert (call.type, call.name, call.arguments) == ("function_call", "get_weather", {"city": "Paris"})
        assert answer.status == "completed"
        assert text_of(answer) == "The sky is blue."


class TestConversations:
    def test_j10_a_stored_interaction_is_told_from_its_beginning(
        self, scripted: genai.Client, photo: dict[str, str]
    ) -> None:
        answer = ask(scripted, [text("Hello"), photo])

        found: Any = scripted.interactions.get(answer.id)
        with_input: Any = scripted.interactions.get(answer.id, include_input=True)

        assert [step.type for step in found.steps] == ["user_input", "model_output"]
        assert [content.type for content in found.steps[0].content] == ["text", "image"]
        assert found.steps[0].content[1].data == photo["data"]
        assert text_of(found) == text_of(answer)
        assert found.usage.input_tokens_by_modality == answer.usage.input_tokens_by_modality
        assert found.usage.total_tokens == answer.usage.total_tokens
        assert not found.input
        assert with_input.input

    def test_j11_what_is_not_stored_is_not_there(self, scripted: genai.Client) -> None:
        answer = ask(scripted, "Hello", store=False)
        streamed = list(ask(scripted, "Hello", store=False, stream=True))

        assert text_of(answer) == text_in(streamed) == "You asked “Hello” about 0 pictures."
        with pytest.raises(NotFoundError):
            scripted.interactions.get(str(answer.id))
        with pytest.raises(NotFoundError):
            ask(scripted, "And now?", previous_interaction_id=str(answer.id))
        with pytest.raises(BadRequestError):
            ask(scripted, "Hello", store=False, background=True)

    def test_j12_the_fifth_turn_knows_the_first_picture(
        self, client: genai.Client, note: dict[str, str], photo: dict[str, str]
    ) -> None:
        turns = [ask(client, [note, text("What does the note say?")])]
        for said in (
            "Which colours does it have?",
            [photo, text("How many faces are in this picture?")],
            "And how large is it?",
            "What text is on the first image?",
        ):
            turns.append(ask(client, said, previous_interaction_id=turns[-1].id))

        assert "closes at seven" in text_of(turns[4])
        assert [turn.previous_interaction_id for turn in turns] == [None, *(turn.id for turn in turns[:4])]
        spent = [turn.usage.total_input_tokens for turn in turns]
        assert spent == sorted(set(spent))
        assert [tokens(turn)["image"] for turn in turns] == [1120, 1120, 2240, 2240, 2240]

    def test_a_picture_of_an_earlier_turn_outlives_its_file(
        self, scripted: genai.Client, pictures: Path
    ) -> None:
        file = scripted.files.upload(file=pictures / "photo.jpg")
        first = ask(scripted, [text("Hello"), {"type": "image", "uri": file.uri}])

        scripted.files.delete(name=str(file.name))

        second = ask(scripted, "And now?", previous_interaction_id=first.id)
        assert text_of(second) == "You asked “And now?” about 1 pictures."

    def test_j12_a_conversation_can_go_two_ways(self, scripted: genai.Client, photo: dict[str, str]) -> None:
        first = ask(scripted, [photo, text("Hello")])

        ways = [
            ask(scripted, [photo, text("And now?")], previous_interaction_id=first.id),
            ask(scripted, "And now?", previous_interaction_id=first.id),
        ]

        assert [text_of(way) for way in ways] == [
            "You asked “And now?” about 2 pictures.",
            "You asked “And now?” about 1 pictures.",
        ]

    def test_j12_the_system_instruction_is_not_inherited(self, scripted: genai.Client) -> None:
        first = ask(scripted, "who are you", system_instruction=PIRATE)
        again = ask(scripted, "who are you", previous_interaction_id=first.id)

        assert [text_of(first), text_of(again)] == ["A pirate.", "Nobody."]

    def test_j17_what_was_deleted_is_gone(self, scripted: genai.Client) -> None:
        name = str(ask(scripted, "Hello").id)

        scripted.interactions.delete(name)

        with pytest.raises(NotFoundError) as refused:
            scripted.interactions.get(name)
        assert refused.value.body["error"]["code"] == "not_found"  # type: ignore[index]
        with pytest.raises(NotFoundError):
            scripted.interactions.delete(name)

    def test_another_projects_interactions_are_not_there(self, keyed_server: str) -> None:
        with (
            genai.Client(api_key="first", http_options={"base_url": keyed_server}) as owner,
            genai.Client(api_key="second", http_options={"base_url": keyed_server}) as stranger,
        ):
            name = str(ask(owner, "Hello").id)

            for attempt in (
                lambda: stranger.interactions.get(name),
                lambda: list(stranger.interactions.get(name, stream=True)),
                lambda: stranger.interactions.cancel(name),
                lambda: stranger.interactions.delete(name),
                lambda: ask(stranger, "Hello", previous_interaction_id=name),
            ):
                with pytest.raises(NotFoundError):
                    attempt()
            assert owner.interactions.get(name).status == "completed"


class TestStreams:
    def test_j14_the_pieces_make_the_whole(self, client: genai.Client, note: dict[str, str]) -> None:
        said = [note, text("What does the note say?")]

        events: list[Any] = list(ask(client, said, stream=True))

        kinds = [event.event_type for event in events if event.event_type != "interaction.status_update"]
        deltas = ["step.delta"] * (len(kinds) - 4)
        assert deltas
        assert kinds == ["interaction.created", "step.start", *deltas, "step.stop", "interaction.completed"]
        assert text_in(events) == text_of(ask(client, said))
        made, done = events[0].interaction, events[-1].interaction
        assert (made.status, done.status, done.id) == ("in_progress", "completed", made.id)
        assert text_of(client.interactions.get(made.id)) == text_in(events)
        assert done.usage.total_tokens == client.interactions.get(made.id).usage.total_tokens  # type: ignore[union-attr]

    def test_thoughts_are_streamed_before_the_answer(self, scripted: genai.Client) -> None:
        events: list[Any] = list(
            ask(scripted, "think first", stream=True, generation_config={"thinking_summaries": "auto"})
        )

        starts = [event.step.type for event in events if event.event_type == "step.start"]
        kinds = [event.delta.type for event in events if event.event_type == "step.delta"]
        assert starts == ["thought", "model_output"]
        assert kinds[0] == "thought_summary"
        assert text_in(events) == "Done."

    def test_j14_the_last_line_says_that_it_is_done(self, script_server: str) -> None:
        """The client keeps it to itself, and every event's name and id."""
        response = httpx.post(
            f"{script_server}/v1beta/interactions",
            json={"model": G3, "input": "tell me a story", "stream": True},
            headers={"x-goog-api-key": "any"},
            timeout=120,
        )

        *frames, end, nothing = response.text.split("\n\n")
        assert (end, nothing) == ("event: done\ndata: [DONE]", "")
        assert response.headers["content-type"].startswith("text/event-stream")
        for frame in frames:
            name, data = frame.split("\n")
            event = json.loads(data.removeprefix("data: "))
            assert name == f"event: {event['event_type']}"
            assert event["event_id"]

    def test_a_call_is_streamed_with_its_arguments(self, scripted: genai.Client) -> None:
        events: list[Any] = list(ask(scripted, "What is the weather in Paris?", stream=True, tools=[WEATHER]))

        (start,) = [event.step for event in events if event.event_type == "step.start"]
        deltas = [event.delta for event in events if event.event_type == "step.delta"]
        assert (start.type, start.name) == ("function_call", "get_weather")
        assert start.id
        assert {delta.type for delta in deltas} == {"arguments_delta"}
        assert json.loads("".join(delta.arguments for delta in deltas)) == {"city": "Paris"}
        assert events[-1].interaction.status == "requires_action"

    def test_j15_a_replay_begins_after_the_event_named(self, scripted: genai.Client) -> None:
        events: list[Any] = list(ask(scripted, "count slowly", stream=True))
        name = events[0].interaction.id

        for index, event in enumerate(events):
            again: list[Any] = list(
                scripted.interactions.get(name, stream=True, last_event_id=event.event_id)
            )
            assert text_in(again) == text_in(events[index + 1 :])
            assert [later.event_id for later in again[-1:]] == [
                later.event_id for later in events[index + 1 :][-1:]
            ]

        whole: list[Any] = list(scripted.interactions.get(name, stream=True))
        assert text_in(whole) == text_in(events) == SLOWLY
        assert whole[0].event_type == "interaction.created"

    @pytest.mark.parametrize("background", [False, True])
    def test_a_broken_stream_is_taken_up_where_it_broke(
        self, background: bool, scripted: genai.Client
    ) -> None:
        seen = broken(scripted, background=background)

        rest = list(scripted.interactions.get(seen[0].interaction.id, stream=True, last_event_id=last(seen)))

        assert text_in(seen) == "First. 2. "
        assert text_in(seen) + text_in(rest) == SLOWLY
        assert rest[-1].event_type == "interaction.completed"

    def test_the_answer_is_finished_while_the_client_is_away(self, scripted: genai.Client) -> None:
        seen = broken(scripted)
        name = seen[0].interaction.id

        assert text_of(finished(scripted, name)) == SLOWLY
        rest = list(scripted.interactions.get(name, stream=True, last_event_id=last(seen)))
        assert text_in(seen) + text_in(rest) == SLOWLY

    def test_j18_a_failure_on_the_way_is_an_event(self, scripted: genai.Client) -> None:
        events: list[Any] = list(ask(scripted, "break off", stream=True))

        (error,) = [event.error for event in events if event.event_type == "error"]
        assert text_in(events) == "Once "
        assert (error.code, error.message) == ("overloaded", "The teller is gone.")
        assert scripted.interactions.get(events[0].interaction.id).status == "failed"

    async def test_the_asynchronous_client_works(self, script_server: str, photo: dict[str, str]) -> None:
        said = [photo, text("Hello")]

        async with genai.Client(api_key="any", http_options={"base_url": script_server}).aio as aio:
            interactions: Any = aio.interactions
            answer = await interactions.create(model=G3, input=said)
            stream = await interactions.create(model=G3, input="tell me a story", stream=True)
            events = [event async for event in stream]
            begun = await interactions.create(model=G3, input="for ever", background=True)
            stopped = await interactions.cancel(begun.id)
            await interactions.delete(answer.id)

        assert text_of(answer) == "You asked “Hello” about 1 pictures."
        assert text_in(events) == "Once upon a time."
        assert (begun.status in UNFINISHED, stopped.status) == (True, "cancelled")


def broken(client: genai.Client, **body: Any) -> list[Any]:
    """Begin a slow stream, and hang up after two pieces of text."""
    seen: list[Any] = []
    with ask(client, "count slowly", stream=True, **body) as stream:
        for event in stream:
            seen.append(event)
            if text_in(seen).count(".") == 2:
                break
    return seen


def last(events: list[Any]) -> str:
    """Give what a client remembers of a stream: the id of the last event it saw."""
    name: str = events[-1].event_id
    return name


class TestBackground:
    def test_j16_it_is_polled_until_it_is_completed(self, scripted: genai.Client) -> None:
        begun = ask(scripted, "count slowly", background=True)

        done = finished(scripted, begun.id)

        assert begun.status in UNFINISHED
        assert (done.status, text_of(done)) == ("completed", SLOWLY)

    def test_j16_it_can_be_cancelled(self, scripted: genai.Client, endless: Any) -> None:
        stopped = scripted.interactions.cancel(endless.id)

        assert (endless.status in UNFINISHED, stopped.status) == (True, "cancelled")
        assert scripted.interactions.get(endless.id).status == "cancelled"
        with pytest.raises(BadRequestError):
            ask(scripted, "And now?", previous_interaction_id=endless.id)

    def test_j16_a_stream_ends_when_it_is_cancelled(self, scripted: genai.Client, endless: Any) -> None:
        events: list[Any] = []
        with scripted.interactions.get(endless.id, stream=True) as stream:
            for event in stream:
                events.append(event)
                if event.event_type == "step.delta":
                    scripted.interactions.cancel(endless.id)

        assert text_in(events) == "At once."
        assert events[-1].interaction.status == "cancelled"

    def test_j16_what_is_completed_cannot_be_cancelled(self, scripted: genai.Client) -> None:
        answer = ask(scripted, "Hello")

        with pytest.raises(BadRequestError) as refused:
            scripted.interactions.cancel(str(answer.id))

        assert refused.value.body["error"]["code"] == "invalid_request"  # type: ignore[index]


def huge(client: genai.Client, photo: dict[str, str]) -> None:
    ask(client, [photo | {"resolution": "huge"}, text("Hello")])


def foreign(client: genai.Client, photo: dict[str, str]) -> None:
    ask(client, [{"type": "foo", "text": "Hello"}])


def agent_beside_the_model(client: genai.Client, photo: dict[str, str]) -> None:
    ask(client, "Hello", extra_body={"agent": "deep-research-pro-preview-12-2025"})


def stray_field(client: genai.Client, photo: dict[str, str]) -> None:
    ask(client, "Hello", extra_body={"frobnicate": True})


class TestMistakes:
    @pytest.mark.parametrize(
        ("attempt", "phrase"),
        [
            pytest.param(huge, "resolution", id="J7"),
            pytest.param(foreign, "type", id="J20 foreign content"),
            pytest.param(agent_beside_the_model, "agent", id="J20 model and agent"),
            pytest.param(stray_field, "frobnicate", id="stray field"),
        ],
    )
    def test_a_bad_request_is_told_what_is_wrong(
        self,
        attempt: Callable[[genai.Client, dict[str, str]], None],
        phrase: str,
        scripted: genai.Client,
        photo: dict[str, str],
    ) -> None:
        with pytest.raises(BadRequestError) as refused:
            attempt(scripted, photo)

        error = refused.value.body["error"]  # type: ignore[index]
        assert error.keys() == {"code", "message"}
        assert error["code"] == "invalid_request"
        assert phrase in error["message"]

    def test_j20_without_a_model_nothing_is_answered(self, script_server: str) -> None:
        response = httpx.post(
            f"{script_server}/v1beta/interactions",
            json={"input": "Hello"},
            headers={"x-goog-api-key": "any"},
            timeout=120,
        )

        assert response.status_code == 400
        assert response.json()["error"]["code"] == "invalid_request"

    @pytest.mark.parametrize("stream", [False, True])
    def test_j13_an_unknown_conversation_cannot_go_on(self, stream: bool, scripted: genai.Client) -> None:
        with pytest.raises(NotFoundError) as refused:
            ask(scripted, "And now?", previous_interaction_id="v1_nowhere", stream=stream)

        assert refused.value.body["error"]["code"] == "not_found"  # type: ignore[index]

    def test_an_unknown_model_is_not_found(self, scripted: genai.Client) -> None:
        with pytest.raises(NotFoundError):
            scripted.interactions.create(model="nope", input="Hello")

    def test_an_unknown_event_is_refused(self, scripted: genai.Client) -> None:
        name = str(ask(scripted, "Hello").id)

        with pytest.raises(BadRequestError):
            list(scripted.interactions.get(name, stream=True, last_event_id="nonsense"))
