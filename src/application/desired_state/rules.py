"""Model groups, limits, budgets and alerts as a document writes them."""

from collections.abc import Callable, Sequence

import msgspec

from application.admin.alerts import (
    AlertChannelChange,
    AlertRuleChange,
    ChannelIds,
    Cooldown,
    NewAlertChannel,
    NewAlertRule,
    Recipients,
    Threshold,
    Url,
)
from application.admin.allowances import Name
from application.admin.model_groups import ModelGroupChange, NewModelGroup
from application.admin.subject_rules import LimitsChange, NewLimits, SubjectBody
from application.desired_state.objects import Administration, Draft, Found, Given, Kind, Made, References
from domain.actors import CONFIGURATION, Actor
from domain.alerts import AlertChannel, AlertEvent, ChannelKind
from domain.errors import RequestInvalid
from domain.limits import Budget, RateLimits
from domain.secrets import Secret
from domain.subject_limits import StoredRule, Subject

DEFAULT_COOLDOWN = NewAlertRule(event="provider_down", channels=("",)).cooldown_seconds

_NAMED = {"tenant": "tenants", "user": "users", "key": "keys"}
"""Subjects that have a name beside their id, and the section they are in."""


class LimitEntry(RateLimits, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Limits of a subject."""

    subject: SubjectBody


class BudgetEntry(Budget, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A budget of a subject."""

    subject: SubjectBody


class ChannelEntry(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A channel of alerts, without the secret that signs."""

    name: Name
    kind: ChannelKind
    url: Url | None = None
    to: Recipients = ()
    enabled: bool = True


class RuleEntry(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A rule of alerts; its channels are named by their names."""

    event: AlertEvent
    threshold: Threshold | None = None
    cooldown_seconds: Cooldown = DEFAULT_COOLDOWN
    channels: ChannelIds
    enabled: bool = True


async def _groups(of: Administration, _: References) -> Sequence[Found]:
    return [
        Found(each.name, each.name, NewModelGroup(name=each.name, patterns=tuple(each.patterns)))
        for each in await of.groups.list_all()
    ]


async def _create_group(of: Administration, actor: Actor, draft: Draft, _: References) -> Made:
    return Made((await of.groups.create(actor, draft.of(NewModelGroup))).name)


async def _update_group(of: Administration, actor: Actor, name: str, draft: Draft, _: References) -> object:
    return await of.groups.update(actor, name, ModelGroupChange(patterns=draft.of(NewModelGroup).patterns))


def _subject_key(entry: msgspec.Struct) -> str:
    subject = getattr(entry, "subject", SubjectBody("tag", ""))
    return f"{subject.kind}/{subject.id}"


def _budget_key(entry: msgspec.Struct) -> str:
    models = ",".join(getattr(entry, "models", None) or ())
    return " ".join(part for part in (_subject_key(entry), str(getattr(entry, "period", "")), models) if part)


def _shown(subject: Subject, refs: References) -> SubjectBody:
    section = _NAMED.get(subject.kind)
    try:
        return SubjectBody(subject.kind, refs.key(section, subject.id, "id") if section else subject.id)
    except RequestInvalid:  # of an object that is gone
        return SubjectBody(subject.kind, subject.id)


def _refer_subject(given: Given, refs: References) -> dict[str, object]:
    subject = given.get("subject")
    section = _NAMED.get(str(subject.get("kind"))) if isinstance(subject, dict) else None
    if section is None or not isinstance(subject, dict):
        return dict(given)
    key = refs.key(section, str(subject.get("id")), "subject.id")
    return {**given, "subject": {**subject, "id": key}}


def _subject(entry: SubjectBody, refs: References) -> SubjectBody:
    section = _NAMED.get(entry.kind)
    return SubjectBody(entry.kind, refs.id(section, entry.id)) if section else entry


async def _limits(of: Administration, refs: References) -> Sequence[Found]:
    return [
        Found(each.id, _subject_key(entry), entry)
        for each in await of.rules.list_all(CONFIGURATION, "limit")
        for entry in [LimitEntry(subject=_shown(each.subject, refs), **msgspec.structs.asdict(each.limits))]
    ]


async def _create_limits(of: Administration, actor: Actor, draft: Draft, refs: References) -> Made:
    entry = draft.of(LimitEntry)
    amounts = {name: getattr(entry, name) for name in RateLimits.__struct_fields__}
    new = NewLimits(subject=_subject(entry.subject, refs), **amounts)
    return Made((await of.rules.add_limits(actor, new)).id)


async def _update_limits(of: Administration, actor: Actor, rule_id: str, draft: Draft, _: References) -> StoredRule:
    return await of.rules.change_limits(actor, rule_id, draft.change(LimitsChange))


async def _budgets(of: Administration, refs: References) -> Sequence[Found]:
    found = []
    for each in await of.rules.list_all(CONFIGURATION, "budget"):
        if each.budget is not None:
            entry = BudgetEntry(subject=_shown(each.subject, refs), **msgspec.structs.asdict(each.budget))
            found.append(Found(each.id, _budget_key(entry), entry))
    return found


async def _create_budget(of: Administration, actor: Actor, draft: Draft, refs: References) -> Made:
    entry = draft.of(BudgetEntry)
    budget = Budget(**{name: getattr(entry, name) for name in Budget.__struct_fields__})
    return Made((await of.rules.add_budget(actor, _subject(entry.subject, refs), budget)).id)


async def _update_budget(of: Administration, actor: Actor, rule_id: str, draft: Draft, _: References) -> StoredRule:
    fields = {name: msgspec.to_builtins(getattr(draft.entry, name)) for name in draft.changed}
    return await of.rules.change_budget(actor, rule_id, fields)


async def _channels(of: Administration, refs: References) -> Sequence[Found]:
    found = []
    for each in await of.alerts.list_channels():
        name = each.name or each.url or ", ".join(each.to)
        entry = ChannelEntry(name=name, kind=each.kind, url=each.url, to=each.to, enabled=each.enabled)
        refs.learn("alert_channels", name, each.id)
        found.append(Found(each.id, name, entry, _is_secret_of(each)))
    return found


def _is_secret_of(channel: AlertChannel) -> Callable[[Secret], bool]:
    return lambda secret: channel.secret == secret


async def _create_channel(of: Administration, actor: Actor, draft: Draft, _: References) -> Made:
    entry = draft.of(ChannelEntry)
    secret = draft.secret.reveal() if draft.secret is not None else None
    fields = {name: getattr(entry, name) for name in ChannelEntry.__struct_fields__}
    return Made((await of.alerts.create_channel(actor, NewAlertChannel(**fields, secret=secret))).id)


async def _update_channel(of: Administration, actor: Actor, channel_id: str, draft: Draft, _: References) -> object:
    if "kind" in draft.changed:
        raise RequestInvalid("the kind of a channel never changes: make another one")
    fields = {name: getattr(draft.entry, name) for name in draft.changed}
    if draft.secret is not None:
        fields["secret"] = draft.secret.reveal()
    return await of.alerts.update_channel(actor, channel_id, AlertChannelChange(**fields))


def _refer_rule(given: Given, refs: References) -> dict[str, object]:
    channels = given.get("channels")
    if not isinstance(channels, list | tuple):
        return dict(given)
    return {**given, "channels": [refs.key("alert_channels", str(each), "channels") for each in channels]}


def _rule_key(entry: msgspec.Struct) -> str:
    return f"{getattr(entry, 'event', '')} to {', '.join(sorted(getattr(entry, 'channels', ())))}"


async def _rules(of: Administration, refs: References) -> Sequence[Found]:
    found = []
    for each in await of.alerts.list_rules():
        for channel in each.channels:
            refs.learn("alert_channels", channel, channel)  # of a channel that is gone
        entry = RuleEntry(
            event=each.event,
            threshold=each.threshold,
            cooldown_seconds=each.cooldown_seconds,
            channels=tuple(refs.key("alert_channels", channel, "channels") for channel in each.channels),
            enabled=each.enabled,
        )
        found.append(Found(each.id, _rule_key(entry), entry))
    return found


async def _create_rule(of: Administration, actor: Actor, draft: Draft, refs: References) -> Made:
    entry = draft.of(RuleEntry)
    fields = {name: getattr(entry, name) for name in RuleEntry.__struct_fields__}
    fields["channels"] = tuple(refs.id("alert_channels", channel) for channel in entry.channels)
    return Made((await of.alerts.create_rule(actor, NewAlertRule(**fields))).id)


async def _update_rule(of: Administration, actor: Actor, rule_id: str, draft: Draft, refs: References) -> object:
    fields = {name: getattr(draft.entry, name) for name in draft.changed}
    if "channels" in fields:
        fields["channels"] = tuple(refs.id("alert_channels", channel) for channel in fields["channels"])
    return await of.alerts.update_rule(actor, rule_id, AlertRuleChange(**fields))


RULES = (
    Kind(
        section="limits",
        object_kind="limit",
        entry=LimitEntry,
        key=_subject_key,
        find=_limits,
        create=_create_limits,
        update=_update_limits,
        delete=lambda of, actor, found: of.rules.delete(actor, "limit", found.id),
        refer=_refer_subject,
    ),
    Kind(
        section="budgets",
        object_kind="budget",
        entry=BudgetEntry,
        key=_budget_key,
        find=_budgets,
        create=_create_budget,
        update=_update_budget,
        delete=lambda of, actor, found: of.rules.delete(actor, "budget", found.id),
        refer=_refer_subject,
    ),
    Kind(
        section="alert_channels",
        object_kind="alert_channel",
        entry=ChannelEntry,
        key=lambda entry: str(getattr(entry, "name", "")),
        find=_channels,
        create=_create_channel,
        update=_update_channel,
        delete=lambda of, actor, found: of.alerts.delete_channel(actor, found.id),
        secret="secret",  # noqa: S106 - a field's name
    ),
    Kind(
        section="alert_rules",
        object_kind="alert_rule",
        entry=RuleEntry,
        key=_rule_key,
        find=_rules,
        create=_create_rule,
        update=_update_rule,
        delete=lambda of, actor, found: of.alerts.delete_rule(actor, found.id),
        refer=_refer_rule,
    ),
)

GROUPS = Kind(
    section="model_groups",
    object_kind="model_group",
    entry=NewModelGroup,
    key=lambda entry: str(getattr(entry, "name", "")),
    find=_groups,
    create=_create_group,
    update=_update_group,
    delete=lambda of, actor, found: of.groups.delete(actor, found.id),
)
