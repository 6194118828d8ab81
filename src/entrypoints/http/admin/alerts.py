"""`/admin/alerts`: channels with their test, rules, and what was delivered."""

from datetime import datetime
from typing import Annotated

import msgspec
from dishka.integrations.litestar import FromDishka, inject
from litestar import Controller, delete, get, patch, post
from litestar.di import NamedDependency
from litestar.openapi.spec import Example
from litestar.params import BodyKwarg, PathParameter, QueryParameter
from msgspec import UNSET, UnsetType

from application.admin.alerts import (
    AlertAdmin,
    AlertChannelChange,
    AlertRuleChange,
    NewAlertChannel,
    NewAlertRule,
)
from application.alerts.dispatch import ChannelCheck, ChannelCheckResult
from domain.actors import Actor
from domain.alerts import Alert, AlertChannel, AlertDelivery, AlertRule, ChannelKind, DeliveryStatus
from domain.providers import Owner
from entrypoints.http.admin.operations import (
    CHANGE_ERRORS,
    COMPLAINTS,
    DELETE_ERRORS,
    FIRST_PAGE,
    ITEM_ERRORS,
    NOT_FAILED,
    READ_ERRORS,
    WRITE_ERRORS,
    Cursor,
    Limit,
    example,
)
from entrypoints.http.authorization import ACTING, require_admin
from entrypoints.http.owners import owner_of, with_owner

ChannelId = Annotated[str, PathParameter(description="The id of an alert channel")]
AlertDeliveryId = Annotated[str, PathParameter(description="The id of a delivery")]
AlertRuleId = Annotated[str, PathParameter(description="The id of an alert rule")]


class AlertChannelResponse(msgspec.Struct, frozen=True):
    """A channel, without its secret."""

    id: str
    kind: ChannelKind
    name: str
    url: str | None
    to: tuple[str, ...]
    enabled: bool
    fingerprint: str | None
    created_at: datetime
    updated_at: datetime
    owner: Owner = "database"


class CreatedAlertChannel(AlertChannelResponse, frozen=True):
    """A new channel. `secret` is there this once, when it was made by the gateway."""

    secret: str | UnsetType = UNSET


class AlertChannelList(msgspec.Struct, frozen=True):
    data: tuple[AlertChannelResponse, ...]
    next_cursor: str | None = None


class AlertRuleResponse(AlertRule, frozen=True):
    """A rule, and whether the settings file declares it."""

    owner: Owner = "database"


class AlertRuleList(msgspec.Struct, frozen=True):
    data: tuple[AlertRuleResponse, ...]
    next_cursor: str | None = None


class AlertDeliveryResponse(msgspec.Struct, frozen=True):
    """One alert on its way to one channel. `body` is what is sent; `next_attempt_at` is null when it has ended."""

    id: str
    event: str
    channel_id: str
    rule_id: str | None
    status: DeliveryStatus
    attempts: int
    error: str
    created_at: datetime
    next_attempt_at: datetime | None
    delivered_at: datetime | None
    body: Alert


class AlertDeliveryPage(msgspec.Struct, frozen=True):
    data: tuple[AlertDeliveryResponse, ...]
    next_cursor: str | None


_CHANNEL_ID = "alc_0198f3c2a1b47d0e8c5f6a7b8c9d0e1f"
_RULE_ID = "alr_0198f3c2a1b47d0e8c5f6a7b8c9d0e1f"
_AT = "2026-11-30T11:58:00Z"
_CHANNEL = {
    "id": _CHANNEL_ID,
    "kind": "webhook",
    "name": "on call",
    "url": "https://hooks.example.org/omg",
    "to": [],
    "enabled": True,
    "fingerprint": "9f86d081884c",
    "created_at": _AT,
    "updated_at": _AT,
}
_RULE = {
    "id": _RULE_ID,
    "event": "budget_threshold",
    "threshold": 0.8,
    "cooldown_seconds": 300,
    "channels": [_CHANNEL_ID],
    "enabled": True,
    "created_at": _AT,
    "updated_at": _AT,
}
_DELIVERY = {
    "id": "ald_0198f3c2a1b47d0e8c5f6a7b8c9d0e1f",
    "event": "budget_threshold",
    "channel_id": _CHANNEL_ID,
    "rule_id": _RULE_ID,
    "status": "delivered",
    "attempts": 1,
    "error": "",
    "created_at": _AT,
    "next_attempt_at": None,
    "delivered_at": _AT,
    "body": {
        "id": "alt_0198f3c2a1b47d0e8c5f6a7b8c9d0e1f",
        "event": "budget_threshold",
        "fired_at": _AT,
        "subject": {"kind": "key", "id": "key_0198f3c2a1b47d0e8c5f6a7b8c9d0e1f", "name": "notebook"},
        "threshold": 0.8,
        "value": "20.50",
        "limit": "25.00",
        "period_end": "2026-12-01T00:00:00Z",
        "text": "The budget of $25.00 (month) of key 'key_0198…' (notebook) is used to 82%: $20.50 are spent.",
    },
}
_WAITING = _DELIVERY | {"status": "pending", "attempts": 6, "next_attempt_at": _AT, "delivered_at": None}
_TESTED = {"ok": True, "message": "The test was delivered.", "delivery_id": _DELIVERY["id"]}

