"""Reads lists of models: OpenAI's, and the shapes others give theirs.

Source: Together answers a bare array; Cloudflare `{"result": [{"name", "properties"}]}`; Gemini's ids begin
with `models/`; the context window goes by six names (read 2026-11).
"""

import msgspec

from domain.providers import Offering

_WINDOW_FIELDS = (
    "context_window",
    "context_length",
    "max_model_len",
    "max_context_length",
    "inputTokenLimit",
    "max_context_tokens",
)

_decode = msgspec.json.Decoder().decode


def read_models(body: bytes) -> tuple[Offering, ...]:
    """In the provider's order, each id once. Raises `msgspec.MsgspecError` for what is no list of models."""
    value: object = _decode(body)
    if isinstance(value, dict):
        lists = (value.get(name) for name in ("data", "models", "result"))
        value = next((found for found in lists if isinstance(found, list)), None)
    if not isinstance(value, list):
        raise msgspec.ValidationError("no list of models")
    offerings = (_offering(item) for item in value)
    return tuple({offering.model: offering for offering in offerings if offering is not None}.values())


def _offering(item: object) -> Offering | None:
    if isinstance(item, str):
        return Offering(item) if item else None
    if not isinstance(item, dict):
        return None
    by_name = isinstance(item.get("name"), str) and str(item.get("name", "")).startswith("@cf/")
    model = item.get("name") if by_name or "id" not in item else item.get("id")
    if not isinstance(model, str) or not model:
        return None
    created, owner = item.get("created"), item.get("owned_by") or item.get("organization")
    return Offering(
        model=model.removeprefix("models/"),
        created=int(created) if isinstance(created, (int, float)) and created > 0 else 0,
        owned_by=owner if isinstance(owner, str) else "",
        context_window=_window(item),
    )


def _window(item: dict[str, object]) -> int | None:
    for name in _WINDOW_FIELDS:
        window = item.get(name)
        if isinstance(window, int) and window > 0:
            return window
    properties = item.get("properties")
    for found in properties if isinstance(properties, list) else ():
        if isinstance(found, dict) and found.get("property_id") == "context_window":
            text = str(found.get("value", ""))
            return int(text) if text.isdecimal() else None
    return None
