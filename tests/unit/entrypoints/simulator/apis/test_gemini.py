"""Gemini's own API and Vertex AI, with what they refuse."""

import base64
import json
import time
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
import pytest_asyncio

from tests.unit.entrypoints.simulator.in_process import events_of, simulator

KEY = {"x-goog-api-key": "k"}
USER = {"role": "user", "parts": [{"text": "Oslo today"}]}
WEATHER = {"name": "weather", "parameters": {"type": "OBJECT", "properties": {"city": {"type": "STRING"}}}}
CALL = {"functionCall": {"name": "weather", "args": {}}}
RESULT = {"role": "user", "parts": [{"functionResponse": {"name": "weather", "response": {"result": "sunny"}}}]}
TOOLS = [{"functionDeclarations": [WEATHER]}]


@pytest_asyncio.fixture
async def http() -> AsyncIterator[httpx.AsyncClient]:
    async with simulator() as client:
        client.headers.update(KEY)
        yield client


async def generate(http: httpx.AsyncClient, model: str, *contents: Any, **fields: Any) -> httpx.Response:
    body = {"contents": list(contents) or [USER]} | fields
    return await http.post(f"/v1beta/models/{model}:generateContent", json=body)


async def streamed(http: httpx.AsyncClient, model: str, **fields: Any) -> list[Any]:
    url = f"/v1beta/models/{model}:streamGenerateContent?alt=sse"
    answer = await http.post(url, json={"contents": [USER]} | fields)
    assert answer.text.count("\n") == answer.text.count("\r\n")
    return [json.loads(data) for _, data in events_of(answer.text)]


async def test_an_answer_and_its_stream_say_the_same(http: httpx.AsyncClient) -> None:
    plain = (await generate(http, "sim-reasoning")).json()
    chunks = await streamed(http, "sim-reasoning")

    thought, said = plain["candidates"][0]["content"]["parts"]
    parts = [part for chunk in chunks for part in chunk["candidates"][0]["content"]["parts"]]
    assert "".join(part["text"] for part in parts if part.get("thought")) == thought["text"] == "Let me think."
    assert "".join(part["text"] for part in parts if not part.get("thought")) == said["text"] == "Oslo today"
    assert chunks[-1]["candidates"][0]["finishReason"] == "STOP"
    assert plain["usageMetadata"] == {
        "promptTokenCount": 2,
        "candidatesTokenCount": 2,
        "thoughtsTokenCount": 3,
        "totalTokenCount": 7,
    }


async def test_without_sse_a_stream_is_one_array(http: httpx.AsyncClient) -> None:
    answer = await http.post("/v1/models/m:streamGenerateContent", json={"contents": [USER]})

    texts = [chunk["candidates"][0]["content"]["parts"][0]["text"] for chunk in answer.json()]
    assert "".join(texts) == "Oslo today"


async def test_a_call_of_a_tool_ends_with_stop_and_the_first_one_is_signed(http: httpx.AsyncClient) -> None:
    plain = (await generate(http, "sim-parallel-tools", tools=TOOLS)).json()["candidates"][0]
    chunks = await streamed(http, "sim-parallel-tools", tools=TOOLS)

    calls = plain["content"]["parts"]
    assert [call["functionCall"]["args"] for call in calls] == [{"city": "Oslo today"}] * 2
    assert ["thoughtSignature" in call for call in calls] == [True, False]
    assert plain["finishReason"] == "STOP"
    assert [len(chunk["candidates"][0]["content"]["parts"]) for chunk in chunks] == [1, 1]


async def test_gemini_3_wants_its_signature_back_and_2_does_not_care(http: httpx.AsyncClient) -> None:
    [call] = (await generate(http, "sim-tools", tools=TOOLS)).json()["candidates"][0]["content"]["parts"]

    async def again(part: dict[str, Any], model: str = "gemini-3-pro") -> int:
        answer = await generate(http, model, USER, {"role": "model", "parts": [part]}, RESULT, tools=TOOLS)
        return answer.status_code

    assert await again(call) == 200
    assert await again(CALL | {"thoughtSignature": "skip_thought_signature_validator"}) == 200
    assert await again(CALL) == 400
    assert await again(CALL | {"thoughtSignature": "AAAA"}) == 400
    assert await again(CALL, "gemini-2.5-pro") == 200


