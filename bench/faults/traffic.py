"""Light, mixed load that keeps a journal: what each client got, so that the ledger can be held against it."""

import random
import threading
import time
from collections import Counter
from collections.abc import Sequence
from typing import Final, Self

import httpx
import msgspec

KINDS: Final[tuple[tuple[str, bool, int], ...]] = (
    ("sim-words-5", False, 8),
    ("sim-words-5", True, 6),
    ("sim-words-20+chunk-delay-20ms", True, 4),
    ("sim-tools", True, 1),
    ("sim-400", False, 1),
)
"""Model, whether it streams, and its share."""

_BEGIN_SECONDS: Final = 60.0
_LEAVES: Final = 0.1  # of the streams, in the middle
_TOOLS: Final = [{"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}}]


class Entry(msgspec.Struct, frozen=True):
    """One request. `status` 0: nobody answered. `whole`: the client read the last byte of a good answer."""

    began: float
    seconds: float
    status: int
    code: str
    request_id: str
    whole: bool
    upstream_said_no: bool


class Traffic:
    """So many clients, each with a connection of its own and a request every `pause` seconds; on until left.

    Without `urls` it is a journal that others fill.
    """

    def __init__(
        self, urls: Sequence[str], key: str, provider: str, clients: int = 6, pause: float = 0.04, model: str = ""
    ) -> None:
        self.entries: list[Entry] = []
        self.samples: dict[str, str] = {}  # of each refusal the first
        self._key, self._provider, self._model, self._pause = key, provider, model, pause
        self._over = threading.Event()
        self._threads = [
            threading.Thread(target=self._client, args=(urls[number % len(urls)], number), daemon=True)
            for number in range(clients if urls else 0)
        ]

    def __enter__(self) -> Self:
        """Returns once every client has been served: what is broken then is broken under load."""
        for thread in self._threads:
            thread.start()
        deadline = time.monotonic() + _BEGIN_SECONDS
        while sum(entry.status == 200 for entry in self.entries) < 2 * len(self._threads):
            if time.monotonic() > deadline:
                self.__exit__()
                raise TimeoutError(f"the load did not begin: {self.statuses()} {self.samples}")
            time.sleep(0.02)
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        for thread in self._threads:
            thread.join(90)

    def answered(self) -> int:
        """How many requests got a status."""
        return sum(entry.status != 0 for entry in self.entries)

    def whole(self) -> list[str]:
        """Ids of the requests whose good answer was read to the end."""
        return [entry.request_id for entry in self.entries if entry.whole]

    def between(self, began: float, ended: float) -> list[Entry]:
        """Those that were sent in this time (`time.monotonic`), without what the upstream refused."""
        return [each for each in self.entries if began <= each.began < ended and not each.upstream_said_no]

    def statuses(self, began: float = 0.0, ended: float = float("inf")) -> Counter[str]:
        """How often each answer came: `200`, or a status with its code."""
        return Counter(f"{each.status} {each.code}".strip() for each in self.between(began, ended))

    def _client(self, url: str, number: int) -> None:
        chance = random.Random(number)
        kinds, shares = [kind[:2] for kind in KINDS], [kind[2] for kind in KINDS]
        headers = {"authorization": f"Bearer {self._key}"}
        with httpx.Client(base_url=url, headers=headers, timeout=60) as http:
            while not self._over.is_set():
                model, stream = (self._model, False) if self._model else chance.choices(kinds, shares)[0]
                self.entries.append(self._ask(http, model, stream, stream and chance.random() < _LEAVES))
                self._over.wait(self._pause * chance.uniform(0.5, 1.5) if self.entries[-1].status else 0.1)

    def _ask(self, http: httpx.Client, model: str, stream: bool, leaves: bool) -> Entry:
        body = {
            "model": f"{self._provider}/{model}",
            "messages": [{"role": "user", "content": "hello there"}],
            "max_tokens": 5 if self._model else 64,
            "stream": stream,
        } | ({"tools": _TOOLS} if "tools" in model else {})
        began, status, text, request_id = time.monotonic(), 0, "", ""
        try:
            with http.stream("POST", "/v1/chat/completions", json=body) as answer:
                status, request_id = answer.status_code, answer.headers.get("x-request-id", "")
                for part in answer.iter_text():
                    text += part
                    if leaves and "data: " in text:
                        break
        except httpx.HTTPError:
            leaves = True  # or it was cut: not whole in either case
        whole = not leaves and status == 200 and (not stream or text.endswith("data: [DONE]\n\n"))
        code = code_of(text) if status not in {0, 200} else ""
        if code:
            self.samples.setdefault(f"{status} {code}", text[:200])
        return Entry(began, time.monotonic() - began, status, code, request_id, whole, model == "sim-400")


class _Refusal(msgspec.Struct, frozen=True):
    code: str | None = ""


class _Refused(msgspec.Struct, frozen=True):
    error: _Refusal = _Refusal()


def code_of(text: str) -> str:
    """The code of a refusal or an error event; empty where there is none."""
    try:
        return msgspec.json.decode(text, type=_Refused).error.code or ""
    except msgspec.DecodeError:
        return ""
