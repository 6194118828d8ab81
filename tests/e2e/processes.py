"""Real processes for end-to-end tests: the simulator and the gateway, each on a port of its own."""

import os
import signal
import socket
import subprocess
import sys
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import httpx
from openai import AsyncOpenAI, OpenAI

from domain.keys import ADMIN_TOKEN_PREFIX, VIRTUAL_KEY_PREFIX, generate_key
from tests.migrated import copy_migrated_sqlite
from tests.waiting import HANG_SECONDS, wait_until

START_SECONDS = STOP_SECONDS = HANG_SECONDS

OMG = ["-c", "from entrypoints.cli.main import main; main()"]
"""The `omg` command in this interpreter, so that coverage follows it."""

_INHERITED = ("PATH", "PYTHONPATH", "LANG", "LC_ALL", "TMPDIR", "LD_LIBRARY_PATH", "SYSTEMROOT", "VIRTUAL_ENV")


def free_port() -> int:
    """A port nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def clean_environment(folder: Path) -> dict[str, str]:
    """Nothing of the developer's own: no provider keys, no settings, a home of its own; coverage goes on."""
    kept = {name: value for name, value in os.environ.items() if name in _INHERITED or name.startswith("COV")}
    return kept | {"HOME": str(folder), "PYTHONUNBUFFERED": "1", "NO_COLOR": "1"}


