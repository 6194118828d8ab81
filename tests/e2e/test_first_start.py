"""A newcomer starts it with one command and pastes the printed call (A1)."""

import json
import re
import shutil
import stat
import subprocess
from collections.abc import Iterator

import httpx
import pytest

from tests.e2e.processes import OMG, Gateway, RunningProcess, free_port

pytestmark = pytest.mark.process


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningProcess]:
    """`omg serve --demo` in an empty folder, with an empty home and nothing set."""
    port = free_port()
    with RunningProcess([*OMG, "serve", "--demo", "--port", str(port)], tmp_path_factory.mktemp("demo")) as running:
        running.wait_until_answering(f"http://127.0.0.1:{port}/health/ready")
        yield running


def printed_curl(output: str) -> str:
    """The printed call, all its lines."""
    found = re.search(r"^ *curl (?:.*\\\n)*.*$", output, re.MULTILINE)
    assert found, output
    return found[0].strip()


def paste(command: str) -> str:
    """Run it as a shell would."""
    if shutil.which("curl") is None or shutil.which("bash") is None:
        pytest.skip("curl and bash are needed to paste a curl line")
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, timeout=20, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_printed_call_answers_when_pasted(demo: RunningProcess) -> None:
    answer = json.loads(paste(printed_curl(demo.stdout)))

    assert answer["object"] == "chat.completion"
    assert answer["choices"][0]["message"]["content"]


def test_the_printed_call_streams_when_asked_to(demo: RunningProcess) -> None:
    command = printed_curl(demo.stdout).replace('{"model"', '{"stream": true, "model"')
    assert '"stream": true' in command

    answer = paste(command)

    assert answer.startswith("data: ")
    assert answer.endswith("data: [DONE]\n\n")


def test_the_credentials_are_printed_once_and_stored_nowhere_in_clear(demo: RunningProcess) -> None:
    token = re.search(r"omg-admin-[0-9A-Za-z]{38}", demo.stdout)
    key = re.search(r"sk-omg-[0-9A-Za-z]{38}", demo.stdout)

    assert token
    assert key
    for path in (demo.folder / "data").rglob("*"):
        if path.is_file():
            assert token[0].encode() not in path.read_bytes()
            assert key[0].encode() not in path.read_bytes()


def test_the_data_folder_is_for_this_user_alone(demo: RunningProcess) -> None:
    data = demo.folder / "data"

    assert stat.S_IMODE(data.stat().st_mode) == 0o700
    files = [path for path in data.rglob("*") if path.is_file()]
    assert files
    assert {stat.S_IMODE(path.stat().st_mode) for path in files} == {0o600}


def test_each_demo_provider_answers_at_its_own_endpoint(demo: RunningProcess) -> None:
    key = re.search(r"sk-omg-[0-9A-Za-z]{38}", demo.stdout)
    url = re.search(r"http://127\.0\.0\.1:\d+", demo.stdout)
    assert key
    assert url
    for name in ("demo-a", "demo-b", "demo-c"):
        answer = httpx.post(
            f"{url[0]}/{name}/v1/chat/completions",
            headers={"authorization": f"Bearer {key[0]}"},
            json={"model": "sim-words-3", "messages": [{"role": "user", "content": "hi"}]},
            timeout=10,
        )
        assert answer.json()["choices"][0]["message"]["content"] == "word1 word2 word3"
        assert answer.headers["x-omg-provider"] == name


def test_a_second_start_prints_no_credentials(tmp_path_factory: pytest.TempPathFactory) -> None:
    port = free_port()
    process = RunningProcess([*OMG, "serve", "--port", str(port)], tmp_path_factory.mktemp("twice"))
    with process:
        process.wait_until_answering(f"http://127.0.0.1:{port}/health/ready")
        assert "sk-omg-" in process.stdout
        assert "_API_KEY" in process.stdout  # says what to set where there is no provider
        process.stop()
        process.start_again()
        process.wait_until_answering(f"http://127.0.0.1:{port}/health/ready")

    assert "sk-omg-" not in process.stdout
    assert "omg-admin-" not in process.stdout


def test_configured_credentials_are_not_printed(gateway: Gateway) -> None:
    assert gateway.key not in gateway.output
    assert gateway.admin_token not in gateway.output
