"""The parameters of questions about usage and requests, declared once for `/admin` and `/me`: what can be narrowed to
for sums can be for the rows behind them, under the same name.
"""

from typing import Annotated, Literal

from litestar.di import NamedDependency, Provide
from litestar.params import QueryParameter

from application.usage.asking import UsageAsked
from application.usage.request_log import RequestsAsked
from domain.records import Outcome
from domain.usage_queries import RequestFilter, UsageFilter
from entrypoints.http.usage_answer import FROM, GROUP_BY, STATS, TIMEZONE, TO

Text = str | None

From = Annotated[Text, QueryParameter(name="from", description=FROM)]
To = Annotated[Text, QueryParameter(description=TO)]
Timezone = Annotated[Text, QueryParameter(description=TIMEZONE)]
GroupBy = Annotated[list[str] | None, QueryParameter(description=GROUP_BY)]
Stats = Annotated[bool, QueryParameter(description=STATS)]
TenantId = Annotated[
    Text,
    QueryParameter(
        description="Only this tenant's. Under `/me`: all of it for its owners, admins and viewers, else one's own"
    ),
]
KeyId = Annotated[Text, QueryParameter(description="Only this virtual key's")]
UserId = Annotated[Text, QueryParameter(description="Only of keys and chats of this user")]
ProviderId = Annotated[Text, QueryParameter(name="provider", description="Only this provider's")]
Model = Annotated[Text, QueryParameter(description="Only this model's")]
Task = Annotated[Text, QueryParameter(description="Only this task's")]
Endpoint = Annotated[Text, QueryParameter(description="Only of this endpoint")]
EndUser = Annotated[Text, QueryParameter(description="Only for this end user")]
Session = Annotated[Text, QueryParameter(description="Only of this session")]
Device = Annotated[Text, QueryParameter(description="Only of this device of the chat app")]
OfRoute = Annotated[Text, QueryParameter(name="route", description="Only what went by this route, or by `auto`")]
Tag = Annotated[Text, QueryParameter(description="Only with this tag")]

LogFrom = Annotated[
    Text, QueryParameter(name="from", description="First moment: a date in the time zone, or a time with its offset")
]
LogTo = Annotated[Text, QueryParameter(description="End: a date, which is included, or a time, which is not")]
LogProvider = Annotated[Text, QueryParameter(name="provider", description="Only what this provider answered last")]
LogModel = Annotated[Text, QueryParameter(description="Only what this model answered last")]
RequestedModel = Annotated[Text, QueryParameter(description="Only what asked for this model, or this alias")]
WithOutcome = Annotated[Outcome | None, QueryParameter(name="outcome", description="Only with this outcome")]
WithStatus = Annotated[
    int | None, QueryParameter(name="status", description="Only with this HTTP status", ge=100, le=599)
]
ErrorCode = Annotated[Text, QueryParameter(description="Only with this error code")]
Streamed = Annotated[bool | None, QueryParameter(name="stream", description="Only streams, or only plain answers")]
Refused = Annotated[
    bool | None, QueryParameter(description="Only what a limit, a budget or a list refused, or only the rest")
]
Estimated = Annotated[bool | None, QueryParameter(description="Only where the gateway counted tokens itself, or not")]
Unpriced = Annotated[bool | None, QueryParameter(description="Only with a call that has no price, or without one")]
After = Annotated[
    Text,
    QueryParameter(
        description="Instead of `cursor`, for what is newer: `previous_cursor` of a page, or a request's id. "
        "Those right behind it, newest first"
    ),
]
UsageFormat = Annotated[
    Literal["json", "csv", "focus"],
    QueryParameter(
        name="format",
        description="`csv` for the rows as a file; `focus` for FOCUS 1.2, a row for each day, tenant, key, provider "
        "and model",
    ),
]
Format = Annotated[
    Literal["json", "csv"], QueryParameter(name="format", description="`csv` for all that match as a file")
]


def usage_filter(
    tenant_id: TenantId = None,
    key_id: KeyId = None,
    provider: ProviderId = None,
    model: Model = None,
    task: Task = None,
    user_id: UserId = None,
    endpoint: Endpoint = None,
    end_user: EndUser = None,
    session: Session = None,
    device: Device = None,
    route: OfRoute = None,
    tag: Tag = None,
) -> UsageFilter:
    """An empty parameter is as if it were not there."""
    return UsageFilter(
        tenant_id=tenant_id or None,
        key_id=key_id or None,
        provider_id=provider or None,
        model=model or None,
        task=task or None,
        user_id=user_id or None,
        endpoint=endpoint or None,
        end_user=end_user or None,
        session=session or None,
        device=device or None,
        route=route or None,
        tag=tag or None,
    )


def usage_asked(
    narrowed: NamedDependency[UsageFilter],
    from_: From = None,
    to: To = None,
    group_by: GroupBy = None,
    timezone: Timezone = None,
    stats: Stats = False,
) -> UsageAsked:
    return UsageAsked(from_, to, tuple(group_by or ()), timezone, stats, narrowed)


def requests_asked(
    from_: LogFrom = None,
    to: LogTo = None,
    timezone: Timezone = None,
    tenant_id: TenantId = None,
    key_id: KeyId = None,
    user_id: UserId = None,
    provider: LogProvider = None,
    model: LogModel = None,
    requested_model: RequestedModel = None,
    task: Task = None,
    endpoint: Endpoint = None,
    end_user: EndUser = None,
    session: Session = None,
    device: Device = None,
    route: OfRoute = None,
    tag: Tag = None,
    outcome: WithOutcome = None,
    status: WithStatus = None,
    error_code: ErrorCode = None,
    stream: Streamed = None,
    refused: Refused = None,
    estimated: Estimated = None,
    unpriced: Unpriced = None,
) -> RequestsAsked:
    """The same for single requests."""
    filter_ = RequestFilter(
        tenant_id=tenant_id or None,
        key_id=key_id or None,
        user_id=user_id or None,
        provider_id=provider or None,
        model=model or None,
        requested_model=requested_model or None,
        task=task or None,
        endpoint=endpoint or None,
        end_user=end_user or None,
        session=session or None,
        device=device or None,
        route=route or None,
        tag=tag or None,
        outcome=outcome,
        status=status,
        error_code=error_code or None,
        stream=stream,
        refused=refused,
        estimated=estimated,
        unpriced=unpriced,
    )
    return RequestsAsked(from_, to, timezone, filter_)


ASKING_FOR_USAGE = {
    "narrowed": Provide(usage_filter, sync_to_thread=False),
    "asked": Provide(usage_asked, sync_to_thread=False),
}
"""The `dependencies` of a controller whose handlers take `asked`, a `UsageAsked`."""

ASKING_FOR_REQUESTS = {"asked": Provide(requests_asked, sync_to_thread=False)}
"""The same with `asked`, a `RequestsAsked`."""
