"""Encodes a chat request for Converse and ConverseStream, which take the same body."""

import re
from collections.abc import Sequence
from typing import Final

import msgspec

from adapters.dialects.bedrock.conversation import conversation
from adapters.dialects.bedrock.families import Family, family_of, thinking_fields
from adapters.dialects.bedrock.params import CONVERSE_PARAMS
from adapters.dialects.bedrock.tools import tool_config, wanted_schema
from adapters.wire.call import DialectCall, Encoded
from adapters.wire.chat_history import history
from adapters.wire.sift import NEUTRAL, keep_strict, sift, stop_sequences, top_k, within
from domain.chat import ChatRequest

JSON_ONLY: Final = "Answer with one JSON object and nothing else: no prose, no code fence."

_SERVICE_TIERS: Final = frozenset({"default", "flex", "priority", "reserved"})
_METADATA_TEXT: Final = re.compile(r"[a-zA-Z0-9\s:_@$#=/+,.-]{0,256}")
_MAX_METADATA: Final = 16
_MAX_STOP_SEQUENCES: Final = 2500
_MAX_TOP_K: Final = {"top_k": 500, "nova": 128}
"""Of Claude and of Nova. Source: Amazon Bedrock user guide, "Anthropic Claude Messages API"; Amazon Nova user guide,
"Complete request schema" (from memory; to be read again)."""
_UNTOUCHED: Final = ("guardrailConfig", "performanceConfig")

_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder().decode


def encode_converse(call: DialectCall[ChatRequest], drop: Sequence[str] = ()) -> Encoded:
    """The body to send. `drop` are an operator's own parameters to leave out. Raises `UNSUPPORTED`."""
    payload = call.payload
    fields = {name: raw for name, raw in payload.fields.items() if name not in drop and raw != b"null"}
    lost = sift(fields, CONVERSE_PARAMS, ignored=("model", "messages"))
    lost.extend(name for name in drop if name in payload.fields)
    return _Encoding(call, fields, lost).encoded()


class _Encoding:
    def __init__(self, call: DialectCall[ChatRequest], fields: dict[str, msgspec.Raw], lost: list[str]) -> None:
        self._call = call
        self._fields = fields
        self._lost = lost
        self._family: Family = family_of(call.model)

    def encoded(self) -> Encoded:
        call, family = self._call, self._family
        messages = history(call.payload)
        thinking = thinking_fields(self._fields, family, messages)
        self._lost.extend(thinking.lost)
        tools = tool_config(call, family, messages, thinking=thinking.on)
        self._lost.extend(tools.lost)
        instructions = [tools.instruction] if tools.instruction else []
        output = self._output(instructions)
        system, turns = conversation(messages, family, instructions)
        body: dict[str, object] = {"messages": turns}
        if system:
            body["system"] = system
        inference = self._inference(thinking.budget, sampling=family.sampling and not thinking.on)
        if inference:
            body["inferenceConfig"] = inference
        if tools.body is not None:
            body["toolConfig"] = tools.body
        additional = self._additional(thinking.fields)
        if additional:
            body["additionalModelRequestFields"] = additional
        if thinking.effort:
            output["effort"] = thinking.effort
        if output:
            body["outputConfig"] = output
        self._extras(body)
        return Encoded(_encode(body), keep_strict(self._lost, strict=call.strict))

    def _inference(self, budget: int, *, sampling: bool) -> dict[str, object]:
        fields = self._fields
        config: dict[str, object] = {}
        limit = fields.get("max_completion_tokens") or fields.get("max_tokens")
        if limit is not None:
            config["maxTokens"] = limit
            if budget and int(bytes(limit)) <= budget:
                config["maxTokens"] = budget + int(bytes(limit))  # the budget counts as output, and must be less
        elif budget:
            config["maxTokens"] = budget + 4096
        for name, their in (("temperature", "temperature"), ("top_p", "topP")):
            if name not in fields:
                continue
            beside = name == "top_p" and "temperature" in config and not self._family.both_samplings
            if not sampling or beside:
                self._lost.append(name)
                continue
            config[their], cut = within(_decode(fields[name]), 0, 1)
            if cut:
                self._lost.append(name)
        if "stop" in fields:
            stops, cut = stop_sequences(
                self._call.payload.value.stop, most=_MAX_STOP_SEQUENCES, blank=not self._family.is_claude
            )
            if stops:
                config["stopSequences"] = stops
            if cut:
                self._lost.append("stop")
        return config

    def _output(self, instructions: list[str]) -> dict[str, object]:
        """`outputConfig`; adds to the instructions where there is no other way."""
        request = self._call.payload.value
        if "response_format" not in self._fields or request.response_format is None:
            return {}
        if request.response_format.type == "json_object":
            instructions.append(JSON_ONLY)
        wanted = wanted_schema(request)
        if wanted is None or wanted.schema is None or not self._family.structured:
            return {}
        named = {"name": wanted.name, "schema": _encode(wanted.schema).decode()}
        if wanted.description:
            named["description"] = wanted.description
        return {"textFormat": {"type": "json_schema", "structure": {"jsonSchema": named}}}

    def _additional(self, thinking: dict[str, object]) -> dict[str, object]:
        fields, family = self._fields, self._family
        additional: dict[str, object] = dict(thinking)
        wanted, cut = top_k(fields["top_k"], _MAX_TOP_K.get(family.top_k)) if "top_k" in fields else (None, False)
        if wanted is not None:
            if family.top_k == "top_k" and family.sampling and "thinking" not in thinking:
                additional["top_k"] = wanted
            elif family.top_k == "nova":
                additional["inferenceConfig"] = {"topK": wanted}
            else:
                cut = True
        if cut:
            self._lost.append("top_k")
        own = fields.get("additionalModelRequestFields")
        if own is not None:
            value = _decode(own)
            additional.update(value if isinstance(value, dict) else {})
        return additional

    def _extras(self, body: dict[str, object]) -> None:
        for name in _UNTOUCHED:
            if name in self._fields:
                body[name] = self._fields[name]
        tier = self._call.payload.value.service_tier if "service_tier" in self._fields else None
        if tier in _SERVICE_TIERS:
            body["serviceTier"] = {"type": tier}
        elif tier is not None and self._fields["service_tier"] not in NEUTRAL["service_tier"]:
            self._lost.append("service_tier")
        if "metadata" in self._fields:
            self._metadata(body, _decode(self._fields["metadata"]))

    def _metadata(self, body: dict[str, object], given: object) -> None:
        pairs = given.items() if isinstance(given, dict) else ()
        kept = {
            name: value
            for name, value in pairs
            if name and isinstance(value, str) and _METADATA_TEXT.fullmatch(name) and _METADATA_TEXT.fullmatch(value)
        }
        if len(kept) != len(pairs) or len(kept) > _MAX_METADATA:
            self._lost.append("metadata")
        if kept:
            body["requestMetadata"] = dict(list(kept.items())[:_MAX_METADATA])
