"""LiteLLM's virtual keys, which go on working: by their digests, with what they may do."""

import re
from collections import Counter
from collections.abc import Mapping
from datetime import datetime
from typing import Final

from adapters.litellm.allowances import Allowances
from adapters.litellm.people import MAX_TAGS, People, tags_of
from adapters.litellm.routes import Routes
from adapters.litellm.source import Source
from adapters.litellm.values import Fields, Notes, mapping, moment, text, texts

_DIGEST: Final = re.compile(r"[0-9a-f]{64}")
_ENDPOINTS: Final[Mapping[str, str]] = {
    "/chat/completions": "chat.completions",
    "/completions": "completions",
    "/embeddings": "embeddings",
    "/images/generations": "images.generations",
    "/audio/speech": "audio.speech",
    "/audio/transcriptions": "audio.transcriptions",
    "/moderations": "moderations",
    "/responses": "responses",
    "/messages": "messages",
    "/messages/count_tokens": "messages.count_tokens",
}
_EVERYTHING: Final = frozenset({"llm_api_routes", "openai_routes", "/*", "/v1/*"})
_NO_INFERENCE: Final = frozenset({"management_routes", "info_routes"})
_NOT_CARRIED: Final = ("guardrails", "policies", "object_permission_id", "allowed_cache_controls", "agent_id",
                       "auto_rotate", "permissions", "config", "router_settings")  # fmt: skip
_METADATA_NOT_CARRIED: Final = frozenset(
    {"tags", "service_account_id", "temp_budget_increase", "temp_budget_expiry", "guardrails", "logging",
     "allowed_passthrough_routes", "model_rpm_limit", "model_tpm_limit", "tag_rpm_limit"}
)  # fmt: skip
_EMPTY: Final[tuple[object, ...]] = (None, "", [], {}, False, "{}", "[]")


