"""The HTTP clients that languages bring along get what they should: the JDK's HttpClient and Node's fetch (S-39).

The JDK's sends `Upgrade: h2c` with every request over http://; both send a whole body before they read an answer.
Skipped, with the reason, where there is no JDK or no Node.
"""

import json
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.processes import Gateway

pytestmark = [pytest.mark.process, pytest.mark.timeout(300)]

HERE = Path(__file__).parent

EXPECTED = {
    "plain": (200, '"chat.completion"'),
    "again": (200, '"chat.completion"'),
    "stream": (200, "data: [DONE]"),
    "chunked": (200, '"chat.completion"'),
    "large": (200, '"chat.completion"'),
    "wrong key": (401, "invalid_api_key"),
    "wrong key, large": (401, "invalid_api_key"),
    "wrong key, chunked": (401, "invalid_api_key"),
    "too large": (413, "request_too_large"),
    "after that": (200, '"chat.completion"'),
}
"""Each call's status, and what the last line of its answer holds."""


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    """A gateway whose model `demo` needs no provider of ours."""
    with Gateway(tmp_path_factory.mktemp("demo"), "--demo") as running:
        yield running


def output_of(*command: str) -> str:
    done = subprocess.run(command, capture_output=True, text=True, timeout=240, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def check(found: dict[str, tuple[int, str]], expected: dict[str, tuple[int, str]]) -> None:
    assert found.keys() == expected.keys()
    wrong = {name: found[name] for name, (status, text) in expected.items()
             if found[name][0] != status or text not in found[name][1]}  # fmt: skip
    assert wrong == {}


def test_the_jdks_client_gets_every_answer(demo: Gateway) -> None:
    java = shutil.which("java")
    if java is None:
        pytest.skip("there is no java")
    if "jdk.compiler" not in output_of(java, "--list-modules"):
        pytest.skip("there is a Java runtime, but no JDK to run a source file with")

    printed = output_of(java, str(HERE / "java/Client.java"), demo.url, demo.key)

    lines = [line.split("\t", 1) for line in printed.splitlines()]
    found = {name: (int(got[:3]) if got[:3].isdigit() else 0, got) for name, got in lines}
    wanted = EXPECTED | {"expect": (200, '"chat.completion"'), "models": (200, '"list"')}
    check(found, {f"{version} {name}": row for version in ("HTTP_1_1", "HTTP_2") for name, row in wanted.items()})


def test_nodes_fetch_gets_every_answer(demo: Gateway) -> None:
    node = shutil.which("node")
    if node is None or int(output_of(node, "-p", "parseInt(process.versions.node)")) < 20:
        pytest.skip("there is no Node from 20 on")

    found = json.loads(output_of(node, str(HERE / "node/fetch.mjs"), demo.url, demo.key))

    check({name: tuple(got) for name, got in found.items()}, EXPECTED | {"many at once": (401, "invalid_api_key")})
