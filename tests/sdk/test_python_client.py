"""Google's Python client against a real server: the numbers in the names are those of the contract's rows."""

from __future__ import annotations

import enum
import json
from pathlib import Path
from typing import Any

import pytest
from google import genai
from google.genai import errors, types
from PIL import Image
from pydantic import BaseModel

G3 = "gemini-3-flash-preview"
JSON = "application/json"


def ask(
    client: genai.Client, *said: types.PartUnionDict, model: str = G3, **config: Any
) -> types.GenerateContentResponse:
    """Ask one question; the config's fields are given by name."""
    return client.models.generate_content(
        model=model, contents=list(said), config=types.GenerateContentConfig(**config)
    )


def tokens(response: types.GenerateContentResponse) -> dict[str, int]:
    """Give the prompt's tokens by modality."""
    assert response.usage_metadata is not None
    details = response.usage_metadata.prompt_tokens_details or []
    return {str(d.modality and d.modality.value): d.token_count or 0 for d in details}


def part(path: Path) -> types.Part:
    """Read a picture as an inline part."""
    mime_type = "image/png" if path.suffix == ".png" else "image/jpeg"
    return types.Part.from_bytes(data=path.read_bytes(), mime_type=mime_type)


@pytest.fixture
def photo(pictures: Path) -> types.Part:
    return part(pictures / "photo.jpg")


@pytest.fixture
def note(pictures: Path) -> types.Part:
    return part(pictures / "note.png")


