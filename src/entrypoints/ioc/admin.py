"""The admin use cases."""

from dishka import Provider, Scope, provide

from application.admin.admin_tokens import AdminTokenAdmin
from application.admin.default_models import DefaultModelsAdmin
from application.admin.default_rules import DefaultRulesAdmin
from application.admin.health import HealthReport
from application.admin.limits_explained import LimitExplainer
from application.admin.members import MemberAdmin
from application.admin.model_groups import ModelGroupAdmin
from application.admin.object_versions import ObjectVersions
from application.admin.prices import PriceAdmin
from application.admin.provider_check import ProviderCheck
from application.admin.provider_keys import ProviderKeyAdmin
from application.admin.providers import ProviderAdmin
from application.admin.routes import RouteAdmin
from application.admin.routing_settings import RoutingSettingsAdmin
from application.admin.store_watch import StoreWatch
from application.admin.subject_rules import RuleAdmin
from application.admin.tenants import TenantAdmin
from application.admin.users import UserAdmin
from application.admin.virtual_keys import VirtualKeyAdmin
from application.admission.limits import LimitGate
from application.audit.exports import ExportTrail
from application.audit.refusals import RefusalLog
from application.audit.report import AuditReport
from application.catalog import ModelDirectory
from application.decisions.backtest import Backtests
from application.decisions.explaining import RouteExplainer
from application.decisions.reading import Decisions
from application.newcomers import Newcomers
from application.snapshot import GatewayState
from application.usage.explanation import CostExplanation
from application.usage.naming import Naming
from application.usage.report import UsageReport
from application.usage.request_log import RequestReport
from domain.ports.repositories import Store
from domain.ports.runtime import Clock, IdFactory
from entrypoints.settings.model import Settings


class AdminModule(Provider):
    scope = Scope.APP

    admin_tokens = provide(AdminTokenAdmin)
    audit_report = provide(AuditReport)
    backtests = provide(Backtests)
    decisions = provide(Decisions)
    default_models = provide(DefaultModelsAdmin)
    default_rules = provide(DefaultRulesAdmin)
    exports = provide(ExportTrail)
    explanation = provide(CostExplanation)
    health = provide(HealthReport)
    members = provide(MemberAdmin)
    model_groups = provide(ModelGroupAdmin)
    naming = provide(Naming)
    object_versions = provide(ObjectVersions)
    prices = provide(PriceAdmin)
    provider_keys = provide(ProviderKeyAdmin)
    provider_check = provide(ProviderCheck)
    providers = provide(ProviderAdmin)
    refusals = provide(RefusalLog)
    request_report = provide(RequestReport)
    routes = provide(RouteAdmin)
    routing_settings = provide(RoutingSettingsAdmin)
    route_explainer = provide(RouteExplainer)
    rules = provide(RuleAdmin)
    store_watch = provide(StoreWatch)
    tenants = provide(TenantAdmin)
    usage_report = provide(UsageReport)
    users = provide(UserAdmin)
    virtual_keys = provide(VirtualKeyAdmin)

    @provide
    def explainer(
        self,
        store: Store,
        gate: LimitGate,
        state: GatewayState,
        directory: ModelDirectory,
        clock: Clock,
        settings: Settings,
    ) -> LimitExplainer:
        return LimitExplainer(store, gate, state, directory, clock, settings.limits_timezone)

    @provide
    def newcomers(self, ids: IdFactory, settings: Settings) -> Newcomers:
        return Newcomers(ids, personal_tenants=settings.personal_tenants)
