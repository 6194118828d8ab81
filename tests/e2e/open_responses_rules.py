"""What Open Responses wants of a response and of each event of a stream, as JSON Schema in our own words.

Source: openresponses.org, specification and schema of `ResponseResource` and of the streaming events (read 2026-11).
"""

from typing import Any, Final

from jsonschema import Draft202012Validator

Schema = dict[str, Any]

TEXT: Final[Schema] = {"type": "string"}
WHOLE: Final[Schema] = {"type": "integer"}
NUMBER: Final[Schema] = {"type": "number"}
FLAG: Final[Schema] = {"type": "boolean"}
MAYBE_TEXT: Final[Schema] = {"type": ["string", "null"]}
MAYBE_WHOLE: Final[Schema] = {"type": ["integer", "null"]}


def thing(**required: Schema) -> Schema:
    """An object with at least these fields."""
    return {"type": "object", "properties": required, "required": list(required)}


def const(value: str) -> Schema:
    return {"const": value}


def of(*values: str) -> Schema:
    return {"enum": list(values)}


def many(items: Schema) -> Schema:
    return {"type": "array", "items": items}


def one_of(*choices: Schema) -> Schema:
    return {"anyOf": list(choices)}


NULL: Final[Schema] = {"type": "null"}
LOGPROB: Final = thing(token=TEXT, logprob=NUMBER, bytes=many(WHOLE), top_logprobs=many({"type": "object"}))
OUTPUT_TEXT: Final = thing(
    type=const("output_text"), text=TEXT, annotations=many({"type": "object"}), logprobs=many(LOGPROB)
)
REFUSAL: Final = thing(type=const("refusal"), refusal=TEXT)
SUMMARY: Final = thing(type=const("summary_text"), text=TEXT)
REASONING_TEXT: Final = thing(type=const("reasoning_text"), text=TEXT)
PART: Final = one_of(OUTPUT_TEXT, REFUSAL, SUMMARY, REASONING_TEXT)
STATUS: Final = of("in_progress", "completed", "incomplete")
MESSAGE: Final = thing(type=const("message"), id=TEXT, status=STATUS, role=const("assistant"), content=many(PART))
CALL: Final = thing(type=const("function_call"), id=TEXT, call_id=TEXT, name=TEXT, arguments=TEXT, status=STATUS)
REASONING: Final = thing(type=const("reasoning"), id=TEXT, summary=many(SUMMARY))
ITEM: Final = one_of(MESSAGE, CALL, REASONING)
FUNCTION: Final = thing(
    type=const("function"),
    name=TEXT,
    description=MAYBE_TEXT,
    parameters={"type": ["object", "null"]},
    strict={"type": ["boolean", "null"]},
)
USAGE: Final = thing(
    input_tokens=WHOLE,
    output_tokens=WHOLE,
    total_tokens=WHOLE,
    input_tokens_details=thing(cached_tokens=WHOLE),
    output_tokens_details=thing(reasoning_tokens=WHOLE),
)
RESPONSE: Final = thing(
    id=TEXT,
    object=const("response"),
    created_at=WHOLE,
    completed_at=MAYBE_WHOLE,
    status=of("queued", "in_progress", "completed", "incomplete", "failed", "cancelled"),
    incomplete_details=one_of(NULL, thing(reason=TEXT)),
    model=TEXT,
    previous_response_id=MAYBE_TEXT,
    instructions=one_of(NULL, TEXT, many({"type": "object"})),
    output=many(ITEM),
    error=one_of(NULL, thing(code=TEXT, message=TEXT)),
    tools=many(FUNCTION),
    tool_choice=one_of(of("none", "auto", "required"), thing(type=TEXT)),
    truncation=of("auto", "disabled"),
    parallel_tool_calls=FLAG,
    text=thing(format=thing(type=of("text", "json_object", "json_schema"))),
    top_p=NUMBER,
    presence_penalty=NUMBER,
    frequency_penalty=NUMBER,
    top_logprobs=WHOLE,
    temperature=NUMBER,
    reasoning=one_of(NULL, thing(effort=MAYBE_TEXT, summary=MAYBE_TEXT)),
    usage=one_of(NULL, USAGE),
    max_output_tokens=MAYBE_WHOLE,
    max_tool_calls=MAYBE_WHOLE,
    store=FLAG,
    background=FLAG,
    service_tier=TEXT,
    metadata={"type": "object"},
    safety_identifier=MAYBE_TEXT,
    prompt_cache_key=MAYBE_TEXT,
)
_ITEM_AT: Final = {"item_id": TEXT, "output_index": WHOLE}
_PART_AT: Final = {**_ITEM_AT, "content_index": WHOLE}
_SUMMARY_AT: Final = {**_ITEM_AT, "summary_index": WHOLE}