async def test_the_result_of_a_tool_is_what_is_repeated(http: httpx.AsyncClient) -> None:
    answer = await generate(http, "gemini-2.5-pro", USER, {"role": "model", "parts": [CALL]}, RESULT, tools=TOOLS)

    assert answer.json()["candidates"][0]["content"]["parts"] == [{"text": "sunny"}]


@pytest.mark.parametrize(
    "parameters",
    [
        {"type": "object", "additionalProperties": False},
        {"$schema": "x", "type": "object"},
        {"type": "object", "properties": {"a": {"$ref": "#/$defs/A"}}},
        {"type": "object", "properties": {"a": {"const": 1}}},
        {"type": "object", "properties": {"a": {"type": ["string", "null"]}}},
        {"type": "object", "properties": {"a": {"type": "array"}}},
        {"type": "object", "properties": {}, "required": ["a"]},
        {"type": "object", "properties": {"a": {"anyOf": [{"oneOf": []}]}}},
    ],
)
async def test_parameters_outside_of_the_openapi_subset_are_a_400(
    http: httpx.AsyncClient, parameters: dict[str, Any]
) -> None:
    strict = [{"functionDeclarations": [{"name": "f", "parameters": parameters}]}]
    loose = [{"functionDeclarations": [{"name": "f", "parametersJsonSchema": parameters}]}]

    refused = await generate(http, "m", tools=strict)
    assert (refused.status_code, refused.json()["error"]["status"]) == (400, "INVALID_ARGUMENT")
    assert (await generate(http, "m", tools=loose)).status_code == 200
    shaped = {"responseMimeType": "application/json", "responseSchema": parameters}
    assert (await generate(http, "m", generationConfig=shaped)).status_code == 400


@pytest.mark.parametrize(
    "fields",
    [
        {"messages": []},
        {"contents": []},
        {"contents": [{"role": "assistant", "parts": [{"text": "a"}]}]},
        {"contents": [{"role": "user", "parts": [{}]}]},
        {"contents": [USER, RESULT]},
        {"generationConfig": {"stopSequences": list("abcdef")}},
        {"generationConfig": {"thinkingConfig": {"thinkingBudget": 1, "thinkingLevel": "LOW"}}},
        {"generationConfig": {"responseJsonSchema": {}}},
        {"tools": TOOLS, "toolConfig": {"functionCallingConfig": {"mode": "ANY", "allowedFunctionNames": ["g"]}}},
    ],
)
async def test_what_gemini_refuses_is_a_400(http: httpx.AsyncClient, fields: dict[str, Any]) -> None:
    answer = await http.post("/v1beta/models/m:generateContent", json={"contents": [USER]} | fields)

    assert answer.status_code == 400


async def test_a_rate_limit_is_told_in_the_body_alone(http: httpx.AsyncClient) -> None:
    answer = await generate(http, "sim-429-retry-46s")

    error = answer.json()["error"]
    assert "retry-after" not in answer.headers
    assert (error["code"], error["status"]) == (429, "RESOURCE_EXHAUSTED")
    assert error["details"][-1] == {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "46s"}


async def test_a_refusal_and_an_error_inside_a_stream(http: httpx.AsyncClient) -> None:
    refused = (await generate(http, "sim-refusal")).json()["candidates"][0]
    chunks = await streamed(http, "sim-error-event-after-1")

    assert (refused["finishReason"], refused["content"]) == ("SAFETY", {"role": "model"})
    assert chunks[-1]["error"]["status"] == "INTERNAL"


async def test_without_a_key_the_key_is_not_valid() -> None:
    async with simulator() as http:
        answer = await generate(http, "m")

    assert answer.status_code == 400
    assert answer.json()["error"]["details"][0]["reason"] == "API_KEY_INVALID"