class Keys:
    """The keys of the document, in the order of their digests."""

    def __init__(
        self,
        source: Source,
        people: People,
        allowances: Allowances,
        routes: Routes,
        endpoints: frozenset[str],
        notes: Notes,
    ) -> None:
        self._source = source
        self._people = people
        self._allowances = allowances
        self._routes = routes
        self._endpoints = endpoints
        self._notes = notes
        rows = source.rows("VerificationToken")
        self._names = Counter(_name(row) for row in rows)
        self.keys = [key for row in rows if (key := self._key(row)) is not None]
        for row in source.rows("DeprecatedVerificationToken"):
            until = moment(row.get("revoke_at"))
            self._notes.add(
                f"old secret {text(row.get('token'))[:8]}… of a rotated key",
                f"it works there until {until}, and not here",
            )
        for row in source.rows("JWTKeyMapping"):
            claim = f"{text(row.get('jwt_claim_name'))}={text(row.get('jwt_claim_value'))}"
            self._notes.add(f"JWT mapping {claim}", "not carried")

    def _key(self, row: Fields) -> dict[str, object] | None:
        digest, name = text(row.get("token")), _name(row)
        whose = f"key {name}"
        if not _DIGEST.fullmatch(digest):
            self._notes.add(whose, "it is not stored as a SHA-256")
            return None
        if row.get("blocked"):
            self._notes.add(whose, "it is blocked there: it is not made here")
            return None
        routes = texts(row.get("allowed_routes"))
        endpoints = self._endpoints_of(routes, whose)
        if routes and endpoints == []:
            self._notes.add(whose, f"it may ask no model there ({', '.join(routes)}): it is not made here")
            return None
        place = self._place(row, whose)
        if place is None:
            return None
        metadata = mapping(row.get("metadata"))
        project = self._project(row)
        key: dict[str, object] = {
            "name": name if self._names[name] == 1 else f"{name} {digest[:8]}",
            **place,
            "secret": f"sha256:{digest}:{text(row.get('key_name'))[-4:]}",
            "allowed_models": self._models(row, whose),
            "allowed_endpoints": endpoints,
            "expires_at": _at(row.get("expires")),
            "tags": [*tags_of(metadata), *([f"project:{project}"[:64]] if project else [])][:MAX_TAGS],
            "metadata": _metadata(metadata),
        }
        allowed = {"limits": self._allowances.limits(row, whose), "budgets": self._allowances.budgets(row, whose)}
        key |= {field: found for field, found in allowed.items() if found}
        for alias, leads in mapping(row.get("aliases")).items():
            self._routes.add_alias(alias, text(leads), whose)
        there = [each for each in _NOT_CARRIED if row.get(each) not in _EMPTY]
        there += [each for each in ("guardrails", "logging", "allowed_passthrough_routes") if metadata.get(each)]
        if there:
            self._notes.add(f"{', '.join(there)} of {whose}", "not carried")
        return key

    def _place(self, row: Fields, whose: str) -> dict[str, object] | None:
        """The tenant and the owner: a team's service key, somebody's in a team, or somebody's own."""
        team_id, user_id = text(row.get("team_id")), text(row.get("user_id"))
        email = self._people.emails.get(user_id)
        is_service = bool(mapping(row.get("metadata")).get("service_account_id"))
        tenant = self._people.tenant(team_id)
        if team_id and tenant is None:
            self._notes.add(whose, f"its team '{team_id}' is gone")
            return None
        if user_id and email is None and not is_service:
            self._notes.add(whose, f"its user '{user_id}' is not carried: it is a service key")
        if tenant is not None:
            if email is None or is_service:
                return {"tenant_id": tenant}
            self._people.make_member(team_id, user_id)
            return {"tenant_id": tenant, "owner_id": email}
        if email is not None:
            return {"tenant_id": f"personal/{email}", "owner_id": email}
        return {"tenant_id": "Default"}

    def _models(self, row: Fields, whose: str) -> list[str] | None:
        """The key's list; a personal key without one has its user's."""
        names = [*texts(row.get("models")), *self._allowances.access_groups(row.get("access_group_ids"))]
        is_team = bool(text(row.get("team_id")))
        if is_team and "all-team-models" in names:
            return None
        own = [] if is_team else texts(self._people.user_rows.get(text(row.get("user_id")), {}).get("models"))
        if not own:
            return None if names == ["all-team-models"] else self._allowances.models(names, whose)
        if not names or {"*", "all-proxy-models", "all-team-models"} & set(names):
            return self._allowances.models(own, whose)
        if "no-default-models" in own and len(own) == 1:
            return []
        both = [name for name in names if name in own or {"*", "all-proxy-models"} & set(own)]
        if len(both) < len(names):
            self._notes.add(f"models of {whose}", "its user's list is shorter: only what both name is carried")
        return self._allowances.models(both, whose) if both else []

    def _endpoints_of(self, routes: list[str], whose: str) -> list[str] | None:
        """None: all. Only what asks models counts here: lists of models and one's own usage are always there."""
        if not routes or _EVERYTHING & set(routes):
            return None
        endpoints = {route: _ENDPOINTS.get("/" + route.removeprefix("/v1").strip("/"), "") for route in routes}
        for route, endpoint in endpoints.items():
            known = route in _NO_INFERENCE or route.startswith(("/v1/models", "/models", "/key", "/user", "/team"))
            if endpoint not in self._endpoints and not known:
                self._notes.add(f"allowed route {route} of {whose}", "there is none like it here")
        return list(dict.fromkeys(each for each in endpoints.values() if each in self._endpoints))

    def _project(self, row: Fields) -> str:
        wanted = text(row.get("project_id"))
        found = next(
            (each for each in self._source.rows("ProjectTable") if wanted and each.get("project_id") == wanted), {}
        )
        return (text(found.get("project_alias")) or wanted).replace(",", " ")


def _name(row: Fields) -> str:
    return (text(row.get("key_alias")) or text(row.get("key_name")) or "LiteLLM key")[:180]


def _at(value: object) -> str | None:
    found: datetime | None = moment(value)
    return None if found is None else found.isoformat()


def _metadata(metadata: Fields) -> dict[str, str]:
    plain = {
        name: each for name, each in metadata.items() if name not in _METADATA_NOT_CARRIED and isinstance(each, str)
    }
    return {name: each for name, each in plain.items() if 0 < len(name) <= 64 and len(each) <= 512 and name}
