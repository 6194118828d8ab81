"""Every rule, through every ingress, at every target: what is sent follows the row, what is told is as it was asked."""

import json
import re
from collections.abc import Callable, Iterator
from itertools import pairwise
from typing import Any, Final

import pytest

from adapters.constraints.rules import EVERYWHERE, PLAIN, RULES
from domain.errors import UpstreamFailure
from domain.failover import FailureKind
from tests.contracts.constraints.asking import STREAMED, Asked, Heard, ask, format_of, targets
from tests.contracts.constraints.offences import (
    BILLING,
    FOREIGN,
    IDS,
    INEXPRESSIBLE,
    INGRESSES,
    NAME,
    OFFENCES,
    body_of,
)

Json = Any

_TARGETS: Final = targets()
_CASES: Final = [
    pytest.param(target, ingress, rule, id=f"{target.label} {ingress} {rule}")
    for target in _TARGETS
    for ingress in INGRESSES
    for rule in OFFENCES
    if (rule, ingress) not in INEXPRESSIBLE
]
_IDS: Final = ("id", "tool_call_id", "tool_use_id", "toolUseId", "call_id")
_SCHEMAS: Final = ("parameters", "input_schema", "json")
_BETAS: Final = "claude-code-20250219,interleaved-thinking-2025-05-14,advanced-tool-use-2025-11-20"


def values_of(body: Json, *keys: str) -> Iterator[Any]:
    """What stands under these keys, however deep."""
    if isinstance(body, dict):
        for key, value in body.items():
            if key in keys:
                yield value
            yield from values_of(value, *keys)
    elif isinstance(body, list):
        for item in body:
            yield from values_of(item, *keys)


def turns_of(sent: Json) -> list[Json]:
    found = sent.get("messages") or sent.get("contents") or sent.get("input") or []
    return found if isinstance(found, list) else []


def roles_of(sent: Json) -> list[str]:
    return [turn.get("role") or turn["type"] for turn in turns_of(sent)]


def is_blank(value: Json, key: str = "") -> bool:
    if isinstance(value, dict):
        return any(is_blank(inner, name) for name, inner in value.items())
    if isinstance(value, list):
        return (key in {"content", "parts", "messages"} and not value) or any(is_blank(inner, key) for inner in value)
    return key in {"text", "content"} and isinstance(value, str) and not value.strip()


def _names(target: Asked, heard: Heard) -> None:
    if target.row.tool_names is None:
        assert NAME in json.dumps(heard.sent)
        return
    names = [name for name in values_of(heard.sent, "name", "tool_name") if str(name).startswith(("mcp", "_mcp"))]
    assert len(names) >= 2, heard.sent
    assert len(set(names)) == 1
    assert target.row.tool_names.takes(names[0])


def _ids(target: Asked, heard: Heard) -> None:
    native = format_of(heard.path) == "responses"
    spelling = target.row.response_call_ids if native else target.row.call_ids
    found = [value for value in values_of(turns_of(heard.sent), *_IDS) if isinstance(value, str)]
    assert all(found.count(value) == 2 for value in found), found
    if spelling is not None:
        assert len(found) == 4
        assert all(spelling.takes(value) for value in found)
    elif found:
        assert set(found) <= set(IDS) or all(value.startswith("call_") for value in found)


def _systems(target: Asked, heard: Heard) -> None:
    assert all(text in json.dumps(heard.sent) for text in ("S1", "S2", "u1", "a1", "u2"))
    if target.row.systems == "first":
        assert [role for role in roles_of(heard.sent)[1:] if role in {"system", "developer"}] == []


def _equal_roles(target: Asked, heard: Heard) -> None:
    assert all(text in json.dumps(heard.sent) for text in ("u1", "u2", "a1", "r1"))
    if target.row.equal_roles == "merged" and format_of(heard.path) != "responses":
        roles = roles_of(heard.sent)
        talking = {"user", "assistant", "model"}
        assert not any(a == b and a in talking for a, b in pairwise(roles)), roles


def _after_tool(target: Asked, heard: Heard) -> None:
    assert "u2" in json.dumps(heard.sent)
    if target.row.after_tool == "assistant":
        roles = roles_of(heard.sent)
        assert ("tool", "user") not in set(pairwise(roles))


def _texts(target: Asked, heard: Heard) -> None:
    assert all(text in json.dumps(heard.sent) for text in ("S1", "S2", "u1", "u2", "r1", "r2"))
    if target.row.texts == "strings" and format_of(heard.path) == "chat":
        assert all(isinstance(turn["content"], str) for turn in turns_of(heard.sent))


def _images(target: Asked, heard: Heard) -> None:
    if target.row.image_types == "registered":
        assert "JPG" not in json.dumps(heard.sent)


def _empty(target: Asked, heard: Heard) -> None:
    if target.row.empty == "filled":
        asked = {name: heard.sent[name] for name in ("messages", "contents", "system") if name in heard.sent}
        assert not is_blank(asked), asked


