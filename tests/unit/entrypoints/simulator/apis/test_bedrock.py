"""Bedrock: frames that botocore's parser reads, and what Converse and the vendors' bodies refuse."""

import base64
import json
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
import pytest_asyncio
from botocore.eventstream import EventStreamBuffer

from entrypoints.simulator.apis.anthropic_checks import signature_of
from tests.unit.entrypoints.simulator.in_process import simulator

USER = {"role": "user", "content": [{"text": "Oslo today"}]}
CALL = {"role": "assistant", "content": [{"toolUse": {"toolUseId": "t1", "name": "weather", "input": {}}}]}
RESULT = {"role": "user", "content": [{"toolResult": {"toolUseId": "t1", "content": [{"text": "sunny"}]}}]}
SCHEMA = {"type": "object", "properties": {"city": {"type": "string"}}}
TOOLS = {"tools": [{"toolSpec": {"name": "weather", "inputSchema": {"json": SCHEMA}}}]}
SIGNED = {
    "x-amz-date": "20261121T080000Z",
    "authorization": "AWS4-HMAC-SHA256 Credential=AKID/20261121/us-east-1/bedrock/aws4_request, "
    f"SignedHeaders=content-type;host;x-amz-date, Signature={'0' * 64}",
}


@pytest_asyncio.fixture
async def http() -> AsyncIterator[httpx.AsyncClient]:
    async with simulator() as client:
        client.headers.update(SIGNED)
        yield client


async def converse(http: httpx.AsyncClient, model: str, *messages: Any, **fields: Any) -> httpx.Response:
    return await http.post(f"/model/{model}/converse", json={"messages": list(messages) or [USER]} | fields)


def frames(content: bytes) -> list[tuple[str, Any]]:
    buffer = EventStreamBuffer()
    buffer.add_data(content)
    found = []
    for message in buffer:
        kind = message.headers.get(":event-type") or message.headers.get(":exception-type")
        found.append((str(kind), json.loads(message.payload)))
    return found


@pytest.mark.parametrize("model", ["sim-echo", "sim-reasoning", "us.sim-parallel-tools", "sim-byte-by-byte"])
async def test_an_answer_and_its_frames_say_the_same(http: httpx.AsyncClient, model: str) -> None:
    plain = (await converse(http, model, toolConfig=TOOLS)).json()
    stream = await http.post(f"/model/{model}/converse-stream", json={"messages": [USER], "toolConfig": TOOLS})

    events = frames(stream.content)
    deltas = [value["delta"] for kind, value in events if kind == "contentBlockDelta"]
    blocks = plain["output"]["message"]["content"]
    assert stream.headers["content-type"] == "application/vnd.amazon.eventstream"
    assert "".join(delta.get("text", "") for delta in deltas) == "".join(block.get("text", "") for block in blocks)
    arguments = "".join(delta["toolUse"]["input"] for delta in deltas if "toolUse" in delta)
    assert arguments == "".join(json.dumps(block["toolUse"]["input"]) for block in blocks if "toolUse" in block)
    assert [kind for kind, _ in events][-2:] == ["messageStop", "metadata"]
    assert events[-2][1]["stopReason"] == plain["stopReason"]
    assert events[-1][1]["usage"] == plain["usage"]


async def test_only_a_tool_has_a_start_of_its_own(http: httpx.AsyncClient) -> None:
    said = await http.post("/model/m/converse-stream", json={"messages": [USER]})
    called = await http.post("/model/sim-tools/converse-stream", json={"messages": [USER], "toolConfig": TOOLS})

    assert "contentBlockStart" not in dict(frames(said.content))
    assert dict(frames(called.content))["contentBlockStart"]["start"]["toolUse"]["name"] == "weather"


async def test_an_exception_comes_as_a_frame(http: httpx.AsyncClient) -> None:
    stream = await http.post("/model/sim-error-event-after-2/converse-stream", json={"messages": [USER]})

    assert frames(stream.content)[-1] == ("modelStreamErrorException", {"message": "scripted error"})


