"""Where a provider is: an operator's base URL, or the preset's, checked and completed.

People paste base URLs with and without `/v1`, with a trailing slash, or with the whole endpoint behind it.
"""

import re
from collections.abc import Mapping
from ipaddress import ip_address
from typing import Final

import httpx

from adapters.providers.kind import Entry
from adapters.transport.egress import is_closed_address
from domain.errors import RequestInvalid

_VERSION = re.compile(r"/v\d+[a-z0-9]*(?=/|$)")
_ENDPOINTS: Final = ("/chat/completions", "/completions", "/models", "/embeddings", "/responses", "/messages")
_PLACEHOLDER = re.compile(r"\{(\w+)\}")
_VARIABLES: Final = {"account_id": "CLOUDFLARE_ACCOUNT_ID"}
_LOCAL_SUFFIXES: Final = (".local", ".localhost", ".internal", ".lan", ".home.arpa")


def base_url(given: str | None, entry: Entry, variables: Mapping[str, str]) -> httpx.URL:
    """The base URL in force, without a trailing slash. Raises `RequestInvalid` (`param` is `base_url`)."""
    text = (given or _filled(entry, variables)).strip()
    if not text:
        variable = next((name for name in entry.preset.env if name.endswith("_ENDPOINT")), None)
        instead = f"{entry.name} is at an address of your own: set {variable}, or give the provider's base_url."
        usual = f"Provider kind '{entry.kind}' needs a base_url, for example https://host/v1."
        raise _invalid(instead if variable else usual)
    try:
        url = httpx.URL(text)
    except (httpx.InvalidURL, ValueError, TypeError) as error:
        raise _invalid(f"This base_url is no URL: {error}.") from None
    _check(url)
    return url.copy_with(path=_path(url, entry) or "/")


def endpoint(base: httpx.URL, path: str) -> httpx.URL:
    """`path` behind the base URL; each leading `..` takes a segment of the base away."""
    stem = base.path.rstrip("/")
    while path.startswith("/.."):
        stem, path = stem.rpartition("/")[0], path[3:]
    return base.copy_with(path=stem + path)


def without_suffix(base: httpx.URL, suffixes: tuple[str, ...]) -> httpx.URL:
    """The base URL without the first of these that its path ends with: people write one API's and mean another's."""
    found = next((suffix for suffix in suffixes if base.path.endswith(suffix)), "")
    return base.copy_with(path=base.path.removesuffix(found) or "/") if found else base


def is_local(url: httpx.URL) -> bool:
    """Whether the host is this machine or, by its name or address, on a private network."""
    host = url.host.rstrip(".").lower()
    try:
        return not ip_address(host).is_global
    except ValueError:
        return "." not in host or host.endswith(_LOCAL_SUFFIXES)


def _path(url: httpx.URL, entry: Entry) -> str:
    path = url.path.rstrip("/")
    for suffix in _ENDPOINTS:
        if path.endswith(suffix):
            path = path.removesuffix(suffix)
            break
    preset = entry.preset.base_url
    if preset and "{" not in preset and (own := httpx.URL(preset)).host == url.host:
        own_path = own.path.rstrip("/")
        if f"{own_path}/".startswith(f"{path}/"):
            return own_path
    return path if _VERSION.search(path) else path + entry.version_path


def _check(url: httpx.URL) -> None:
    if url.scheme not in {"http", "https"} or not url.host:
        raise _invalid("A base_url begins with https:// (or http://) and a host name.")
    if url.userinfo:
        raise _invalid("A base_url holds no user name or password; store the provider's key instead.")
    if url.query or url.fragment:
        raise _invalid("A base_url has no '?' and no '#'.")
    if is_closed_address(url.host):
        raise _invalid(f"{url.host} is reserved or a metadata address: no provider is ever called there.")


def _filled(entry: Entry, variables: Mapping[str, str]) -> str:
    text = entry.preset.base_url
    for name in _PLACEHOLDER.findall(text):
        variable = _VARIABLES.get(name, name.upper())
        value = variables.get(variable, "").strip()
        if not re.fullmatch(r"[A-Za-z0-9_-]+", value):
            raise _invalid(
                f"{entry.name} has your {name.replace('_', ' ')} in its address: set {variable}, "
                "or give the provider's base_url."
            )
        text = text.replace("{" + name + "}", value)
    return text


def _invalid(message: str) -> RequestInvalid:
    return RequestInvalid(message, param="base_url")
