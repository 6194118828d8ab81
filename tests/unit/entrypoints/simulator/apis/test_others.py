"""Cohere, Ollama, Azure and Hugging Face: their shapes, and what they refuse."""

import json
import subprocess
import sys
from collections.abc import AsyncIterator
from typing import Any

import httpx
import openai
import pytest
import pytest_asyncio

from entrypoints.simulator.routes import ROUTES, find
from tests.unit.entrypoints.simulator.in_process import events_of, sdk_transport, simulator

USER = {"role": "user", "content": "Oslo today"}
SCHEMA = {"type": "object", "properties": {"city": {"type": "string"}}}
TOOLS = [{"type": "function", "function": {"name": "weather", "parameters": SCHEMA}}]


@pytest_asyncio.fixture
async def http() -> AsyncIterator[httpx.AsyncClient]:
    async with simulator() as client:
        client.headers["authorization"] = "Bearer k"
        yield client


def ask(model: str, *messages: Any, **fields: Any) -> dict[str, Any]:
    return {"model": model, "messages": list(messages) or [USER]} | fields


@pytest.mark.parametrize("model", ["m", "sim-reasoning", "sim-parallel-tools", "sim-words-3"])
async def test_a_message_of_cohere_and_its_stream_say_the_same(http: httpx.AsyncClient, model: str) -> None:
    plain = (await http.post("/v2/chat", json=ask(model, tools=TOOLS))).json()
    stream = await http.post("/v2/chat", json=ask(model, tools=TOOLS, stream=True))

    events = [json.loads(data) for _, data in events_of(stream.text)]
    deltas = [event["delta"]["message"] for event in events if event["type"].endswith("-delta")]
    contents = [delta["content"] for delta in deltas if "content" in delta]
    for kind in ("text", "thinking"):
        streamed = "".join(content.get(kind, "") for content in contents)
        assert streamed == "".join(part.get(kind, "") for part in plain["message"]["content"])
    arguments = "".join(delta["tool_calls"]["function"]["arguments"] for delta in deltas if "tool_calls" in delta)
    calls = plain["message"].get("tool_calls", [])
    assert arguments == "".join(call["function"]["arguments"] for call in calls)
    assert events[-1]["delta"] == {"finish_reason": plain["finish_reason"], "usage": plain["usage"]}


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/v2/chat", ask("m", n=1)),
        ("/v2/chat", ask("m", tool_choice="auto")),
        ("/v2/chat", ask("m", {"role": "developer", "content": "a"})),
        ("/v2/chat", ask("m", {"role": "user", "content": ""})),
        ("/v2/chat", {"messages": [USER]}),
        ("/v2/embed", {"model": "m", "texts": ["a"]}),
        ("/v2/embed", {"model": "m", "texts": ["a"] * 97, "input_type": "clustering"}),
    ],
)
async def test_what_cohere_refuses_has_a_message_and_an_id(
    http: httpx.AsyncClient, path: str, body: dict[str, Any]
) -> None:
    answer = await http.post(path, json=body)

    assert answer.status_code == 400
    assert set(answer.json()) == {"id", "message"}


async def test_coheres_vectors_and_models(http: httpx.AsyncClient) -> None:
    asked = {"model": "m", "texts": ["a", "b c"], "input_type": "search_query", "embedding_types": ["float", "base64"]}
    vectors = (await http.post("/v2/embed", json=asked)).json()
    models = (await http.get("/v1/models?endpoint=chat&page_size=3")).json()

    assert len(vectors["embeddings"]["float"]) == len(vectors["embeddings"]["base64"]) == 2
    assert vectors["meta"]["billed_units"] == {"input_tokens": 3.0}
    assert (len(models["models"]), models["next_page_token"]) == (3, "3")


