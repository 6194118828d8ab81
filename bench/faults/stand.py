"""What a case breaks: real gateways over SQLite, Postgres or Postgres and Valkey, and a simulated provider."""

import asyncio
import base64
import itertools
import os
import secrets
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack, closing
from decimal import Decimal
from functools import cached_property
from http import HTTPStatus
from pathlib import Path
from typing import Any, Final, Literal, Self

import asyncpg  # type: ignore[import-untyped]  # it ships no types
import httpx
from tests.contracts.limits.valkey import ValkeyServer
from tests.contracts.persistence.postgres import PostgresServer
from tests.e2e.processes import OMG, Gateway, Simulator

from bench.faults.traffic import Traffic

Stores = Literal["sqlite", "postgres", "valkey"]
"""`valkey` is Postgres with Valkey beside it."""

CALL_USD: Final = "0.005"
"""What each call to the priced provider costs: five tokens."""

_FIVE_TOKENS: Final = {"reply": "hi", "usage": {"prompt_tokens": 0, "completion_tokens": 5}}
_SETTLE_SECONDS: Final = 60.0
_TRIES: Final = 10
_numbers = itertools.count(1)


def until(holds: Callable[[], bool], seconds: float, every: float = 0.05) -> float:
    """Seconds until it held; `inf` where it did not in so many."""
    began = time.monotonic()
    while not holds():
        if time.monotonic() - began > seconds:
            return float("inf")
        time.sleep(every)
    return time.monotonic() - began


class Payer:
    """A key with a budget, for a provider whose calls all cost the same."""

    def __init__(self, key_id: str, secret: str, provider: str) -> None:
        self.key_id, self.secret, self.provider = key_id, secret, provider


class Site:
    """One or more gateways over the same stores, each with a data folder of its own, and their one provider."""

    def __init__(self, gateways: list[Gateway], simulator: Simulator, database: str, valkey: ValkeyServer) -> None:
        self.gateways, self.database, self.valkey = gateways, database, valkey
        self.first = gateways[0]
        self.provider = self.new_provider(simulator)
        self.key = str(self.made("keys", {"name": "load"})["secret"])
        self._simulator = simulator
        for each in gateways[1:]:
            self.known(each, self.key, f"{self.provider}/sim-echo")

    @property
    def urls(self) -> list[str]:
        return [gateway.url for gateway in self.gateways]

    def new_provider(self, simulator: Simulator, behaviour: Any = None, **fields: Any) -> str:
        """Its id; it answers by model name, or always as `behaviour` says."""
        name = f"up{next(_numbers)}"
        simulator.script(name, behaviours={"*": [behaviour]} if behaviour else {})
        self.add_provider(name, simulator.base_url(name), **fields)
        return name

    def add_provider(self, name: str, base_url: str, **fields: Any) -> None:
        """With a key."""
        self.made("providers", {"id": name, "kind": "openai", "name": name, "base_url": base_url} | fields)
        self.made(f"providers/{name}/keys", {"label": "main", "secret": secrets.token_urlsafe(24)})

    def made(self, what: str, fields: dict[str, Any]) -> dict[str, Any]:
        """An object made over the admin API of the first gateway, however busy the machine is."""
        answer = self.first.admin.post(f"/{what}", json=fields)
        for _ in range(_TRIES):
            if answer.status_code != HTTPStatus.SERVICE_UNAVAILABLE:
                break
            time.sleep(1)
            answer = self.first.admin.post(f"/{what}", json=fields)
        if answer.is_error:
            raise RuntimeError(f"{what} could not be made: {answer.status_code} {answer.text}")
        made: dict[str, Any] = answer.json()
        return made

    def payer(self, calls: int, warn_at: Sequence[float] = (), **fields: Any) -> Payer:
        """A key whose budget pays for so many calls; with limits of its own where `fields` say so."""
        name = self.new_provider(self._simulator, _FIVE_TOKENS)
        prices = {"input": "0", "output": "1000"}
        self.made("models", {"provider": name, "model": "m", "prices": prices, "confirm": True})
        made = self.made("keys", {"budgets": [_budget(calls, warn_at)], **fields})
        for each in self.gateways[1:]:  # a model that it does not know asks nobody, and costs nothing
            self.known(each, made["secret"], f"{name}/sim-400")
        return Payer(made["id"], made["secret"], name)

    def another(self, payer: Payer, calls: int) -> Payer:
        """Another key with a budget of its own, for the same provider."""
        made = self.made("keys", {"budgets": [_budget(calls)]})
        return Payer(made["id"], made["secret"], payer.provider)

    def known(self, gateway: Gateway, secret: str, model: str) -> None:
        """Wait until a key and a provider made elsewhere are known here."""
        body = {"model": model, "messages": [{"role": "user", "content": "hi"}], "max_tokens": 5}
        headers = {"authorization": f"Bearer {secret}"}

        def knows() -> bool:
            answer = httpx.post(f"{gateway.url}/v1/chat/completions", json=body, headers=headers, timeout=30)
            return answer.status_code not in {401, 404}

        if until(knows, 30) == float("inf"):
            raise TimeoutError(f"{gateway.url} does not know what was made elsewhere")

    def traffic(self, **options: Any) -> Traffic:
        """Mixed load on all gateways; as a payer where one is given."""
        payer: Payer | None = options.pop("payer", None)
        key, provider, model = (payer.secret, payer.provider, "m") if payer else (self.key, self.provider, "")
        return Traffic(self.urls, key, provider, model=model, **options)

    def paid_calls(self, payer: Payer) -> int:
        """How many calls of a payer reached the upstream."""
        return sum(call["method"] == "POST" for call in self._simulator.calls(payer.provider))

    def ready(self, gateway: Gateway | None = None) -> str:
        """The word of `/health/ready`, with its status: `200 ready`."""
        answer = httpx.get(f"{(gateway or self.first).url}/health/ready", timeout=10)
        return f"{answer.status_code} {answer.json()['status']}"

    def alive(self, gateway: Gateway | None = None) -> bool:
        return httpx.get(f"{(gateway or self.first).url}/health/live", timeout=10).status_code == 200

    def health(self, gateway: Gateway | None = None) -> dict[str, Any]:
        """What `/admin/health` says."""
        shown: dict[str, Any] = (gateway or self.first).admin.get("/health").raise_for_status().json()
        return shown

    def query(self, statement: str) -> list[tuple[Any, ...]]:
        """Rows, past the gateway."""
        if not self.database:
            path = f"file:{self.first.data / 'omg.db'}?mode=ro"
            with closing(sqlite3.connect(path, uri=True, timeout=20)) as connection:
                return connection.execute(statement).fetchall()

        async def fetched() -> list[tuple[Any, ...]]:
            connection = await asyncpg.connect(self.database, timeout=10)
            try:
                return [tuple(row) for row in await connection.fetch(statement)]
            finally:
                await connection.close()

        return asyncio.run(fetched())

    def outcomes(self) -> dict[str, str]:
        """Of every request in the ledger, by its id."""
        return {str(name): str(outcome) for name, outcome in self.query("SELECT id, outcome FROM requests")}

    def missing(self, *journals: Traffic) -> int:
        """Answers that a client has whole and the ledger does not, once no more come."""
        whole = {name for journal in journals for name in journal.whole()}
        left: set[str] = set()

        def all_there() -> bool:
            left.clear()
            found = self.outcomes()
            left.update(name for name in whole if found.get(name) != "ok")
            return not left

        until(all_there, _SETTLE_SECONDS, 0.3)
        return len(left)

    def doubled(self) -> int:
        """Requests and attempts that count more than once in rows or sums."""
        ((rows,),) = self.query("SELECT COUNT(*) FROM requests")
        ((sums,),) = self.query("SELECT COALESCE(SUM(requests), 0) FROM usage_daily")
        repeated = "SELECT 1 AS one FROM attempts GROUP BY request_id, number HAVING COUNT(*) > 1"
        ((twice,),) = self.query(f"SELECT COUNT(*) FROM ({repeated}) AS repeated")
        return abs(int(sums) - int(rows)) + int(twice)

    def adds_up(self) -> str:
        """What `omg ledger verify` says; empty where it adds up."""
        done = subprocess.run(
            [sys.executable, *OMG, "ledger", "verify"],
            env=self.first.environment,
            cwd=self.first.folder,
            capture_output=True,
            text=True,
            check=False,
        )
        return "" if done.returncode == 0 else done.stdout + done.stderr

    def held_usd(self, payer: Payer) -> float:
        """What requests still hold of a payer's budget."""
        shown = self.first.admin.get("/limits/explain", params={"key_id": payer.key_id}).raise_for_status().json()
        return sum(float(each["held"]) for each in shown["budgets"])


