"""The official SDKs for Node, and Vercel's AI SDK, work unmodified (E1).

Skipped, with the reason, where there is no node, no npm, or no registry that npm can ask.
"""

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.npm_packages import installed
from tests.e2e.processes import Gateway, Simulator

pytestmark = [pytest.mark.process, pytest.mark.timeout(300)]

SOURCES = Path(__file__).parent / "node"
CITY = {"city": "grüß dich wörld"}
HELLO = {
    "plain": "hello there",
    "streamed": "hello there",
    "calls": [],
    "errors": [],
    "finish": "stop",
    "tokens": 4,
}

EXPECTED: dict[str, Any] = {
    "openai plain": "grüß dich wörld",
    "openai stream": "grüß dich wörld",
    "openai tools": [["weather", CITY], ["time", CITY]],
    "openai models": True,
    "openai error": {"kind": "UnprocessableEntityError", "status": 422, "id": True},
    "openai broken": {"kind": "APIError", "status": None, "id": True},
    "openai embeddings": [8, 8],
    "openai completion": "grüß dich wörld",
    "openai image": True,
    "openai speech": 2 * 1024,
    "openai transcription": "string",
    "openai moderation": 2,
    "anthropic plain": "grüß dich wörld",
    "anthropic stream": "grüß dich wörld",
    "anthropic tools": [["weather", CITY], ["time", CITY]],
    "anthropic thinking": ["thinking", "text"],
    "anthropic count": True,
    "anthropic models": True,
    "anthropic error": {"kind": "UnprocessableEntityError", "status": 422, "id": True},
    "anthropic broken": {"kind": "APIError", "status": None, "id": True},
    "ai openai-compatible": HELLO,
    "ai openai-compatible tools": [["weather", {"city": "hello there"}]],
    "ai embeddings": [True, True],
    "ai openai chat": HELLO,
    "ai openai responses": HELLO,
    "ai anthropic": HELLO,
    "ai anthropic tools": [["weather", {"city": "hello there"}]],
}


@pytest.fixture(scope="module")
def folder() -> Path:
    place = installed(SOURCES / "package.json")
    shutil.copy(SOURCES / "sdks.mjs", place)
    return place


@pytest.fixture(scope="module")
def results(folder: Path, gateway: Gateway, simulator: Simulator) -> dict[str, Any]:
    for name in ("node", "nodebad"):
        simulator.script(name, behaviours={})
        gateway.add_provider(name, simulator.base_url(name), settings={"models": ["sim-echo"]})
    environment = {"GATEWAY": gateway.url, "KEY": gateway.key, "UP": "node", "BAD": "nodebad"}
    done = subprocess.run(
        ["node", "sdks.mjs"],
        cwd=folder,
        env={"PATH": os.environ["PATH"], "HOME": os.fspath(folder)} | environment,
        capture_output=True,
        timeout=60,
        check=False,
    )
    for name in ("node", "nodebad"):
        assert gateway.admin.delete(f"/providers/{name}").status_code == 204
    assert done.returncode == 0, done.stderr.decode(errors="replace")
    found: dict[str, Any] = json.loads(done.stdout)
    return found


@pytest.mark.parametrize("name", EXPECTED)
def test_an_sdk_for_node_makes_of_the_answer_what_it_should(results: dict[str, Any], name: str) -> None:
    assert results[name] == EXPECTED[name]