@pytest.mark.parametrize("model", ["m", "sim-reasoning", "sim-parallel-tools"])
async def test_ollama_streams_lines_unless_told_not_to(http: httpx.AsyncClient, model: str) -> None:
    plain = (await http.post("/api/chat", json=ask(model, tools=TOOLS, stream=False))).json()
    stream = await http.post("/api/chat", json=ask(model, tools=TOOLS))

    *lines, last = [json.loads(line) for line in stream.text.splitlines()]
    assert stream.headers["content-type"] == "application/x-ndjson"
    assert "".join(line["message"]["content"] for line in lines) == plain["message"]["content"]
    calls = [call for line in lines for call in line["message"].get("tool_calls", [])]
    assert calls == plain["message"].get("tool_calls", [])
    assert all(isinstance(call["function"]["arguments"], dict) for call in calls)
    assert (last["done"], last["done_reason"], last["eval_count"]) == (True, "stop", plain["eval_count"])


async def test_ollama_takes_pictures_beside_the_text_and_arguments_as_objects(http: httpx.AsyncClient) -> None:
    seen = await http.post("/api/chat", json=ask("m", USER | {"images": ["aGk="]}, stream=False))
    parts = await http.post("/api/chat", json=ask("m", {"role": "user", "content": [{"type": "text"}]}))
    call = {"role": "assistant", "content": "", "tool_calls": [{"function": {"name": "f", "arguments": "{}"}}]}
    texts = await http.post("/api/chat", json=ask("m", USER, call))

    assert seen.json()["message"]["content"] == "Oslo today [image_url]"
    assert (parts.status_code, texts.status_code) == (400, 400)
    assert isinstance(texts.json()["error"], str)


async def test_ollamas_vectors_lists_and_errors(http: httpx.AsyncClient) -> None:
    vectors = (await http.post("/api/embed", json={"model": "m", "input": ["a", "b"]})).json()
    tags = (await http.get("/api/tags")).json()
    version = (await http.get("/api/version")).json()
    failed = await http.post("/api/chat", json=ask("sim-error-event-after-1"))
    missing = await http.post("/api/chat", json=ask("sim-nonsense"))

    assert (len(vectors["embeddings"]), vectors["prompt_eval_count"]) == (2, 2)
    assert tags["models"][0]["name"] == "sim-echo"
    assert version == {"version": "0.15.0"}
    assert json.loads(failed.text.splitlines()[-1]) == {"error": "scripted error"}
    assert (missing.status_code, missing.json()["error"]) == (404, "model 'sim-nonsense' not found")


async def test_the_official_client_reaches_a_deployment_of_azure() -> None:
    async with openai.AsyncAzureOpenAI(
        azure_endpoint="http://simulator/p",
        api_version="2024-10-21",
        api_key="k",
        http_client=sdk_transport(),
        max_retries=0,
    ) as client:
        plain = await client.chat.completions.create(model="sim-words-2", messages=[{"role": "user", "content": "a"}])
        stream = await client.chat.completions.create(
            model="sim-words-2", messages=[{"role": "user", "content": "a"}], stream=True
        )
        chunks = [chunk async for chunk in stream]
        vectors = await client.embeddings.create(model="e", input="a")
        heard = await client.audio.transcriptions.create(model="t", file=("a.wav", b"x", "audio/wav"))
        with pytest.raises(openai.NotFoundError) as missing:
            await client.chat.completions.create(model="sim-nope", messages=[{"role": "user", "content": "a"}])
        with pytest.raises(openai.BadRequestError, match="content management policy"):
            await client.chat.completions.create(model="sim-refusal", messages=[{"role": "user", "content": "a"}])

    assert missing.value.code == "DeploymentNotFound"
    assert plain.choices[0].message.content == "word1 word2"
    assert (chunks[0].choices, chunks[0].model) == ([], "")
    assert "prompt_filter_results" in (plain.model_extra or {})
    assert len(vectors.data[0].embedding) == 8
    assert heard.text == "a.wav has 1 bytes of audio/wav"


