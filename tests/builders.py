"""Valid things to vary: each builder returns one, with the fields a test cares about replaced."""

from datetime import UTC, datetime
from typing import Any

import msgspec

from domain.chat import ChatRequest
from domain.keys import ProviderKey, VirtualKey
from domain.payload import Payload
from domain.providers import Provider, ProviderSettings
from domain.records import AttemptRecord, RequestRecord
from domain.secrets import Secret
from domain.tenants import Membership, Tenant
from domain.usage import TokenUsage
from domain.users import User

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)


def a_provider(provider_id: str = "alpha", **changes: Any) -> Provider:
    fields: dict[str, Any] = {
        "id": provider_id,
        "kind": "openai",
        "name": provider_id.title(),
        "base_url": f"https://{provider_id}.example/v1",
        "priority": 100,
        "enabled": True,
        "settings": ProviderSettings(),
        "owner": "database",
        "version": 1,
        "created_at": NOW,
        "updated_at": NOW,
    }
    return Provider(**(fields | changes))


def a_provider_key(key_id: str = "pk_1", provider_id: str = "alpha", **changes: Any) -> ProviderKey:
    fields: dict[str, Any] = {
        "id": key_id,
        "provider_id": provider_id,
        "label": "main",
        "secret": Secret(f"upstream-secret-{key_id}"),
        "weight": 1,
        "owner": "database",
        "created_at": NOW,
        "updated_at": NOW,
    }
    return ProviderKey(**(fields | changes))


def a_tenant(tenant_id: str = "ten_default", **changes: Any) -> Tenant:
    fields: dict[str, Any] = {
        "id": tenant_id,
        "name": "Default",
        "kind": "shared",
        "created_at": NOW,
        "updated_at": NOW,
    }
    return Tenant(**(fields | changes))


def a_user(user_id: str = "usr_1", **changes: Any) -> User:
    fields: dict[str, Any] = {"id": user_id, "email": f"{user_id}@example.org", "name": "Ann"}
    return User(**(fields | {"created_at": NOW, "updated_at": NOW} | changes))


def a_membership(tenant_id: str = "ten_default", user_id: str = "usr_1", **changes: Any) -> Membership:
    fields: dict[str, Any] = {"role": "member", "created_at": NOW, "updated_at": NOW}
    return Membership(tenant_id, user_id, **(fields | changes))


def a_virtual_key(key_id: str = "key_1", **changes: Any) -> VirtualKey:
    fields: dict[str, Any] = {
        "id": key_id,
        "tenant_id": "ten_default",
        "name": "test",
        "digest": key_id.encode().ljust(32, b"0"),
        "last4": "abcd",
        "allowed_models": None,
        "allowed_providers": None,
        "expires_at": None,
        "revoked_at": None,
        "version": 1,
        "created_at": NOW,
        "updated_at": NOW,
    }
    return VirtualKey(**(fields | changes))


def a_chat_payload(**fields: Any) -> Payload[ChatRequest]:
    """A chat body with the given fields over a minimal one, parsed as the edge parses it."""
    body = msgspec.json.encode({"model": "m", "messages": [{"role": "user", "content": "hi"}]} | fields)
    value = msgspec.json.decode(body, type=ChatRequest)
    return Payload(value, msgspec.json.decode(body, type=dict[str, msgspec.Raw]), len(body))


def a_request_record(request_id: str = "req_1", **changes: Any) -> RequestRecord:
    """One answered by one attempt; `attempts=()` for one that went nowhere."""
    fields: dict[str, Any] = {
        "request_id": request_id,
        "decision_id": f"dec_{request_id}",
        "created_at": NOW,
        "tenant_id": "ten_default",
        "key_id": "key_1",
        "endpoint": "/v1/chat/completions",
        "requested_model": "m",
        "provider_id": "alpha",
        "model": "m",
        "status": 200,
        "outcome": "ok",
        "error_code": None,
        "stream": False,
        "attempts": (an_attempt_record(),),
        "usage": TokenUsage(100, 10),
        "latency_ms": 12.5,
        "ttft_ms": None,
    }
    return RequestRecord(**(fields | changes))


def an_attempt_record(number: int = 1, **changes: Any) -> AttemptRecord:
    fields: dict[str, Any] = {
        "number": number,
        "provider_id": "alpha",
        "key_id": "pk_1",
        "model": "m",
        "outcome": "ok",
        "status": 200,
        "duration_ms": 11.0,
        "usage": TokenUsage(100, 10),
        "usage_source": "provider",
        "price_id": "price_1",
        "cost_nano_usd": 1_500,
    }
    return AttemptRecord(**(fields | changes))
