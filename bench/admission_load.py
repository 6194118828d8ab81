"""What limits and budgets let through under load: how many calls were admitted, refused, and how far over they went.

    uv run python -m bench.admission_load limits [--url URL --admin-token TOKEN --model MODEL] [--rpm 100]
    uv run python -m bench.admission_load budgets [--url …] [--calls 10 --requests 200]

Against a running gateway, or against one with simulated providers that it starts for the run. It makes a key with the
limit or the budget, asks with it from many connections at once, prints what came of it, and deletes the key. The exit
code is 1 where more was admitted than the limit allows, or less though there was demand.
"""

import argparse
import asyncio
import os
import secrets
import socket
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path

import httpx
import msgspec

START_SECONDS = 60.0
WINDOW_SECONDS = 61.0
OUTPUT_TOKENS = 5
USD_PER_MILLION = 1_000
"""Price of the output where this starts the gateway: each call costs half a cent."""


class Gateway(msgspec.Struct, frozen=True):
    """Where it is, and with what it is set up."""

    url: str
    admin_token: str
    model: str


class Outcome(msgspec.Struct, frozen=True):
    """What became of the requests: by status, and in how many seconds."""

    statuses: Counter[int]
    seconds: float

    @property
    def admitted(self) -> int:
        return self.statuses[200]

    @property
    def refused(self) -> int:
        return self.statuses[429]

    @property
    def failed(self) -> int:
        return sum(self.statuses.values()) - self.admitted - self.refused


def main(arguments: Sequence[str]) -> int:
    """The exit code of the run."""
    asked = _parser().parse_args(arguments)
    with _gateway(asked) as gateway, _admin(gateway) as admin:
        return {"limits": _limits, "budgets": _budgets}[asked.what](asked, gateway, admin)


