"""Google's own client works unmodified in front of a provider that has only OpenAI's API (E1, R-07, R-08).

What each upstream does with each feature is in the matrix; here is what the client itself is particular about.
"""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from google import genai
from google.genai import errors, types

from tests.e2e.conftest import AddUpstream
from tests.e2e.processes import Gateway, Simulator

pytestmark = pytest.mark.process

TEXT = "grüß dich wörld"
HELLO = {"contents": [{"role": "user", "parts": [{"text": TEXT}]}]}


@pytest.fixture(params=["v1", "v1beta"])
def client(gateway: Gateway, request: pytest.FixtureRequest) -> Iterator[genai.Client]:
    """Since 3.0 it asks at `/v1`; before, and where the environment says so, at `/v1beta`."""
    options = types.HttpOptions(base_url=gateway.url, api_version=request.param, timeout=30_000)
    with genai.Client(api_key=gateway.key, http_options=options) as made:
        yield made


def test_answers_and_streams_say_the_same_at_either_version(client: genai.Client, upstream: str) -> None:
    model = f"{upstream}/sim-echo"
    answer = client.models.generate_content(model=model, contents=TEXT)
    chunks = list(client.models.generate_content_stream(model=model, contents=TEXT))

    assert answer.text == "".join(chunk.text or "" for chunk in chunks) == TEXT
    assert answer.usage_metadata is not None
    assert (answer.usage_metadata.prompt_token_count, answer.usage_metadata.candidates_token_count) == (3, 3)
    assert chunks[-1].usage_metadata == answer.usage_metadata
    assert [chunk.candidates[0].finish_reason for chunk in chunks if chunk.candidates][:-1] == [None] * (
        len(chunks) - 1
    )


def test_models_are_listed_and_found_at_either_version(
    client: genai.Client, gateway: Gateway, add_upstream: AddUpstream
) -> None:
    name = f"models/{add_upstream(settings={'models': ['sim-echo']})}/sim-echo"

    listed = {model.name for model in client.models.list()}
    found = client.models.get(model=name)

    assert name in listed
    assert found.name == name
    assert "generateContent" in (found.supported_actions or ())
    assert "data" in gateway.http.get("/v1/models").json(), "OpenAI's clients still get theirs"


def test_a_function_of_the_client_is_called_and_its_result_answered(
    client: genai.Client, add_upstream: AddUpstream
) -> None:
    asked: list[str] = []

    def weather(city: str) -> str:
        """Says how the weather is."""
        asked.append(city)
        return "sunny"

    model = add_upstream(behaviours={"m": ["sim-tools", "sim-echo"]})

    answer = client.models.generate_content(
        model=f"{model}/m", contents=TEXT, config=types.GenerateContentConfig(tools=[weather])
    )

    assert asked == [TEXT]
    assert answer.text == "sunny"


def test_an_error_is_one_of_the_clients_own(client: genai.Client, upstream: str) -> None:
    with pytest.raises(errors.ClientError) as missing:
        client.models.generate_content(model="nowhere/none", contents=TEXT)
    with pytest.raises(errors.APIError) as broken:
        list(client.models.generate_content_stream(model=f"{upstream}/sim-words-9+cut-after-3", contents=TEXT))

    assert (missing.value.code, missing.value.status) == (404, "NOT_FOUND")
    assert (broken.value.code, broken.value.status) == (502, "UNAVAILABLE")


def test_without_alt_a_stream_is_one_array_that_ends_with_the_error(gateway: Gateway, upstream: str) -> None:
    path = f"/v1beta/models/{upstream}/sim-words-4:streamGenerateContent"
    broken = f"/v1beta/models/{upstream}/sim-words-9+cut-after-3:streamGenerateContent"

    whole = gateway.http.post(path, json=HELLO)
    last = gateway.http.post(broken, json=HELLO).json()[-1]

    assert whole.headers["content-type"] == "application/json"
    said = [part["text"] for chunk in whole.json() for part in chunk["candidates"][0]["content"]["parts"]]
    assert "".join(said) == "word1 word2 word3 word4"
    assert last["error"]["status"] == "UNAVAILABLE"


@pytest.mark.parametrize("path", ["/v1beta/models/auto:generateContent", "/v1/models/auto:generateContent"])
def test_a_key_in_the_address_is_refused_in_googles_shape(gateway: Gateway, path: str) -> None:
    answer = gateway.http.post(path, params={"key": gateway.key}, json=HELLO, headers={"authorization": ""})

    error = answer.json()["error"]
    assert (answer.status_code, error["code"], error["status"]) == (400, 400, "INVALID_ARGUMENT")
    assert error["details"][0]["reason"] == "API_KEY_IN_QUERY"


@pytest.mark.parametrize("header", ["x-goog-api-key", "authorization"])
def test_either_header_carries_the_key(gateway: Gateway, upstream: str, header: str) -> None:
    key = gateway.key if header == "x-goog-api-key" else f"Bearer {gateway.key}"
    path = f"/v1beta/models/{upstream}/sim-echo:generateContent"

    answer = gateway.http.post(path, json=HELLO, headers={"authorization": "", header: key})

    assert answer.json()["candidates"][0]["content"]["parts"] == [{"text": TEXT}]


def test_names_in_snake_case_are_read_and_what_is_left_out_is_said(
    gateway: Gateway, upstream: str, simulator: Simulator
) -> None:
    body: dict[str, Any] = {
        "system_instruction": "Be brief.",
        "contents": TEXT,
        "generation_config": {"max_output_tokens": 9, "top_k": 5, "stop_sequences": ["x"]},
        "safety_settings": [{"category": "HARM_CATEGORY_HARASSMENT", "threshold": "BLOCK_NONE"}],
    }

    answer = gateway.http.post(f"/v1beta/models/{upstream}/sim-echo:generateContent", json=body)

    sent = simulator.calls(upstream)[-1]["body"]
    assert [message["content"] for message in sent["messages"]] == ["Be brief.", TEXT]
    assert (sent["max_tokens"], sent["stop"]) == (9, ["x"])
    assert "safetySettings" in answer.headers["x-omg-dropped-params"]


def test_embeddings_of_one_text_and_of_several_agree(gateway: Gateway, upstream: str) -> None:
    content = {"parts": [{"text": "a cat"}]}
    where = f"/v1beta/models/{upstream}/sim-echo"

    one = gateway.http.post(f"{where}:embedContent", json={"content": content}).json()
    several = gateway.http.post(
        f"{where}:batchEmbedContents", json={"requests": [{"model": "models/x", "content": content}] * 2}
    ).json()

    assert several["embeddings"] == [one["embedding"], one["embedding"]]
    assert len(one["embedding"]["values"]) > 0


@pytest.mark.parametrize("path", ["/v1beta/files", "/v1beta/cachedContents", "/upload/v1beta/files"])
def test_what_is_not_served_says_so_in_googles_shape(gateway: Gateway, path: str) -> None:
    answer = gateway.http.get(path)

    assert answer.status_code == 404
    assert json.loads(answer.text)["error"]["status"] == "NOT_FOUND"


def test_a_path_pinned_to_a_provider_asks_no_other(gateway: Gateway, upstream: str) -> None:
    answer = gateway.http.post(f"/{upstream}/v1beta/models/sim-echo:generateContent", json=HELLO)

    assert answer.headers["x-omg-provider"] == upstream
