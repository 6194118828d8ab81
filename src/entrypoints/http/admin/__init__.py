"""The admin API's controllers: thin, one a resource; every one behind the admin guard."""

from litestar import Controller

from entrypoints.http.admin.health import AdminHealthController
from entrypoints.http.admin.kinds import ProviderKindController
from entrypoints.http.admin.models import ModelController
from entrypoints.http.admin.provider_keys import ProviderKeyController
from entrypoints.http.admin.providers import ProviderController
from entrypoints.http.admin.requests import RequestController
from entrypoints.http.admin.usage import UsageController
from entrypoints.http.admin.virtual_keys import VirtualKeyController

CONTROLLERS: tuple[type[Controller], ...] = (
    ProviderController,
    ProviderKeyController,
    ProviderKindController,
    VirtualKeyController,
    ModelController,
    UsageController,
    RequestController,
    AdminHealthController,
)
