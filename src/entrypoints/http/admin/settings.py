"""`/admin/settings`: what was set at the start, by whom, and what each setting means. It is changed there, not here."""

import msgspec
from dishka.integrations.litestar import FromDishka, inject
from litestar import Controller, get

from entrypoints.http.admin.operations import READ_ERRORS, example
from entrypoints.http.authorization import require_admin
from entrypoints.settings.in_force import SettingInForce, settings_in_force
from entrypoints.settings.model import Settings


class SettingsList(msgspec.Struct, frozen=True):
    """In the order of the reference of all settings."""

    data: tuple[SettingInForce, ...]
    next_cursor: str | None = None


_SETTING = {
    "variable": "OMG_LOG_LEVEL",
    "key": "log_level",
    "value": "debug",
    "default": "info",
    "source": "environment",
    "masked": False,
    "set": True,
    "meaning": "Least level that is logged",
}


class SettingsController(Controller):
    path = "/admin/settings"
    tags = ("Settings",)
    guards = (require_admin,)

    @get(
        operation_id="listSettings",
        summary="List the settings in force",
        description="Those that are read at the start: from the environment, `.env`, the settings file and the command "
        "line. Of a secret only whether it is set. What can be changed while the gateway runs is below this path.",
        responses={200: example({"data": [_SETTING], "next_cursor": None}, "All", SettingsList), **READ_ERRORS},
    )
    @inject
    async def list_all(self, settings: FromDishka[Settings]) -> SettingsList:
        return SettingsList(tuple(settings_in_force(settings)))