EVENTS: Final[dict[str, dict[str, Schema]]] = {
    **{f"response.{moment}": {"response": RESPONSE} for moment in ("created", "queued", "in_progress", "completed")},
    **{f"response.{moment}": {"response": RESPONSE} for moment in ("failed", "incomplete")},
    "response.output_item.added": {"output_index": WHOLE, "item": ITEM},
    "response.output_item.done": {"output_index": WHOLE, "item": ITEM},
    "response.content_part.added": {**_PART_AT, "part": PART},
    "response.content_part.done": {**_PART_AT, "part": PART},
    "response.output_text.delta": {**_PART_AT, "delta": TEXT, "logprobs": many(LOGPROB)},
    "response.output_text.done": {**_PART_AT, "text": TEXT, "logprobs": many(LOGPROB)},
    "response.output_text.annotation.added": {**_PART_AT, "annotation_index": WHOLE, "annotation": {"type": "object"}},
    "response.refusal.delta": {**_PART_AT, "delta": TEXT},
    "response.refusal.done": {**_PART_AT, "refusal": TEXT},
    "response.function_call_arguments.delta": {**_ITEM_AT, "delta": TEXT},
    "response.function_call_arguments.done": {**_ITEM_AT, "arguments": TEXT},
    "response.reasoning_text.delta": {**_PART_AT, "delta": TEXT},
    "response.reasoning_text.done": {**_PART_AT, "text": TEXT},
    "response.reasoning_summary_part.added": {**_SUMMARY_AT, "part": SUMMARY},
    "response.reasoning_summary_part.done": {**_SUMMARY_AT, "part": SUMMARY},
    "response.reasoning_summary_text.delta": {**_SUMMARY_AT, "delta": TEXT},
    "response.reasoning_summary_text.done": {**_SUMMARY_AT, "text": TEXT},
    "error": {"error": {"type": "object"}},
}
"""Each event's own fields, beside its type and its place in the order."""

ENDS: Final = {"response.completed", "response.failed", "response.incomplete"}


def complaints_about(response: object) -> list[str]:
    """What is wrong with a response, path by path; empty where it is one."""
    return _complaints(response, RESPONSE)


def complaints_about_stream(events: list[dict[str, Any]]) -> list[str]:
    """What is wrong with a stream: with each event, with their numbers, and with its end."""
    found = []
    for place, event in enumerate(events):
        kind = event.get("type")
        if kind not in EVENTS:
            found.append(f"{place}: there is no event '{kind}'")
            continue
        schema = thing(type=const(kind), sequence_number=WHOLE, **EVENTS[kind])
        found += [f"{place} {kind}: {said}" for said in _complaints(event, schema)]
    numbers = [event.get("sequence_number") for event in events]
    if numbers != list(range(len(events))):
        found.append(f"the events are numbered {numbers}")
    if [event["type"] for event in events if event["type"] in ENDS] != [events[-1]["type"]]:
        found.append("it has not one end, and that last")
    return found


def _complaints(value: object, schema: Schema) -> list[str]:
    return [
        f"{'.'.join(map(str, error.absolute_path)) or 'it'}: {error.message[:200]}"
        for error in Draft202012Validator(schema).iter_errors(value)
    ]
