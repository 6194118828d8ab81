"""What the pages show beside a new key, run as it is shown: by the client itself where it is at hand (goal 13)."""

import json
import os
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from openai import OpenAI
from playwright.sync_api import Browser

from tests.e2e.npm_packages import installed
from tests.e2e.processes import Gateway
from tests.e2e.web.conftest import Visitor

PACKAGES = Path(__file__).parent.parent / "node" / "package.json"
CLIENTS = ["curl", "Python", "TypeScript", "Claude Code", "Codex"]


@pytest.fixture(scope="module")
def snippets(browser: Browser, open_gateway: Gateway) -> dict[str, str]:
    """By client, with the secret of a key that was made for them."""
    visitor = Visitor(browser, open_gateway.url)
    page = visitor.go("/app/admin/keys?open=new")
    page.locator("input[name=name]").fill("snippets")
    page.get_by_role("button", name="Make key").click()
    page.locator(".secret").wait_for()
    shown = {}
    for client in page.get_by_role("group", name="Client").get_by_role("button").all_inner_texts():
        page.get_by_role("group", name="Client").get_by_role("button", name=client, exact=True).click()
        shown[client] = page.locator(".snippet").inner_text()
    visitor.close()
    return shown


def answer(command: list[str], folder: Path) -> str:
    environment = {"PATH": os.environ["PATH"], "HOME": str(folder)}
    ran = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr
    return ran.stdout.lower()


def test_there_is_a_snippet_for_each_client(snippets: dict[str, str]) -> None:
    assert list(snippets) == CLIENTS


def test_the_snippets_of_curl_and_python_run(snippets: dict[str, str], tmp_path: Path) -> None:
    assert "hello" in answer(["bash", "-c", snippets["curl"]], tmp_path)
    assert "hello" in answer([sys.executable, "-c", snippets["Python"]], tmp_path)


def test_the_snippet_of_typescript_runs(snippets: dict[str, str], tmp_path: Path) -> None:
    packages = installed(PACKAGES)
    (tmp_path / "node_modules").symlink_to(packages / "node_modules")
    (tmp_path / "snippet.mjs").write_text(snippets["TypeScript"])  # it has no types that would have to be taken out

    assert "hello" in answer([shutil.which("node") or "node", "snippet.mjs"], tmp_path)


def test_the_snippet_of_claude_code_is_what_anthropics_client_needs(snippets: dict[str, str], tmp_path: Path) -> None:
    """Its own client reads the same two variables; the program is a download of its own."""
    *variables, program = snippets["Claude Code"].splitlines()
    asks = "import anthropic; print(anthropic.Anthropic().messages.create(model='demo', max_tokens=50, "
    asks += "messages=[{'role': 'user', 'content': 'Say hello.'}]).content[0].text)"

    shell = "\n".join([*variables, f"{sys.executable} -c {json.dumps(asks)}"])

    assert program == "claude"
    assert "hello" in answer(["bash", "-c", shell], tmp_path)


def test_the_snippet_of_codex_names_a_provider_that_answers(snippets: dict[str, str]) -> None:
    """Codex reads the table and asks by the Responses API; the program is a download of its own."""
    table = tomllib.loads(snippets["Codex"])
    provider = table["model_providers"][table["model_provider"]]
    secret = snippets["Codex"].rpartition(f"{provider['env_key']}=")[2].strip()

    said = OpenAI(base_url=provider["base_url"], api_key=secret).responses.create(model="demo", input="Say hello.")

    assert provider["wire_api"] == "responses"
    assert "hello" in said.output_text.lower()
