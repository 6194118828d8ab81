"""What a cell of the matrix works with: the official clients, and the names under which the gateway knows each row."""

import itertools

import anthropic
import openai

from tests.e2e.processes import Gateway, Simulator
from tests.matrix.rows import ACCOUNTS, Row, base_url


class Bench:
    """One gateway in front of one simulator, with a provider for each row."""

    def __init__(self, gateway: Gateway, simulator: Simulator) -> None:
        self._gateway = gateway
        self._simulator = simulator
        self._providers: dict[str, str] = {}
        self._numbers = itertools.count(1)
        self.openai: openai.OpenAI = gateway.openai()
        self.anthropic = anthropic.Anthropic(base_url=gateway.url, api_key=gateway.key, max_retries=0, timeout=30)

    def close(self) -> None:
        """Close what the gateway's own end does not."""
        self.anthropic.close()

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
        """The ids that the row's provider lists."""
        client = self._gateway.openai(f"/{self._provider(row)}/v1")
        return [model.id for model in client.models.list()]

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
