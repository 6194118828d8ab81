"""What twenty people who page cost `/v1`: `uv run python -m bench.pages_beside_traffic`, over a million requests.

Each of them opens a page of the console, waits for its data, looks at it for a while, and opens the next. Beside them
clients send plain chats as fast as they are answered. Rounds with and without the people take turns, so that whatever
else the machine does meets both; what counts is the median of their shares. 1 where `/v1` loses more than a fifth.
"""

import argparse
import asyncio
import os
import random
import secrets
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from statistics import median

import httpx
import msgspec

from bench import targets
from bench.load import Job, Result
from bench.machine import machine
from bench.processes import Cores
from bench.usage_million import END, FIRST, MONTH, fill

PEOPLE = 20
LOOK_SECONDS = (1.0, 3.0)
CLIENTS = 8
MOST_LOST = 0.2

_END = END.date().isoformat()
_MONTH = f"from={MONTH}&to={_END}"
_USAGE = f"/admin/usage?{_MONTH}&group_by="
PAGES: Sequence[Sequence[str]] = (
    (f"{_USAGE}day,provider", f"{_USAGE}model", "/admin/requests?limit=10"),
    (f"{_USAGE}model&stats=true", f"{_USAGE}day,model"),
    (f"{_USAGE}key&stats=true&timezone=Europe/Oslo", f"{_USAGE}day,key&timezone=Europe/Oslo"),
    (f"{_USAGE}end_user", f"{_USAGE}day"),
    (f"{_USAGE}tag", f"{_USAGE}day"),
    (f"/admin/usage?from={FIRST}&to={_END}&group_by=model",),
    ("/admin/requests?limit=100",),
    ("/admin/requests?limit=100&outcome=error",),
    ("/admin/requests?limit=100&end_user=end-user-7",),
    ("/admin/requests?limit=100&model=model-with-a-name-3&tag=team:7",),
)
"""What each page of the console asks for at once."""


class People:
    """Twenty who page through the console, while a command runs."""

    def __init__(self, port: int, token: str) -> None:
        self._base = f"http://127.0.0.1:{port}"
        self._headers = {"authorization": f"Bearer {token}"}
        self.milliseconds: list[float] = []
        self.refused = 0

    async def run(self, command: Sequence[str]) -> bytes:
        """Page for as long as the command takes, and give its output."""
        async with httpx.AsyncClient(base_url=self._base, headers=self._headers, timeout=60) as client:
            process = await asyncio.create_subprocess_exec(*command, stdout=subprocess.PIPE)
            people = [asyncio.create_task(self._page(client, random.Random(person))) for person in range(PEOPLE)]
            ended = asyncio.create_task(process.communicate())
            await asyncio.wait([ended, *people], return_when=asyncio.FIRST_COMPLETED)
            for task in people:
                task.cancel()
            found = await asyncio.gather(*people, return_exceptions=True)
            output, _ = await ended
        for failed in found:
            if isinstance(failed, Exception):
                raise failed
        return output

    async def _page(self, client: httpx.AsyncClient, chance: random.Random) -> None:
        await asyncio.sleep(chance.uniform(0, LOOK_SECONDS[1]))
        while True:
            begun = time.perf_counter()
            answers = await asyncio.gather(*(client.get(path) for path in chance.choice(PAGES)))
            self.milliseconds.append((time.perf_counter() - begun) * 1000)
            for answer in answers:
                self.refused += answer.status_code == httpx.codes.SERVICE_UNAVAILABLE
                if answer.status_code not in (httpx.codes.OK, httpx.codes.SERVICE_UNAVAILABLE):
                    raise RuntimeError(f"{answer.request.url}: {answer.status_code} {answer.text[:200]}")
            await asyncio.sleep(chance.uniform(*LOOK_SECONDS))


def main() -> int:
    options = _options()
    cores, token = Cores(), f"sk-omg-admin-{secrets.token_hex(16)}"
    with tempfile.TemporaryDirectory(prefix="omg-pages-") as name, ExitStack() as stack:
        folder = Path(name)
        database = folder / "usage.db"
        if options.database:
            shutil.copyfile(options.database, database)
        else:
            asyncio.run(fill(f"sqlite+aiosqlite:///{database}", options.rows))
        os.environ |= {"OMG_ADMIN_TOKEN": token, "OMG_DATABASE_URL": f"sqlite+aiosqlite:///{database}"}
        print(machine(cores))
        direct, server = targets.upstream(cores, folder)
        stack.callback(server.stop)
        gateway = targets.gateway(cores, folder, direct.port, targets.own_omg())
        assert gateway.server is not None
        stack.callback(gateway.server.stop)
        job = Job(gateway.port, "plain", CLIENTS, options.seconds, gateway.key)
        command = cores.rest([sys.executable, "-m", "bench.load", msgspec.json.encode(job).decode()])
        people = People(gateway.port, token)
        alone, beside = [], []
        for number in range(options.rounds):
            alone.append(_result(subprocess.run(command, stdout=subprocess.PIPE, check=True).stdout))
            beside.append(_result(asyncio.run(people.run(command))))
            print(f"round {number + 1}: {_rate(alone[-1]):.0f} requests/s alone, {_rate(beside[-1]):.0f} beside people")
    return _print(alone, beside, people)


def _result(output: bytes) -> Result:
    return msgspec.json.decode(output, type=Result)


def _rate(result: Result) -> float:
    return result.requests / result.seconds


def _print(alone: Sequence[Result], beside: Sequence[Result], people: People) -> int:
    for name, each in (("alone", alone), ("beside people", beside)):
        print(
            f"{name:<14} {median(map(_rate, each)):8.0f} requests/s, p50 {median(one.p50_ms for one in each):.1f} ms, "
            f"p99 {median(one.p99_ms for one in each):.1f} ms, {sum(one.errors for one in each)} errors"
        )
    pages = sorted(people.milliseconds) or [0.0]
    print(
        f"pages          {len(pages)} of {PEOPLE} people: median {median(pages):.0f} ms, "
        f"p95 {pages[int(len(pages) * 0.95)]:.0f} ms, {people.refused} told to come again"
    )
    lost = median(1 - _rate(with_) / _rate(without) for without, with_ in zip(alone, beside, strict=True))
    errors = sum(one.errors for one in (*alone, *beside))
    within = lost <= MOST_LOST and not errors
    print(
        f"{'within its goal' if within else 'OVER ITS GOAL'}: /v1 loses {lost:.0%} of at most {MOST_LOST:.0%}, "
        f"{errors} errors (load of the machine {os.getloadavg()[0]:.1f})"
    )
    return 0 if within else 1


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=10, help="Of one round, with and without the people each.")
    parser.add_argument("--database", help="A SQLite file as `bench.usage_million --keep` leaves it; a copy is used.")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