async def test_cached_tokens_are_not_among_the_input_tokens(http: httpx.AsyncClient) -> None:
    usage = (await converse(http, "sim-cached")).json()["usage"]

    assert (usage["inputTokens"], usage["cacheReadInputTokens"], usage["cacheWriteInputTokens"]) == (20, 60, 20)
    assert usage["cacheDetails"] == [{"ttl": "5m", "inputTokens": 20}]


async def test_the_result_of_a_tool_is_what_is_repeated(http: httpx.AsyncClient) -> None:
    answer = await converse(http, "m", USER, CALL, RESULT, toolConfig=TOOLS)

    assert answer.json()["output"]["message"]["content"] == [{"text": "sunny"}]


def said(*content: Any, role: str = "user") -> dict[str, Any]:
    return {"role": role, "content": list(content)}


PNG = base64.b64encode(b"png").decode()


@pytest.mark.parametrize(
    ("words", "fields"),
    [
        ("start with a user", {"messages": []}),
        ("start with a user", {"messages": [said({"text": "a"}, role="assistant")]}),
        ("alternate", {"messages": [USER, USER]}),
        ("is blank", {"messages": [said({"text": " "})]}),
        ("is empty", {"messages": [said()]}),
        ("toolConfig", {"messages": [USER, CALL, RESULT]}),
        ("Expected toolResult", {"messages": [USER, CALL, USER], "toolConfig": TOOLS}),
        ("without toolResult", {"messages": [USER, CALL], "toolConfig": TOOLS}),
        ("at least 1 item", {"toolConfig": {"tools": []}}),
        ("toolChoice", {"toolConfig": TOOLS | {"toolChoice": {"none": {}}}}),
        ("type must be", {"toolConfig": {"tools": [{"toolSpec": {"name": "f", "inputSchema": {"json": {}}}}]}}),
        ("toolSpec.name", {"toolConfig": {"tools": [{"toolSpec": {"name": "a.b", "inputSchema": {"json": SCHEMA}}}]}}),
        ("needs bytes", {"messages": [said({"image": {"format": "png", "source": {"url": "x"}}})]}),
        ("image.format", {"messages": [said({"image": {"format": "bmp", "source": {"bytes": PNG}}})]}),
        (
            "document file name",
            {"messages": [said({"document": {"format": "pdf", "name": "a.pdf", "source": {"bytes": PNG}}})]},
        ),
        ("extraneous key [n]", {"n": 1}),
        ("extraneous key", {"inferenceConfig": {"topK": 1}}),
        ("temperature", {"inferenceConfig": {"temperature": 2}}),
    ],
)
async def test_what_converse_refuses_is_a_400(http: httpx.AsyncClient, words: str, fields: dict[str, Any]) -> None:
    answer = await http.post("/model/m/converse", json={"messages": [USER]} | fields)

    assert answer.status_code == 400
    assert words in answer.json()["message"]
    assert answer.headers["x-amzn-errortype"].startswith("ValidationException:")


async def test_claude_wants_its_thought_back_as_it_was_signed(http: httpx.AsyncClient) -> None:
    async def again(signature: str) -> int:
        thought = {"reasoningContent": {"reasoningText": {"text": "hm", "signature": signature}}}
        history = (USER, said(thought, {"text": "a"}, role="assistant"), USER)
        return (await converse(http, "anthropic.claude-x", *history)).status_code

    assert (await again(signature_of("hm")), await again("x")) == (200, 400)


@pytest.mark.parametrize(
    ("model", "status", "name"),
    [
        ("sim-429", 429, "ThrottlingException"),
        ("sim-429-quota", 400, "ServiceQuotaExceededException"),
        ("sim-401", 403, "UnrecognizedClientException"),
        ("sim-503", 503, "ServiceUnavailableException"),
        ("sim-nonsense", 400, "ValidationException"),
    ],
)
async def test_errors_are_named_in_a_header(http: httpx.AsyncClient, model: str, status: int, name: str) -> None:
    answer = await converse(http, model)

    assert answer.status_code == status
    assert answer.headers["x-amzn-errortype"].partition(":")[0] == name


