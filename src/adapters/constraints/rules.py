"""What a target takes of a conversation, as data: the rules there are, and how a row of them looks.

A target is a provider, or a family of models at it. Its row says for each rule what it takes; `conform` makes every
outgoing conversation follow the row, whichever API the client speaks and whichever adapter sends it. The rows of the
known providers are in `adapters/providers/targets.py`, with the refusals they were read from.
"""

import re
from functools import cache
from typing import Final, Literal

import msgspec

WORD: Final = "a-zA-Z0-9_-"


class Spelling(msgspec.Struct, frozen=True):
    """What a name or an id may look like: the class of its letters as in a regular expression, and its length.

    `most` of None: any length. `first` is the class of the first letter, where that is a narrower one.
    """

    letters: str = WORD
    most: int | None = None
    least: int = 1
    first: str = ""

    @property
    def pattern(self) -> str:
        """A regular expression for the whole of it."""
        if not self.first:
            return f"[{self.letters}]{{{self.least},{'' if self.most is None else self.most}}}"
        return f"[{self.first}][{self.letters}]{{{self.least - 1},{'' if self.most is None else self.most - 1}}}"

    def takes(self, text: str) -> bool:
        return _compiled(self.pattern).fullmatch(text) is not None


_compiled = cache(re.compile)

NOTHING: Final = "(empty)"
"""What is said where nothing was, and something must be."""

MarkPlace = Literal["system", "messages", "tools"]
EVERYWHERE: Final[frozenset[MarkPlace]] = frozenset({"system", "messages", "tools"})
NOWHERE: Final[frozenset[MarkPlace]] = frozenset()


class Constraints(msgspec.Struct, frozen=True, kw_only=True):
    """One row: every rule has a value, there are no defaults to forget one by. `RULES` says what each rule is about."""

    tool_names: Spelling | None  # None: any
    call_ids: Spelling | None
    response_call_ids: Spelling | None  # of its Responses API, where it has one
    systems: Literal["anywhere", "first"]
    equal_roles: Literal["kept", "merged"]
    after_tool: Literal["any", "assistant"]
    texts: Literal["parts", "strings"]
    image_types: Literal["any", "registered"]
    empty: Literal["kept", "filled"]
    cache_marks: frozenset[MarkPlace]
    tool_schemas: Literal["any", "object", "properties"]
    betas: frozenset[str] | None  # the names it knows; None: every one
    billing_line: Literal["kept", "removed"]
    foreign_thoughts: Literal["kept", "removed"]
    sources: dict[str, str]  # by rule: the refusal, or the page, that a value which is not the plain one was read from


RULES: Final = {
    "tool_names": "letters and length of the names of tools",
    "call_ids": "letters and length of the ids of tool calls",
    "response_call_ids": "the same in the target's own Responses API",
    "systems": "where system and developer messages may stand",
    "equal_roles": "whether two user or two assistant messages in a row become one",
    "after_tool": "what may follow the result of a tool",
    "texts": "whether texts alone may come in parts, or must be one string",
    "image_types": "whether media types must be the registered ones, in lower case (`image/jpeg`, not `image/jpg`)",
    "empty": "whether blank texts, and messages of nothing, are taken",
    "cache_marks": "where `cache_control` may stand",
    "tool_schemas": "whether a tool's schema may be anything at its root, or must be an object (with `properties`)",
    "betas": "which beta names are sent, and with them the fields that they make known",
    "billing_line": "whether Claude Code's billing line is sent, which changes with every request",
    "foreign_thoughts": "whether thoughts that the target did not sign or encrypt are sent",
}
"""Every rule, in the order in which pages list them."""

PLAIN: Final = Constraints(
    tool_names=None,
    call_ids=None,
    response_call_ids=None,
    systems="anywhere",
    equal_roles="kept",
    after_tool="any",
    texts="parts",
    image_types="any",
    empty="kept",
    cache_marks=EVERYWHERE,
    tool_schemas="any",
    betas=None,
    billing_line="kept",
    foreign_thoughts="kept",
    sources={},
)
"""Takes everything: costs nothing."""


class Target(msgspec.Struct, frozen=True):
    """The row of a provider, and those of families of models that differ there: the first pattern found in the
    model's name, in lower case, decides."""

    row: Constraints
    families: tuple[tuple[str, Constraints], ...] = ()


BETA_PARAMS: Final[dict[str, frozenset[str]]] = {
    "context_management": frozenset({"context-management-2025-06-27", "compact-2026-01-12", "compact-2026-09-04"}),
    "mcp_servers": frozenset({"mcp-client-2025-04-04", "mcp-client-2025-11-20"}),
    "speed": frozenset({"fast-mode-2026-02-01"}),
}
"""Parameters that are known only beside one of these names."""

BETA_FIELDS: Final[dict[str, frozenset[str]]] = {
    "defer_loading": frozenset({"tool-search-tool-2025-10-19", "advanced-tool-use-2025-11-20"}),
    "input_examples": frozenset({"tool-examples-2025-10-29", "advanced-tool-use-2025-11-20"}),
    "allowed_callers": frozenset({"advanced-tool-use-2025-11-20"}),
    "eager_input_streaming": frozenset({"fine-grained-tool-streaming-2025-05-14"}),
    "scope": frozenset({"prompt-caching-scope-2026-01-05"}),
    "output_config": frozenset({"per-turn-control-2026-07-01", "mid-conversation-output-config-2026-07-01"}),
}
"""Fields of tools, of cache marks (`scope`) and of turns (`output_config`), each known only beside one of these names.

Source: platform.claude.com tool search, programmatic tool calling, tool use examples, fine-grained tool streaming;
anthropics/claude-code#82549 and #49490, BerriAI/litellm#36683: "Extra inputs are not permitted" (read 2026-11).
"""
