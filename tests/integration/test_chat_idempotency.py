"""`Idempotency-Key` in the chat app: one message, one answer, one call, however often it is sent (P-13)."""

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from application.idempotency import MAX_KEPT_BYTES
from tests.fakes.pipeline import FakePipeline
from tests.integration.asgi_asking import Answer, ask
from tests.integration.authorization_scene import Scene

QUESTIONS: dict[str, dict[str, Any]] = {
    "/api/chat/submit": {"model": "m", "content": "hi"},
    "/api/chat/stream": {"model": "m", "content": "hi"},
    "/api/images/generate": {"model": "m", "prompt": "a cat"},
}
PICTURES = b'{"created":1,"data":[{"url":"https://a.example/p.png"}]}'


@pytest.fixture(scope="module")
def furnished() -> Iterator[Scene]:
    with ThreadPoolExecutor(1) as thread:
        yield thread.submit(asyncio.run, Scene.make()).result()


@pytest.fixture
async def scene(furnished: Scene) -> AsyncIterator[Scene]:
    pipeline(furnished).body = PICTURES
    yield furnished
    await furnished.put_back()


def pipeline(scene: Scene) -> FakePipeline:
    found = scene.app.services.pipeline
    assert isinstance(found, FakePipeline)
    return found


async def say(scene: Scene, path: str, key: str, who: str = "member", **more: Any) -> Answer:
    body = json.dumps(QUESTIONS[path] | more).encode()
    return await ask(scene.app.app, "POST", path, scene.headers[who] | {"idempotency-key": key}, body)


async def conversations(scene: Scene) -> int:
    answer = await ask(scene.app.app, "GET", "/api/conversations", scene.headers["member"])
    return len(json.loads(answer.body)["data"])


@pytest.mark.parametrize("path", QUESTIONS)
async def test_what_is_sent_again_gets_the_same_answer_and_begins_no_other_message(scene: Scene, path: str) -> None:
    before = len(pipeline(scene).calls), await conversations(scene)

    first = await say(scene, path, f"again {path}")
    second = await say(scene, path, f"again {path}")

    assert first.status == 200
    assert (second.status, second.body) == (first.status, first.body)
    assert (b"idempotent-replayed", b"true") in second.headers
    assert (b"idempotent-replayed", b"true") not in first.headers
    assert (len(pipeline(scene).calls), await conversations(scene)) == (before[0] + 1, before[1] + 1)


async def test_a_key_is_one_persons_and_one_routes_and_for_one_body(scene: Scene) -> None:
    before = len(pipeline(scene).calls)
    await say(scene, "/api/chat/submit", "mine")

    others = await say(scene, "/api/chat/submit", "mine", who="owner")
    elsewhere = await say(scene, "/api/chat/stream", "mine")
    changed = await say(scene, "/api/chat/submit", "mine", content="ho")

    assert (others.status, elsewhere.status) == (200, 200)
    assert (changed.status, changed.code) == (422, "idempotency_mismatch")
    assert len(pipeline(scene).calls) == before + 3


async def test_an_answer_too_large_to_be_kept_is_not_asked_for_again(scene: Scene) -> None:
    text = json.dumps({"choices": [{"delta": {"content": "x" * MAX_KEPT_BYTES}}]}).encode()
    pipeline(scene).steps = (b"data: " + text + b"\n\n",)
    before = len(pipeline(scene).calls)

    first = await say(scene, "/api/chat/submit", "large")
    second = await say(scene, "/api/chat/submit", "large")

    assert first.status == 200
    assert (second.status, second.code) == (409, "replay_unavailable")
    assert (b"x-should-retry", b"false") in second.headers
    assert len(pipeline(scene).calls) == before + 1
