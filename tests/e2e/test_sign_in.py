"""Signing in to a real gateway: the printed link, real passwords, a flood of wrong ones, and the trail of it all."""

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

from application.sign_in.throttle import OF_ADDRESS
from tests.e2e.processes import OMG, RunningProcess, free_port
from tests.waiting import wait_until

pytestmark = pytest.mark.process

PASSWORD = "correct horse battery"
WRONG = 150


class Served(RunningProcess):
    """`omg serve --demo` on its first start."""

    def __init__(self, folder_of: pytest.TempPathFactory) -> None:
        port = free_port()
        self.url = f"http://127.0.0.1:{port}"
        super().__init__([*OMG, "serve", "--demo", "--port", str(port)], folder_of.mktemp("sign-in"))
        self.wait_until_answering(f"{self.url}/health/ready")
        self.token = printed(r"omg-admin-[0-9A-Za-z]{38}", self.stdout)
        self.key = printed(r"sk-omg-[0-9A-Za-z]{38}", self.stdout)

    def omg(self, *arguments: str) -> RunningProcess:
        """Another command in the same folder, run to its end."""
        environment = {"OMG_ADMIN_TOKEN": self.token, "OMG_URL": self.url}
        done = RunningProcess([*OMG, *arguments], self.folder / "-".join(arguments[:2]), environment)
        done.process.wait(60)
        return done


def printed(pattern: str, text: str) -> str:
    found = re.search(pattern, text)
    assert found, text
    return found[0]


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with Served(tmp_path_factory) as running:
        yield running


def by_link(http: httpx.Client, url: str) -> None:
    answer = http.post("/auth/link", json={"token": url.rpartition("/")[2]})
    assert answer.status_code == 200, answer.text
    http.headers["x-omg-csrf"] = answer.json()["csrf_token"]


def test_the_printed_link_signs_in_once_and_another_one_is_a_command_away(served: Served) -> None:
    url = printed(r"http://\S+/app/#/link/[0-9a-f]{64}", served.stdout)
    with httpx.Client(base_url=served.url, timeout=30) as http:
        by_link(http, url)
        assert http.get("/admin/providers").status_code == 200
        assert http.post("/auth/link", json={"token": url.rpartition("/")[2]}).status_code == 401

    link = served.omg("link")
    with httpx.Client(base_url=served.url, timeout=30) as http:
        by_link(http, link.stdout.strip())
        assert http.get("/auth/session").json()["user"]["platform_role"] == "admin"


def test_a_browser_is_opened_that_is_signed_in(tmp_path: Path) -> None:
    """`omg serve --open`, with a browser that writes down where it was sent."""
    seen, browser = tmp_path / "seen", tmp_path / "browser"
    browser.write_text(f'#!/bin/sh\nprintf %s "$1" >{seen}.new && mv {seen}.new {seen}\n')
    browser.chmod(0o700)
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    with RunningProcess([*OMG, "serve", "--open", "--port", str(port)], tmp_path, {"BROWSER": f"{browser} %s"}) as one:
        one.wait_until_answering(f"{url}/health/ready")
        wait_until(seen.exists)
        with httpx.Client(base_url=url, timeout=30) as http:
            by_link(http, seen.read_text())
            assert http.get("/admin/keys").status_code == 200


def test_passwords_load_nothing_before_the_first_one() -> None:
    program = (
        "import sys, entrypoints.app, entrypoints.http.app, entrypoints.ioc; entrypoints.ioc.providers(); "
        "print([name for name in sys.modules if name.startswith('argon2')])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)

    assert done.stdout.strip() == "[]"


def test_a_user_is_invited_from_the_shell_and_disabled_again(served: Served) -> None:
    made = served.omg("users", "create", "ben@example.com", "--json")
    with httpx.Client(base_url=served.url, timeout=60) as http:
        user_id = json.loads(made.stdout)["id"]
        token = served.omg("users", "invite", user_id).stdout.strip().rpartition("/")[2]
        signed_in = http.post(f"/auth/invites/{token}", json={"password": PASSWORD})
        assert signed_in.status_code == 200, signed_in.text
        assert http.get("/me").status_code == 200
        listed = served.omg("users", "list", "--json")
        disabled = served.omg("users", "disable", user_id)

        assert '"status": "active"' in listed.stdout
        assert disabled.stdout == f"Disabled {user_id}.\n"
        assert http.get("/me").status_code == 401


def test_a_flood_of_wrong_passwords_leaves_inference_alone(served: Served) -> None:
    """S-13, F10: with real hashes. What is let through is counted; how long it takes is not."""
    with httpx.Client(base_url=served.url, timeout=60) as http:
        by_link(http, served.omg("link").stdout.strip())
        assert http.patch("/me", json={"email": "ada@example.com"}).status_code == 200
        assert http.post("/me/password", json={"new_password": PASSWORD}).status_code == 204
        signed_in = http.post("/auth/login", json={"email": "ada@example.com", "password": PASSWORD})
        assert signed_in.status_code == 200, signed_in.text

        def guess(number: int) -> int:
            body = {"email": f"user{number}@example.com", "password": "wrong horse battery"}
            return http.post("/auth/login", json=body).status_code

        def ask(_: int) -> int:
            chat = {"model": "demo", "messages": [{"role": "user", "content": "hi"}]}
            return http.post(
                "/v1/chat/completions", json=chat, headers={"authorization": f"Bearer {served.key}"}
            ).status_code

        with ThreadPoolExecutor(30) as guessers, ThreadPoolExecutor(2) as clients:
            guesses = guessers.map(guess, range(WRONG))
            asked = list(clients.map(ask, range(20)))
            answers = list(guesses)

    assert set(asked) == {200}
    assert set(answers) == {401, 429}
    assert answers.count(401) <= OF_ADDRESS[0]


def test_the_trail_of_all_this_is_intact_and_holds_no_secret(served: Served) -> None:
    listed = served.omg("audit", "list", "--limit", "200", "--json")
    verified = RunningProcess(
        [*OMG, "audit", "verify"], served.folder / "verify", {"OMG_DATA_DIR": str(served.folder / "data")}
    )
    assert verified.process.wait(60) == 0, verified.output

    assert "is intact" in verified.stdout
    for word in ("sign_in", "refuse", "password"):
        assert f'"{word}"' in listed.stdout, word
    assert PASSWORD not in listed.stdout
    for path in (served.folder / "data").rglob("*"):
        if path.is_file():
            assert PASSWORD.encode() not in path.read_bytes()
    assert PASSWORD not in served.output
