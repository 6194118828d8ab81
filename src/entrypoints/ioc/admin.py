"""The admin use cases."""

from dishka import Provider, Scope, provide

from application.admin.health import HealthReport
from application.admin.provider_keys import ProviderKeyAdmin
from application.admin.provider_test import ProviderTest
from application.admin.providers import ProviderAdmin
from application.admin.store_watch import StoreWatch
from application.admin.virtual_keys import VirtualKeyAdmin
from application.pricing.administration import PriceAdmin
from application.usage.report import UsageReport
from application.usage.request_log import RequestReport


class AdminModule(Provider):
    scope = Scope.APP

    health = provide(HealthReport)
    prices = provide(PriceAdmin)
    provider_keys = provide(ProviderKeyAdmin)
    provider_test = provide(ProviderTest)
    providers = provide(ProviderAdmin)
    request_report = provide(RequestReport)
    store_watch = provide(StoreWatch)
    usage_report = provide(UsageReport)
    virtual_keys = provide(VirtualKeyAdmin)
