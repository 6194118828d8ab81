"""Makes the objects of the settings file at a start."""

from dishka import AsyncContainer

from application.desired_state.document import entries_of
from application.desired_state.startup import DeclarationRefused, StartupObjects
from application.desired_state.state import SECRET_FIELDS, SECTIONS
from domain.errors import RequestInvalid
from entrypoints.settings.model import Settings, SettingsError


async def make_objects(container: AsyncContainer, settings: Settings) -> None:
    """Those that the file declares, and in a new store those of `bootstrap`. Raises `SettingsError`."""
    if not settings.objects and not settings.bootstrap:
        return
    objects = await container.get(StartupObjects)
    try:
        await objects.bootstrap(settings.bootstrap)
        await objects.declare(settings.objects, settings.file_name)
    except RequestInvalid as error:
        raise SettingsError(f"{settings.file_name}: {error.message}") from None
    except DeclarationRefused as error:
        raise SettingsError(f"{settings.file_name}: {error}") from None


async def own_objects(container: AsyncContainer, settings: Settings) -> None:
    """For commands beside a server: what is the file's is not theirs to change. Raises `SettingsError`."""
    if settings.objects:
        try:
            await (await container.get(StartupObjects)).own(settings.objects, settings.file_name)
        except RequestInvalid as error:
            raise SettingsError(f"{settings.file_name}: {error.message}") from None


def check_objects(settings: Settings) -> None:
    """That they are lists of what there is. Raises `SettingsError`."""
    for document in (settings.objects, settings.bootstrap):
        try:
            entries_of(document, SECTIONS, SECRET_FIELDS)
        except RequestInvalid as error:
            raise SettingsError(f"{settings.file_name}: {error.message}") from None
