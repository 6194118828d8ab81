"""The language of model names: `sim-` and directives joined with `+`, such as `sim-words-20+delay-500ms`."""

import re
from collections.abc import Callable, Mapping
from typing import Any, get_args

from entrypoints.simulator.behaviour import Behaviour, Oddity, behaviour_from
from entrypoints.simulator.errors import ScriptInvalid

_SIMULATED = re.compile(r"(?:^|[-./:@])sim-(.*)$")

LISTED_MODELS = (
    "sim-echo",
    "sim-words-100",
    "sim-delay-500ms",
    "sim-tools",
    "sim-parallel-tools",
    "sim-json",
    "sim-reasoning",
    "sim-429-retry-2s",
    "sim-500",
    "sim-503",
    "sim-silent",
    "sim-stall-after-2",
    "sim-cut-after-2",
    "sim-error-event-after-2",
    "sim-bad-json",
    "sim-split-utf8",
)
"""What the model list shows where the script names no models; every other directive is served as well."""

Fields = dict[str, Any]

_FIXED: Mapping[str, Fields] = {
    "echo": {},
    "endless": {"endless": True, "chunk_delay_ms": 10},
    "tools": {"tools": "first"},
    "parallel-tools": {"tools": "all"},
    "json": {"json_answer": True},
    "reasoning": {"reasoning": "Let me think."},
    "refusal": {"refusal": "I cannot help with that."},
    "system": {"echo": "system"},
    "request": {"echo": "request"},
    "floats": {"floats_only": True},
    "cached": {"usage": {"prompt_tokens": 100, "completion_tokens": 10, "cached_tokens": 60, "cache_write_tokens": 20}},
    "no-usage": {"usage": False},
    "silent": {"fault": "silent"},
    "reset": {"fault": "reset"},
    "bad-json": {"fault": "bad_json"},
    "error-200": {"fault": "error_event"},
    "split-utf8": {"fault": "split_utf8"},
    "html-200": {"headers": {"content-type": "text/html"}, "body": "<!doctype html><title>Hello</title>"},
    "empty-200": {"body": ""},
    "json-200": {"plain": True},
    "gzip-bomb": {"body": "{", "pad_bytes": 200 * 1024 * 1024, "compress": True},
}

_TIME = r"(\d+(?:\.\d+)?)(ms|s)"
_MILLISECONDS = {"ms": 1.0, "s": 1000.0}


def _milliseconds(field: str) -> Callable[[re.Match[str]], Fields]:
    return lambda match: {field: float(match[1]) * _MILLISECONDS[match[2]]}


def _fault_after(match: re.Match[str]) -> Fields:
    return {"fault": match[1].replace("-", "_"), "after_chunks": int(match[2])}


def _fault_at_byte(match: re.Match[str]) -> Fields:
    return {"fault": match[1], "after_bytes": int(match[2])}


def _retry_after(match: re.Match[str]) -> Fields:
    seconds = float(match[2]) * _MILLISECONDS[match[3]] / 1000
    return {"status": int(match[1]), "headers": {"retry-after": f"{seconds:g}"}}


def _leak(match: re.Match[str]) -> Fields:
    return {"status": int(match[1]), "fault": "leak_key"}


_PATTERNS: tuple[tuple[re.Pattern[str], Callable[[re.Match[str]], Fields]], ...] = (
    (re.compile(r"words-(\d+)"), lambda match: {"words": int(match[1])}),
    (re.compile(rf"(?:delay|slow-headers)-{_TIME}"), _milliseconds("delay_ms")),
    (re.compile(rf"slow-first-{_TIME}"), _milliseconds("first_chunk_delay_ms")),
    (re.compile(rf"chunk-delay-{_TIME}"), _milliseconds("chunk_delay_ms")),
    (re.compile(r"(stall|cut|end|reset|error-event|bad-json)-after-(\d+)"), _fault_after),
    (re.compile(r"(stall|cut|end|reset)-at-byte-(\d+)"), _fault_at_byte),
    (re.compile(r"429-quota"), lambda _: {"status": 429, "error_code": "insufficient_quota"}),
    (re.compile(r"400-context"), lambda _: {"status": 400, "error_code": "context_length_exceeded"}),
    (re.compile(rf"(\d{{3}})-retry-{_TIME}"), _retry_after),
    (re.compile(r"(\d{3})-big-(\d+)mb"), lambda match: {"status": int(match[1]), "pad_bytes": int(match[2]) << 20}),
    (re.compile(r"leak-(\d{3})"), _leak),
    (re.compile(r"(\d{3})"), lambda match: {"status": int(match[1])}),
)


def is_simulated(model: str) -> bool:
    """Whether the name says what to do."""
    return _SIMULATED.search(model) is not None


_ODDITIES: frozenset[str] = frozenset(get_args(Oddity))


def understand(model: str) -> Behaviour | None:
    """What the name asks for; None where it is no `sim-` name. Raises `ScriptInvalid` for an unknown directive.

    A family may stand before it, for adapters that go by the name: `claude-opus-5-sim-tools`.
    """
    named = _SIMULATED.search(model)
    if named is None:
        return None
    fields: Fields = {}
    for directive in named[1].split("+"):
        fields |= _fields_of(directive)
    return behaviour_from(fields)


def _fields_of(directive: str) -> Fields:
    if directive in _FIXED:
        return _FIXED[directive]
    if directive in _ODDITIES:
        return {"odd": directive}
    for pattern, fields in _PATTERNS:
        if match := pattern.fullmatch(directive):
            return fields(match)
    raise ScriptInvalid(f"unknown simulator directive '{directive}'; docs/simulator.md lists them all")
