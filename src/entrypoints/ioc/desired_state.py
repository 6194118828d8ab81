"""The configuration as a document, and where the secrets are that it refers to."""

from dishka import Provider, Scope, provide

from application.admin.alerts import AlertAdmin
from application.admin.default_models import DefaultModelsAdmin
from application.admin.default_rules import DefaultRulesAdmin
from application.admin.members import MemberAdmin
from application.admin.model_groups import ModelGroupAdmin
from application.admin.prices import PriceAdmin
from application.admin.provider_keys import ProviderKeyAdmin
from application.admin.providers import ProviderAdmin
from application.admin.routes import RouteAdmin
from application.admin.routing_settings import RoutingSettingsAdmin
from application.admin.subject_rules import RuleAdmin
from application.admin.tenants import TenantAdmin
from application.admin.users import UserAdmin
from application.admin.virtual_keys import VirtualKeyAdmin
from application.configuration.renewal import SecretRenewal
from application.desired_state.objects import Administration
from application.desired_state.sent import SentDocuments
from application.desired_state.startup import StartupObjects
from application.desired_state.state import DesiredState
from application.sign_in.accounts import Accounts
from application.snapshot import GatewayState
from domain.ports.policies import AvailabilityPolicy
from domain.ports.repositories import Store
from domain.ports.runtime import Clock
from domain.ports.security import KeyHasher, SecretReferences
from entrypoints.ioc.secrets import secret_references
from entrypoints.settings.model import Settings


class DesiredStateModule(Provider):
    scope = Scope.APP

    desired_state = provide(DesiredState)
    startup = provide(StartupObjects)
    sent = provide(SentDocuments)

    @provide
    def renewal(
        self, state: GatewayState, references: SecretReferences, store: Store, policy: AvailabilityPolicy
    ) -> SecretRenewal:
        return SecretRenewal(state, references, store, policy)

    @provide
    def references(self, settings: Settings, clock: Clock) -> SecretReferences:
        return secret_references(settings, clock)

    @provide
    def administration(
        self,
        store: Store,
        state: GatewayState,
        hasher: KeyHasher,
        tenants: TenantAdmin,
        users: UserAdmin,
        accounts: Accounts,
        members: MemberAdmin,
        keys: VirtualKeyAdmin,
        providers: ProviderAdmin,
        provider_keys: ProviderKeyAdmin,
        prices: PriceAdmin,
        groups: ModelGroupAdmin,
        routes: RouteAdmin,
        rules: RuleAdmin,
        alerts: AlertAdmin,
        default_rules: DefaultRulesAdmin,
        default_models: DefaultModelsAdmin,
        routing_settings: RoutingSettingsAdmin,
    ) -> Administration:
        return Administration(
            store=store,
            state=state,
            hasher=hasher,
            tenants=tenants,
            users=users,
            accounts=accounts,
            members=members,
            keys=keys,
            providers=providers,
            provider_keys=provider_keys,
            prices=prices,
            groups=groups,
            routes=routes,
            rules=rules,
            alerts=alerts,
            default_rules=default_rules,
            default_models=default_models,
            routing_settings=routing_settings,
        )
