"""The chat app's API against a real gateway and the simulated providers: contract 12, with `OMG_AUTH=open`."""

import base64
import json
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from tests.e2e.processes import Gateway
from tests.waiting import wait_until

pytestmark = pytest.mark.process

PNG = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg=="
)


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    with Gateway(tmp_path_factory.mktemp("chat"), "--demo", OMG_AUTH="open") as running:
        running.admin.post("/models", json={
            "provider": "demo-a", "model": "demo", "prices": {"input": "1.00", "output": "2.00"}, "confirm": True,
        }).raise_for_status()  # fmt: skip
        yield running


@pytest.fixture
def chat(gateway: Gateway) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=f"{gateway.url}/api", timeout=30) as client:
        yield client


def events(text: str) -> list[tuple[str, Any]]:
    found = []
    for block in text.split("\n\n"):
        fields = dict(line.split(": ", 1) for line in block.splitlines() if not line.startswith(":"))
        if fields:
            found.append((fields["event"], json.loads(fields["data"])))
    return found


def say(chat: httpx.Client, content: Any, model: str = "demo", path: str = "/chat/stream", **more: Any) -> Any:
    """The events' names, the ids of `start`, and what came last."""
    answer = chat.post(path, json={"model": model, "content": content, **more})
    assert answer.status_code == 200, answer.text
    seen = events(answer.text)
    return [name for name, _ in seen], seen[0][1], seen[-1][1]


def messages_of(chat: httpx.Client, conversation_id: str, **query: Any) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = chat.get(f"/conversations/{conversation_id}", params=query).json()["messages"]
    return found


def test_a_message_is_answered_stored_and_in_the_books(chat: httpx.Client, gateway: Gateway) -> None:
    names, ids, message = say(chat, "Hello there, model.", system_prompt="You are brief.")

    assert names[0] == "start"
    assert set(names[1:-1]) == {"delta"}
    assert names[-1] == "done"
    assert message["content"] == "Hello there, model."
    assert (message["model"], message["provider"], message["status"]) == ("demo", "demo-a", "complete")
    user, answer = messages_of(chat, ids["conversation_id"])
    assert answer == message
    assert (user["role"], user["parent_id"], answer["parent_id"]) == ("user", None, user["id"])
    wait_until(lambda: gateway.admin.get(f"/requests/{message['request_id']}").status_code == 200)
    booked = gateway.admin.get(f"/requests/{message['request_id']}").json()
    assert booked["key_id"] is None
    assert booked["cost_usd"] == message["cost_usd"] != "0.00"
    assert (booked["input_tokens"], booked["output_tokens"]) == (message["tokens_input"], message["tokens_output"])


def test_the_conversation_goes_along_and_the_plain_way_answers_the_same(chat: httpx.Client) -> None:
    _, ids, _ = say(chat, "First words")
    body = {"model": "demo", "content": "Second words", "conversation_id": ids["conversation_id"]}
    answer = chat.post("/chat/submit", json=body).json()

    assert answer["conversation_id"] == ids["conversation_id"]
    assert answer["message"]["content"] == "Second words"
    assert answer["message"]["tokens_input"] > 2  # what was said before is read again
    line = messages_of(chat, ids["conversation_id"])
    assert [one["role"] for one in line] == ["user", "assistant", "user", "assistant"]
    assert [one["parent_id"] for one in line[1:]] == [one["id"] for one in line[:-1]]


def test_leaving_the_stream_stops_the_model_and_keeps_what_came_with_its_cost(
    chat: httpx.Client, gateway: Gateway
) -> None:
    body = {"model": "demo-a/sim-words-2000+chunk-delay-20ms", "content": "Go on"}
    with chat.stream("POST", "/chat/stream", json=body) as answer:
        lines = answer.iter_lines()
        ids = next(json.loads(line[6:]) for line in lines if line.startswith("data: "))
        next(line for line in lines if line == "event: delta")

    def last() -> dict[str, Any]:
        return messages_of(chat, ids["conversation_id"])[-1]

    wait_until(lambda: last()["status"] != "streaming")
    stopped = last()
    assert (stopped["status"], stopped["error"]) == ("stopped", None)
    assert stopped["content"]
    assert stopped["tokens_output"] >= 1
    wait_until(lambda: gateway.admin.get(f"/requests/{stopped['request_id']}").status_code == 200)
    booked = gateway.admin.get(f"/requests/{stopped['request_id']}").json()
    assert booked["outcome"] == "client_cancelled"
    assert booked["output_tokens"] == stopped["tokens_output"]