async def test_azure_wants_a_version_unless_it_is_the_v1_endpoint() -> None:
    async with simulator() as http:
        http.headers["api-key"] = "k"
        versionless = await http.post("/p/openai/deployments/d/chat/completions", json={"messages": [USER]})
        v1 = await http.post("/p/openai/v1/chat/completions", json=ask("sim-429-retry-26s"))
        response = await http.post(
            "/p/openai/responses?api-version=2025-04-01-preview", json={"model": "m", "input": "a"}
        )
        models = await http.get("/p/openai/v1/models")
        del http.headers["api-key"]
        keyless = await http.post("/p/openai/v1/chat/completions", json=ask("m"))

    assert (versionless.status_code, keyless.status_code) == (404, 401)
    assert keyless.json()["error"]["code"] == "401"
    assert (v1.status_code, v1.headers["retry-after-ms"]) == (429, "26000")
    assert response.json()["object"] == "response"
    assert models.json()["object"] == "list"


async def test_hugging_face_gives_as_deep_a_list_as_was_asked(http: httpx.AsyncClient) -> None:
    path = "/hf-inference/models/%s/pipeline/feature-extraction"
    one = await http.post(path % "org/m", json={"inputs": "a b"})
    many = await http.post(path % "org/m", json={"inputs": ["a b", "c"], "normalize": True})
    tokens = await http.post(path % "org/token-m", json={"inputs": ["a b", "c"]})
    wrong = await http.post(path % "org/m", json={"inputs": "a", "parameters": {}})
    loading = await http.post(path % "sim-503", json={"inputs": "a"})

    assert many.json()[0] == one.json()
    assert [len(text) for text in tokens.json()] == [2, 1]
    assert wrong.status_code == 422
    assert loading.json()["estimated_time"] == 20.0


async def test_hugging_face_draws_and_hears(http: httpx.AsyncClient) -> None:
    drawn = await http.post("/hf-inference/models/org/m", json={"inputs": "a cat", "parameters": {"width": 8}})
    heard = await http.post("/hf-inference/models/org/m", content=b"abc", headers={"content-type": "audio/wav"})

    assert (drawn.headers["content-type"], drawn.content[:4]) == ("image/png", b"\x89PNG")
    assert heard.json() == {"text": "3 bytes of audio/wav"}


def test_every_route_leads_to_a_format() -> None:
    for route in ROUTES:
        assert callable(route.maker())


@pytest.mark.parametrize(
    ("path", "persona", "module"),
    [
        ("/v1/chat/completions", "default", "openai_chat"),
        ("/alpha/v1/chat/completions", "alpha", "openai_chat"),
        ("/openai/v1/chat/completions", "openai", "openai_chat"),
        ("/alpha/openai/v1/chat/completions", "alpha", "azure"),
        ("/openai/deployments/d/chat/completions", "default", "azure"),
        ("/v1/models/gemini-3-pro:generateContent", "default", "gemini"),
        ("/alpha/model/arn:aws:bedrock:x/y/converse", "alpha", "bedrock"),
        ("/v1/projects/p/locations/l/publishers/google/models/m:generateContent", "default", "vertex"),
        ("/sts", "default", "bedrock_lists"),
        ("/token", "default", "vertex"),
        ("/alpha/token", "alpha", "vertex"),
    ],
)
def test_a_path_leads_to_its_persona_and_format(path: str, persona: str, module: str) -> None:
    found = find("POST", path)

    assert found.route is not None
    assert (found.persona, found.route.module) == (persona, module)


def test_a_path_that_leads_nowhere_still_has_a_persona() -> None:
    assert find("POST", "/alpha/v1/nonsense").persona == "alpha"
    assert find("POST", "/v1/nonsense").persona == "default"
    assert find("GET", "/alpha/v1/nonsense").route is None


@pytest.mark.slow
def test_a_format_is_loaded_when_its_path_is_first_asked_for() -> None:
    seen = "import sys, entrypoints.simulator.server; print([name for name in sys.modules if '.apis.' in name])"
    found = subprocess.run([sys.executable, "-c", seen], capture_output=True, text=True, check=True).stdout

    assert found.strip() == "['entrypoints.simulator.apis.endpoint']"
