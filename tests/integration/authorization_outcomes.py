"""Who may do what, as the authorization matrix expects it of the routes: the one table of outcomes (S-36).

A route's row of the authorization table says which right it needs; here is what that right is worth to whom, over what.
"""

from typing import Any, Final

from domain.authority import Right
from entrypoints.http.authorization import Access
from tests.integration.authorization_scene import PASSWORD

IN, DENIED, HIDDEN, UNKNOWN = "in", "403 permission_denied", "404", "401"

OF_OBJECT: Final = {
    "/admin/keys/{key_id}": "key",
    "/admin/tenants/{tenant_id}/members/{user_id}": "member",
    "/admin/tenants/{tenant_id}": "tenant",
    "/me/keys/{key_id}": "key",
    "/me/sessions/{session_id}": "session",
    "/me/requests/{request_id}": "request",
    "/admin/requests/{request_id}": "request",
    "/me/decisions/{decision_id}": "decision",
    "/admin/decisions/{decision_id}": "decision",
    "/admin/users/{user_id}": "user",
    "/api/conversations/{conversation_id}": "conversation",
    "/api/templates/{template_id}": "template",
    "/api/files/{file_id}": "file",
}
"""Paths that begin so are about such an object; all other objects are the platform's."""

# by right and kind, of each person: own, a colleague's, foreign, nobody's. i: in, d: denied, h: hidden
OUTCOMES: Final[dict[tuple[Access | Right, str], dict[str, str]]] = {
    (Right.TENANT_READ, "key"): {
        "owner": "iihh", "admin": "iihh", "member": "ihhh", "viewer": "iihh", "outsider": "ihhh",
        "auditor": "iiih", "platform admin": "iiih", "accountant": "-hhh",
    },
    (Right.KEYS_WRITE, "key"): {
        "owner": "iihh", "admin": "iihh", "member": "ihhh", "viewer": "idhh", "outsider": "ihhh",
        "auditor": "iddh", "platform admin": "iiih", "accountant": "-hhh",
    },
    (Right.TENANT_READ, "tenant"): {
        "owner": "iihh", "admin": "iihh", "member": "hhhh", "viewer": "iihh", "outsider": "-hhh",
        "auditor": "-iih", "platform admin": "-iih", "accountant": "-hhh",
    },
    (Right.TENANT_READ, "member"): {
        "owner": "iihh", "admin": "iihh", "member": "ihhh", "viewer": "iihh", "outsider": "-hhh",
        "auditor": "-iih", "platform admin": "-iih", "accountant": "-hhh",
    },
    (Right.MEMBERS_WRITE, "tenant"): {
        "owner": "iihh", "admin": "iihh", "member": "hhhh", "viewer": "ddhh", "outsider": "-hhh",
        "auditor": "-ddh", "platform admin": "-iih", "accountant": "-hhh",
    },
    (Right.MEMBERS_WRITE, "member"): {
        "owner": "iihh", "admin": "iihh", "member": "dhhh", "viewer": "ddhh", "outsider": "-hhh",
        "auditor": "-ddh", "platform admin": "-iih", "accountant": "-hhh",
    },
    **{
        (Access.PERSON, kind): {
            "owner": "iihh", "admin": "iihh", "member": "ihhh", "viewer": "iihh", "outsider": "ihhh",
            "auditor": "ihhh", "platform admin": "ihhh",
        }
        for kind in ("request", "decision")
    },
}  # fmt: skip

OF_THE_PLATFORM: Final = {
    Right.PLATFORM_READ: {"auditor", "platform admin"},
    Right.PLATFORM_WRITE: {"platform admin"},
    Right.USAGE_READ: {"auditor", "platform admin", "accountant"},
}
"""Who has these: they find every object that there is, and whoever has not is denied before any is looked for."""

LIKE: Final = {
    "the admin token": "platform admin",
    "a token for all": "platform admin",
    "a token to read": "auditor",
    "a token for usage": "accountant",
    "a tenant's token": "admin",
}
"""What an admin token is worth under `/admin`; nothing elsewhere."""

OF_KEYS: Final = {
    "a key": {"inference": IN, "usage": "403 scope_missing"},
    "a key for usage": {"inference": "403 scope_missing", "usage": IN},
    "a key for nothing": {"inference": "403 scope_missing", "usage": "403 scope_missing"},
    "another tenant's key": {"inference": IN, "usage": IN},
    "a jwt": {"inference": IN, "usage": IN},
    "a viewer's jwt": {"inference": "403 scope_missing", "usage": IN},
    "a jwt of no tenant": dict.fromkeys(("inference", "usage"), DENIED),
    "a suspended tenant's key": dict.fromkeys(("inference", "usage"), "403 tenant_suspended"),
}
"""What a key or a token of an issuer is worth under `/v1`; nothing elsewhere. Every other one is unknown."""

# of a new key and whose it would be: for oneself, for the tenant A, for a foreign one, for one that is not there
NEW_KEYS: Final = {
    "owner": "iidd", "admin": "iidd", "member": "iddd", "viewer": "dddd", "outsider": "dddd", "auditor": "dddd",
    "platform admin": "iii-", "accountant": "-ddd",
}  # fmt: skip

