"""`GET /v1/models` as OpenAI and Anthropic answer it at once, with the gateway's additions."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Literal

import msgspec
from msgspec import UNSET, UnsetType

from domain.measurements import Spread
from domain.model_facts import DataPolicy


class Model(msgspec.Struct):
    """One id a client may put in `model`. `created` is Unix seconds; `pricing` is USD per million tokens.

    OpenAI's clients read `object`, `created` and `owned_by`; Anthropic's `type`, `display_name`, `created_at`,
    `max_input_tokens` and `lifecycle`. `deprecated_at` and `retired_at` are days, `successor` is the provider's word.
    `strengths` are between 0 and 1, by task; what was measured is of the last 24 hours. What is not known of these is
    not there.
    """

    id: str
    created: int = 0
    owned_by: str = ""
    object: Literal["model"] = "model"
    provider: str | None = None
    context_window: int | None = None
    capabilities: list[str] = []
    pricing: dict[str, str] | None = None
    type: Literal["model"] = "model"
    display_name: str = ""
    created_at: str = ""
    max_input_tokens: int | None = None
    lifecycle: Literal["active", "deprecated", "retired"] = "active"
    deprecated_at: str | None = None
    retired_at: str | None = None
    successor: str | None = None
    strengths: Mapping[str, float] | UnsetType = UNSET
    data_policy: DataPolicy | UnsetType = UNSET
    latency_ms: Spread | UnsetType = UNSET
    ttft_ms: Spread | UnsetType = UNSET
    tokens_per_second: float | UnsetType = UNSET

    def __post_init__(self) -> None:
        self.display_name = self.display_name or self.id
        self.created_at = self.created_at or _rfc3339(self.created)
        self.max_input_tokens = self.context_window


class ModelList(msgspec.Struct):
    """All of them in one page: `has_more` is never true."""

    data: list[Model]
    object: Literal["list"] = "list"
    has_more: bool = False
    first_id: str | None = None
    last_id: str | None = None

    def __post_init__(self) -> None:
        if self.data:
            self.first_id, self.last_id = self.data[0].id, self.data[-1].id


def _rfc3339(seconds: int) -> str:
    """A moment no calendar holds (a provider's milliseconds) is as good as unknown."""
    try:
        moment = datetime.fromtimestamp(seconds, UTC)
    except (ValueError, OverflowError, OSError):
        moment = datetime.fromtimestamp(0, UTC)
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")
