"""Reads from a request whom and what it is for, in the words of this gateway, of OpenAI's and Anthropic's clients, and
of other gateways (contract 9). What says more precisely what it means wins."""

import re
from collections.abc import Iterator, Mapping
from typing import Final

import msgspec

from domain.attribution import Attribution
from domain.errors import RequestInvalid
from domain.keys import Principal

MAX_TAGS: Final = 16
MAX_TAG_LENGTH: Final = 64
MAX_LENGTH: Final = 128
"""Of an end user and a session; of a longer one the beginning is kept."""

HEADERS: Final = frozenset(
    {
        b"x-omg-tags", b"x-omg-user", b"x-omg-session", b"x-device-id", b"x-litellm-tags", b"x-litellm-customer-id",
        b"x-portkey-metadata", b"cf-aig-metadata", b"x-openwebui-user-id",
    }
)  # fmt: skip
"""Those that are read, in lower case."""

FIELDS: Final = frozenset({"safety_identifier", "user", "metadata"})
"""Those of a body that are read."""

_FIRST_OF_USER: Final = (b"x-litellm-customer-id", b"x-openwebui-user-id")
_METADATA_HEADERS: Final = (b"x-portkey-metadata", b"cf-aig-metadata")

_CLAUDE_CODE = re.compile(r"user_(?P<device>.+?)_account_(?P<account>.*?)_session_(?P<session>.+)")
"""`metadata.user_id` as Claude Code sent it before it was JSON."""

_Json = dict[str, msgspec.Raw]
_decode_object = msgspec.json.Decoder(_Json).decode
_decode_text = msgspec.json.Decoder(str).decode
_decode_texts = msgspec.json.Decoder(tuple[str, ...]).decode


def attribution_of(
    headers: Mapping[bytes, bytes], fields: Mapping[str, msgspec.Raw], principal: Principal
) -> Attribution:
    """Of a request's headers (names in lower case) and its body's fields. Whatever is malformed is not there.

    Raises `RequestInvalid` for more than 16 tags, and for one of more than 64 characters.
    """
    metadata = _object(fields.get("metadata"))
    from_client = _identity(_text(metadata.get("user_id")))
    foreign = _foreign(headers)
    end_user = (
        _header(headers, b"x-omg-user")
        or _text(fields.get("safety_identifier"))
        or _text(fields.get("user"))
        or from_client[0]
        or foreign[0]
    )
    session = _header(headers, b"x-omg-session") or from_client[1] or _text(metadata.get("session_id"))
    tags = (
        *principal.tags,
        *_listed(headers, b"x-omg-tags"),
        *_texts(metadata.get("tags")),
        *_listed(headers, b"x-litellm-tags"),
        *foreign[1],
    )
    return Attribution(
        principal.user_id, _checked(tags), _kept(end_user), _kept(session), _kept(_header(headers, b"x-device-id"))
    )


def listed_tags(text: str) -> tuple[str, ...]:
    """Tags as `x-omg-tags` has them: between commas. Raises `RequestInvalid` as `attribution_of` does."""
    return _checked(tuple(text.split(",")))


def _checked(tags: tuple[str, ...]) -> tuple[str, ...]:
    found = tuple(dict.fromkeys(tag for tag in (_clean(tag) for tag in tags) if tag))
    if len(found) > MAX_TAGS:
        raise RequestInvalid(f"A request has at most {MAX_TAGS} tags, those of its key and tenant among them.")
    for tag in found:
        if len(tag) > MAX_TAG_LENGTH:
            raise RequestInvalid(f"The tag '{tag[:MAX_TAG_LENGTH]}…' is longer than {MAX_TAG_LENGTH} characters.")
    return found


def _identity(user_id: str) -> tuple[str, str]:
    """End user and session in `metadata.user_id`: the account, or the device where there is none, and the session."""
    if user_id.startswith("{"):
        parts = _object(msgspec.Raw(user_id.encode()))
        who = _text(parts.get("account_uuid")) or _text(parts.get("device_id"))
        return (who, _text(parts.get("session_id"))) if parts else (user_id, "")
    if told := _CLAUDE_CODE.fullmatch(user_id):
        return told["account"] or told["device"], told["session"]
    return user_id, ""


def _foreign(headers: Mapping[bytes, bytes]) -> tuple[str, list[str]]:
    """What the headers of other gateways say: the end user and further tags."""
    user = next((found for name in _FIRST_OF_USER if (found := _header(headers, name))), "")
    tags: list[str] = []
    for name in _METADATA_HEADERS:
        parts = _object(msgspec.Raw(headers[name])) if name in headers else {}
        user = user or _text(parts.get("_user")) or _text(parts.get("user"))
        tags += [f"{key}:{value}" for key, value in _named_texts(parts) if key not in ("_user", "user")]
    return user, tags


def _named_texts(parts: _Json) -> Iterator[tuple[str, str]]:
    for key, raw in parts.items():
        if text := _text(raw):
            yield key, text


def _header(headers: Mapping[bytes, bytes], name: bytes) -> str:
    return headers.get(name, b"").decode("utf-8", "replace").strip()


def _listed(headers: Mapping[bytes, bytes], name: bytes) -> list[str]:
    return _header(headers, name).split(",") if name in headers else []


def _object(raw: msgspec.Raw | None) -> _Json:
    if raw is None:
        return {}
    try:
        return _decode_object(raw)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return {}


def _text(raw: msgspec.Raw | None) -> str:
    if raw is None:
        return ""
    try:
        return _decode_text(raw).strip()
    except (msgspec.DecodeError, UnicodeDecodeError):
        return ""


def _texts(raw: msgspec.Raw | None) -> tuple[str, ...]:
    if raw is None:
        return ()
    try:
        return _decode_texts(raw)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return ()


def _kept(text: str) -> str:
    return _clean(text)[:MAX_LENGTH]


def _clean(text: str) -> str:
    """Without what neither a table nor a report can hold."""
    return text.strip() if text.isprintable() else "".join(filter(str.isprintable, text)).strip()