CHAT: Final[dict[str, Any]] = {"model": "m", "messages": [{"role": "user", "content": "hi"}], "max_tokens": 5}
CONTENTS: Final[dict[str, Any]] = {"contents": [{"parts": [{"text": "hi"}]}]}
BODIES: Final[dict[tuple[str, str], dict[str, Any]]] = {
    ("POST", "/v1/chat/completions"): CHAT,
    ("POST", "/v1/chat"): CHAT,
    ("POST", "/v1/messages"): CHAT,
    ("POST", "/v1/messages/count_tokens"): CHAT,
    ("POST", "/v1beta/models/{model}:generateContent"): CONTENTS,
    ("POST", "/v1beta/models/{model}:streamGenerateContent"): CONTENTS,
    ("POST", "/v1beta/models/{model}:countTokens"): CONTENTS,
    ("POST", "/v1beta/models/{model}:embedContent"): {"content": {"parts": [{"text": "hi"}]}},
    ("POST", "/v1beta/models/{model}:batchEmbedContents"): {"requests": [{"content": {"parts": [{"text": "hi"}]}}]},
    ("POST", "/v1/completions"): {"model": "m", "prompt": "hi"},
    ("POST", "/v1/embeddings"): {"model": "m", "input": "hi"},
    ("POST", "/v1/moderations"): {"model": "m", "input": "hi"},
    ("POST", "/v1/responses"): {"model": "m", "input": "hi"},
    ("POST", "/v1/images/generations"): {"model": "m", "prompt": "hi"},
    ("POST", "/v1/audio/speech"): {"model": "m", "input": "hi", "voice": "alloy"},
    ("POST", "/auth/confirm"): {"password": PASSWORD},
    ("PATCH", "/me"): {"name": "Me"},
    ("POST", "/me/password"): {"current_password": PASSWORD, "new_password": "another horse battery"},
    ("POST", "/me/keys"): {},
    ("PATCH", "/me/keys/{key_id}"): {"name": "mine"},
    ("POST", "/admin/providers"): {"id": "beta", "base_url": "https://beta.example/v1"},
    ("PATCH", "/admin/providers/{provider_id}"): {"priority": 3},
    ("POST", "/admin/providers/{provider_id}/keys"): {"secret": "up-another-0123456789"},
    ("PATCH", "/admin/providers/{provider_id}/keys/{key_id}"): {"label": "x"},
    ("POST", "/admin/models"): {"provider": "alpha", "model": "m", "prices": {"input": "1", "output": "2"}},
    ("PATCH", "/admin/models/{provider}/{model}"): {"context_window": 1000},
    ("POST", "/admin/routes/{alias}/backtest"): {"policy": {"targets": [{"model": "m"}]}},
    ("POST", "/admin/routes/{alias}/explain"): {"messages": [{"role": "user", "content": "hi"}]},
    ("POST", "/admin/limits"): {"subject": {"kind": "tag", "id": "batch"}, "rpm": 5},
    ("PATCH", "/admin/limits/{rule_id}"): {"rpm": 6},
    ("POST", "/admin/budgets"): {"subject": {"kind": "tag", "id": "batch"}, "limit_usd": "5"},
    ("PATCH", "/admin/budgets/{rule_id}"): {"limit_usd": "6"},
    ("PATCH", "/admin/keys/{key_id}"): {"name": "other"},
    ("POST", "/admin/tokens"): {"scopes": ["read"]},
    ("PATCH", "/admin/tokens/{token_id}"): {"scopes": ["usage"]},
    ("POST", "/admin/tenants"): {"name": "Research"},
    ("PATCH", "/admin/tenants/{tenant_id}"): {"tags": ["t"]},
    ("POST", "/admin/tenants/{tenant_id}/members"): {"email": "new@example.org"},
    ("PATCH", "/admin/tenants/{tenant_id}/members/{user_id}"): {"limits": {"rpm": 5}},
    ("POST", "/admin/users"): {"email": "new@example.org"},
    ("PATCH", "/admin/users/{user_id}"): {"name": "New"},
    ("POST", "/admin/model-groups"): {"name": "slow", "patterns": ["m"]},
    ("PATCH", "/admin/model-groups/{name}"): {"patterns": ["n"]},
    ("POST", "/admin/routes"): {"alias": "slow", "targets": [{"model": "m"}]},
    ("PATCH", "/admin/routes/{alias}"): {"affinity": True},
    ("PATCH", "/admin/settings/default-models"): {"models": ["m"]},
    ("PATCH", "/admin/settings/rate-limits"): {"key": {"rpm": 5}},
    ("PATCH", "/admin/settings/routing"): {"priority": "cost"},
    ("PATCH", "/admin/settings/budgets"): {"key": []},
    ("POST", "/admin/config/plan"): {"document": {"tenants": [{"name": "Planned"}]}},
    ("POST", "/admin/config/apply"): {"document": {"tenants": [{"name": "Applied"}]}},
    ("POST", "/api/conversations"): {"model": "m"},
    ("PATCH", "/api/conversations/{conversation_id}"): {"title": "New"},
    ("POST", "/api/conversations/{conversation_id}/system"): {"content": "more"},
    ("POST", "/api/conversations/{conversation_id}/clone"): {},
    ("POST", "/api/templates"): {"name": "Name", "content": "Content"},
    ("PATCH", "/api/templates/{template_id}"): {"content": "New"},
}

LETTERS: Final = {"i": IN, "d": DENIED, "h": HIDDEN}