class TestAnswers:
    def test_c1_text_is_answered(self, client: genai.Client) -> None:
        response = ask(client, "What can you do?")

        assert response.text
        assert response.candidates is not None
        (candidate,) = response.candidates
        assert candidate.finish_reason == types.FinishReason.STOP
        assert not candidate.index
        assert candidate.content is not None
        assert candidate.content.role == "model"
        assert response.model_version == G3
        assert response.response_id

    def test_the_address_may_end_with_a_slash(self, script_server: str) -> None:
        with genai.Client(api_key="any", http_options={"base_url": f"{script_server}/"}) as slashed:
            assert ask(slashed, "Hello").text

    def test_c2_usage_adds_up(self, client: genai.Client, photo: types.Part) -> None:
        response = ask(client, photo, "Describe this.")

        usage = response.usage_metadata
        assert usage is not None
        parts = (usage.prompt_token_count, usage.candidates_token_count, usage.thoughts_token_count)
        assert sum(count or 0 for count in parts) == usage.total_token_count
        assert sum(tokens(response).values()) == usage.prompt_token_count

    def test_c3_a_picture_and_text_are_told_apart(self, client: genai.Client, photo: types.Part) -> None:
        response = ask(client, photo, "Describe this.")

        assert tokens(response).keys() == {"IMAGE", "TEXT"}
        assert response.usage_metadata is not None
        details = response.usage_metadata.candidates_tokens_details
        assert details is not None
        assert [d.modality for d in details] == [types.MediaModality.TEXT]

    def test_a_pillow_image_is_read(self, client: genai.Client, pictures: Path) -> None:
        with Image.open(pictures / "note.png") as image:
            response = ask(client, image, "What does the note say?")

        assert response.text is not None
        assert "Winter opening hours" in response.text
        assert "closes at seven" in response.text

    def test_c5_the_order_of_text_and_picture_is_free(
        self, scripted: genai.Client, photo: types.Part
    ) -> None:
        assert tokens(ask(scripted, photo, "Hello")) == tokens(ask(scripted, "Hello", photo))

    def test_c6_an_uploaded_and_an_inline_picture_are_compared(
        self, client: genai.Client, pictures: Path
    ) -> None:
        uploaded = client.files.upload(file=pictures / "photo.png")

        response = ask(
            client, "What is different between these two images?", uploaded, part(pictures / "changed.png")
        )

        assert tokens(response)["IMAGE"] == 2 * 1120
        assert response.text

    def test_c10_a_system_instruction_costs_tokens(self, scripted: genai.Client) -> None:
        response = ask(scripted, "Hello", system_instruction="You are a librarian.")

        assert tokens(response)["TEXT"] > tokens(ask(scripted, "Hello"))["TEXT"]

    def test_c12_the_answer_is_cut_at_the_limit(self, scripted: genai.Client) -> None:
        response = ask(scripted, "A long question, said again in the answer", max_output_tokens=5)

        assert response.candidates is not None
        assert response.candidates[0].finish_reason == types.FinishReason.MAX_TOKENS
        assert response.usage_metadata is not None
        assert 0 < (response.usage_metadata.candidates_token_count or 0) <= 5

    def test_c13_the_answer_ends_before_a_stop_sequence(self, scripted: genai.Client) -> None:
        response = ask(scripted, "tell me a story", stop_sequences=["a time"])

        assert response.text == "Once upon "
        assert response.candidates is not None
        assert response.candidates[0].finish_reason == types.FinishReason.STOP

    def test_c14_two_candidates_are_numbered(self, scripted: genai.Client) -> None:
        response = ask(scripted, "Hello", candidate_count=2)

        assert response.candidates is not None
        assert [candidate.index or 0 for candidate in response.candidates] == [0, 1]

    def test_c17_a_chat_remembers_its_picture(self, client: genai.Client, note: types.Part) -> None:
        chat = client.chats.create(model=G3)

        answers = [
            chat.send_message([note, "What does the note say?"]),
            chat.send_message("What text is on it?"),
            chat.send_message("And which colours does it have?"),
        ]

        assert "library" in (answers[1].text or "")
        spent = [sum(tokens(answer).values()) for answer in answers]
        assert spent[0] < spent[1] < spent[2]
        assert all(tokens(answer)["IMAGE"] == 1120 for answer in answers)

    def test_c18_thinking_can_be_off(self, client: genai.Client) -> None:
        response = ask(client, "What can you do?", thinking_config={"thinking_budget": 0})

        assert response.text
        assert response.usage_metadata is not None
        assert not response.usage_metadata.thoughts_token_count

    def test_c20_thoughts_stand_apart_from_the_text(self, scripted: genai.Client) -> None:
        response = ask(scripted, "think first", thinking_config={"include_thoughts": True})

        assert response.text == "Done."
        assert [part.text for part in response.parts or [] if part.thought] == ["Hm."]
        assert response.usage_metadata is not None
        assert (response.usage_metadata.thoughts_token_count or 0) > 0

    def test_c21_safety_settings_are_accepted(self, scripted: genai.Client) -> None:
        names = ("HARASSMENT", "HATE_SPEECH", "SEXUALLY_EXPLICIT", "DANGEROUS_CONTENT")
        settings = [{"category": f"HARM_CATEGORY_{name}", "threshold": "BLOCK_NONE"} for name in names]

        assert ask(scripted, "Hello", safety_settings=settings).text

    def test_c22_a_blocked_prompt_has_a_reason_and_no_candidates(self, scripted: genai.Client) -> None:
        response = ask(scripted, "say no more")

        assert not response.candidates
        assert response.prompt_feedback is not None
        assert response.prompt_feedback.block_reason == types.BlockedReason.SAFETY

    async def test_the_asynchronous_client_works(self, script_server: str, photo: types.Part) -> None:
        contents: list[types.PartUnionDict] = [photo, "Hello"]

        async with genai.Client(api_key="any", http_options={"base_url": script_server}).aio as aio:
            response = await aio.models.generate_content(model=G3, contents=contents)
            stream = await aio.models.generate_content_stream(model=G3, contents="tell me a story")
            pieces = [piece.text or "" async for piece in stream]

        assert response.text == "You asked “Hello” about 1 pictures."
        assert "".join(pieces) == "Once upon a time."


class Book(BaseModel):
    title: str
    pages: int


class Box(BaseModel):
    box_2d: list[int]
    label: str


class Season(enum.Enum):
    SUMMER = "summer"
    WINTER = "winter"


