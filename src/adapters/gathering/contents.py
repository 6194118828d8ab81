"""The events of Google's `streamGenerateContent`, put together: each is an answer with the new parts alone.

Source: wire facts on Gemini, section 3; google-genai 3.6, `Chat`, which joins them alike (November 2026).
"""

from typing import Any

import msgspec
from typing_extensions import override

from adapters.gathering.merging import Fields, events_of
from domain.ports.gathering import Gatherer


class ContentGatherer(Gatherer):
    """Of one answer. Texts that follow each other are one part, thoughts apart."""

    def __init__(self) -> None:
        self._answer: Fields = {}
        self._candidates: dict[int, Fields] = {}
        self._parts: dict[int, list[Fields]] = {}

    @override
    def add(self, block: bytes) -> None:
        for event in events_of(block):
            self._answer |= {name: value for name, value in event.items() if name != "candidates"}
            for candidate in event.get("candidates") or ():
                self._take(candidate)

    @override
    def answer(self, *, cut: bool) -> bytes:
        candidates = [self._candidate(index, cut=cut) for index in sorted(self._candidates)]
        return msgspec.json.encode({"candidates": candidates} | self._answer if candidates else self._answer)

    def _take(self, candidate: Fields) -> None:
        index = candidate.get("index", 0)
        made = self._candidates.setdefault(index, {})
        made |= {name: value for name, value in candidate.items() if name != "content"}
        parts = self._parts.setdefault(index, [])
        for part in (candidate.get("content") or {}).get("parts") or ():
            last = parts[-1] if parts else {}
            if _is_text(part) and _is_text(last) and part.get("thought") == last.get("thought"):
                last["text"] += part["text"]
            elif part != {"text": ""}:
                parts.append(dict(part))

    def _candidate(self, index: int, *, cut: bool) -> Fields:
        ended = {"finishReason": "MAX_TOKENS"} if cut else {}
        content = {"role": "model", "parts": self._parts[index]}
        return {"content": content} | ended | self._candidates[index]


def _is_text(part: Any) -> bool:
    """Text alone: a signature beside it holds for what it was told with."""
    return isinstance(part.get("text"), str) and part.keys() <= {"text", "thought"}
