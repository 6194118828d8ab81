"""Master keys and what is derived from them."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from dishka import Provider, Scope, provide

from adapters.security.key_ring import KeyRing, MasterKeyInvalid, check_key_ring, open_key_ring, open_key_ring_to_rotate
from adapters.security.secret_box import AesGcmSecretBox, HmacKeyHasher
from domain.ports.security import KeyHasher, SecretBox
from entrypoints.settings.model import Settings, SettingsError

KEY_FILE = "master.key"
_INSTANCE = "instance-id"


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


def instance_id(hasher: KeyHasher) -> str:
    """It follows from the oldest master key: every process of a gateway knows it, and a new key keeps it."""
    return hasher.digests(_INSTANCE)[-1][:4].hex()


def key_file(settings: Settings) -> Path:
    return settings.data_dir / KEY_FILE


def key_ring(settings: Settings) -> KeyRing:
    """The ring of the setting, else of the key file, which is made where it is missing. Raises `SettingsError`."""
    with _said_in_settings(settings):
        return open_key_ring(_configured(settings), key_file(settings))


def key_ring_to_rotate(settings: Settings) -> KeyRing:
    """The ring under which everything is to be sealed anew. Raises `SettingsError`."""
    with _said_in_settings(settings):
        return open_key_ring_to_rotate(_configured(settings), key_file(settings))


def check_master_keys(settings: Settings) -> None:
    """Raises `SettingsError` where `OMG_MASTER_KEYS` cannot be used; makes nothing."""
    with _said_in_settings(settings):
        check_key_ring(_configured(settings))


def _configured(settings: Settings) -> str:
    return settings.master_keys.reveal()


@contextmanager
def _said_in_settings(settings: Settings) -> Iterator[None]:
    """What is wrong with the keys, in the names of the settings."""
    try:
        yield
    except MasterKeyInvalid as error:
        raise SettingsError(str(error)) from None
    except OSError as error:
        raise SettingsError(
            f"OMG_DATA_DIR: the key file {key_file(settings)} cannot be used: {error.strerror}"
        ) from None