class TestStructuredOutput:
    def test_d1_boxes_come_as_asked_for(self, client: genai.Client, photo: types.Part) -> None:
        response = ask(client, photo, "Detect the faces.", response_mime_type=JSON, response_schema=list[Box])

        boxes: Any = response.parsed
        assert boxes
        for box in boxes:
            ymin, xmin, ymax, xmax = box.box_2d
            assert 0 <= ymin < ymax <= 1000
            assert 0 <= xmin < xmax <= 1000

    def test_d2_a_pydantic_class_is_filled(self, scripted: genai.Client) -> None:
        response = ask(scripted, "Which book is it?", response_mime_type=JSON, response_schema=Book)

        assert response.parsed == Book(title="Emma", pages=474)

    def test_d3_a_json_schema_with_references_is_obeyed(self, client: genai.Client, note: types.Part) -> None:
        schema = {
            "type": "object",
            "properties": {"words": {"$ref": "#/$defs/words"}},
            "required": ["words"],
            "$defs": {"words": {"type": "array", "items": {"type": "string"}}},
        }

        response = ask(client, note, "List the words.", response_mime_type=JSON, response_json_schema=schema)

        words = json.loads(response.text or "")["words"]
        assert isinstance(words, list)
        assert all(isinstance(word, str) for word in words)

    @pytest.mark.parametrize("place", ["client", "scripted"])
    def test_d4_an_enum_is_one_of_its_values(self, place: str, request: pytest.FixtureRequest) -> None:
        response = ask(
            request.getfixturevalue(place),
            "which season is cold?",
            response_mime_type="text/x.enum",
            response_schema=Season,
        )

        assert response.text in {"summer", "winter"}
        assert isinstance(response.parsed, Season)

    def test_d7_a_streamed_object_parses(self, client: genai.Client, photo: types.Part) -> None:
        contents: list[types.PartUnionDict] = [photo, "Which book is this?"]
        config = types.GenerateContentConfig(response_mime_type=JSON, response_schema=Book)

        pieces = client.models.generate_content_stream(model=G3, contents=contents, config=config)

        whole = "".join(piece.text or "" for piece in pieces)
        assert json.loads(whole).keys() == {"title", "pages"}

    def test_d8_masks_are_png_urls(self, scripted: genai.Client, photo: types.Part) -> None:
        response = ask(scripted, photo, "Give the segmentation masks for the cup.")

        (item,) = json.loads(response.text or "")
        assert item["mask"].startswith("data:image/png;base64,")
        assert item.keys() == {"box_2d", "mask", "label"}

    def test_d9_the_order_of_properties_is_kept(self, client: genai.Client, photo: types.Part) -> None:
        order = ["pages", "title", "author"]
        schema = types.Schema(
            type=types.Type.OBJECT,
            properties={name: types.Schema(type=types.Type.STRING) for name in sorted(order)},
            property_ordering=order,
            required=order,
        )

        response = ask(client, photo, "Which book is this?", response_mime_type=JSON, response_schema=schema)

        assert list(json.loads(response.text or "")) == order

    def test_a17_names_of_the_callers_own_are_left_alone(self, scripted: genai.Client) -> None:
        names = ["foo_bar", "mimeType"]
        schema = {"type": "object", "properties": {name: {} for name in names}, "required": names}

        response = ask(scripted, "Fill it in.", response_mime_type=JSON, response_json_schema=schema)

        assert json.loads(response.text or "").keys() == set(names)


class TestStreams:
    def test_e2_the_pieces_make_the_whole(self, client: genai.Client, photo: types.Part) -> None:
        contents: list[types.PartUnionDict] = [photo, "Describe this."]

        pieces = list(client.models.generate_content_stream(model=G3, contents=contents))

        assert "".join(piece.text or "" for piece in pieces) == ask(client, *contents).text

    def test_e3_only_the_last_piece_ends_the_answer(self, scripted: genai.Client) -> None:
        pieces = list(scripted.models.generate_content_stream(model=G3, contents="tell me a story"))

        reasons = [piece.candidates[0].finish_reason for piece in pieces if piece.candidates]
        assert len(pieces) > 1
        assert reasons == [None] * (len(pieces) - 1) + [types.FinishReason.STOP]
        assert len({piece.response_id for piece in pieces}) == 1
        assert pieces[-1].usage_metadata is not None
        assert (pieces[-1].usage_metadata.candidates_token_count or 0) > 0

    def test_e5_an_unknown_model_is_an_error_before_the_first_piece(self, scripted: genai.Client) -> None:
        with pytest.raises(errors.ClientError) as caught:
            list(scripted.models.generate_content_stream(model="nope", contents="Hello"))

        assert caught.value.code == 404

    def test_e6_a_failure_on_the_way_is_raised_after_the_pieces(self, scripted: genai.Client) -> None:
        stream = scripted.models.generate_content_stream(model=G3, contents="break off")

        assert next(stream).text == "Once "
        with pytest.raises(errors.ServerError) as caught:
            list(stream)
        assert (caught.value.code, caught.value.message) == (503, "The teller is gone.")


