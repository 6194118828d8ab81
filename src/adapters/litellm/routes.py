"""LiteLLM's model names, aliases and fallbacks as routes."""

import re
from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Final

from adapters.litellm.source import Deployment, Source
from adapters.litellm.upstreams import Upstream
from adapters.litellm.values import Notes, listed, mapping, number, text, texts

_STRATEGIES: Final[Mapping[str, str]] = {
    "": "weighted",
    "simple-shuffle": "weighted",
    "latency-based-routing": "least_latency",
    "cost-based-routing": "lowest_cost",
}
_USUAL: Final = ("error", "rate_limit", "timeout", "context_window", "unsupported_parameter", "spend_cap")
_NOT_CARRIED: Final = (
    "num_retries",
    "timeout",
    "allowed_fails",
    "cooldown_time",
    "retry_policy",
    "retry_after",
    "cache",
    "callbacks",
    "success_callback",
    "failure_callback",
    "default_team_settings",
    "guardrails",
)
_ALIAS: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:@-]{0,127}")

Target = dict[str, object]


class Routes:
    """Routes by alias, and what each name of LiteLLM leads to."""

    def __init__(self, source: Source, deployed: Iterable[tuple[Deployment, Upstream]], notes: Notes) -> None:
        self._notes = notes
        self._routing = source.routing
        self.names: dict[str, list[tuple[Deployment, Upstream]]] = {}
        for deployment, upstream in deployed:
            public = text(deployment.info.get("team_public_model_name"))
            if public and deployment.info.get("team_id"):
                notes.add(
                    f"model {public}", "there it is one team's; here everybody may ask for it whose list allows it"
                )
            self.names.setdefault(public or deployment.name, []).append((deployment, upstream))
        self.routes: dict[str, dict[str, object]] = {}
        for name in self.names:
            self._add(name)
        self._add_aliases()
        self._add_fallbacks()
        self._note_settings()

    def targets_of(self, name: str) -> list[str] | None:
        """`provider/model` of each target of a name or alias, without what it falls back to; None for none of ours."""
        if name in self.names:
            return list(dict.fromkeys(f"{each.provider}/{each.model}" for _, each in self.names[name]))
        aliases = mapping(self._routing.get("model_group_alias"))
        target = aliases.get(name)
        leads = text(mapping(target).get("model")) or text(target)
        return self.targets_of(leads) if leads and leads != name else None

    def add_alias(self, alias: str, name: str, whose: str) -> None:
        """A team's or a key's alias, for everybody here; noted where it would contradict another."""
        if name not in self.names or not _ALIAS.fullmatch(alias):
            self._notes.add(f"alias {alias} of {whose}", f"it leads to '{name}', which is no route here")
            return
        wanted = {**self.routes.get(name, self._route(name)), "alias": alias}
        if self.routes.setdefault(alias, wanted) != wanted:
            self._notes.add(
                f"alias {alias} of {whose}", "aliases are for everybody here, and this one means something else"
            )

    def _add(self, name: str) -> None:
        if "*" in name:
            self._note_wildcard(name)
        elif _ALIAS.fullmatch(name) and name.partition(":")[0] != "auto":
            self.routes[name] = self._route(name)
        elif [name] != self.targets_of(name):
            self._notes.add(
                f"model {name}", f"it can be no alias here: ask for {' or '.join(self.targets_of(name) or ())}"
            )

    def _note_wildcard(self, name: str) -> None:
        for _, upstream in self.names[name]:
            if name not in {"*", f"{upstream.provider}/*"}:
                self._notes.add(f"model {name}", f"any model is asked for as {upstream.provider}/<model> here")

    def _route(self, name: str) -> dict[str, object]:
        members = self.names[name]
        orders = [number(deployment.params.get("order")) for deployment, _ in members]
        strategy = self._strategy() if len(members) > 1 else "priority"
        if len(set(orders)) > 1:
            last = Decimal(10**9)
            paired = sorted(
                zip(orders, members, strict=True), key=lambda each: each[0] if each[0] is not None else last
            )
            members, strategy = [member for _, member in paired], "priority"
        targets: list[Target] = []
        for deployment, upstream in members:
            target: Target = {"provider": upstream.provider, "model": upstream.model}
            share = next(
                (found for by in ("weight", "rpm", "tpm") if (found := number(deployment.params.get(by)))), None
            )
            if strategy == "weighted" and share is not None:
                target["weight"] = float(min(share, Decimal(1_000_000)))
            if all(each["provider"] != target["provider"] or each["model"] != target["model"] for each in targets):
                targets.append(target)
        return {"alias": name, "strategy": strategy if len(targets) > 1 else "priority", "targets": targets}

    def _strategy(self) -> str:
        said = text(self._routing.get("routing_strategy"))
        if said not in _STRATEGIES:
            self._notes.add(f"routing_strategy {said}", "there is none like it here: targets are tried in their order")
        return _STRATEGIES.get(said, "priority")

    def _add_aliases(self) -> None:
        for alias, target in mapping(self._routing.get("model_group_alias")).items():
            name = text(mapping(target).get("model")) or text(target)
            self.add_alias(alias, name, "model_group_alias")
            if mapping(target).get("hidden"):
                self._notes.add(f"alias {alias}", "it is hidden there, and listed here")

    def _add_fallbacks(self) -> None:
        aliases = {alias: text(mapping(to).get("model")) or text(to) for alias, to in
                   mapping(self._routing.get("model_group_alias")).items()}  # fmt: skip
        kinds = [("fallbacks", False), ("context_window_fallbacks", False), ("content_policy_fallbacks", True)]
        wanted: dict[str, list[str]] = {}
        policy: set[str] = set()
        lists: dict[str, set[tuple[str, ...]]] = {}
        for setting, refused in kinds:
            for name, to in self._fallbacks_of(setting):
                wanted[name] = list(dict.fromkeys([*wanted.get(name, []), *to]))
                lists.setdefault(name, set()).add(tuple(to))
                if refused:
                    policy.add(name)
        for name in self.routes:
            own = (
                wanted.get(aliases.get(name, name)) or wanted.get("*") or texts(self._routing.get("default_fallbacks"))
            )
            self._fall_back(name, [each for each in own if each not in {name, aliases.get(name, name)}])
            if aliases.get(name, name) in policy:
                self.routes[name]["fallback_on"] = [*_USUAL, "content_policy", "refusal"]
            if len(lists.get(name, ())) > 1:
                self._notes.add(
                    f"fallbacks of {name}", "there each cause has a list of its own, here one list serves for all"
                )

    def _fallbacks_of(self, setting: str) -> list[tuple[str, list[str]]]:
        """Of each item only the first key counts, as there."""
        found = []
        for item in listed(self._routing.get(setting)):
            for name, to in list(mapping(item).items())[:1]:
                found.append((name, [text(each) for each in listed(to) if isinstance(each, str)]))
                if any(not isinstance(each, str) for each in listed(to)):
                    self._notes.add(f"{setting} of {name}", "one with parameters of its own is not carried")
        return found

    def _fall_back(self, alias: str, names: list[str]) -> None:
        route = self.routes[alias]
        targets = route["targets"]
        if not isinstance(targets, list):
            return
        more: list[Target] = []
        for name in names:
            if name not in self.names:
                self._notes.add(f"fallback of {alias}", f"there is no model '{name}'")
            for _, upstream in self.names.get(name, ()):
                target: Target = {"provider": upstream.provider, "model": upstream.model}
                if all(
                    (each["provider"], each["model"]) != (upstream.provider, upstream.model) for each in targets + more
                ):
                    more.append(target)
        if not more:
            return
        if route["strategy"] == "weighted":
            more = [{**each, "weight": 0.0} for each in more]
        elif len(targets) > 1 and route["strategy"] != "priority":
            self._notes.add(
                f"route {alias}", f"with what it falls back to it cannot be {route['strategy']}: it is by priority"
            )
            route["strategy"] = "priority"
        route["targets"] = targets + more

    def _note_settings(self) -> None:
        for name in _NOT_CARRIED:
            if self._routing.get(name) not in (None, "", [], {}, False):
                self._notes.add(f"setting {name}", "not carried: how this gateway does it is in its documentation")
