"""Gathers every word of an error body that may tell what a refusal means, however deep it is.

Providers put the decisive code wherever it suits them: in `innererror.code`, in `details[].reason`, in an upstream's
JSON that is the text of `metadata.raw` or of `message`. The shapes differ, the names of the fields hardly do. What a
body repeats of the request (`input`, `flagged_input`) is left out: a prompt may say "rate limit" too.
"""

from collections.abc import Mapping
from typing import Final

import msgspec

from adapters.wire.raw_json import UNDECODABLE

MAX_DEPTH: Final = 8
MAX_ITEMS: Final = 64
MAX_HEAD_CHARS: Final = 1_024
MAX_TAIL_CHARS: Final = 512
"""Of a longer text these are looked at: it says what it means at its beginning or at its end, and a body that is made
to be long must not hold the event loop (R-33)."""

MAX_CODE_CHARS: Final = 96

_CODES: Final = frozenset(
    "code type status reason error_code errorcode error_type errortype __type errcode err_code provider_code "
    "sub_code subcode detail_code kind limit_type".split()
)
_TEXTS: Final = frozenset(
    "message msg detail details error error_message errormessage error_msg description error_description title raw "
    "failure_reason body exception errors".split()
)
_WAITS: Final = frozenset(
    "retrydelay retry_delay retry_after retryafter retry_after_seconds retry_after_ms retryafterms retry_after_sec "
    "resets_in_seconds reset_in_seconds resets_at reset_at resetat reset_time resettime reset_after resets_in "
    "wait_seconds estimated_time retry_in retry_in_seconds quotaresetdelay quotaresettimestamp".split()
)
_ECHOES: Final = frozenset("input flagged_input request prompt messages headers ctx links url schema value".split())
_QUOTA_IDS: Final = frozenset({"quotaid", "quota_id", "quota_limit", "quotalimit"})

_decode = msgspec.json.Decoder().decode


class ErrorWords(msgspec.Struct, frozen=True):
    """`codes` in the order found, the outermost first; `texts` in the body's order; `waits` as (field, value)."""

    codes: tuple[str, ...] = ()
    texts: tuple[str, ...] = ()
    text: str = ""
    waits: tuple[tuple[str, str], ...] = ()
    quota_ids: tuple[str, ...] = ()
    quota_models: tuple[str, ...] = ()  # the models that Google's quotas speak of
    quota_values: tuple[str, ...] = ()  # and how much they allow, as digits
    fields: tuple[str, ...] = ()  # of `param`, `loc` and `field`: what the complaint is about


def words_of(value: object) -> ErrorWords:
    """Never raises. Bounded in depth and in size."""
    gathered = _Gathered()
    gathered.take(value, 0)
    text = both_ends("\n".join(gathered.texts))
    by_depth = tuple(word for _, word in sorted(gathered.codes, key=lambda item: item[0]))
    return ErrorWords(
        tuple(dict.fromkeys(by_depth)),
        tuple(gathered.texts),
        text,
        tuple(gathered.waits),
        tuple(gathered.quota_ids),
        tuple(gathered.quota_models),
        tuple(gathered.quota_values),
        tuple(gathered.fields),
    )


def both_ends(text: str) -> str:
    """The text, of a long one its two ends."""
    if len(text) <= MAX_HEAD_CHARS + MAX_TAIL_CHARS:
        return text
    return f"{text[:MAX_HEAD_CHARS]}\n{text[-MAX_TAIL_CHARS:]}"


class _Gathered:
    def __init__(self) -> None:
        self.codes: list[tuple[int, str]] = []
        self.texts: list[str] = []
        self.waits: list[tuple[str, str]] = []
        self.quota_ids: list[str] = []
        self.quota_models: list[str] = []
        self.quota_values: list[str] = []
        self.fields: list[str] = []

    def take(self, value: object, depth: int) -> None:
        if depth > MAX_DEPTH or len(self.texts) > MAX_ITEMS or len(self.codes) > MAX_ITEMS:
            return
        if isinstance(value, dict):
            self._object(value, depth)
        elif isinstance(value, list):
            for item in value[:MAX_ITEMS]:
                self.take(item, depth + 1)
        elif isinstance(value, str):
            self._text(value, depth)

    def _object(self, value: Mapping[str, object], depth: int) -> None:
        for name, item in value.items():
            key = str(name).lower()
            if key in _ECHOES:
                continue
            if key in _CODES:
                self._code(item, depth)
            elif key in _WAITS and isinstance(item, (str, int, float)) and not isinstance(item, bool):
                self.waits.append((key, str(item)))
            elif key in _QUOTA_IDS and isinstance(item, str):
                self.quota_ids.append(item)
            elif key == "quotavalue" and str(item).isascii() and str(item).isdigit():
                self.quota_values.append(str(item)[:18])
            elif key in {"param", "field", "loc", "parameter"}:
                self._field(item)
            elif key == "quotadimensions" and isinstance(item, dict):
                self.quota_models.extend(str(item[name]) for name in ("model", "base_model") if name in item)
            elif key in _TEXTS or isinstance(item, (dict, list)):
                self.take(item, depth + 1)

    def _code(self, item: object, depth: int) -> None:
        if isinstance(item, (dict, list)):
            self.take(item, depth + 1)
        elif isinstance(item, (str, int)) and not isinstance(item, bool) and item != "":
            text = str(item)
            if len(text) <= MAX_CODE_CHARS:
                self.codes.append((depth, text))
            if " " in text:  # xAI writes sentences into `code`
                self.texts.append(text)

    def _field(self, item: object) -> None:
        if isinstance(item, str) and item:
            self.fields.append(item)
        elif isinstance(item, list):
            self.fields.append(".".join(str(step) for step in item))

    def _text(self, text: str, depth: int) -> None:
        inner = _json_within(text)
        if inner is not None:
            before = len(self.texts)
            self.take(inner, depth + 1)
            if len(self.texts) > before:
                return
        self.texts.append(both_ends(text))


def _json_within(text: str) -> object | None:
    """The JSON object a text is, or ends with: `429 {"error": …}`. None where there is none."""
    at = text.find("{")
    if at < 0 or not text.rstrip().endswith("}"):
        return None
    try:
        value: object = _decode(text[at:])
    except UNDECODABLE:
        return None
    return value