class RunningProcess:
    """A child process whose output is kept in files. Ends with SIGTERM, so that coverage is written."""

    def __init__(self, arguments: list[str], folder: Path, environment: dict[str, str] | None = None) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self.arguments = arguments
        self.environment = clean_environment(folder) | (environment or {})
        self._logs: list[Path] = []
        self._open: list[httpx.Client | OpenAI] = []
        self.process = self._spawn()

    def _spawn(self) -> subprocess.Popen[bytes]:
        number = len(self._logs) // 2
        self._logs += [self.folder / f"stdout.{number}", self.folder / f"stderr.{number}"]
        with self._logs[-2].open("wb") as stdout, self._logs[-1].open("wb") as stderr:
            return subprocess.Popen(
                [sys.executable, *self.arguments],
                cwd=self.folder,
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=stdout,
                stderr=stderr,
            )

    @property
    def stdout(self) -> str:
        """What the newest run wrote."""
        return self._logs[-2].read_text(errors="replace")

    @property
    def output(self) -> str:
        """Everything all runs wrote, standard output and error."""
        return "".join(log.read_text(errors="replace") for log in self._logs)

    def wait_until_answering(self, url: str) -> None:
        """Poll until 200. Raises with the output where the process ends or the time is up."""

        def answers() -> bool:
            if self.process.poll() is not None:
                raise AssertionError(f"{self.arguments} ended with {self.process.returncode}:\n{self.output}")
            try:
                return httpx.get(url, timeout=START_SECONDS).status_code == 200
            except httpx.TransportError:
                return False

        try:
            wait_until(answers, every_seconds=0.02)
        except TimeoutError:
            self.stop()  # nobody else knows of it yet
            raise AssertionError(f"{self.arguments} did not answer {url}:\n{self.output}") from None

    def start_again(self) -> None:
        """Another run of the same command in the same folder."""
        self.process = self._spawn()

    def stop(self) -> int:
        """End it and return its exit code."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise AssertionError(f"{self.arguments} did not end within {STOP_SECONDS} s:\n{self.output}") from None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for client in self._open:
            client.close()
        self.stop()


class Simulator(RunningProcess):
    """`omg simulate`."""

    def __init__(self, folder: Path, *more: str) -> None:
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        super().__init__([*OMG, "simulate", "--port", str(self.port), *more], folder)
        self.wait_until_answering(f"{self.url}/__sim__/health")
        self.http = httpx.Client(base_url=self.url, timeout=5)
        self._open.append(self.http)

    def base_url(self, persona: str) -> str:
        """Where this persona answers."""
        return f"{self.url}/{persona}/v1"

    def script(self, persona: str, **fields: Any) -> None:
        """Give one persona its part: `behaviours`, `models`, `require_key`."""
        self.http.put(f"/__sim__/script/{persona}", json=fields).raise_for_status()

    def requests(self, persona: str) -> list[dict[str, Any]]:
        """Its journal, oldest first."""
        entries: list[dict[str, Any]] = self.http.get("/__sim__/requests", params={"persona": persona}).json()["data"]
        return entries

    def calls(self, persona: str) -> list[dict[str, Any]]:
        """Its chat completions only."""
        return [entry for entry in self.requests(persona) if entry["path"].endswith("/chat/completions")]


class Gateway(RunningProcess):
    """`omg serve` on an empty database, tokens of its own and logs at debug level."""

    def __init__(self, folder: Path, *more: str, **settings: str) -> None:
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.data = folder / "data"
        self.admin_token = generate_key(ADMIN_TOKEN_PREFIX).reveal()
        self.key = generate_key(VIRTUAL_KEY_PREFIX).reveal()
        environment = {
            "OMG_DATA_DIR": str(self.data),
            "OMG_ADMIN_TOKEN": self.admin_token,
            "OMG_BOOTSTRAP_KEY": self.key,
            "OMG_LOG_LEVEL": "debug",
            "OMG_LOG_FORMAT": "json",
        }
        environment |= settings
        if "OMG_DATABASE_URL" not in environment:
            copy_migrated_sqlite(Path(environment["OMG_DATA_DIR"]) / "omg.db")
        serve = [*OMG, "serve", "--host", "127.0.0.1", "--port", str(self.port)]
        super().__init__([*serve, *more], folder, environment)
        self.wait_until_answering(f"{self.url}/health/ready")
        self.admin = httpx.Client(
            base_url=f"{self.url}/admin", headers={"authorization": f"Bearer {self.admin_token}"}, timeout=15
        )
        self.http = httpx.Client(base_url=self.url, headers={"authorization": f"Bearer {self.key}"}, timeout=30)
        self._open += [self.admin, self.http]

    def restart(self) -> None:
        """Stop it and start it again on the same data and the same port."""
        self.stop()
        self.start_again()
        self.wait_until_answering(f"{self.url}/health/ready")

    def openai(self, path: str = "/v1", *, api_key: str | None = None) -> OpenAI:
        """The official client, without retries of its own."""
        client = OpenAI(base_url=self.url + path, api_key=api_key or self.key, max_retries=0, timeout=30)
        self._open.append(client)
        return client

    def async_openai(self, path: str = "/v1") -> AsyncOpenAI:
        """The same for many calls at once; the caller closes it."""
        return AsyncOpenAI(base_url=self.url + path, api_key=self.key, max_retries=0, timeout=30)

    def add_provider(self, provider_id: str, base_url: str, *, secret: str | None = None, **fields: Any) -> str:
        """Declare an upstream and a key for it over the admin API; return the key's id."""
        body = {"id": provider_id, "kind": "openai", "name": provider_id, "base_url": base_url} | fields
        created = self.admin.post("/providers", json=body)
        assert created.status_code == 201, created.text
        return self.add_key(provider_id, secret or f"up-{provider_id}-0123456789abcdef")

    def add_key(self, provider_id: str, secret: str, **fields: Any) -> str:
        """Give a provider one more key; return its id."""
        created = self.admin.post(f"/providers/{provider_id}/keys", json={"label": "main", "secret": secret} | fields)
        assert created.status_code == 201, created.text
        key_id: str = created.json()["id"]
        return key_id

    def provider(self, provider_id: str) -> dict[str, Any]:
        """What the admin API shows of it."""
        shown = self.admin.get(f"/providers/{provider_id}")
        assert shown.status_code == 200, shown.text
        value: dict[str, Any] = shown.json()
        return value
