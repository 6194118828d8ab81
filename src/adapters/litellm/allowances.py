"""LiteLLM's limits, budgets, durations and lists of models as this gateway's."""

import re
from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Final

from adapters.litellm.routes import Routes
from adapters.litellm.source import Source
from adapters.litellm.upstreams import Upstreams
from adapters.litellm.values import Fields, Notes, count, listed, mapping, number, plain, text, texts

_PERIODS: Final[Mapping[str, str]] = {
    "1d": "day", "24h": "day", "daily": "day", "86400s": "day", "1440m": "day",
    "7d": "week", "1w": "week", "weekly": "week",
    "30d": "month", "1mo": "month", "monthly": "month",
}  # fmt: skip
"""Durations whose periods begin there when they do here: a day at midnight, seven days on Monday, thirty on the 1st.
Source: litellm/litellm_core_utils/duration_parser.py (read 2026-11)."""

_DURATION: Final = re.compile(r"(\d+)(s|m|h|d|w|mo)")
_SECONDS: Final = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 7 * 86_400, "mo": 30 * 86_400}
_ROLLING: Final = ((5 * 3600, "rolling_5h"), (86_400, "day"), (7 * 86_400, "rolling_7d"), (31 * 86_400, "rolling_30d"))
_LIMITS: Final = {"rpm": "rpm_limit", "tpm": "tpm_limit", "tpd": "tpd_limit", "parallel": "max_parallel_requests"}
_BY_MODEL: Final = ("model_rpm_limit", "model_tpm_limit", "model_itpm_limit", "model_otpm_limit", "tag_rpm_limit")
_GROUP: Final = re.compile(r"[^a-z0-9_.-]+")


class Allowances:
    """What one may use there, in the words of here."""

    def __init__(
        self, source: Source, upstreams: Upstreams, routes: Routes, notes: Notes, *, approximate: bool = False
    ) -> None:
        self._source = source
        self._upstreams = upstreams
        self._routes = routes
        self._notes = notes
        self._approximate = approximate
        self._timezone = text(source.routing.get("timezone")) or "UTC"
        self.groups: dict[str, list[str]] = {}
        self._group_names: dict[str, str] = {}
        self._read_groups()

    def limits(self, row: Fields, whose: str) -> dict[str, int]:
        """Of a row's own columns, else of its budget's."""
        budget = self._source.budget(row.get("budget_id"))
        found = {
            name: amount
            for name, column in _LIMITS.items()
            if (amount := count(row.get(column) if row.get(column) is not None else budget.get(column))) is not None
        }
        metadata = mapping(row.get("metadata"))
        there = [
            name for name in _BY_MODEL if metadata.get(name) or (name.startswith("model_") and mapping(row.get(name)))
        ]
        if there:
            self._notes.add(f"{', '.join(there)} of {whose}", "there are no limits for single models here")
        return found

    def budgets(self, row: Fields, whose: str) -> list[dict[str, object]]:
        """The row's own, its budget's, those of several windows, and those of single models."""
        budget = self._source.budget(row.get("budget_id"))
        found = self._one(row if number(row.get("max_budget")) is not None else budget, whose)
        for window in listed(row.get("budget_limits")):
            found += self._one(mapping(window), whose)
        for model, each in mapping(row.get("model_max_budget")).items():
            found += self._of_model(model, mapping(each), whose)
        metadata = mapping(row.get("metadata"))
        if metadata.get("temp_budget_increase"):
            self._notes.add(f"temp_budget_increase of {whose}", "a budget is raised by hand here")
        if mapping(row.get("budget_fallbacks")):
            self._notes.add(f"budget_fallbacks of {whose}", 'set "on_exceeded": "downgrade" on its budget')
        return found

    def models(self, names: Iterable[str], whose: str) -> list[str] | None:
        """Patterns for a list of names; None for one that lets everything, which an empty one does there."""
        given = list(names)
        if not given or {"*", "all-proxy-models"} & set(given):
            return None
        patterns: dict[str, None] = {}
        for name in given:
            if name not in {"no-default-models", "all-team-models"}:
                patterns |= dict.fromkeys(self._pattern(name, whose))
        return list(patterns)

    def _pattern(self, name: str, whose: str) -> list[str]:
        if name in self._group_names:
            return [f"@{self._group_names[name]}"]
        if (targets := self._routes.targets_of(name)) is not None and "*" not in name:
            return targets
        prefix, slash, rest = name.partition("/")
        if slash and prefix in self._upstreams.prefixes:
            return [f"{provider}/{rest}" for provider in self._upstreams.prefixes[prefix]]
        if "*" not in name:
            self._notes.add(
                f"allowed model '{name}' of {whose}", "there is no such model: it stands in the list as it is"
            )
        return [name]

    def access_groups(self, ids: object) -> list[str]:
        """The names of models that a list of access groups lets."""
        wanted = set(texts(ids))
        return [
            name
            for row in self._source.rows("AccessGroupTable")
            if text(row.get("access_group_id")) in wanted
            for name in texts(row.get("access_model_names"))
        ]

    def _read_groups(self) -> None:
        for name, members in self._routes.names.items():
            for deployment, _ in members:
                for group in texts(deployment.info.get("access_groups")):
                    ours = _GROUP.sub("-", group.lower()).strip("-._")[:63] or "imported"
                    self._group_names[group] = ours
                    patterns = self.groups.setdefault(ours, [])
                    patterns += [each for each in self._routes.targets_of(name) or () if each not in patterns]

    def _one(self, row: Fields, whose: str, models: list[str] | None = None) -> list[dict[str, object]]:
        limit = number(row.get("max_budget"))
        if limit is None or limit < 0:
            return []
        period = self._period(text(row.get("budget_duration")), whose)
        if period is None:
            return []
        found: dict[str, object] = {"limit_usd": plain(limit.quantize(Decimal("1e-9"))), "period": period}
        found["unpriced"] = "allow"  # as there, where a model without a price costs nothing
        if self._timezone != "UTC":
            found["timezone"] = self._timezone
        soft = number(row.get("soft_budget"))
        if soft is not None and limit > 0 and 0 < soft < limit:
            found["warn_at"] = [round(float(soft / limit), 4)]
        return [found | ({"models": models} if models else {})]

    def _of_model(self, model: str, row: Fields, whose: str) -> list[dict[str, object]]:
        if count(row.get("tpm_limit")) is not None or count(row.get("rpm_limit")) is not None:
            self._notes.add(f"limits of model '{model}' of {whose}", "there are no limits for single models here")
        limit = row.get("budget_limit") if row.get("budget_limit") is not None else row.get("max_budget")
        duration = row.get("time_period") or row.get("budget_duration")
        models = self._pattern(model, whose)
        return self._one({"max_budget": limit, "budget_duration": duration}, whose, models)

    def _period(self, duration: str, whose: str) -> str | None:
        if not duration:
            return "never"
        if (known := _PERIODS.get(duration.lower())) is not None:
            return known
        found = _DURATION.fullmatch(duration.lower())
        seconds = int(found[1]) * _SECONDS[found[2]] if found else 0
        nearest = next((period for most, period in _ROLLING if 0 < seconds <= most), None)
        if nearest is not None and self._approximate:
            self._notes.add(f"budget of {whose} for {duration}", f"carried as {nearest}, which begins at other times")
            return nearest
        hint = f"; --approximate takes {nearest}" if nearest else ""
        self._notes.add(f"budget of {whose} for {duration}", f"there is no such period here{hint}")
        return None
