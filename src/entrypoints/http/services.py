"""Everything the HTTP layer works with, resolved once at start."""

from dataclasses import dataclass

from dishka import AsyncContainer

from application.admission.authentication import AdminAuthenticator, Authenticator
from application.catalog import ModelDirectory
from application.inference.pipeline import InferencePipeline
from application.snapshot import GatewayState
from application.usage.report import UsageReport
from domain.ports.policies import AvailabilityPolicy
from domain.ports.runtime import Clock, IdFactory
from entrypoints.http.edge.config import EdgeConfig
from entrypoints.http.edge.drain import DrainState


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpServices:
    """The hot path's objects, so that no request asks a container. `container` serves the admin controllers."""

    authenticator: Authenticator
    admin_authenticator: AdminAuthenticator
    pipeline: InferencePipeline
    directory: ModelDirectory
    state: GatewayState
    usage: UsageReport
    availability: AvailabilityPolicy
    clock: Clock
    ids: IdFactory
    edge: EdgeConfig
    drain: DrainState
    container: AsyncContainer
