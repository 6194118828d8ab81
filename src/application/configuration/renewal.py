"""Secrets of declared keys that are renewed where they are kept, in files and in Vault: taken up while it runs."""

import logging
from typing import Final

import msgspec

from application.bootstrap import Forgetting, forget_changed_secrets
from application.configuration.new_providers import checked_secret
from application.snapshot import GatewayState
from domain.errors import RequestInvalid
from domain.keys import ProviderKey
from domain.ports.repositories import Store
from domain.ports.security import SecretMissing, SecretReferences

log = logging.getLogger(__name__)

RENEW_SECONDS: Final = 30.0
"""How often they are looked at. Vault itself is asked as seldom as its own module says."""


class SecretRenewal:
    """A reference that leads nowhere for the moment changes nothing: the secret that is known serves on."""

    def __init__(self, state: GatewayState, references: SecretReferences, store: Store, policy: Forgetting) -> None:
        self._state = state
        self._references = references
        self._store = store
        self._policy = policy
        self._missing: set[str] = set()

    @property
    def has_work(self) -> bool:
        """Whether any key is kept where it may change."""
        return bool(self._state.declared.references)

    async def turn(self) -> None:
        """Look at each once. Raises `StoreUnavailable`: it is done at the next turn."""
        declared = self._state.declared
        keys = [await self._looked_at(key, declared.references.get(key.id)) for key in declared.keys]
        renewed = [new for old, new in zip(declared.keys, keys, strict=True) if new.secret != old.secret]
        if not renewed:
            return
        await self._state.declare(msgspec.structs.replace(declared, keys=tuple(keys)))
        await forget_changed_secrets(self._store, self._policy, keys)  # of a key that was refused until now
        for key in renewed:
            log.info("a key was renewed where it is kept", extra={"provider": key.provider_id, "key_id": key.id})

    async def _looked_at(self, key: ProviderKey, reference: str | None) -> ProviderKey:
        if reference is None:
            return key
        try:
            secret = checked_secret(await self._references.resolve(reference))
        except (SecretMissing, RequestInvalid) as error:
            if key.id not in self._missing:
                log.warning("a key cannot be read where it is kept", extra={"key_id": key.id, "reason": str(error)})
            self._missing.add(key.id)
            return key
        self._missing.discard(key.id)
        return key if secret == key.secret else msgspec.structs.replace(key, secret=secret)
