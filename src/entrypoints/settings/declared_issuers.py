"""`auth.issuers:` of the settings file: the identity providers (S-30)."""

from collections.abc import Mapping
from urllib.parse import urlsplit

import msgspec

from domain.issuers import ClaimNames, GroupRule, Issuer
from domain.ports.security import SecretMissing
from domain.secrets import Secret
from entrypoints.settings.documents import check_names
from entrypoints.settings.model import SettingsError, Variables, is_loopback
from entrypoints.settings.secret_references import IN_VAULT, LocalSecretReferences


def issuers_of(document: dict[str, object], variables: Variables, file: str) -> tuple[Issuer, ...]:
    """Takes `issuers` out of `auth`, where that is no single word; `mode` is then the word. Raises `SettingsError`."""
    auth = document.get("auth")
    if not isinstance(auth, Mapping):
        return ()
    given = {str(name): value for name, value in auth.items()}
    check_names(given, ("mode", "issuers"), file, "auth.")
    document["auth"] = given.get("mode")
    declared = given.get("issuers") or []
    if not isinstance(declared, list):
        raise SettingsError(f"auth.issuers ({file}): expected a list of issuers")
    issuers = tuple(_issuer(entry, f"auth.issuers[{at}]", variables, file) for at, entry in enumerate(declared))
    names = [issuer.name for issuer in issuers]
    for name in names:
        if names.count(name) > 1:
            raise SettingsError(f"auth.issuers ({file}): '{name}' is declared twice")
    to_sign_in_at = [issuer.issuer for issuer in issuers if issuer.sign_in]
    for address in to_sign_in_at:
        if to_sign_in_at.count(address) > 1:
            raise SettingsError(
                f"auth.issuers ({file}): people sign in at {address} by one entry alone: an account is issuer and "
                "subject, and two entries would take each other's groups away; say 'sign_in: false' in the others"
            )
    return issuers


def _issuer(entry: object, path: str, variables: Variables, file: str) -> Issuer:
    if not isinstance(entry, dict):
        raise SettingsError(f"{path} ({file}): expected names and values, such as 'issuer: https://login.example.org'")
    check_names(entry, set(Issuer.__struct_fields__), file, f"{path}.")
    claims, groups = entry.get("claims"), entry.get("groups")
    if isinstance(claims, dict):
        check_names(claims, set(ClaimNames.__struct_fields__), file, f"{path}.claims.")
    for at, rule in enumerate(groups if isinstance(groups, list) else ()):
        if isinstance(rule, dict):
            check_names(rule, set(GroupRule.__struct_fields__), file, f"{path}.groups[{at}].")
    try:
        issuer = msgspec.convert(
            {name: value for name, value in entry.items() if value is not None}, Issuer, dec_hook=_secret
        )
    except msgspec.ValidationError as error:
        message, _, where = str(error).partition(" - at `$")
        raise SettingsError(f"{path}{where.rstrip('`')} ({file}): {message}") from None
    _check(issuer, path, file)
    return msgspec.structs.replace(issuer, client_secret=_followed(issuer.client_secret, path, variables, file))


def _check(issuer: Issuer, path: str, file: str) -> None:
    """What would leave a door open, or never open one. Raises `SettingsError`."""
    parts = urlsplit(issuer.issuer)
    if parts.scheme == "http" and not is_loopback(parts.hostname or ""):
        raise SettingsError(f"{path}.issuer ({file}): must be https: whoever can change what it answers can be anybody")
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment:
        raise SettingsError(f"{path}.issuer ({file}): must be the issuer's address, such as https://login.example.org")
    if issuer.sign_in and not issuer.client_id:
        raise SettingsError(f"{path}.client_id ({file}): is missing; or say 'sign_in: false'")
    if issuer.bearer and not issuer.audience:
        raise SettingsError(
            f"{path}.audience ({file}): is missing: without it every token of this issuer, for whatever service, "
            "would be a key here"
        )
    if issuer.bearer and not issuer.groups and issuer.claims.tenant is None:
        raise SettingsError(
            f"{path}.groups ({file}): with 'bearer: true' a rule or 'claims.tenant' says whose tokens are"
        )
    if not issuer.sign_in and not issuer.bearer:
        raise SettingsError(f"{path} ({file}): is for nothing: neither 'sign_in' nor 'bearer'")


def _followed(secret: Secret, path: str, variables: Variables, file: str) -> Secret:
    """What `env:` leads to; `file:`, once it was seen to lead somewhere, and `vault:` are followed whenever needed."""
    text = secret.reveal()
    if not secret or text.startswith(IN_VAULT):
        return secret
    try:
        found = LocalSecretReferences(variables).within(text)
    except SecretMissing as error:
        raise SettingsError(f"{path}.client_secret ({file}): {error}") from None
    return secret if text.startswith("file:") else found


def _secret(type_: type, value: object) -> object:
    if type_ is Secret and isinstance(value, str):
        return Secret(value)
    raise NotImplementedError(type_)
