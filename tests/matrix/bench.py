"""What a cell of the matrix works with: the official clients, and the names under which the gateway knows each row."""

import itertools
import time
from typing import Final

import anthropic
import openai
from google import genai
from google.genai import types

from tests.e2e.processes import Gateway, Simulator
from tests.matrix.gaps import GAPS
from tests.matrix.rows import ACCOUNTS, Row, base_url

LISTINGS: Final = 120
"""Questions for a list, half a second apart: until it was read, the models are those that a preset knows."""


class Bench:
    """One gateway in front of one simulator, with a provider for each row."""

    def __init__(self, gateway: Gateway, simulator: Simulator) -> None:
        self._gateway = gateway
        self._simulator = simulator
        self._providers: dict[str, str] = {}
        self._numbers = itertools.count(1)
        self.openai: openai.OpenAI = gateway.openai()
        self.anthropic = anthropic.Anthropic(base_url=gateway.url, api_key=gateway.key, max_retries=0, timeout=30)
        options = types.HttpOptions(base_url=gateway.url, timeout=30_000)
        self.google = genai.Client(api_key=gateway.key, http_options=options)

    def close(self) -> None:
        """Close what the gateway's own end does not."""
        self.anthropic.close()
        self.google.close()

    def chat(self, row: Row, directive: str = "sim-echo") -> str:
        """The row's chat model that does this."""
        return f"{self._provider(row)}/{row.chat}{directive}"

    def broken(self, row: Row, directive: str) -> str:
        """The same at a provider of its own, so that what a fault leaves behind is nobody else's."""
        return f"{self._added(row)}/{row.chat}{directive}"

    def embeddings(self, row: Row, directive: str = "sim-echo") -> str:
        """The row's embedding model."""
        return f"{self._provider(row)}/{row.embeddings}{directive}"

    def images(self, row: Row, directive: str = "sim-echo") -> str:
        """The row's image model."""
        return f"{self._provider(row)}/{row.images}{directive}"

    def models(self, row: Row) -> list[str]:
        """The ids that the row's provider lists; a busy machine may need longer for the first list than one wait."""
        client = self._gateway.openai(f"/{self._provider(row)}/v1")
        found: list[str] = []
        for _ in range(1 if ("models", row.label, "plain") in GAPS else LISTINGS):
            found = [model.id for model in client.models.list()]
            if any("sim-" in model for model in found):
                break
            time.sleep(0.5)
        return found

    def _provider(self, row: Row) -> str:
        if row.label not in self._providers:
            self._providers[row.label] = self._added(row)
        return self._providers[row.label]

    def _added(self, row: Row) -> str:
        account = ACCOUNTS.get(row.kind, {})
        provider_id = f"{row.kind}{next(self._numbers)}"
        self._gateway.add_provider(
            provider_id,
            base_url(row, self._simulator.url),
            kind=row.kind,
            secret=account.get("secret"),
            settings=account.get("settings", {}),
        )
        return provider_id
