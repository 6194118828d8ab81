"""The composition root: one module of dishka providers a concern, and nothing else knows concrete adapters."""

from dishka import Provider

from entrypoints.ioc.admin import AdminModule
from entrypoints.ioc.alerts import AlertModule
from entrypoints.ioc.chat import ChatModule
from entrypoints.ioc.declared import DeclaredModule
from entrypoints.ioc.desired_state import DesiredStateModule
from entrypoints.ioc.http import HttpModule
from entrypoints.ioc.inference import InferenceModule
from entrypoints.ioc.ledger import LedgerModule
from entrypoints.ioc.persistence import PersistenceModule
from entrypoints.ioc.runtime import RuntimeModule
from entrypoints.ioc.security import SecurityModule
from entrypoints.ioc.sign_in import SignInModule
from entrypoints.ioc.telemetry import TelemetryModule
from entrypoints.ioc.upstream import UpstreamModule


def providers() -> tuple[Provider, ...]:
    """Everything of one process, APP-scoped."""
    return (
        RuntimeModule(),
        SecurityModule(),
        PersistenceModule(),
        UpstreamModule(),
        DeclaredModule(),
        LedgerModule(),
        InferenceModule(),
        AdminModule(),
        AlertModule(),
        ChatModule(),
        DesiredStateModule(),
        SignInModule(),
        TelemetryModule(),
        HttpModule(),
    )
