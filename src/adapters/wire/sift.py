"""Holds a request to what an upstream takes: parameters against its fidelity table, values to its ranges.

The middle form carries whatever a client sends; a dialect reports what was dropped, and what was cut to its limits:

    within(3, 0, 1)                              -> (1, True)
    top_k(Raw(b"900"), most=500)                 -> (500, True)
    stop_sequences(["a", "", "b", "c"], most=2)  -> (["a", "b"], True)
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

import msgspec

from adapters.wire.raw_json import UNDECODABLE
from domain.errors import UpstreamFailure
from domain.failover import FailureKind
from domain.fidelity import Cell
from domain.inference import GATEWAY_FIELDS

_decode = msgspec.json.Decoder().decode

NEVER_FORWARDED: Final = frozenset(
    "api_base base_url api_key api_version api_type organization project extra_headers headers extra_query "
    "proxy proxies timeout http_client custom_llm_provider litellm_params azure_endpoint azure_ad_token "
    "aws_access_key_id aws_secret_access_key aws_session_token aws_region_name vertex_credentials "
    "vertex_project vertex_location callback_url webhook_url url endpoint host organization_id http_proxy https_proxy "
    "credentials authorization custom_host".split()
)
"""Names by which other gateways let a body choose a destination or a credential (S-07)."""

NEUTRAL: Final[Mapping[str, tuple[bytes, ...]]] = {
    "n": (b"1",),
    "best_of": (b"1", b"0"),
    "echo": (b"false",),
    "logprobs": (b"false",),
    "store": (b"false",),
    "frequency_penalty": (b"0", b"0.0"),
    "presence_penalty": (b"0", b"0.0"),
    "logit_bias": (b"{}",),
    "metadata": (b"{}",),
    "parallel_tool_calls": (b"true",),
    "service_tier": (b'"auto"', b'"default"'),
    "modalities": (b'["text"]',),
    "top_logprobs": (b"0",),
    "tools": (b"[]",),
    "stop": (b"[]",),
    "background": (b"false",),
    "truncation": (b'"disabled"',),
    "context_management": (b"[]",),
}
"""Values that say what an upstream does anyway: left out, they are not worth a report."""


def worth_a_report(name: str, raw: msgspec.Raw) -> bool:
    """Whether leaving this value out changes what was asked for."""
    value = bytes(raw)
    return value != b"null" and value not in NEUTRAL.get(name, ())


def sift(
    fields: Mapping[str, msgspec.Raw], table: Mapping[str, Cell], *, ignored: Iterable[str] = ("model",)
) -> list[str]:
    """The names of the fields that are dropped. Raises `UNSUPPORTED` for one the table refuses.

    A field the table does not know is dropped: a translated request holds only what was translated.
    """
    skipped = GATEWAY_FIELDS.union(ignored)
    lost = []
    for name, raw in fields.items():
        if name in skipped:
            continue
        cell = table.get(name)
        if cell is None or cell.support == "dropped":
            if worth_a_report(name, raw):
                lost.append(name)
        elif cell.support == "refused" and worth_a_report(name, raw):
            raise unsupported(name, cell.note)
    return lost


def within(value: float, least: float, most: float) -> tuple[float, bool]:
    """The nearest value that is allowed, and whether it is another than the one given."""
    nearest = min(max(value, least), most)
    return nearest, nearest != value


def top_k(raw: msgspec.Raw, most: int | None = None) -> tuple[object, bool]:
    """The number of candidates to sample from, and whether it was cut to `most`.

    None for 0 and -1, which stand for no limit where the parameter comes from (vLLM, Ollama): it is left out then, and
    nothing is lost. What is no number goes as it came, for the provider to refuse in its own words.
    """
    try:
        value: object = _decode(raw)
    except UNDECODABLE:
        return raw, False
    if isinstance(value, bool) or not isinstance(value, int | float):
        return raw, False
    if value <= 0:
        return None, False
    return (most, True) if most is not None and value > most else (raw, False)


def stop_sequences(
    stop: str | Sequence[str] | None, *, most: int | None = None, blank: bool = True
) -> tuple[list[str], bool]:
    """The texts to stop at, and whether any was left out.

    Left out are those beyond `most`, empty ones, and without `blank` those that are white space alone.
    """
    given = [stop] if isinstance(stop, str) else list(stop or ())
    kept = [text for text in given if (text if blank else text.strip())][:most]
    return kept, len(kept) < len(given)


def keep_strict(dropped: Iterable[str], *, strict: bool) -> tuple[str, ...]:
    """The dropped parameters, sorted. Raises `UNSUPPORTED` where the key is strict and there are any."""
    names = tuple(sorted(set(dropped)))
    if strict and names:
        raise unsupported(names[0], "this API key refuses what would be dropped")
    return names


def unsupported(param: str, note: str = "") -> UpstreamFailure:
    """This upstream cannot do what the parameter asks. Another candidate is tried; if none can, it is a 400."""
    why = f": {note}" if note else ""
    return UpstreamFailure(
        FailureKind.UNSUPPORTED,
        f"Unsupported parameter: '{param}' is not supported by this provider{why}.",
        status=400,
        type_="invalid_request_error",
        code="unsupported_parameter",
        param=param,
    )


def invalid(message: str, param: str, code: str | None = None) -> UpstreamFailure:
    """The request itself is at fault: no other provider would take it either."""
    return UpstreamFailure(
        FailureKind.CLIENT_FAULT, message, status=400, type_="invalid_request_error", code=code, param=param
    )


def feature_refused(param: str, words: str, *, status: int | None = 400) -> UpstreamFailure:
    """The upstream was asked, and said that its model lacks what the parameter asks for."""
    failure = unsupported(param, words)
    return UpstreamFailure(
        FailureKind.FEATURE_REFUSED,
        failure.message,
        status=status,
        type_=failure.type,
        code=failure.code,
        param=param,
    )
