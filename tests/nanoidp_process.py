"""A real identity provider, as a process of its own and from an environment of its own: nanoidp."""

import json
import re
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

from tests.e2e.processes import clean_environment, free_port
from tests.foreign_environments import environment_of
from tests.waiting import HANG_SECONDS, wait_until

PACKAGE = "nanoidp==3.4.0"
CLIENT_ID, CLIENT_SECRET, AUDIENCE = "omg", "omg-client-secret", "omg-api"


class NanoIdp:
    """The running provider at `url`, whose people are added and taken away."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._http = httpx.Client(base_url=url, timeout=HANG_SECONDS)

    def put_user(self, name: str, groups: list[str]) -> None:
        """With the password `pw-<name>`; one that is there is made anew."""
        self.delete_user(name)
        entry = {"username": name, "password": f"pw-{name}", "email": f"{name}@example.com", "groups": groups}
        self._http.post("/api/runtime/users", json=entry).raise_for_status()

    def delete_user(self, name: str) -> None:
        self._http.delete(f"/api/runtime/users/{name}")

    def rotate_keys(self) -> None:
        self._http.post("/api/keys/rotate").raise_for_status()

    def sign_in(self, address: str, name: str) -> str:
        """Where the provider sends a browser that signs in as this person."""
        with httpx.Client(timeout=HANG_SECONDS) as browser:
            page = browser.get(address)
            found = re.search(r'transaction_id" value="([^"]+)', page.text)
            assert found is not None, page.text[:500]
            form = {"transaction_id": found[1], "username": name, "password": f"pw-{name}"}
            return str(browser.post(address, data=form).headers["location"])

    def access_token(self, name: str, **extra: object) -> str:
        """A token for programs, of this person; `extra` claims are added to it."""
        form = {"grant_type": "password", "username": name, "password": f"pw-{name}", "scope": "openid"}
        form |= {"extra": json.dumps(extra)} if extra else {}
        answer = self._http.post("/token", data=form, auth=(CLIENT_ID, CLIENT_SECRET))
        assert answer.status_code == 200, answer.text
        return str(answer.json()["access_token"])

    def close(self) -> None:
        self._http.close()


@contextmanager
def running(folder: Path, redirect_uri: str) -> Iterator[NanoIdp]:
    """A provider that sends browsers back to this one address."""
    python, port = environment_of(PACKAGE) / "python", free_port()
    url = f"http://127.0.0.1:{port}"
    client = {"client_id": CLIENT_ID, "client_secret": CLIENT_SECRET, "redirect_uris": [redirect_uri]}
    settings = {
        "server": {"host": "127.0.0.1", "port": port},
        "oauth": {"issuer": url, "audience": AUDIENCE, "clients": [client]},
        "jwt": {"keys_dir": str(folder / "keys")},
    }
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "settings.yaml").write_text(json.dumps(settings))  # JSON is YAML
    (folder / "users.yaml").write_text(json.dumps({"users": {"root": {"password": "pw-root"}}}))
    log = folder / "log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [str(python), "-m", "nanoidp", "--config", str(folder), "--host", "127.0.0.1", "--port", str(port)],
            cwd=folder, env=clean_environment(folder), stdin=subprocess.DEVNULL, stdout=output, stderr=output,
        )  # fmt: skip

    def answers() -> bool:
        assert process.poll() is None, log.read_text(errors="replace")
        try:
            return httpx.get(f"{url}/.well-known/openid-configuration").status_code == 200
        except httpx.TransportError:
            return False

    idp = NanoIdp(url)
    try:
        wait_until(answers, every_seconds=0.1)
        yield idp
    finally:
        idp.close()
        process.terminate()
        process.wait(HANG_SECONDS)
