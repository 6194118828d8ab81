"""How much of a request Anthropic compiles into a grammar: beyond it, the whole request would be refused.

Source: platform.claude.com structured outputs, limits on complexity (2026).
"""

from collections.abc import Iterator
from typing import Any

from adapters.dialects.anthropic.schemas import Schema


class StrictRoom:
    """What is left for strict tools and structured outputs in one request."""

    def __init__(self, schemas: int = 20, optional: int = 24, unions: int = 16) -> None:
        self._schemas = schemas
        self._optional = optional
        self._unions = unions

    def takes(self, closed: Schema) -> bool:
        """Whether this schema still fits; where it does, its room is taken."""
        nodes = list(_nodes(closed))
        optional = sum(len(node.get("properties", {}).keys() - set(node.get("required", ()))) for node in nodes)
        unions = sum("anyOf" in node or isinstance(node.get("type"), list) for node in nodes)
        if self._schemas < 1 or optional > self._optional or unions > self._unions:
            return False
        self._schemas -= 1
        self._optional -= optional
        self._unions -= unions
        return True


def _nodes(schema: Any) -> Iterator[Schema]:
    """Every schema inside, the whole first."""
    if not isinstance(schema, dict):
        return
    yield schema
    for name in ("properties", "$defs"):
        for child in schema.get(name, {}).values():
            yield from _nodes(child)
    for name in ("anyOf", "allOf"):
        for child in schema.get(name, ()):
            yield from _nodes(child)
    yield from _nodes(schema.get("items"))