def test_a_failure_is_the_streams_last_event_and_another_answer_can_be_had(chat: httpx.Client) -> None:
    names, ids, error = say(chat, "Try this", model="sim-500")

    assert names == ["start", "error"]
    assert set(error) == {"error", "request_id"}
    (user, failed) = messages_of(chat, ids["conversation_id"])
    assert (failed["status"], failed["error"]) == ("failed", error["error"]["message"])

    again = {"conversation_id": ids["conversation_id"], "message_id": failed["id"], "model": "demo"}
    seen = events(chat.post("/chat/regenerate", json=again).text)

    assert seen[-1][0] == "done"
    assert [one["id"] for one in messages_of(chat, ids["conversation_id"])] == [user["id"], seen[-1][1]["id"]]
    everything = messages_of(chat, ids["conversation_id"], all=True)
    assert [one["active"] for one in everything] == [True, False, True]
    assert len({one["parent_id"] for one in everything[1:]}) == 1

    chat.patch(f"/conversations/{ids['conversation_id']}", json={"active_message_id": failed["id"]}).raise_for_status()
    assert [one["id"] for one in messages_of(chat, ids["conversation_id"])] == [user["id"], failed["id"]]


def test_the_plain_way_fails_with_a_status(chat: httpx.Client) -> None:
    failed = chat.post("/chat/submit", json={"model": "sim-500", "content": "x"})
    unknown = chat.post("/chat/submit", json={"model": "no/such-model", "content": "x"})

    assert (failed.status_code, failed.json()["error"]["type"]) == (502, "api_error")
    assert unknown.status_code == 404


@pytest.mark.parametrize(
    ("body", "param"),
    [
        ({"model": "demo", "content": "  "}, "content"),
        ({"content": "x"}, "model"),
        ({"model": "demo", "content": "x", "base_url": "http://x"}, "base_url"),
        ({"model": "demo", "content": [{"type": "image", "text": "x"}]}, "content.0"),
        ({"model": "demo", "content": [{"type": "image_url", "image_url": {"url": "http://x/y.png"}}]}, "content.0"),
    ],
)
def test_a_message_that_cannot_be_is_refused(chat: httpx.Client, body: Any, param: str) -> None:
    refused = chat.post("/chat/stream", json=body)

    assert refused.status_code == 400
    assert param in refused.text


def test_an_edited_message_is_a_clone_up_to_the_one_before_it(chat: httpx.Client) -> None:
    _, ids, _ = say(chat, "One")
    say(chat, "Two", conversation_id=ids["conversation_id"])
    before = messages_of(chat, ids["conversation_id"])[1]

    clone = chat.post(f"/conversations/{ids['conversation_id']}/clone", json={"up_to_message_id": before["id"]}).json()
    say(chat, "Two, otherwise", conversation_id=clone["id"])

    assert clone["parent_id"] == ids["conversation_id"]
    texts = [one["content"] for one in messages_of(chat, clone["id"])]
    assert texts == ["One", "One", "Two, otherwise", "Two, otherwise"]
    assert len(messages_of(chat, ids["conversation_id"])) == 4


def test_conversations_are_found_changed_and_deleted(chat: httpx.Client) -> None:
    _, ids, _ = say(chat, "About Größe and 大数据")
    conversation_id = ids["conversation_id"]

    changed = chat.patch(f"/conversations/{conversation_id}", json={"title": "Sizes", "system_prompt": "A"}).json()
    appended = chat.post(f"/conversations/{conversation_id}/system", json={"content": "B"}).json()
    found = chat.get("/conversations", params={"query": "GRÖSSE 数据 sizes"}).json()["data"]
    page = chat.get("/conversations", params={"limit": 1}).json()

    assert (changed["title"], appended["system_prompt"]) == ("Sizes", "A\n\nB")
    assert [one["id"] for one in found] == [conversation_id]
    assert found[0]["messages"] == 2
    rest = chat.get("/conversations", params={"cursor": page["next_cursor"]}).json()["data"]
    assert page["data"][0]["id"] not in {one["id"] for one in rest}
    assert chat.get("/conversations", params={"cursor": "x"}).status_code == 400
    assert chat.delete(f"/conversations/{conversation_id}").status_code == 204
    assert chat.get(f"/conversations/{conversation_id}").status_code == 404


def test_a_conversation_can_be_taken_away(chat: httpx.Client) -> None:
    _, ids, message = say(chat, "Keep `this`")

    text = chat.get(f"/conversations/{ids['conversation_id']}/export")
    whole = chat.get(f"/conversations/{ids['conversation_id']}/export", params={"format": "json"})

    assert text.headers["content-disposition"] == f"attachment; filename={ids['conversation_id']}.md"
    assert "## You\n\nKeep `this`" in text.text
    assert f"{message['cost_usd']} USD" in text.text
    assert [one["role"] for one in whole.json()["messages"]] == ["user", "assistant"]


def test_a_conversation_is_a_pdf_where_the_library_is(chat: httpx.Client) -> None:
    pytest.importorskip("typst")
    _, ids, _ = say(chat, "#panic() مرحبا")

    printed = chat.get(f"/conversations/{ids['conversation_id']}/export", params={"format": "pdf"})

    assert printed.headers["content-type"] == "application/pdf"
    assert printed.headers["content-disposition"] == f"attachment; filename={ids['conversation_id']}.pdf"
    assert printed.content.startswith(b"%PDF-")


