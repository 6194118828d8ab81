"""Everything the HTTP layer works with, resolved once at start."""

from dataclasses import dataclass, field

from dishka import AsyncContainer

from application.admission.authentication import Authenticator
from application.audit.refusals import RefusalLog
from application.catalog import ModelDirectory
from application.idempotency import IdempotentRequests
from application.inference.background import BackgroundResponses
from application.inference.pipeline import InferencePipeline
from application.inference.response_owners import ResponseOwners
from application.snapshot import GatewayState
from application.usage.end_users import EndUsers
from application.usage.report import UsageReport
from domain.ports.policies import AvailabilityPolicy
from domain.ports.runtime import Clock, IdFactory
from entrypoints.http.edge.body import BodyBudget
from entrypoints.http.edge.config import EdgeConfig
from entrypoints.http.edge.drain import DrainState
from entrypoints.web.pages import WebPages


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpServices:
    """The hot path's objects, so that no request asks a container. `container` serves the admin controllers."""

    authenticator: Authenticator
    pipeline: InferencePipeline
    directory: ModelDirectory
    state: GatewayState
    usage: UsageReport
    refusals: RefusalLog
    idempotent: IdempotentRequests
    availability: AvailabilityPolicy
    clock: Clock
    ids: IdFactory
    edge: EdgeConfig
    drain: DrainState
    container: AsyncContainer
    response_owners: ResponseOwners
    background: BackgroundResponses
    end_users: EndUsers = field(default_factory=EndUsers)
    bodies: BodyBudget = field(default_factory=BodyBudget)
    pages: WebPages = field(default_factory=WebPages)
