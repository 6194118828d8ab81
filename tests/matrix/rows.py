"""Who is asked: a row for each kind of adapter, and for each family of models that one treats its own way.

A kind that joins the registry is a row by itself. `FAMILIES` is for adapters that go by a model's name, `ACCOUNTS` for
those that need more than a URL and a key.
"""

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

import msgspec

from adapters.ingress.carriers import over_chat_fidelity, over_embeddings_fidelity, with_over_chat_fidelity
from adapters.providers.kind import Kind
from adapters.providers.kinds import KINDS

UNLISTED = frozenset({"simulated"})
"""The demo's own: OpenAI's adapter under another name."""


class Row(msgspec.Struct, frozen=True):
    """An adapter, and the beginnings of the model names it is asked for."""

    label: str
    kind: str
    chat: str = ""
    embeddings: str = ""
    images: str = ""
    itself: tuple[str, ...] = ()  # endpoints that other models of the kind have over chat alone
    signature: str | None = None  # how the signatures of its thoughts begin

    @property
    def endpoints(self) -> frozenset[str]:
        """What it serves, itself or over its chat."""
        kind = next(kind for kind in KINDS if kind.id == self.kind)
        own = _own(kind)
        return frozenset(with_over_chat_fidelity({name: {} for name in own}))

    @property
    def carried(self) -> frozenset[str]:
        """Of these, what its chat or its embeddings carry."""
        kind = next(kind for kind in KINDS if kind.id == self.kind)
        carried = frozenset({**over_chat_fidelity(), **over_embeddings_fidelity()})
        return self.endpoints & carried - _own(kind) - frozenset(self.itself)


def _own(kind: Kind) -> frozenset[str]:
    preset = ACCOUNTS.get(kind.id, {}).get("settings", {}).get("preset")
    entry = next((entry for entry in kind.entries if entry.id == preset), kind.unknown)
    return frozenset(kind.load().fidelity(entry)) | ({"models"} & frozenset(kind.endpoints))


_CLAUDES = "sim-signature-"
_GEMINIS = "c2ltLXNpZ25hdHVyZS"  # the same in base64

FAMILIES: Mapping[str, tuple[Row, ...]] = {
    "anthropic": (Row("anthropic", "anthropic", "claude-opus-5-", signature=_CLAUDES),),
    "gemini": (Row("gemini", "gemini", "gemini-3-pro-", "gemini-embedding-001-", "imagen-4.0-", signature=_GEMINIS),),
    "vertex": (
        Row("vertex (Gemini)", "vertex", "gemini-3-pro-", "gemini-embedding-001-", "imagen-4.0-", signature=_GEMINIS),
        Row(
            "vertex (Claude)",
            "vertex",
            "claude-sonnet-4-5-",
            "gemini-embedding-001-",
            "imagen-4.0-",
            ("messages", "messages.count_tokens"),
            _CLAUDES,
        ),
    ),
    "bedrock": (
        Row(
            "bedrock (Claude)",
            "bedrock",
            "us.anthropic.claude-sonnet-4-5-",
            "amazon.titan-embed-text-v2-",
            "amazon.nova-canvas-",
            ("messages", "messages.count_tokens"),
            _CLAUDES,
        ),
        Row(
            "bedrock (Nova)",
            "bedrock",
            "us.amazon.nova-pro-",
            "cohere.embed-english-v3-",
            "amazon.titan-image-generator-v2-",
        ),
    ),
}

ACCOUNTS: Mapping[str, dict[str, Any]] = {
    "openai": {"settings": {"preset": "openai"}},
    "vertex": {"settings": {"project": "simulated-project", "location": "europe-west4"}},
    "bedrock": {
        "settings": {"location": "us-east-1"},
        "secret": '{"access_key_id":"AKIASIMULATED","secret_access_key":"a-secret-of-forty-characters"}',
    },
}

ROWS: tuple[Row, ...] = tuple(
    row for kind in KINDS if kind.id not in UNLISTED for row in FAMILIES.get(kind.id, (Row(kind.id, kind.id),))
)


def base_url(row: Row, origin: str) -> str:
    """Where the simulator plays this row's upstream: the preset's path behind a persona."""
    kind = next(kind for kind in KINDS if kind.id == row.kind)
    path = urlsplit((kind.entries[0] if kind.entries else kind.unknown).preset.base_url).path
    return f"{origin}/matrix-{row.kind}{'/v1' if row.kind == 'openai' else path.rstrip('/')}"