def _budget(calls: int, warn_at: Sequence[float] = ()) -> dict[str, Any]:
    budget: dict[str, Any] = {"limit_usd": f"{calls * Decimal(CALL_USD):f}", "period": "never"}
    return budget | ({"warn_at": list(warn_at)} if warn_at else {})


class Stand:
    """Everything that is started for many cases; the simulator and Postgres as soon as one needs them."""

    def __init__(self, folder: Path, outage: float, kills: int, *, timed: bool = True) -> None:
        """`outage`: seconds that a store is away; `kills`: how often a process is killed.

        `timed`: whether what comes too late is a failure, which needs a machine that does nothing else.
        """
        self.folder, self.outage, self.kills, self.timed = folder, outage, kills, timed
        self.load_seconds = 60.0 if timed else 5.0
        self._running, self._case = ExitStack(), ExitStack()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.clear()
        self._running.close()

    def clear(self) -> None:
        """End what a case started."""
        self._case.close()

    def at_the_end(self, undo: Callable[[], object]) -> None:
        """Run it after the case, whatever came of it, before its gateways are stopped."""
        self._case.callback(undo)

    @cached_property
    def simulator(self) -> Simulator:
        return self._running.enter_context(Simulator(self.folder / "simulator"))

    @cached_property
    def postgres(self) -> PostgresServer:
        place = self.folder / "postgres"
        place.mkdir(mode=0o700)
        server = PostgresServer(place)
        self._running.callback(server.close)
        return server

    def site(
        self,
        stores: Stores = "sqlite",
        hosts: int = 1,
        workers: int = 1,
        kind: type[Gateway] = Gateway,
        **settings: str,
    ) -> Site:
        """New gateways on empty stores."""
        shared = {"OMG_LOG_LEVEL": "info", "OMG_MASTER_KEYS": f"k1:{base64.b64encode(os.urandom(32)).decode()}"}
        database, valkey = "", ValkeyServer()
        if stores != "sqlite":
            database = self.postgres.new_migrated_database()
            shared["OMG_DATABASE_URL"] = database
        if stores == "valkey":
            self._case.enter_context(valkey)
            shared["OMG_VALKEY_URL"] = valkey.url.reveal()
        more = ["--workers", str(workers)] if workers > 1 else []
        gateways = []
        for _ in range(hosts):
            place = self.folder / f"host-{next(_numbers)}-{secrets.token_hex(2)}"
            gateways.append(self._case.enter_context(kind(place, *more, **shared | settings)))
        return Site(gateways, self.simulator, database, valkey)
