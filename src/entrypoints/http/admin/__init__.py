"""The admin API's controllers: thin, one a resource; every one behind the admin guard."""

from litestar import Controller

from entrypoints.http.admin.admin_tokens import AdminTokenController
from entrypoints.http.admin.alerts import (
    AlertChannelController,
    AlertDeliveryController,
    AlertRuleController,
)
from entrypoints.http.admin.audit import AuditController
from entrypoints.http.admin.decisions import DecisionController, RouteTrialController
from entrypoints.http.admin.default_rules import DefaultRulesController
from entrypoints.http.admin.documents import DocumentController
from entrypoints.http.admin.health import AdminHealthController
from entrypoints.http.admin.kinds import ProviderKindController
from entrypoints.http.admin.members import MemberController
from entrypoints.http.admin.model_groups import DefaultModelsController, ModelGroupController
from entrypoints.http.admin.models import ModelController
from entrypoints.http.admin.provider_keys import ProviderKeyController
from entrypoints.http.admin.providers import ProviderController
from entrypoints.http.admin.requests import RequestController
from entrypoints.http.admin.routes import RouteController
from entrypoints.http.admin.routing_settings import RoutingSettingsController
from entrypoints.http.admin.settings import SettingsController
from entrypoints.http.admin.sign_in_links import InviteController, SignInLinkController
from entrypoints.http.admin.subject_rules import BudgetController, LimitController
from entrypoints.http.admin.tenants import TenantController
from entrypoints.http.admin.usage import UsageController
from entrypoints.http.admin.users import UserController
from entrypoints.http.admin.virtual_keys import VirtualKeyController

CONTROLLERS: tuple[type[Controller], ...] = (
    ProviderController,
    ProviderKeyController,
    ProviderKindController,
    VirtualKeyController,
    AdminTokenController,
    TenantController,
    MemberController,
    UserController,
    InviteController,
    SignInLinkController,
    ModelGroupController,
    DefaultModelsController,
    ModelController,
    RouteController,
    SettingsController,
    DefaultRulesController,
    RoutingSettingsController,
    DocumentController,
    LimitController,
    BudgetController,
    UsageController,
    RequestController,
    DecisionController,
    RouteTrialController,
    AlertChannelController,
    AlertRuleController,
    AlertDeliveryController,
    AuditController,
    AdminHealthController,
)