def test_templates_fill_in_fields_and_run_nothing(chat: httpx.Client) -> None:
    """S-15."""
    text = "Explain {{topic}} to {{ whom }}. {{7*7}} {% for x in y %} {{config}}"
    made = chat.post("/templates", json={"name": "Explain", "content": text}).json()
    values = {"topic": "{{whom}}", "whom": "a child", "config": "c"}

    missing = chat.post("/chat/submit", json={"model": "demo", "template_id": made["id"]})
    answer = chat.post("/chat/submit", json={"model": "demo", "template_id": made["id"], "template_values": values})

    assert made["fields"] == ["topic", "whom", "config"]
    assert (missing.status_code, missing.json()["error"]["param"]) == (400, "template_values.topic")
    assert answer.json()["message"]["content"] == "Explain {{whom}} to a child. {{7*7}} {% for x in y %} c"
    chat.patch(f"/templates/{made['id']}", json={"content": "Be {{how}}.", "system": True}).raise_for_status()
    body = {"model": "demo", "content": "Hi", "template_id": made["id"], "template_values": {"how": "brief"}}
    as_system = chat.post("/chat/submit", json=body).json()
    assert chat.get(f"/conversations/{as_system['conversation_id']}").json()["system_prompt"] == "Be brief."
    assert chat.delete(f"/templates/{made['id']}").status_code == 204
    assert chat.get(f"/templates/{made['id']}").status_code == 404


def test_a_picture_goes_in_by_its_bytes_and_comes_out_as_a_picture(chat: httpx.Client) -> None:
    refused = [
        chat.post("/files", files={"file": (name, data, "image/png")}).status_code
        for name, data in (("x.png", b"<svg onload=alert(1)>"), ("x.png", b"<html>"), ("x.png", b""))
    ]
    made = chat.post("/files", files={"file": ("x.html", PNG, "text/html")})
    file_id = made.json()["id"]
    served = chat.get(f"/files/{file_id}")
    _, ids, _ = say(chat, [{"type": "text", "text": "What is it?"}, {"type": "image", "file_id": file_id}])

    assert refused == [400, 400, 400]
    assert made.json() == {"id": file_id, "content_type": "image/png", "bytes": len(PNG)}
    assert (served.content, served.headers["content-type"]) == (PNG, "image/png")
    assert "default-src 'none'" in served.headers["content-security-policy"]
    assert served.headers["x-content-type-options"] == "nosniff"
    user = messages_of(chat, ids["conversation_id"])[0]
    assert user["content"][1] == {"type": "image", "file_id": file_id, "url": f"/api/files/{file_id}"}
    too_large = PNG + b"\0" * (9 * 1024 * 1024)
    assert chat.post("/files", files={"file": ("x.png", too_large)}).status_code == 413


def test_a_picture_is_made_and_kept_in_the_conversation(chat: httpx.Client) -> None:
    made = chat.post("/images/generate", json={"prompt": "A lighthouse", "model": "demo"}).json()

    (part,) = made["message"]["content"]
    assert chat.get(part["url"].removeprefix("/api")).headers["content-type"] == "image/png"
    assert [one["role"] for one in messages_of(chat, made["conversation_id"])] == ["user", "assistant"]


def test_totals_count_what_was_used_by_model_and_by_device(chat: httpx.Client) -> None:
    before = chat.get("/usage/summary").json()
    headers = {"x-device-id": "dev-7"}
    answer = chat.post("/chat/submit", json={"model": "demo", "content": "Count me"}, headers=headers).json()
    chat.delete(f"/conversations/{answer['conversation_id']}").raise_for_status()

    after = chat.get("/usage/summary").json()
    device = chat.get("/usage/summary", params={"scope": "device"}, headers=headers).json()
    (model,) = chat.get("/usage/models", params={"scope": "device"}, headers=headers).json()["data"]

    assert after["requests"] == before["requests"] + 1
    assert device["requests"] == 1
    assert device["cost_usd"] == answer["message"]["cost_usd"] == model["cost_usd"]
    assert model["model"] == "demo-a/demo"


def test_models_are_listed_with_their_prices(chat: httpx.Client) -> None:
    found = {one["id"]: one for one in chat.get("/models").json()["data"]}

    assert found["demo-a/demo"]["pricing"] == {"input": "1.00", "output": "2.00"}
    assert "auto" in found


def test_a_page_of_another_origin_gets_nothing(chat: httpx.Client) -> None:
    """S-29: with `OMG_AUTH=open` there is no cookie to protect, only the machine."""
    foreign = {"origin": "https://elsewhere.example"}

    answers = [
        chat.post("/chat/submit", json={"model": "demo", "content": "x"}, headers=foreign),
        chat.get("/conversations", headers=foreign),
        chat.post("/files", files={"file": ("x.png", PNG)}, headers=foreign),
    ]

    assert [one.status_code for one in answers] == [403, 403, 403]
    assert all("access-control-allow-origin" not in one.headers for one in answers)