@pytest.mark.parametrize(
    "headers",
    [
        {"authorization": ""},
        {"authorization": "AWS4-HMAC-SHA256 Credential=A/B"},
        {"x-amz-date": "20261120T080000Z"},
        {"authorization": SIGNED["authorization"].replace("host;x-amz-date", "x-amz-date;host")},
        {"authorization": SIGNED["authorization"].replace("/bedrock/", "/bedrock-runtime/")},
    ],
)
async def test_an_unsigned_request_is_a_403(http: httpx.AsyncClient, headers: dict[str, str]) -> None:
    http.headers.update(headers)

    assert (await converse(http, "m")).status_code == 403


async def test_an_api_key_is_a_bearer(http: httpx.AsyncClient) -> None:
    http.headers["authorization"] = "Bearer bedrock-api-key-x"

    assert (await converse(http, "m")).status_code == 200


async def test_titan_gives_one_vector_and_pictures(http: httpx.AsyncClient) -> None:
    v2 = "/model/amazon.titan-embed-text-v2:0/invoke"
    vector = await http.post(v2, json={"inputText": "a b", "dimensions": 256, "normalize": True})
    odd = await http.post(v2, json={"inputText": "a", "dimensions": 300})
    first = await http.post("/model/amazon.titan-embed-text-v1/invoke", json={"inputText": "a", "dimensions": 256})
    task = {"taskType": "TEXT_IMAGE", "textToImageParams": {"text": "a cat"}}
    pictures = await http.post("/model/i/invoke", json=task | {"imageGenerationConfig": {"numberOfImages": 2}})
    blocked = await http.post("/model/sim-refusal/invoke", json=task)

    assert (len(vector.json()["embedding"]), vector.json()["inputTextTokenCount"]) == (256, 2)
    assert (odd.status_code, first.status_code) == (400, 400)
    assert len(set(pictures.json()["images"])) == 2
    assert blocked.json() == {"images": [], "error": "I cannot help with that."}


async def test_claude_and_cohere_have_their_own_bodies(http: httpx.AsyncClient) -> None:
    body = {"anthropic_version": "bedrock-2023-05-31", "max_tokens": 9, "messages": [{"role": "user", "content": "a"}]}
    plain = await http.post("/model/m/invoke", json=body)
    stream = await http.post("/model/m/invoke-with-response-stream", json=body)
    vectors = await http.post("/model/c/invoke", json={"texts": ["a", "b"], "input_type": "search_document"})

    assert plain.json()["content"][0]["text"] == "a"
    events = [json.loads(base64.b64decode(value["bytes"])) for _, value in frames(stream.content)]
    assert (events[0]["type"], events[-1]["type"]) == ("message_start", "message_stop")
    assert len(vectors.json()["embeddings"]) == 2


async def test_models_profiles_and_the_callers_identity(http: httpx.AsyncClient) -> None:
    models = (await http.get("/p/foundation-models")).json()["modelSummaries"]
    profiles = (await http.get("/p/inference-profiles?type=SYSTEM_DEFINED")).json()["inferenceProfileSummaries"]
    own = (await http.get("/p/inference-profiles?type=APPLICATION")).json()["inferenceProfileSummaries"]
    counted = await http.post("/model/m/count-tokens", json={"input": {"converse": {"messages": [USER]}}})
    form = "Action=GetCallerIdentity&Version=2011-06-15"
    wrong = await http.post("/p/sts", content=form)
    http.headers["authorization"] = SIGNED["authorization"].replace("/bedrock/", "/sts/")
    identity = await http.post("/p/sts", content=form)
    other = await http.post("/", content="Action=Other")

    assert models[0]["modelId"] == "sim-echo"
    assert profiles[0]["inferenceProfileId"] == "us.sim-echo"
    assert own == []
    assert counted.json() == {"inputTokens": 2}
    assert (wrong.status_code, identity.status_code, other.status_code) == (403, 200, 400)
    assert "<UserId>AKID</UserId>" in identity.text
