"""The Interactions API over HTTP, around the script engine: everything but the answers is real."""

from __future__ import annotations

import base64
import json
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

import images
from twinlens.app import create_app
from twinlens.domain.clock import now
from twinlens.settings import Settings

URL = "/v1beta/interactions"
MODEL = "gemini-3-flash-preview"
ECHO = 'default: {text: "{text}"}\n'
STORY = "default: {thoughts: Hm., chunks: ['Once ', 'upon ', 'a time.']}\n"
SLOW = "default: {chunks: [a, {text: b, delay: 30}]}\n"
LATER = "default: {chunks: [a, {text: b, delay: 0.4}, c]}\n"

Fields = dict[str, Any]


def ask(client: TestClient, given: Any = "Hello", **fields: Any) -> Any:
    answer = client.post(URL, json={"model": MODEL, "input": given, **fields})
    assert answer.status_code == 200, answer.text
    return answer.json()


def refused(client: TestClient, code: int = 400, **fields: Any) -> Any:
    answer = client.post(URL, json=fields)
    assert answer.status_code == code, answer.text
    return answer.json()["error"]


def image(width: int = 64, **fields: Any) -> Fields:
    data = images.encode(images.quarters(width, width * 3 // 4), "png")
    return {"type": "image", "mime_type": "image/png", "data": base64.b64encode(data).decode(), **fields}


def text_of(interaction: Any) -> str:
    last: str = interaction["steps"][-1]["content"][0]["text"]
    return last


def events(body: str) -> list[tuple[str, Any]]:
    found = []
    for block in body.split("\n\n"):
        if block:
            name, data = block.split("\n")
            said = data.removeprefix("data: ")
            found.append((name.removeprefix("event: "), said if said == "[DONE]" else json.loads(said)))
    return found


def said(told: list[tuple[str, Any]]) -> str:
    return "".join(data["delta"].get("text", "") for name, data in told if name == "step.delta")


def polled(client: TestClient, interaction_id: str) -> Any:
    for _ in range(2400):
        found = client.get(f"{URL}/{interaction_id}").json()
        if found["status"] not in ("queued", "in_progress"):
            return found
        time.sleep(0.05)
    raise AssertionError("it was never finished")


@pytest.mark.parametrize("revision", [None, "2026-05-07", "2026-05-20", "garbage"])
def test_j1_j2_j3_an_interaction_is_answered_in_steps_whatever_the_revision(
    client: TestClient, revision: str | None
) -> None:
    headers = {"Api-Revision": revision} if revision else {}

    answer = client.post(URL, json={"model": f"models/{MODEL}", "input": "Hi"}, headers=headers)

    body = answer.json()
    assert answer.headers["content-type"] == "application/json; charset=UTF-8"
    assert (body["object"], body["status"], body["model"]) == ("interaction", "completed", MODEL)
    assert body["steps"] == [{"type": "model_output", "content": [{"type": "text", "text": "ok"}]}]
    assert body["created"].endswith("Z")
    assert body["id"].startswith("v1_")


@pytest.mark.parametrize(
    "given",
    [
        pytest.param("one", id="string"),
        pytest.param({"type": "text", "text": "one"}, id="content"),
        pytest.param([{"type": "text", "text": "one"}], id="contents"),
        pytest.param([{"type": "user_input", "content": [{"type": "text", "text": "one"}]}], id="steps"),
        pytest.param([{"role": "user", "content": [{"type": "text", "text": "one"}]}], id="turns"),
    ],
)
def test_j4_every_form_of_input_is_the_same_question(serve: Callable[..., TestClient], given: Any) -> None:
    client = serve(ECHO)

    body = ask(client, given)

    assert text_of(body) == "one"
    stored = client.get(f"{URL}/{body['id']}?include_input=true").json()
    assert stored["input"] == given
    assert stored["steps"][0] == {"type": "user_input", "content": [{"type": "text", "text": "one"}]}


def test_j6_the_resolution_of_an_image_is_what_is_billed(client: TestClient) -> None:
    tokens = {
        level: {
            one["modality"]: one["tokens"]
            for one in ask(client, [image(resolution=level)])["usage"]["input_tokens_by_modality"]
        }["image"]
        for level in ("low", "medium", "high", "ultra_high")
    }

    assert tokens == {"low": 280, "medium": 560, "high": 1120, "ultra_high": 2240}


def test_j7_a_wrong_value_is_named_with_its_path_and_what_is_allowed(client: TestClient) -> None:
    error = refused(client, model=MODEL, input=[image(resolution="huge")])

    assert error["code"] == "invalid_request"
    assert "input[0].resolution" in error["message"]
    assert "ultra_high" in error["message"]
    assert set(error) == {"code", "message"}


def test_bytes_that_are_no_image_are_refused_by_this_apis_names(client: TestClient) -> None:
    broken = image() | {"data": base64.b64encode(b"\x89PNG\r\n\x1a\n broken").decode()}

    error = refused(client, model=MODEL, input=["not", broken])

    assert error["code"] == "invalid_request"
    error = refused(client, model=MODEL, input=[{"type": "text", "text": "x"}, broken])
    assert "input[1].data" in error["message"]


def test_j10_a_stored_interaction_is_given_with_what_was_asked(client: TestClient) -> None:
    sent = [{"type": "text", "text": "What is it?"}, image()]
    made = ask(client, sent)

    found = client.get(f"{URL}/{made['id']}").json()

    assert found["steps"] == [{"type": "user_input", "content": sent}, *made["steps"]]
    assert found["usage"] == made["usage"]
    assert "input" not in found
    assert client.get(f"{URL}/{made['id']}?include_input=true").json()["input"] == sent


def test_j11_what_is_not_stored_cannot_be_found(client: TestClient) -> None:
    made = ask(client, store=False)

    assert client.get(f"{URL}/{made['id']}").status_code == 404
    refused(client, 404, model=MODEL, input="x", previous_interaction_id=made["id"])
    error = refused(client, model=MODEL, input="x", store=False, background=True)
    assert "store" in error["message"]


def test_j12_the_next_turn_knows_the_image_of_the_first_and_no_instruction(
    serve: Callable[..., TestClient],
) -> None:
    client = serve(
        "rules:\n- {match: {system: pirate}, answer: {text: Arr}}\ndefault: {text: '{media} media'}\n"
    )
    first = ask(client, [{"type": "text", "text": "Look"}, image()], system_instruction="You are a pirate")

    second = ask(client, "And now?", previous_interaction_id=first["id"])

    assert (text_of(first), text_of(second)) == ("Arr", "1 media")
    assert second["previous_interaction_id"] == first["id"]
    assert {"modality": "image", "tokens": 1120} in second["usage"]["input_tokens_by_modality"]


@pytest.mark.parametrize(
    "told",
    [
        {"mime_type": "audio/L16;rate=16000;channels=2"},
        {"mime_type": "audio/l16", "sample_rate": 16_000, "channels": 2},
    ],
)
def test_bare_samples_are_read_as_they_were_told_in_later_turns_too(client: TestClient, told: Fields) -> None:
    sound = {"type": "audio", "data": base64.b64encode(bytes(64_000)).decode(), **told}

    first = ask(client, [sound, {"type": "text", "text": "Hello"}])
    second = ask(client, "And?", previous_interaction_id=first["id"])

    for answer in (first, second):
        spent = {one["modality"]: one["tokens"] for one in answer["usage"]["input_tokens_by_modality"]}
        assert spent["audio"] == 25


def test_j13_an_unknown_previous_interaction_is_404(client: TestClient) -> None:
    error = refused(client, 404, model=MODEL, input="x", previous_interaction_id="v1_nothing")

    assert error["code"] == "not_found"


def test_j14_a_stream_tells_its_events_in_order(serve: Callable[..., TestClient]) -> None:
    client = serve(STORY)

    answer = client.post(
        URL,
        json={
            "model": MODEL,
            "input": "x",
            "stream": True,
            "generation_config": {"thinking_summaries": "auto"},
        },
    )

    told = events(answer.text)
    names = [name for name, _ in told]
    assert answer.headers["content-type"].startswith("text/event-stream")
    assert names[0] == "interaction.created"
    assert names[-2:] == ["interaction.completed", "done"]
    assert told[-1][1] == "[DONE]"
    assert [n for n in names if n in ("step.start", "step.stop")] == ["step.start", "step.stop"] * 2
    assert all(data["event_type"] == name for name, data in told[:-1])
    assert said(told) == "Once upon a time."
    whole = client.get(f"{URL}/{told[0][1]['interaction']['id']}").json()
    assert told[-2][1]["interaction"]["usage"] == whole["usage"]
    assert text_of(whole) == "Once upon a time."
    assert whole["steps"][-2] == {"type": "thought", "summary": [{"type": "text", "text": "Hm."}]}


def test_j15_a_stream_is_told_again_from_any_event_on(serve: Callable[..., TestClient]) -> None:
    client = serve(STORY)
    first = events(client.post(URL, json={"model": MODEL, "input": "x", "stream": True}).text)
    interaction_id = first[0][1]["interaction"]["id"]

    for index, (_, data) in enumerate(first[:-1]):
        address = f"{URL}/{interaction_id}?stream=true&last_event_id={data['event_id']}"
        rest = events(client.get(address).text)

        assert said(first[: index + 1]) + said(rest) == "Once upon a time."
        assert rest[-1] == ("done", "[DONE]")
    assert said(events(client.get(f"{URL}/{interaction_id}?stream=true").text)) == "Once upon a time."


@pytest.mark.parametrize("last", ["x", "1.x", "9.1", "-1", "1.-1"])
def test_an_event_id_that_was_never_given_is_refused(client: TestClient, last: str) -> None:
    made = ask(client)

    answer = client.get(f"{URL}/{made['id']}?stream=true&last_event_id={last}")

    assert answer.status_code == 400
    assert "last_event_id" in answer.json()["error"]["message"]


def test_j16_background_work_is_polled_and_cancelled(serve: Callable[..., TestClient]) -> None:
    client = serve(LATER)
    begun = ask(client, [image()], background=True)
    assert begun["status"] in ("queued", "in_progress")

    done = polled(client, begun["id"])

    assert (done["status"], text_of(done)) == ("completed", "abc")
    late = client.post(f"{URL}/{begun['id']}/cancel")
    assert (late.status_code, late.json()["error"]["code"]) == (400, "invalid_request")


def test_j16_running_background_work_is_cancelled(serve: Callable[..., TestClient]) -> None:
    client = serve(SLOW)
    begun = ask(client, background=True)

    cancelled = client.post(f"{URL}/{begun['id']}/cancel").json()

    assert cancelled["status"] == "cancelled"
    assert client.get(f"{URL}/{begun['id']}").json()["status"] == "cancelled"


def test_background_work_says_why_it_failed(serve: Callable[..., TestClient]) -> None:
    client = serve("default: {error: {code: 503, message: No more.}}\n")

    done = polled(client, ask(client, background=True)["id"])

    assert done["status"] == "failed"
    assert done["errors"] == [{"code": "overloaded", "message": "No more."}]


def test_j17_what_is_deleted_is_gone(client: TestClient) -> None:
    made = ask(client)

    assert client.delete(f"{URL}/{made['id']}").json() == {}
    for method in ("GET", "DELETE"):
        answer = client.request(method, f"{URL}/{made['id']}")
        assert (answer.status_code, answer.json()["error"]["code"]) == (404, "not_found")


def test_j18_what_breaks_in_a_stream_is_an_error_event(serve: Callable[..., TestClient]) -> None:
    client = serve("default: {chunks: [Once], error: {code: 503, message: Gone.}}\n")

    told = events(client.post(URL, json={"model": MODEL, "input": "x", "stream": True}).text)

    assert told[-2] == ("error", told[-2][1])
    assert told[-2][1]["error"] == {"code": "overloaded", "message": "Gone."}
    found = client.get(f"{URL}/{told[0][1]['interaction']['id']}").json()
    assert (found["status"], text_of(found)) == ("failed", "Once")
    assert found["usage"]["total_output_tokens"] == 1


def test_what_fails_before_a_stream_begins_is_a_plain_error(client: TestClient) -> None:
    broken = image() | {"data": base64.b64encode(b"no image at all, just words").decode()}

    answer = client.post(URL, json={"model": MODEL, "input": [broken], "stream": True})

    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "invalid_request")


@pytest.mark.parametrize(
    "fields",
    [
        pytest.param({"input": "x"}, id="neither"),
        pytest.param({"input": "x", "model": MODEL, "agent": "deep-research"}, id="both"),
        pytest.param({"model": MODEL, "input": [{"type": "foo", "text": "x"}]}, id="type"),
        pytest.param({"model": MODEL, "input": []}, id="nothing"),
        pytest.param({"model": MODEL}, id="no-input"),
        pytest.param({"model": MODEL, "input": "x", "colour": "red"}, id="unknown"),
    ],
)
def test_j20_what_makes_no_sense_is_refused(client: TestClient, fields: Fields) -> None:
    assert refused(client, **fields)["code"] == "invalid_request"


def test_an_unknown_model_is_404_in_this_apis_form(client: TestClient) -> None:
    assert refused(client, 404, model="gpt-4", input="x")["code"] == "not_found"


def test_j21_an_answer_that_was_cut_is_incomplete(serve: Callable[..., TestClient]) -> None:
    client = serve("default: {text: 'one two three four five six'}\n")

    assert ask(client, generation_config={"max_output_tokens": 2})["status"] == "incomplete"


def test_j22_the_usage_adds_up(serve: Callable[..., TestClient]) -> None:
    usage = ask(serve(STORY), [image()])["usage"]

    parts = ("total_input_tokens", "total_output_tokens", "total_thought_tokens")
    assert sum(usage[part] for part in parts) == usage["total_tokens"]
    assert sum(one["tokens"] for one in usage["input_tokens_by_modality"]) == usage["total_input_tokens"]


def test_j23_too_much_is_429_and_says_when_to_come_back(serve: Callable[..., TestClient]) -> None:
    client = serve("default: {error: {code: 429, retry_after: 7}}\n")

    answer = client.post(URL, json={"model": MODEL, "input": "x"})

    assert (answer.status_code, answer.headers["retry-after"]) == (429, "7")
    assert answer.json()["error"]["code"] == "too_many_requests"


@pytest.mark.parametrize("fields", [{}, {"stream": True}, {"store": False}, {"stream": True, "store": False}])
def test_an_engine_that_refuses_at_once_is_a_plain_error_and_leaves_nothing_behind(
    serve: Callable[..., TestClient], fields: Fields
) -> None:
    client = serve("default: {error: {code: 503}}\n")
    # The decoder is there, and has seen the image: a stream waits only so long for an engine's refusal.
    client.post(URL, json={"model": MODEL, "input": [image()], "store": False})

    answer = client.post(URL, json={"model": MODEL, "input": [image()], **fields})

    assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")
    figures = client.get("/metrics").text
    assert "twinlens_interactions 0.0" in figures
    assert "twinlens_blobs 0.0" in figures


def test_a_call_waits_for_its_result(serve: Callable[..., TestClient]) -> None:
    client = serve(
        "rules:\n- {match: {text: weather}, answer: {call: {name: look, args: {city: Bonn}}}}\n"
        "default: {text: It rains.}\n"
    )
    tool = {"type": "function", "name": "look", "parameters": {"type": "object"}}

    asked = ask(client, "What is the weather?", tools=[tool])

    assert asked["status"] == "requires_action"
    call = asked["steps"][-1]
    assert (call["type"], call["name"], call["arguments"]) == ("function_call", "look", {"city": "Bonn"})
    result = {"type": "function_result", "call_id": call["id"], "name": "look", "result": {"rain": True}}
    told = ask(client, [result], previous_interaction_id=asked["id"], tools=[tool])
    assert (told["status"], text_of(told)) == ("completed", "It rains.")


def test_every_call_of_an_interaction_is_answered_by_the_next(serve: Callable[..., TestClient]) -> None:
    client = serve(
        "rules:\n- {match: {text: weather}, answer: {call: {name: look}}}\ndefault: {text: It rains.}\n"
    )
    tools = [{"type": "function", "name": "look"}]
    asked = ask(client, "What is the weather?", tools=tools)
    results = [
        {"type": "function_result", "call_id": step["id"], "result": "rain"}
        for step in asked["steps"]
        if step["type"] == "function_call"
    ]

    for given in ("Well?", results * 2):
        body = {"model": MODEL, "input": given, "previous_interaction_id": asked["id"], "tools": tools}
        refused = client.post(URL, json=body)
        assert refused.status_code == 400
        assert refused.json()["error"]["message"] == (
            "input: Please ensure that the number of function response parts is equal to the number of "
            "function call parts of the function call turn."
        )

    assert text_of(ask(client, results, previous_interaction_id=asked["id"], tools=tools)) == "It rains."


def test_a_conversation_does_not_begin_with_a_call(serve: Callable[..., TestClient]) -> None:
    client = serve("default: {text: Hello}\n")
    steps = [
        {"type": "function_call", "id": "1", "name": "look"},
        {"type": "function_result", "call_id": "1", "result": "rain"},
    ]

    refused = client.post(URL, json={"model": MODEL, "input": steps})

    assert refused.status_code == 400
    assert "function call turn comes immediately after a user turn" in refused.json()["error"]["message"]


def test_five_turns_grow_by_what_was_said(serve: Callable[..., TestClient]) -> None:
    client = serve("default: {text: '{media}'}\n")
    turn = ask(client, [{"type": "text", "text": "Look"}, image()])
    tokens = [turn["usage"]["total_input_tokens"]]
    for _ in range(4):
        turn = ask(client, "And?", previous_interaction_id=turn["id"])
        tokens.append(turn["usage"]["total_input_tokens"])

    assert text_of(turn) == "1"
    assert tokens == sorted(set(tokens))


def test_interactions_outlive_the_server_and_expire(tmp_path: Path) -> None:
    clock = [now()]
    with served(tmp_path, clock) as client:
        made = ask(client, [image()])
    clock[0] += timedelta(days=54)
    with served(tmp_path, clock) as client:
        assert text_of(ask(client, "And?", previous_interaction_id=made["id"])) == "ok"
        assert client.get(f"{URL}/{made['id']}").status_code == 200
        clock[0] += timedelta(days=2)
        assert client.get(f"{URL}/{made['id']}").status_code == 404


def test_projects_never_cross(tmp_path: Path) -> None:
    with served(tmp_path, [now()], api_key=("k", "other")) as client:
        made = ask(client)
        client.headers["x-goog-api-key"] = "other"

        assert client.get(f"{URL}/{made['id']}").status_code == 404
        assert client.delete(f"{URL}/{made['id']}").status_code == 404
        assert client.post(f"{URL}/{made['id']}/cancel").status_code == 404
        refused(client, 404, model=MODEL, input="x", previous_interaction_id=made["id"])
        client.headers["x-goog-api-key"] = "wrong"
        assert client.get(f"{URL}/{made['id']}").json()["error"]["code"] == "invalid_request"


def test_background_work_goes_on_after_a_restart(tmp_path: Path) -> None:
    with served(tmp_path, [now()], script=SLOW) as client:
        begun = ask(client, [image()], background=True)
    with served(tmp_path, [now()], script="default: {text: '{media} media'}\n") as client:
        done = polled(client, begun["id"])

        assert (done["status"], text_of(done)) == ("completed", "1 media")


def test_what_one_project_has_left_at_a_restart_does_not_hold_up_anothers(tmp_path: Path) -> None:
    slow = "rules:\n- {match: {text: slow}, answer: {chunks: [a, {text: b, delay: 600}]}}\n"
    keys = {"api_key": ("k", "other"), "max_running": 4}
    other = {"x-goog-api-key": "other"}
    with served(
        tmp_path, [now()], script=slow + "default: {chunks: [{text: a, delay: 600}]}\n", **keys
    ) as client:
        for _ in range(3):
            ask(client, "slow", background=True)
        asked = {"model": MODEL, "input": "quick", "background": True}
        begun = client.post(URL, json=asked, headers=other).json()
    script = slow + "default: {text: ok}\n"
    with served(tmp_path, [now()], script=script, max_waiting=0, **keys) as client:
        client.headers |= other

        assert text_of(polled(client, begun["id"])) == "ok"


def test_what_waits_for_room_after_a_restart_can_be_cancelled(tmp_path: Path) -> None:
    with served(tmp_path, [now()], script=SLOW) as client:
        known = [ask(client, background=True)["id"] for _ in range(3)]
    with served(tmp_path, [now()], script=SLOW, max_running=1, max_waiting=0) as client:
        for interaction_id in reversed(known):
            assert client.post(f"{URL}/{interaction_id}/cancel").json()["status"] == "cancelled"
            assert client.get(f"{URL}/{interaction_id}").json()["status"] == "cancelled"


def test_the_clients_limit_holds_for_waiting_and_working_together(serve: Callable[..., TestClient]) -> None:
    client = serve(SLOW, max_running=1)
    ask(client, background=True)

    answer = client.post(URL, json={"model": MODEL, "input": "x"}, headers={"X-Server-Timeout": "1"})

    assert (answer.status_code, answer.json()["error"]["code"]) == (504, "deadline_exceeded")


def test_a_project_keeps_no_more_than_it_may(tmp_path: Path) -> None:
    with served(tmp_path, [now()], max_interaction_bytes=30_000) as client:
        big = {"type": "text", "text": "x" * 20_000}
        first = ask(client, [big])
        error = refused(client, 429, model=MODEL, input=[big])
        assert "store" in error["message"]
        ask(client, [big], store=False)
        client.delete(f"{URL}/{first['id']}")
        ask(client, [big])


@contextmanager
def served(
    folder: Path, clock: list[Any], script: str | None = None, **settings: Any
) -> Iterator[TestClient]:
    """Run an app on a folder, with a clock that can be set."""
    if script:
        settings["script"] = folder / "answers.yaml"
        settings["script"].write_text(script)
    chosen = Settings(engine="script", data_dir=folder / "data", decode_workers=1, **settings)
    app = create_app(chosen, clock=lambda: clock[0])
    with TestClient(app, "http://localhost", False, headers={"x-goog-api-key": "k"}) as client:
        yield client


def test_the_media_of_earlier_turns_are_decoded_once(client: TestClient) -> None:
    turn = ask(client, [{"type": "text", "text": "Look"}, image(800)])
    for _ in range(3):
        turn = ask(client, "And?", previous_interaction_id=turn["id"])

    figures = client.get("/metrics").text
    assert 'twinlens_decoded_requests_total{result="miss"} 1.0' in figures
    assert 'twinlens_decoded_requests_total{result="hit"} 0.0' in figures
    assert "twinlens_interactions 4.0" in figures
    assert "twinlens_blobs 1.0" in figures


def test_work_in_the_background_leaves_turns_to_those_who_wait(serve: Callable[..., TestClient]) -> None:
    client = serve(
        "rules:\n- {match: {text: slow}, answer: {chunks: [a, {text: b, delay: 30}]}}\ndefault: {text: ok}\n",
        max_running=3,
    )
    first, second = (ask(client, "slow", background=True) for _ in range(2))

    assert text_of(ask(client, "quick")) == "ok"
    assert (first["status"], second["status"]) == ("in_progress", "queued")
    assert client.post(f"{URL}/{second['id']}/cancel").json()["status"] == "cancelled"


def test_what_was_accepted_keeps_what_it_is_built_on(serve: Callable[..., TestClient]) -> None:
    client = serve(
        "rules:\n- {match: {text: slow}, answer: {chunks: [a, {text: b, delay: 60}]}}\n"
        "default: {text: '{media}'}\n",
        max_running=2,
    )
    first = ask(client, [{"type": "text", "text": "Look"}, image()])
    slow = ask(client, "slow", background=True)
    second = ask(client, "And?", background=True, previous_interaction_id=first["id"])
    assert second["status"] == "queued"

    client.delete(f"{URL}/{first['id']}")
    client.post(f"{URL}/{slow['id']}/cancel")

    assert text_of(polled(client, second["id"])) == "1"


def test_images_are_counted_up_to_the_limit(client: TestClient) -> None:
    error = refused(client, model=MODEL, input=[{"type": "image", "uri": "files/none"}] * 3601)

    assert error["message"].startswith("input: Please use fewer than 3600 images")


@pytest.mark.parametrize("given", ["Hello", [image()]], ids=["text", "image"])
@pytest.mark.parametrize("fields", [{}, {"stream": True}, {"background": True}], ids=str)
def test_nothing_is_acknowledged_that_a_data_folder_that_is_gone_cannot_keep(
    client: TestClient, tmp_path: Path, fields: Fields, given: Any
) -> None:
    shutil.rmtree(tmp_path / "data")

    answer = client.post(URL, json={"model": MODEL, "input": given, **fields})

    assert answer.status_code == 503
    assert "its data folder is gone" in answer.json()["error"]["message"]
    assert "retry-after" in answer.headers
    assert ask(client, store=False)["status"] == "completed"
    assert not (tmp_path / "data").exists()


def test_a_conversation_is_not_continued_where_the_data_folder_is_gone(
    serve: Callable[..., TestClient], tmp_path: Path
) -> None:
    client = serve(ECHO)
    first = ask(client)
    shutil.rmtree(tmp_path / "data")

    error = refused(client, 503, model=MODEL, input="more", previous_interaction_id=first["id"])

    assert "its data folder is gone" in error["message"]