def _marks(target: Asked, heard: Heard) -> None:
    parts = {
        "tools": [heard.sent.get("tools"), heard.sent.get("toolConfig")],
        "system": [heard.sent.get("system"), [turn for turn in turns_of(heard.sent) if turn.get("role") == "system"]],
        "messages": [turn for turn in turns_of(heard.sent) if turn.get("role") != "system"],
    }
    for place in EVERYWHERE - target.row.cache_marks:
        assert "cache_control" not in json.dumps(parts[place]), place
        assert "cachePoint" not in json.dumps(parts[place]), place
    if target.row.cache_marks != EVERYWHERE:
        assert "cache_control" in heard.dropped


def _schemas(target: Asked, heard: Heard) -> None:
    if target.row.tool_schemas != "any":
        roots = [schema for schema in values_of(heard.sent, *_SCHEMAS) if isinstance(schema, dict)]
        assert roots
        assert all("anyOf" not in root and root["type"] == "object" for root in roots)


def _billing(target: Asked, heard: Heard) -> None:
    assert "S1" in json.dumps(heard.sent)
    if target.row.billing_line == "removed":
        assert BILLING[:20] not in json.dumps(heard.sent)


def _thoughts(target: Asked, heard: Heard) -> None:
    if target.row.foreign_thoughts == "removed" or format_of(heard.path) in {"responses", "anthropic"}:
        assert FOREIGN not in json.dumps([value for turn in turns_of(heard.sent) for value in _signed(turn)])


def _signed(turn: Json) -> list[Any]:
    """A turn without the text of its thoughts, which some want back whoever thought them."""
    return [value for name, value in turn.items() if name != "reasoning_content"]


def _betas(target: Asked, heard: Heard) -> None:
    if target.row.betas is None:
        return
    assert "defer_loading" not in json.dumps(heard.sent)
    assert "eager_input_streaming" not in json.dumps(heard.sent)
    names = heard.headers.get("anthropic-beta", "").split(",") + list(heard.sent.get("anthropic_beta") or ())
    assert {name for name in names if name} <= target.row.betas


_CHECKS: Final[dict[str, Callable[[Asked, Heard], None]]] = {
    "tool_names": _names,
    "call_ids": _ids,
    "systems": _systems,
    "equal_roles": _equal_roles,
    "after_tool": _after_tool,
    "texts": _texts,
    "image_types": _images,
    "empty": _empty,
    "cache_marks": _marks,
    "tool_schemas": _schemas,
    "billing_line": _billing,
    "foreign_thoughts": _thoughts,
    "betas": _betas,
}


@pytest.mark.slow
@pytest.mark.parametrize(("target", "ingress", "rule"), _CASES)
async def test_what_is_sent_follows_the_row(target: Asked, ingress: str, rule: str) -> None:
    betas = _BETAS if ingress == "messages" else ""
    refused: UpstreamFailure | None = None
    try:
        heard = await ask(target, ingress, body_of(rule, ingress), betas=betas)
    except UpstreamFailure as failure:
        refused = failure
    else:
        _CHECKS[rule](target, heard)

    assert refused is None or (rule == "image_types" and refused.kind is FailureKind.UNSUPPORTED), refused


@pytest.mark.slow
@pytest.mark.parametrize("ingress", INGRESSES)
@pytest.mark.parametrize("target", [pytest.param(target, id=target.label) for target in _TARGETS])
async def test_a_name_that_was_made_fit_is_told_as_the_client_gave_it(target: Asked, ingress: str) -> None:
    body = body_of("tool_names", ingress)
    whole = await ask(target, ingress, body)

    assert NAME in whole.told
    assert re.search(r'"_?mcp_server_tool', whole.told) is None
    if format_of(whole.path) in STREAMED and target.entry.kind != "bedrock":
        streamed = await ask(target, ingress, body, stream=True)
        assert NAME in streamed.told
        assert re.search(r'"_?mcp_server_tool', streamed.told) is None


def test_every_rule_has_an_offence_and_a_check() -> None:
    assert set(_CHECKS) == set(OFFENCES) == set(RULES) - {"response_call_ids"}
    assert set(RULES) == set(PLAIN.__struct_fields__) - {"sources"}


@pytest.mark.parametrize("target", [pytest.param(target, id=target.label) for target in _TARGETS])
def test_every_value_says_where_it_was_read(target: Asked) -> None:
    values = {rule: getattr(target.row, rule) for rule in RULES if getattr(target.row, rule) != getattr(PLAIN, rule)}

    assert set(values) <= set(target.row.sources)


def test_every_provider_has_a_row_of_its_own() -> None:
    """One without a row would be taken for an unknown server."""
    unknown = next(target.entry.target for target in _TARGETS if target.entry.id == "custom")

    assert {target.entry.id for target in _TARGETS if target.entry.target is unknown} == {"custom"}


async def test_a_target_that_takes_everything_gets_what_came() -> None:
    simulated = next(target for target in _TARGETS if target.entry.id == "simulated")

    heard = await ask(simulated, "chat", body_of("call_ids", "chat"))

    assert heard.sent["messages"] == body_of("call_ids", "chat")["messages"]