NewChannelBody = Annotated[
    NewAlertChannel,
    BodyKwarg(
        examples=[
            Example(summary="A webhook", value={"kind": "webhook", "url": _CHANNEL["url"]}),
            Example(summary="E-mail", value={"kind": "email", "to": ["ops@example.org"]}),
        ]
    ),
]
ChannelChangeBody = Annotated[
    AlertChannelChange, BodyKwarg(examples=[Example(summary="Silence it", value={"enabled": False})])
]
NewRuleBody = Annotated[
    NewAlertRule,
    BodyKwarg(examples=[Example(summary="Of budgets", value={"event": "budget_threshold", "channels": [_CHANNEL_ID]})]),
]
RuleChangeBody = Annotated[AlertRuleChange, BodyKwarg(examples=[Example(summary="Later", value={"threshold": 0.9})])]


class AlertChannelController(Controller):
    path = "/admin/alerts/channels"
    tags = ("Alerts",)
    guards = (require_admin,)
    dependencies = ACTING
    exception_handlers = COMPLAINTS

    @get(
        operation_id="listAlertChannels",
        summary="List alert channels",
        description="All of them, oldest first. A secret is never shown again.",
        responses={200: example({"data": [_CHANNEL], "next_cursor": None}, "All", AlertChannelList), **READ_ERRORS},
    )
    @inject
    async def list_all(self, alerts: FromDishka[AlertAdmin]) -> AlertChannelList:
        return AlertChannelList(tuple(map(_channel, await alerts.list_channels())))

    @post(
        operation_id="createAlertChannel",
        summary="Create an alert channel",
        description="A webhook at `url`, whose `secret` signs each call; without one the answer has a new one, this "
        "once. An address that you write may be private, a name must not lead to one. Or e-mail to the addresses in "
        "`to`, by the server of `OMG_SMTP_URL`.",
        responses={201: example(_CHANNEL | {"secret": "whsec_…"}, "Created", CreatedAlertChannel), **WRITE_ERRORS},
    )
    @inject
    async def create(
        self, actor: NamedDependency[Actor], data: NewChannelBody, alerts: FromDishka[AlertAdmin]
    ) -> CreatedAlertChannel:
        made = await alerts.create_channel(actor, data)
        shown = made.secret if data.secret is None else None
        secret = shown.reveal() if shown is not None else UNSET
        return CreatedAlertChannel(**msgspec.structs.asdict(_channel(made)), secret=secret)

    @get(
        "/{channel_id:str}",
        operation_id="getAlertChannel",
        summary="Get an alert channel",
        responses={200: example(_CHANNEL, "The channel", AlertChannelResponse), **ITEM_ERRORS},
    )
    @inject
    async def get_one(self, channel_id: ChannelId, alerts: FromDishka[AlertAdmin]) -> AlertChannelResponse:
        return _channel(await alerts.get_channel(channel_id))

    @patch(
        "/{channel_id:str}",
        operation_id="updateAlertChannel",
        summary="Change an alert channel",
        description="Changes the fields that are sent. While `enabled` is false nothing is sent to it.",
        responses={200: example(_CHANNEL, "Changed", AlertChannelResponse), **CHANGE_ERRORS},
    )
    @inject
    async def update(
        self,
        actor: NamedDependency[Actor],
        channel_id: ChannelId,
        data: ChannelChangeBody,
        alerts: FromDishka[AlertAdmin],
    ) -> AlertChannelResponse:
        return _channel(await alerts.update_channel(actor, channel_id, data))

    @delete(
        "/{channel_id:str}",
        operation_id="deleteAlertChannel",
        summary="Delete an alert channel",
        description="Rules go on with their other channels.",
        responses=DELETE_ERRORS,
    )
    @inject
    async def remove(
        self, actor: NamedDependency[Actor], channel_id: ChannelId, alerts: FromDishka[AlertAdmin]
    ) -> None:
        await alerts.delete_channel(actor, channel_id)

    @post(
        "/{channel_id:str}/test",
        status_code=200,
        operation_id="testAlertChannel",
        summary="Test an alert channel",
        description="Sends one alert of the event `test` now, also to a channel that is disabled. The answer is 200 "
        "either way: `ok` says whether it was delivered, `message` what happened.",
        responses={200: example(_TESTED, "What happened", ChannelCheckResult), **ITEM_ERRORS},
    )
    @inject
    async def test(self, channel_id: ChannelId, checks: FromDishka[ChannelCheck]) -> ChannelCheckResult:
        return await checks.run(channel_id)


