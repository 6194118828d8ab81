"""Channels and rules of alerts as admins set them up, and what was delivered."""

import re
from typing import Annotated
from urllib.parse import urlsplit

import msgspec
from msgspec import UNSET, Meta, UnsetType

from application.admin.allowances import Name
from application.admin.config_write import Change, config_write
from application.admin.paging import Page, first_of
from application.snapshot import GatewayState
from domain.actors import Actor
from domain.alerts import AlertChannel, AlertDelivery, AlertEvent, AlertRule, ChannelKind
from domain.authority import Right, require
from domain.errors import Conflict, NotFound, RequestInvalid
from domain.keys import generate_key
from domain.ports.repositories import Store, UnitOfWork
from domain.ports.runtime import Clock, IdFactory
from domain.secrets import Secret

SIGNING_SECRET_PREFIX = "whsec_"  # noqa: S105 - a prefix, not a secret
MAX_COOLDOWN_SECONDS = 30 * 86_400
DEFAULT_COOLDOWN_SECONDS = 300

Url = Annotated[str, Meta(min_length=1, max_length=2000)]
Recipients = Annotated[tuple[Annotated[str, Meta(min_length=3, max_length=254)], ...], Meta(max_length=50)]
SigningSecret = Annotated[str, Meta(min_length=1, max_length=500)]
Threshold = Annotated[float, Meta(gt=0, le=3650)]
Cooldown = Annotated[int, Meta(ge=0, le=MAX_COOLDOWN_SECONDS)]
ChannelIds = Annotated[
    tuple[Annotated[str, Meta(min_length=1, max_length=128)], ...], Meta(min_length=1, max_length=50)
]

_ADDRESS = re.compile(r"[^\s@<>,;:\"()\[\]\\]+@[^\s@<>,;:\"()\[\]\\]+")
_SHARES = frozenset({"budget_threshold", "quota_low", "error_rate"})
"""Events whose threshold is a share of at most 1, but for budgets, which may be overspent by their leave."""


