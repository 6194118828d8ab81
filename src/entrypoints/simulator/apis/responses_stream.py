"""The events of a Responses stream, in the order in which OpenAI sends them; `sequence_number` is the caller's.

Source: openai-python 3.52 types (read 2026-11).
"""

from collections.abc import Iterator
from typing import Any

from entrypoints.simulator.answers import SimulatedAnswer, words_of
from entrypoints.simulator.apis.endpoint import halves

Event = dict[str, Any]


def events_of(response: dict[str, Any], answer: SimulatedAnswer) -> Iterator[Event]:
    """From `response.created` to the one terminal event."""
    begun = response | {"status": "in_progress", "output": [], "usage": None, "incomplete_details": None}
    begun["completed_at"] = None
    yield {"type": "response.created", "response": begun}
    yield {"type": "response.in_progress", "response": begun}
    for index, item in enumerate(response["output"]):
        position = {"item_id": item["id"], "output_index": index}
        yield {"type": "response.output_item.added", "output_index": index, "item": _opening(item)}
        if item["type"] == "reasoning":
            yield from _reasoning(position, item["summary"][0]["text"])
        elif item["type"] == "function_call":
            yield from _arguments(position, item)
        else:
            yield from _content(position, item["content"][0], answer)
        yield {"type": "response.output_item.done", "output_index": index, "item": item}
    yield {"type": f"response.{response['status']}", "response": response}


def _opening(item: Event) -> Event:
    match item["type"]:
        case "reasoning":
            return item | {"summary": []}
        case "function_call":
            return item | {"arguments": "", "status": "in_progress"}
        case _:
            return item | {"content": [], "status": "in_progress"}


def _reasoning(position: Event, text: str) -> Iterator[Event]:
    at = position | {"summary_index": 0}
    kind = "response.reasoning_summary"
    yield {"type": f"{kind}_part.added", **at, "part": {"type": "summary_text", "text": ""}}
    for word in words_of(text):
        yield {"type": f"{kind}_text.delta", **at, "delta": word}
    yield {"type": f"{kind}_text.done", **at, "text": text}
    yield {"type": f"{kind}_part.done", **at, "part": {"type": "summary_text", "text": text}}


def _arguments(position: Event, item: Event) -> Iterator[Event]:
    kind = "response.function_call_arguments"
    for part in halves(item["arguments"]):
        yield {"type": f"{kind}.delta", **position, "delta": part}
    yield {"type": f"{kind}.done", **position, "name": item["name"], "arguments": item["arguments"]}


def _content(position: Event, part: Event, answer: SimulatedAnswer) -> Iterator[Event]:
    at = position | {"content_index": 0}
    refused = part["type"] == "refusal"
    key = "refusal" if refused else "text"
    kind = "response.refusal" if refused else "response.output_text"
    more: Event = {} if refused else {"logprobs": []}
    yield {"type": "response.content_part.added", **at, "part": part | {key: ""}}
    for piece in words_of(part["refusal"]) if refused else answer.pieces:
        yield {"type": f"{kind}.delta", **at, "delta": piece, **more}
    yield {"type": f"{kind}.done", **at, key: part[key], **more}
    yield {"type": "response.content_part.done", **at, "part": part}