class TestFunctions:
    def test_a_function_is_run_by_the_client_and_its_result_answered(self, scripted: genai.Client) -> None:
        asked_for: list[str] = []

        def get_weather(city: str) -> dict[str, str]:
            """Tell the weather of a city."""
            asked_for.append(city)
            return {"sky": "blue"}

        response = ask(scripted, "What is the weather in Paris?", tools=[get_weather])

        assert asked_for == ["Paris"]
        assert response.text == "The sky is blue."

    def test_a_streamed_call_is_run_too(self, scripted: genai.Client) -> None:
        asked_for: list[str] = []

        def get_weather(city: str) -> str:
            """Tell the weather of a city."""
            asked_for.append(city)
            return "blue"

        config = types.GenerateContentConfig(tools=[get_weather])
        pieces = scripted.models.generate_content_stream(
            model=G3, contents="What is the weather in Paris?", config=config
        )

        texts = [part.text or "" for piece in pieces for part in piece.parts or []]
        assert asked_for == ["Paris"]
        assert "".join(texts) == "The sky is blue."

    def test_a_call_can_be_answered_by_hand(self, scripted: genai.Client) -> None:
        declared = types.FunctionDeclaration(
            name="get_weather",
            parameters=types.Schema(
                type=types.Type.OBJECT, properties={"city": types.Schema(type=types.Type.STRING)}
            ),
        )
        config = types.GenerateContentConfig(
            tools=[types.Tool(function_declarations=[declared])],
            tool_config=types.ToolConfig(
                function_calling_config=types.FunctionCallingConfig(
                    mode=types.FunctionCallingConfigMode.ANY, allowed_function_names=["get_weather"]
                )
            ),
        )
        chat = scripted.chats.create(model=G3, config=config)

        called = chat.send_message("What is the weather in Paris?")
        (call,) = called.function_calls or []
        result = types.FunctionResponse(id=call.id, name=call.name, response={"sky": "blue"})
        answered = chat.send_message(types.Part(function_response=result))

        assert called.text is None
        assert (call.name, call.args) == ("get_weather", {"city": "Paris"})
        assert call.id
        assert answered.text == "The sky is blue."

    def test_an_engine_that_calls_nothing_cannot_be_forced(self, client: genai.Client) -> None:
        tool = types.Tool(function_declarations=[types.FunctionDeclaration(name="get_weather")])
        forced = {"function_calling_config": {"mode": "ANY"}}

        with pytest.raises(errors.ClientError, match="mode ANY is not supported") as caught:
            ask(client, "What is the weather in Paris?", tools=[tool], tool_config=forced)

        assert caught.value.code == 400


class TestModels:
    def test_b1_models_are_listed(self, client: genai.Client) -> None:
        models = list(client.models.list())

        assert any(model.name == f"models/{G3}" for model in models)
        assert all((model.name or "").startswith("models/") for model in models)
        assert all("generateContent" in (model.supported_actions or []) for model in models)

    def test_b2_pages_of_one_give_every_model_once(self, client: genai.Client) -> None:
        every = [model.name for model in client.models.list()]

        paged = [model.name for model in client.models.list(config={"page_size": 1})]

        assert paged == every
        assert len(set(paged)) == len(paged)

    @pytest.mark.parametrize("name", [G3, f"models/{G3}"])
    def test_b3_a_model_is_found(self, name: str, client: genai.Client) -> None:
        model = client.models.get(model=name)

        assert model.name == f"models/{G3}"
        assert model.input_token_limit == 1_048_576

    def test_b4_an_unknown_model_is_not_found(self, client: genai.Client) -> None:
        with pytest.raises(errors.ClientError) as caught:
            client.models.get(model="nope")

        assert (caught.value.code, caught.value.status) == (404, "NOT_FOUND")