class AlertRuleController(Controller):
    path = "/admin/alerts/rules"
    tags = ("Alerts",)
    guards = (require_admin,)
    dependencies = ACTING
    exception_handlers = COMPLAINTS

    @get(
        operation_id="listAlertRules",
        summary="List alert rules",
        description="All of them, oldest first.",
        responses={200: example({"data": [_RULE], "next_cursor": None}, "All", AlertRuleList), **READ_ERRORS},
    )
    @inject
    async def list_all(self, alerts: FromDishka[AlertAdmin]) -> AlertRuleList:
        return AlertRuleList(tuple(map(_rule, await alerts.list_rules())))

    @post(
        operation_id="createAlertRule",
        summary="Create an alert rule",
        description="Events: `budget_threshold` (at each of a budget's `warn_at` and at 1.0; `threshold` leaves out "
        "those below it), `provider_down`, `quota_low`, `error_rate`, `key_expiring` and `model_retiring` "
        "(`threshold` in days), `cost_drift`. Told once for each threshold and period, and again after it was a tenth "
        "away from it; never within `cooldown_seconds` of the last time.",
        responses={201: example(_RULE, "Created", AlertRuleResponse), **WRITE_ERRORS},
    )
    @inject
    async def create(
        self, actor: NamedDependency[Actor], data: NewRuleBody, alerts: FromDishka[AlertAdmin]
    ) -> AlertRuleResponse:
        return _rule(await alerts.create_rule(actor, data))

    @get(
        "/{rule_id:str}",
        operation_id="getAlertRule",
        summary="Get an alert rule",
        responses={200: example(_RULE, "The rule", AlertRuleResponse), **ITEM_ERRORS},
    )
    @inject
    async def get_one(self, rule_id: AlertRuleId, alerts: FromDishka[AlertAdmin]) -> AlertRuleResponse:
        return _rule(await alerts.get_rule(rule_id))

    @patch(
        "/{rule_id:str}",
        operation_id="updateAlertRule",
        summary="Change an alert rule",
        description="Changes the fields that are sent.",
        responses={200: example(_RULE, "Changed", AlertRuleResponse), **CHANGE_ERRORS},
    )
    @inject
    async def update(
        self, actor: NamedDependency[Actor], rule_id: AlertRuleId, data: RuleChangeBody, alerts: FromDishka[AlertAdmin]
    ) -> AlertRuleResponse:
        return _rule(await alerts.update_rule(actor, rule_id, data))

    @delete("/{rule_id:str}", operation_id="deleteAlertRule", summary="Delete an alert rule", responses=DELETE_ERRORS)
    @inject
    async def remove(self, actor: NamedDependency[Actor], rule_id: AlertRuleId, alerts: FromDishka[AlertAdmin]) -> None:
        await alerts.delete_rule(actor, rule_id)


class AlertDeliveryController(Controller):
    path = "/admin/alerts/deliveries"
    tags = ("Alerts",)
    guards = (require_admin,)
    dependencies = ACTING
    exception_handlers = COMPLAINTS

    @get(
        operation_id="listAlertDeliveries",
        summary="List alerts that were sent",
        description="Newest first, of the last 30 days, tests too.",
        responses={
            200: example({"data": [_DELIVERY], "next_cursor": None}, "A page", AlertDeliveryPage),
            **READ_ERRORS,
        },
    )
    @inject
    async def list_page(
        self,
        alerts: FromDishka[AlertAdmin],
        status: Annotated[DeliveryStatus | None, QueryParameter(description="Only with it")] = None,
        limit: Limit = FIRST_PAGE,
        cursor: Cursor = None,
    ) -> AlertDeliveryPage:
        page = await alerts.list_deliveries(limit, cursor, status)
        return AlertDeliveryPage(tuple(map(_delivery, page.data)), page.next_cursor)

    @post(
        "/{delivery_id:str}/resend",
        status_code=200,
        operation_id="resendAlert",
        summary="Send a failed alert again",
        description="The same alert with the same id goes to its channel once more, within some seconds. Where that "
        "fails too, it is tried again as before, as far as it has attempts left.",
        responses={200: example(_WAITING, "On its way", AlertDeliveryResponse), **ITEM_ERRORS, 409: NOT_FAILED},
    )
    @inject
    async def resend(
        self, actor: NamedDependency[Actor], delivery_id: AlertDeliveryId, alerts: FromDishka[AlertAdmin]
    ) -> AlertDeliveryResponse:
        return _delivery(await alerts.resend(actor, delivery_id))


def _channel(channel: AlertChannel) -> AlertChannelResponse:
    return AlertChannelResponse(
        channel.id,
        channel.kind,
        channel.name,
        channel.url,
        channel.to,
        channel.enabled,
        channel.secret.fingerprint if channel.secret is not None else None,
        channel.created_at,
        channel.updated_at,
        owner_of("alert_channel", channel.id),
    )


def _rule(rule: AlertRule) -> AlertRuleResponse:
    return with_owner(AlertRuleResponse, rule, owner_of("alert_rule", rule.id))


def _delivery(delivery: AlertDelivery) -> AlertDeliveryResponse:
    return AlertDeliveryResponse(
        id=delivery.id,
        event=delivery.alert.event,
        channel_id=delivery.channel_id,
        rule_id=delivery.rule_id,
        status=delivery.status,
        attempts=delivery.attempts,
        error=delivery.error,
        created_at=delivery.created_at,
        next_attempt_at=delivery.next_attempt_at if delivery.status in ("pending", "held") else None,
        delivered_at=delivery.delivered_at,
        body=delivery.alert,
    )