class NewAlertChannel(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A webhook has a `url` and a `secret` that signs, which is made where none is given; an e-mail has `to`."""

    kind: ChannelKind
    name: Name = ""
    url: Url | None = None
    to: Recipients = ()
    secret: SigningSecret | None = None
    enabled: bool = True


class AlertChannelChange(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Fields to change; absent ones stay as they are."""

    name: Name | UnsetType = UNSET
    url: Url | UnsetType = UNSET
    to: Recipients | UnsetType = UNSET
    secret: SigningSecret | UnsetType = UNSET
    enabled: bool | UnsetType = UNSET


class NewAlertRule(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What is told to which channels. A `threshold` of null is the event's own."""

    event: AlertEvent
    threshold: Threshold | None = None
    cooldown_seconds: Cooldown = DEFAULT_COOLDOWN_SECONDS
    channels: ChannelIds
    enabled: bool = True


class AlertRuleChange(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Fields to change; absent ones stay as they are."""

    threshold: Threshold | UnsetType | None = UNSET
    cooldown_seconds: Cooldown | UnsetType = UNSET
    channels: ChannelIds | UnsetType = UNSET
    enabled: bool | UnsetType = UNSET


class AlertAdmin:
    """Every change is in force for the next alert, in other processes within a second."""

    def __init__(self, store: Store, state: GatewayState, clock: Clock, ids: IdFactory) -> None:
        self._store = store
        self._state = state
        self._clock = clock
        self._ids = ids

    async def list_channels(self) -> tuple[AlertChannel, ...]:
        """Oldest first."""
        async with self._store.read() as unit:
            return tuple(await unit.alert_config.list_channels())

    async def get_channel(self, channel_id: str) -> AlertChannel:
        """Raises `NotFound`."""
        async with self._store.read() as unit:
            return await _channel(unit, channel_id)

    async def create_channel(self, actor: Actor, new: NewAlertChannel) -> AlertChannel:
        """A webhook without a secret gets one. Raises `PermissionDenied`, and `RequestInvalid`."""
        require(actor, Right.PLATFORM_WRITE, "")
        secret = Secret(new.secret) if new.secret is not None else None
        if secret is None and new.kind == "webhook":
            secret = generate_key(SIGNING_SECRET_PREFIX)
        now = self._clock.now()
        channel = AlertChannel(self._ids.new("alc"), new.kind, new.name, new.url, new.to, secret, new.enabled, now, now)
        _check_channel(channel)
        change = Change("create", "alert_channel", channel.id)
        async with config_write(self._store, self._state, actor, change) as unit:
            await unit.alert_config.put_channel(channel)
        return channel

    async def update_channel(self, actor: Actor, channel_id: str, change: AlertChannelChange) -> AlertChannel:
        """Raises `NotFound`, `PermissionDenied`, `RequestInvalid`."""
        require(actor, Right.PLATFORM_WRITE, "")
        fields = _given(change)
        if isinstance(change.secret, str):
            fields["secret"] = Secret(change.secret)
        named = Change("update", "alert_channel", channel_id)
        async with config_write(self._store, self._state, actor, named) as unit:
            known = await _channel(unit, channel_id)
            channel = msgspec.structs.replace(known, **fields, updated_at=self._clock.now())
            _check_channel(channel)
            await unit.alert_config.put_channel(channel)
        return channel

    async def delete_channel(self, actor: Actor, channel_id: str) -> None:
        """Rules go on without it. Raises `NotFound`, `PermissionDenied`."""
        require(actor, Right.PLATFORM_WRITE, "")
        named = Change("delete", "alert_channel", channel_id)
        async with config_write(self._store, self._state, actor, named) as unit:
            await _channel(unit, channel_id)
            await unit.alert_config.delete_channel(channel_id)

    async def list_rules(self) -> tuple[AlertRule, ...]:
        """Oldest first."""
        async with self._store.read() as unit:
            return tuple(await unit.alert_config.list_rules())

    async def get_rule(self, rule_id: str) -> AlertRule:
        """Raises `NotFound`."""
        async with self._store.read() as unit:
            return await _rule(unit, rule_id)

    async def create_rule(self, actor: Actor, new: NewAlertRule) -> AlertRule:
        """Raises `PermissionDenied`, and `RequestInvalid`, also for a channel that is not there."""
        require(actor, Right.PLATFORM_WRITE, "")
        now = self._clock.now()
        rule = AlertRule(
            self._ids.new("alr"),
            new.event,
            new.threshold,
            new.cooldown_seconds,
            tuple(dict.fromkeys(new.channels)),
            new.enabled,
            now,
            now,
        )
        async with config_write(self._store, self._state, actor, Change("create", "alert_rule", rule.id)) as unit:
            await _check_rule(unit, rule, rule.channels)
            await unit.alert_config.put_rule(rule)
        return rule

    async def update_rule(self, actor: Actor, rule_id: str, change: AlertRuleChange) -> AlertRule:
        """Raises `NotFound`, `PermissionDenied`, `RequestInvalid`."""
        require(actor, Right.PLATFORM_WRITE, "")
        async with config_write(self._store, self._state, actor, Change("update", "alert_rule", rule_id)) as unit:
            known = await _rule(unit, rule_id)
            rule = msgspec.structs.replace(known, **_given(change), updated_at=self._clock.now())
            await _check_rule(unit, rule, () if change.channels is UNSET else rule.channels)
            await unit.alert_config.put_rule(rule)
        return rule

    async def delete_rule(self, actor: Actor, rule_id: str) -> None:
        """Raises `NotFound`, `PermissionDenied`."""
        require(actor, Right.PLATFORM_WRITE, "")
        async with config_write(self._store, self._state, actor, Change("delete", "alert_rule", rule_id)) as unit:
            await _rule(unit, rule_id)
            await unit.alert_config.delete_rule(rule_id)

    async def list_deliveries(self, limit: int, cursor: str | None, status: str | None) -> Page[AlertDelivery]:
        """Newest first, of the last thirty days."""
        async with self._store.read() as unit:
            found = await unit.alert_log.page(limit + 1, cursor, status)
        return first_of(found, limit, lambda delivery: delivery.id)

    async def resend(self, actor: Actor, delivery_id: str) -> AlertDelivery:
        """Put what failed on its way again: it is tried within seconds, and the attempts go on from where they were.

        Raises `NotFound`, `Conflict` for one that has not failed or whose channel takes none, and `PermissionDenied`.
        """
        require(actor, Right.PLATFORM_WRITE, "")
        named = Change("retry", "alert_delivery", delivery_id)
        async with config_write(self._store, self._state, actor, named) as unit:
            known = await unit.alert_log.get(delivery_id)
            if known is None:
                raise NotFound(f"There is no delivery '{delivery_id}'. GET /admin/alerts/deliveries lists them.")
            if known.status != "failed":
                raise Conflict(
                    f"Delivery '{delivery_id}' is {known.status}: only one that failed can be sent again.",
                    code="conflict",
                )
            channel = await unit.alert_config.get_channel(known.channel_id)
            if channel is None or not channel.enabled:
                raise Conflict(
                    f"Its channel '{known.channel_id}' is {'gone' if channel is None else 'disabled'}.", code="conflict"
                )
            again = msgspec.structs.replace(known, status="pending", next_attempt_at=self._clock.now())
            await unit.alert_log.put(again)
        return again


def _given(change: AlertChannelChange | AlertRuleChange) -> dict[str, object]:
    sent = {name: getattr(change, name) for name in change.__struct_fields__}
    return {name: value for name, value in sent.items() if value is not UNSET}


def _check_channel(channel: AlertChannel) -> None:
    if channel.kind == "email":
        for field in ("url", "secret"):
            if getattr(channel, field) is not None:
                raise RequestInvalid(f"An e-mail channel has no '{field}'.", param=field)
        if not channel.to:
            raise RequestInvalid("An e-mail channel needs addresses in 'to'.", param="to")
        for place, address in enumerate(channel.to):
            if not _ADDRESS.fullmatch(address) or not address.isprintable():
                raise RequestInvalid(f"'{address}' is no e-mail address.", param=f"to.{place}")
        return
    if channel.to:
        raise RequestInvalid("A webhook has no 'to'.", param="to")
    if channel.url is None:
        raise RequestInvalid("A webhook needs a 'url'.", param="url")
    _check_url(channel.url)


def _check_url(url: str) -> None:
    wrong = RequestInvalid("'url' is a URL that starts with http:// or https:// and a host.", param="url")
    if not url.isascii() or not url.isprintable() or " " in url:
        raise wrong
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise wrong from None
    if parts.scheme not in {"http", "https"} or not parts.hostname or port == 0:
        raise wrong
    if parts.username is not None or parts.password is not None or parts.fragment:
        raise RequestInvalid("'url' has no user, no password and no fragment.", param="url")


async def _check_rule(unit: UnitOfWork, rule: AlertRule, channels: tuple[str, ...]) -> None:
    if rule.threshold is not None and rule.event in _SHARES and rule.threshold > 1:
        raise RequestInvalid(f"The threshold of {rule.event} is a share, such as 0.8.", param="threshold")
    for place, channel_id in enumerate(channels):
        if await unit.alert_config.get_channel(channel_id) is None:
            raise RequestInvalid(
                f"There is no alert channel '{channel_id}'. GET /admin/alerts/channels lists them.",
                param=f"channels.{place}",
            )


async def _channel(unit: UnitOfWork, channel_id: str) -> AlertChannel:
    channel = await unit.alert_config.get_channel(channel_id)
    if channel is None:
        raise NotFound(f"There is no alert channel '{channel_id}'. GET /admin/alerts/channels lists them.")
    return channel


async def _rule(unit: UnitOfWork, rule_id: str) -> AlertRule:
    rule = await unit.alert_config.get_rule(rule_id)
    if rule is None:
        raise NotFound(f"There is no alert rule '{rule_id}'. GET /admin/alerts/rules lists them.")
    return rule
