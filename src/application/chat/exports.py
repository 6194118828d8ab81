"""A conversation to take away, as Markdown, JSON or the passages of a document."""

import msgspec

from domain.conversations import ChatMessage, Conversation
from domain.money import usd
from domain.ports.documents import Passage

_SPEAKERS = {"user": "You", "assistant": "Assistant"}


def as_markdown(conversation: Conversation, line: list[ChatMessage]) -> bytes:
    """Headings, the messages as they were written, and under each answer who gave it and what it cost."""
    parts = [f"# {conversation.title}"]
    if conversation.system_prompt:
        parts.append("## System\n\n" + conversation.system_prompt)
    for message in line:
        parts.append(f"## {_SPEAKERS[message.role]}\n\n{_body(message)}".rstrip())
        if message.role == "assistant":
            parts.append(f"*{_facts(message)}*")
    return ("\n\n".join(parts) + "\n").encode("utf-8", "replace")


def as_passages(conversation: Conversation, line: list[ChatMessage]) -> list[Passage]:
    """The same for print."""
    system = [Passage("System", conversation.system_prompt)] if conversation.system_prompt else []
    return system + [
        Passage(_SPEAKERS[one.role], _body(one), _facts(one) if one.role == "assistant" else "") for one in line
    ]


def as_json(conversation: Conversation, line: list[ChatMessage]) -> bytes:
    """Every field of the conversation and of what is shown of it."""
    fields = msgspec.to_builtins(conversation) | {"messages": msgspec.to_builtins(line)}
    return msgspec.json.format(msgspec.json.encode(fields), indent=2) + b"\n"


def _body(message: ChatMessage) -> str:
    pictures = [f"[picture {part.file_id}]" for part in message.content if part.file_id is not None]
    return "\n\n".join(text for text in (message.text, *pictures) if text)


def _facts(message: ChatMessage) -> str:
    facts = [message.model or "no model"]
    if message.tokens_input is not None and message.tokens_output is not None:
        facts.append(f"{message.tokens_input} tokens in, {message.tokens_output} out")
        facts.append("unpriced" if message.cost_nano_usd is None else f"{usd(message.cost_nano_usd)} USD")
    if message.status != "complete":
        facts.append(message.status)
    return ", ".join(facts)