def _limits(asked: argparse.Namespace, gateway: Gateway, admin: httpx.Client) -> int:
    made = _key(admin, {"limits": {"rpm": asked.rpm}})
    try:
        outcome = asyncio.run(_ask(gateway, made["secret"], asked.requests, asked.connections))
    finally:
        admin.delete(f"/keys/{made['id']}")
    most = asked.rpm * (1 + int(outcome.seconds // WINDOW_SECONDS))
    print(f"limit              {asked.rpm} requests a minute")
    _print(outcome, most)
    return _verdict(outcome, most, asked.requests)


def _budgets(asked: argparse.Namespace, gateway: Gateway, admin: httpx.Client) -> int:
    cost = _cost_of_one(gateway, admin) * asked.calls
    made = _key(admin, {"budgets": [{"limit_usd": f"{cost:f}", "period": "never"}]})
    try:
        outcome = asyncio.run(_ask(gateway, made["secret"], asked.requests, asked.connections))
        explained = admin.get("/limits/explain", params={"key_id": made["id"]}).raise_for_status().json()
    finally:
        admin.delete(f"/keys/{made['id']}")
    (budget,) = [item for item in explained["budgets"] if item["subject"]["id"] == made["id"]]
    overshoot = max(Decimal(budget["used"]) - Decimal(budget["limit"]), Decimal(0))
    print(f"budget             ${budget['limit']}, {asked.calls} calls")
    _print(outcome, asked.calls)
    print(f"spent              ${budget['used']}")
    print(f"held at the end    ${budget['held']}")
    print(f"overshoot          ${overshoot}")
    code = _verdict(outcome, asked.calls, asked.requests)
    return 1 if overshoot or Decimal(budget["held"]) else code


def _print(outcome: Outcome, most: int) -> None:
    print(f"requests           {sum(outcome.statuses.values())} in {outcome.seconds:.1f} s")
    print(f"admitted           {outcome.admitted} of {most}")
    print(f"refused            {outcome.refused}")
    if outcome.failed:
        print(f"failed             {outcome.failed}: {dict(outcome.statuses)}")
    print(f"admitted too many  {max(outcome.admitted - most, 0)}")


def _verdict(outcome: Outcome, most: int, requests: int) -> int:
    exact = outcome.admitted == min(most, requests) and not outcome.failed
    print("exact" if exact else "NOT EXACT")
    return 0 if exact else 1


async def _ask(gateway: Gateway, key: str, requests: int, connections: int) -> Outcome:
    """So many chat completions, from so many connections at once."""
    body = {"model": gateway.model, "messages": [{"role": "user", "content": "hi"}], "max_tokens": OUTPUT_TOKENS}
    statuses: Counter[int] = Counter()
    left = iter(range(requests))
    limits = httpx.Limits(max_connections=connections)
    headers = {"authorization": f"Bearer {key}"}
    began = time.monotonic()
    async with httpx.AsyncClient(base_url=gateway.url, headers=headers, timeout=120, limits=limits) as http:

        async def worker() -> None:
            for _ in left:
                answer = await http.post("/v1/chat/completions", json=body)
                statuses[answer.status_code] += 1

        await asyncio.gather(*(worker() for _ in range(connections)))
    return Outcome(statuses, time.monotonic() - began)


def _cost_of_one(gateway: Gateway, admin: httpx.Client) -> Decimal:
    """What one call costs, as the gateway says. Raises `SystemExit` for a model that has no price or costs nothing."""
    made = _key(admin, {})
    body = {"model": gateway.model, "messages": [{"role": "user", "content": "hi"}], "max_tokens": OUTPUT_TOKENS}
    try:
        answer = httpx.post(
            f"{gateway.url}/v1/chat/completions",
            json=body,
            headers={"authorization": f"Bearer {made['secret']}"},
            timeout=120,
        ).raise_for_status()
    finally:
        admin.delete(f"/keys/{made['id']}")
    cost = Decimal(answer.headers.get("x-omg-cost-usd", "0"))
    if not cost:
        raise SystemExit(f"{gateway.model} costs nothing here: set its price with POST /admin/models.")
    return cost


def _key(admin: httpx.Client, fields: dict[str, object]) -> dict[str, str]:
    made: dict[str, str] = admin.post("/keys", json={"name": "load"} | fields).raise_for_status().json()
    return made


@contextmanager
def _admin(gateway: Gateway) -> Iterator[httpx.Client]:
    headers = {"authorization": f"Bearer {gateway.admin_token}"}
    with httpx.Client(base_url=f"{gateway.url}/admin", headers=headers, timeout=30) as admin:
        yield admin


@contextmanager
def _gateway(asked: argparse.Namespace) -> Iterator[Gateway]:
    """The one that was named, or one of our own with a simulated provider whose calls all cost the same."""
    if asked.url:
        yield Gateway(asked.url.rstrip("/"), asked.admin_token or os.environ.get("OMG_ADMIN_TOKEN", ""), asked.model)
        return
    with tempfile.TemporaryDirectory(prefix="omg-load-") as name:
        folder, token = Path(name), secrets.token_urlsafe(32)
        ports = [_free_port(), _free_port()]
        settings = {"OMG_DATA_DIR": str(folder / "data"), "OMG_ADMIN_TOKEN": token, "OMG_LOG_LEVEL": "warning"}
        commands = [["simulate", "--port", str(ports[0])], ["serve", "--port", str(ports[1])]]
        started = [_start(command, folder, settings) for command in commands]
        try:
            simulator, gateway = (f"http://127.0.0.1:{port}" for port in ports)
            _wait(f"{simulator}/__sim__/health", started[0])
            _wait(f"{gateway}/health/ready", started[1])
            yield _set_up(simulator, Gateway(gateway, token, "load/m"))
        finally:
            for process in started:
                process.terminate()
                process.wait(30)


def _set_up(simulator: str, gateway: Gateway) -> Gateway:
    usage = {"prompt_tokens": 0, "completion_tokens": OUTPUT_TOKENS}
    script = {"behaviours": {"*": [{"reply": "hi", "usage": usage}]}}
    httpx.put(f"{simulator}/__sim__/script/load", json=script).raise_for_status()
    with _admin(gateway) as admin:
        provider = {"id": "load", "kind": "openai", "name": "load", "base_url": f"{simulator}/load/v1"}
        admin.post("/providers", json=provider).raise_for_status()
        admin.post("/providers/load/keys", json={"secret": secrets.token_urlsafe(24)}).raise_for_status()
        prices = {"input": "0", "output": str(USD_PER_MILLION)}
        price = {"provider": "load", "model": "m", "prices": prices, "confirm": True}
        admin.post("/models", json=price).raise_for_status()
    return gateway


def _start(command: list[str], folder: Path, settings: dict[str, str]) -> subprocess.Popen[bytes]:
    run = [sys.executable, "-c", "from entrypoints.cli.main import main; main()", *command]
    return subprocess.Popen(run, cwd=folder, env=os.environ | settings, stdout=subprocess.DEVNULL)


def _wait(url: str, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + START_SECONDS
    while process.poll() is None and time.monotonic() < deadline:
        try:
            if httpx.get(url, timeout=5).status_code == 200:
                return
        except httpx.TransportError:
            time.sleep(0.1)
    raise SystemExit(f"{url} does not answer")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m bench.admission_load", description=__doc__.splitlines()[0])
    parser.add_argument("what", choices=["limits", "budgets"])
    parser.add_argument("--url", help="a running gateway; without one it starts its own")
    parser.add_argument("--admin-token", help="its admin token (OMG_ADMIN_TOKEN)")
    parser.add_argument("--model", default="load/m", help="what is asked of it; for budgets it needs a price")
    parser.add_argument("--connections", type=int, default=50)
    parser.add_argument("--requests", type=int, default=200, help="how many are sent")
    parser.add_argument("--rpm", type=int, default=100, help="the limit of `limits`")
    parser.add_argument("--calls", type=int, default=10, help="how many calls the budget of `budgets` pays for")
    return parser


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
