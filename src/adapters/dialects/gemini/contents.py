"""Turns a chat's messages into Gemini's contents and its system instruction.

Source: google-genai 3.4 types; ai.google.dev function calling and thought signatures (read 2026-11). There are two
roles; a tool's results are the user's, found by the function's name; and from Gemini 3 on a function call of the
history must carry the signature of the thought it came from.
"""

from typing import Final

import msgspec

from adapters.dialects.gemini.media import Part, media_part
from adapters.dialects.gemini.settings import GeminiSettings, generation
from adapters.wire.chat_history import HistoryCall, HistoryMessage
from adapters.wire.sift import unsupported

Content = dict[str, object]

FOREIGN_SIGNATURE: Final = "skip_thought_signature_validator"
"""Google's own word for calls that another model made."""

_SIGNED_FROM: Final = 3.0
_WITHOUT_INSTRUCTION: Final = ("gemma-1", "gemma-2", "gemma-3")
"""What they answer 400 to ("Developer instruction is not enabled") is said at the beginning instead."""

_NOTHING: Final = " "  # a text must not be empty


class ContentsWriter:
    """The conversation of one request."""

    def __init__(self, model: str, settings: GeminiSettings) -> None:
        self._settings = settings
        self._instructed = not model.rpartition("/")[2].startswith(_WITHOUT_INSTRUCTION)
        self._signed = generation(model) >= _SIGNED_FROM
        self._ids = settings.call_ids and self._signed
        self._names: dict[str, str] = {}  # of functions, by the id of their call
        self._contents: list[Content] = []
        self._system: list[str] = []

    def write(self, messages: list[HistoryMessage]) -> tuple[list[Content], Content | None]:
        """Contents, never none, and the system instruction. Raises `UNSUPPORTED`."""
        results: list[Part] = []
        for place, message in enumerate(messages):
            where = f"messages.{place}"
            if message.role in {"tool", "function"}:
                results += self._results(message, where)
                continue
            if results:
                self._contents.append(_said("user", results))
                results = []
            if message.role in {"system", "developer"}:
                self._system.append(message.text())
            elif message.role == "assistant":
                self._add("model", self._assistant(message, where))
            else:
                self._add("user", self._parts(message, where) or [{"text": _NOTHING}])
        if results:
            self._contents.append(_said("user", results))
        instruction = "\n".join(text for text in self._system if text)
        if not self._contents:  # there must be one: what was said to the model is what it is asked
            return [_said("user", [{"text": instruction or _NOTHING}])], None
        if not instruction:
            return self._contents, None
        if not self._instructed:
            return [_said("user", [{"text": instruction}]), *self._contents], None
        return self._contents, {"parts": [{"text": instruction}]}

    def _add(self, role: str, parts: list[Part]) -> None:
        if parts:
            self._contents.append(_said(role, parts))

    def _parts(self, message: HistoryMessage, where: str) -> list[Part]:
        found: list[Part] = []
        for place, part in enumerate(message.parts):
            if part.type in {"text", "input_text", "output_text", "refusal"}:
                text = part.text or part.refusal
                if text:
                    found.append({"text": text})
            else:
                found.append(media_part(part, f"{where}.content.{place}", self._settings))
        return found

    def _assistant(self, message: HistoryMessage, where: str) -> list[Part]:
        parts = self._parts(message, where)
        if message.refusal:
            parts.append({"text": message.refusal})
        calls = message.tool_calls or []
        for place, call in enumerate(calls):
            if call.function is None:
                raise unsupported(f"{where}.tool_calls.{place}.type", f"there is no place for {call.type!r} calls")
            parts.append(self._call(call, first=place == 0))
        return parts

    def _call(self, call: HistoryCall, *, first: bool) -> Part:
        """Of the calls of one step the first alone is signed."""
        self._names[call.id] = call.name
        told: dict[str, object] = {"name": call.name, "args": call.arguments()}
        if self._ids:
            told["id"] = call.id
        part: Part = {"functionCall": told}
        google = call.extra_content.google if call.extra_content is not None else None
        signature = google.thought_signature if google is not None else None
        if signature:
            part["thoughtSignature"] = signature
        elif first and self._signed:
            part["thoughtSignature"] = FOREIGN_SIGNATURE
        return part

    def _results(self, message: HistoryMessage, where: str) -> list[Part]:
        """A tool's result as an object, and behind it what was shown with it."""
        call_id = message.tool_call_id or ""
        name = self._names.get(call_id) or message.name or call_id or "unknown"
        told: dict[str, object] = {"name": name, "response": _as_object(message.text())}
        if self._ids and call_id in self._names:
            told["id"] = call_id
        shown = [part for part in self._parts(message, where) if "text" not in part]
        return [{"functionResponse": told}, *shown]


def _said(role: str, parts: list[Part]) -> Content:
    return {"role": role, "parts": parts}


def _as_object(text: str) -> object:
    if text.lstrip().startswith("{"):
        try:
            value: object = msgspec.json.decode(text)
        except (msgspec.DecodeError, RecursionError):
            return {"result": text}
        if isinstance(value, dict):
            return value
    return {"result": text}
