"""Master keys and what is derived from them."""

from pathlib import Path

from dishka import Provider, Scope, provide

from adapters.security.key_hasher import HmacKeyHasher
from adapters.security.key_ring import KeyRing, MasterKeyInvalid, load_or_create_key_file
from adapters.security.secret_box import AesGcmSecretBox
from domain.ports.security import KeyHasher, SecretBox
from entrypoints.settings.model import Settings, SettingsError

KEY_FILE = "master.key"


class SecurityModule(Provider):
    scope = Scope.APP

    @provide
    def ring(self, settings: Settings) -> KeyRing:
        return key_ring(settings)

    @provide
    def box(self, ring: KeyRing) -> SecretBox:
        return AesGcmSecretBox(ring)

    @provide
    def hasher(self, ring: KeyRing) -> KeyHasher:
        return HmacKeyHasher(ring)


def key_file(settings: Settings) -> Path:
    return settings.data_dir / KEY_FILE


def key_ring(settings: Settings) -> KeyRing:
    """The ring of the setting, else of the key file, which is made where it is missing. Raises `SettingsError`."""
    try:
        if settings.master_keys:
            return KeyRing.parse(settings.master_keys.reveal())
        return load_or_create_key_file(key_file(settings))[0]
    except MasterKeyInvalid as error:
        raise SettingsError(str(error)) from None
    except OSError as error:
        raise SettingsError(
            f"OMG_DATA_DIR: the key file {key_file(settings)} cannot be used: {error.strerror}"
        ) from None


def check_master_keys(settings: Settings) -> None:
    """Raises `SettingsError` where `OMG_MASTER_KEYS` cannot be used; makes nothing."""
    if settings.master_keys:
        key_ring(settings)
