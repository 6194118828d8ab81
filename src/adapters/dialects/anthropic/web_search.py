"""Carries OpenAI's `web_search_options` over to Anthropic's web search, and its citations back.

Source: platform.claude.com web search tool, openai-python 3.52 types (read 2026-11).
"""

from typing import Final

import msgspec

from adapters.dialects.anthropic.content import Block
from adapters.dialects.anthropic.errors import invalid
from adapters.dialects.anthropic.history import Raw
from adapters.wire.undecodable import UNDECODABLE

TOOL_TYPE: Final = "web_search_20250305"


class _Place(msgspec.Struct, omit_defaults=True):
    city: str | None = None
    country: str | None = None
    region: str | None = None
    timezone: str | None = None


class _Location(msgspec.Struct):
    approximate: _Place | None = None


class _Options(msgspec.Struct):
    user_location: _Location | None = None


class Citation(msgspec.Struct):
    """Where a text comes from. Search results have a `source`, pages of the web a `url`."""

    type: str = ""
    url: str | None = None
    source: str | None = None
    title: str | None = None


_decode_options = msgspec.json.Decoder(_Options).decode


def web_search_tool(raw: Raw) -> Block:
    """Raises `CLIENT_FAULT` for options that are none."""
    try:
        options = _decode_options(raw)
    except UNDECODABLE as error:
        raise invalid(f"Invalid 'web_search_options': {error}.", "web_search_options") from None
    tool: Block = {"type": TOOL_TYPE, "name": "web_search"}
    if options.user_location is not None and options.user_location.approximate is not None:
        place: dict[str, object] = msgspec.to_builtins(options.user_location.approximate)
        tool["user_location"] = {"type": "approximate", **place}
    return tool


def annotations(citations: list[Citation], start: int, end: int) -> list[dict[str, object]]:
    """Those with an address, as OpenAI annotates the text from `start` to `end`. Pages of documents have none."""
    made: list[dict[str, object]] = []
    for citation in citations:
        url = citation.url or citation.source
        if url:
            told = {"start_index": start, "end_index": end, "title": citation.title or "", "url": url}
            made.append({"type": "url_citation", "url_citation": told})
    return made