async def test_vectors_counts_and_models(http: httpx.AsyncClient) -> None:
    content = {"parts": [{"text": "one two"}]}
    one = await http.post("/v1beta/models/e:embedContent", json={"content": content, "output_dimensionality": 4})
    batch = {"requests": [{"model": "models/e", "content": content}] * 2}
    many = await http.post("/v1beta/models/e:batchEmbedContents", json=batch)
    other = await http.post("/v1beta/models/f:batchEmbedContents", json=batch)
    counted = await http.post("/v1beta/models/e:countTokens", json={"contents": [USER]})
    first = (await http.get("/v1beta/models?pageSize=3")).json()
    second = (await http.get(f"/v1/models?pageSize=3&pageToken={first['nextPageToken']}")).json()

    assert len(one.json()["embedding"]["values"]) == 4
    assert len(many.json()["embeddings"]) == 2
    assert other.status_code == 400
    assert counted.json() == {"totalTokens": 2}
    assert first["models"][0]["name"] == "models/sim-echo"
    assert first["models"] != second["models"]


def assertion(**claims: Any) -> str:
    now = int(time.time())
    given = {"iss": "a@b", "scope": "s", "aud": "u", "iat": now, "exp": now + 3600} | claims
    parts = ({"alg": "RS256", "typ": "JWT", "kid": "1"}, given)
    return ".".join([*(base64.urlsafe_b64encode(json.dumps(part).encode()).decode() for part in parts), "c2ln"])


async def token(http: httpx.AsyncClient, signed: str) -> httpx.Response:
    grant = "urn:ietf:params:oauth:grant-type:jwt-bearer"
    return await http.post("/token", data={"grant_type": grant, "assertion": signed})


async def test_vertex_serves_gemini_and_claude_to_those_with_a_token() -> None:
    place = "/p/v1/projects/x/locations/eu/publishers"
    gemini, claude = f"{place}/google/models/gemini-3-pro", f"{place}/anthropic/models/claude-sonnet-4-5@20250929"
    asked = {"anthropic_version": "vertex-2023-10-16", "max_tokens": 9, "messages": [{"role": "user", "content": "a"}]}
    async with simulator() as http:
        assert (await http.post(f"{gemini}:generateContent", json={"contents": [USER]})).status_code == 401
        given = (await token(http, assertion())).json()
        http.headers["authorization"] = f"Bearer {given['access_token']}"

        said = await http.post(f"{gemini}:generateContent", json={"contents": [USER]})
        roleless = await http.post(f"{gemini}:generateContent", json={"contents": [{"parts": [{"text": "a"}]}]})
        message = await http.post(f"{claude}:rawPredict", json=asked)
        stream = await http.post(f"{claude}:streamRawPredict", json=asked | {"stream": True})
        named = await http.post(f"{claude}:rawPredict", json=asked | {"model": "m"})
        vectors = await http.post(f"{place}/google/models/e:predict", json={"instances": [{"content": "a"}]})
        pictures = await http.post(f"{place}/google/models/i:predict", json={"instances": [{"prompt": "a"}]})
        unknown = await http.post(f"{place}/mistralai/models/m:rawPredict", json={})

    assert said.json()["candidates"][0]["content"]["parts"] == [{"text": "Oslo today"}]
    assert message.json()["content"][0]["text"] == "a"
    assert events_of(stream.text)[-1][0] == "message_stop"
    assert len(vectors.json()["predictions"][0]["embeddings"]["values"]) == 8
    assert pictures.json()["predictions"][0]["mimeType"] == "image/png"
    assert [answer.status_code for answer in (roleless, named, unknown)] == [400, 400, 404]


@pytest.mark.parametrize("signed", ["", "a.b.c", assertion(exp=1), assertion(iss=""), assertion()[:-5]])
async def test_a_grant_of_another_form_gives_no_token(signed: str) -> None:
    async with simulator() as http:
        answer = await token(http, signed)

    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_grant")
