"""The order of a chat's messages, for models whose templates, or providers, insist on one.

Nothing is lost: instructions are gathered at the beginning, turns of one role become one, and where nobody may speak
yet the assistant says a word.
"""

from typing import Any, Final

Json = dict[str, Any]  # opaque JSON

_INSTRUCTING: Final = frozenset({"system", "developer"})
_TALKING: Final = frozenset({"user", "assistant", "tool"})
_BRIDGE: Final = "Understood."
_NO_BEGINNING: Final = "(The conversation begins with the assistant.)"


def gathered_systems(messages: list[Json]) -> list[Json]:
    """All instructions in one message at the beginning, in their order."""
    instructions = [message for message in messages if message["role"] in _INSTRUCTING]
    if not instructions or (len(instructions) == 1 and messages[0] is instructions[0]):
        return messages
    said = [message for message in instructions if message.get("content")]
    others = [message for message in messages if message["role"] not in _INSTRUCTING]
    if not said:
        return others
    contents = [message["content"] for message in said]
    if any(_is_marked(message) for message in said):
        return [{"role": "system", "content": [part for message in said for part in _parts(message)]}, *others]
    return [{"role": "system", "content": "\n\n".join(_text(content) for content in contents)}, *others]


def with_merged_roles(messages: list[Json]) -> list[Json]:
    """Two messages of users in a row, or of assistants, as one; and a user begins."""
    merged: list[Json] = []
    for message in messages:
        if message["role"] == "assistant" and not any(other["role"] in _TALKING for other in merged):
            merged.append({"role": "user", "content": _NO_BEGINNING})
        if merged and merged[-1]["role"] == message["role"] and message["role"] in {"user", "assistant"}:
            _merge(merged[-1], message)
        else:
            merged.append(message)
    return merged


def with_bridges(messages: list[Json]) -> list[Json]:
    """An assistant's word between a tool's result and a user."""
    bridged: list[Json] = []
    for message in messages:
        if bridged and bridged[-1]["role"] == "tool" and message["role"] == "user":
            bridged.append({"role": "assistant", "content": _BRIDGE})
        bridged.append(message)
    return bridged


def _merge(first: Json, second: Json) -> None:
    for name, value in second.items():
        held = first.get(name)
        if name == "content":
            first[name] = _merged_content(held, value)
        elif name == "role" or value is None:
            continue
        elif isinstance(held, list) and isinstance(value, list):
            first[name] = [*held, *value]
        elif isinstance(held, str) and isinstance(value, str) and name != "name":
            first[name] = f"{held}\n\n{value}"
        elif not held:
            first[name] = value


def _merged_content(first: Any, second: Any) -> Any:
    if not first or not second:
        return first or second
    if isinstance(first, str) and isinstance(second, str):
        return f"{first}\n\n{second}"
    return [*_parts({"content": first}), *_parts({"content": second})]


def _parts(message: Json) -> list[Json]:
    content = message["content"]
    parts = [{"type": "text", "text": content}] if isinstance(content, str) else list(content)
    if "cache_control" in message and parts:
        parts[-1] = {**parts[-1], "cache_control": message["cache_control"]}
    return parts


def _is_marked(message: Json) -> bool:
    content = message["content"]
    return "cache_control" in message or (
        isinstance(content, list) and any("cache_control" in part for part in content)
    )


def _text(content: Any) -> str:
    if isinstance(content, str):
        return content
    return "\n".join(part["text"] for part in content if isinstance(part.get("text"), str) and part["text"])
