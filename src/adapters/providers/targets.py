"""What each target takes of a conversation: a row for every provider, and for families of models that differ there.

Each value that is not the plain one has its source beside it: the refusal somebody met, or the page that says so. Most
rows begin with another and say what differs.
"""

from typing import Final

import msgspec

from adapters.constraints.rules import NOWHERE, PLAIN, WORD, Constraints, Spelling, Target


def row(like: Constraints, sources: dict[str, str], **different: object) -> Constraints:
    """Another row with these values. `sources` are by rule."""
    return msgspec.structs.replace(like, sources=like.sources | sources, **different)


_WORDS_64: Final = Spelling(WORD, 64)
_NAMES_64: Final = (
    "OpenAI: \"Expected a string that matches the pattern '^[a-zA-Z0-9_-]+$'\", at most 64 (litellm#17904)"
)
_REGISTERED: Final = 'Gemini: "Unsupported MIME type: image/jpg" (cherry-studio#3088)'
_TEMPLATES: Final = (
    '"System message must be at the beginning": templates of Qwen, Gemma, Llama (vllm#41114, ollama#17774)'
)
_UNMARKED: Final = "\"property 'cache_control' is unsupported\" (claude-code-router#193, zed#36215)"
_BLANK_AT_CLAUDE: Final = '"text content blocks must be non-empty" (opencode#5028, claude-code#6774)'
_BLANK: Final = "\"the message at position 8 with role 'assistant' must not be empty\" (kimi-code#1985, lobehub#8419)"
_ROOT: Final = "\"schema must have type 'object' and not have 'oneOf'/'anyOf'/'allOf'/'enum'/'not' at the top level\""
_ROOT_AT_CLAUDE: Final = '"input_schema does not support oneOf, allOf, or anyOf at the top level"'
_GEMINI_TURNS: Final = '"function call turn comes immediately after a user turn" (lobehub#10049, gemini-cli#26486)'
_BILLED: Final = "changes with each request and breaks caches (1rgs/claude-code-proxy#99, sglang#29169)"
_OWN_THOUGHTS: Final = "unknown fields of messages are refused (roo-code, cline: `extra_content`, `reasoning_details`)"

# Where nothing is known
_UNKNOWN: Final = row(
    PLAIN,
    {"tool_names": _NAMES_64, "systems": _TEMPLATES, "image_types": _REGISTERED, "billing_line": _BILLED},
    tool_names=_WORDS_64,
    systems="first",
    image_types="registered",
    billing_line="removed",
)

_CLAUDE_IDS: Final = Spelling(WORD)
_ID_PATTERN: Final = (
    "\"tool_use.id: String should match pattern '^[a-zA-Z0-9_-]+$'\" (claude-code-router#1808, bifrost#5097)"
)
_NINE: Final = Spelling("a-zA-Z0-9", 9, 9)
_MISTRAL_ORDER: Final = (
    "\"Unexpected role 'user' after role 'tool'\", code 3230 (mistral-common#169, zed#31736, crush#279)"
)


def _openai(like: Constraints) -> Constraints:
    """GPT models, wherever they are called: OpenAI itself judges the request."""
    return row(
        like,
        {
            "call_ids": '"string too long. Expected a string with maximum length 40" (vercel/ai#5171, litellm#11392)',
            "response_call_ids": "the same with 64 in Responses (experiential#801)",
            "tool_schemas": _ROOT,
        },
        call_ids=Spelling(r"\s\S", 40),
        response_call_ids=Spelling(r"\s\S", 64),
        systems="anywhere",
        tool_schemas="properties",
    )


def _claude(like: Constraints) -> Constraints:
    """Claude behind another's API."""
    return row(
        like,
        {"call_ids": _ID_PATTERN, "tool_schemas": _ROOT_AT_CLAUDE, "empty": _BLANK_AT_CLAUDE},
        call_ids=_CLAUDE_IDS,
        empty="filled",
        systems="anywhere",
        tool_schemas="object",
    )


def _mistral(like: Constraints) -> Constraints:
    """Mistral's models: its servers, and vLLM with its tokenizer, hold a conversation to the same order."""
    return row(
        like,
        {
            "call_ids": '"Tool call id was … but must be a-z, A-Z, 0-9, with a length of 9" (mistral-common, litellm)',
            "systems": "\"Unexpected role 'system' after role 'assistant'\" (mistral-common, validator)",
            "equal_roles": '"conversation roles must alternate user and assistant" (crush#279)',
            "after_tool": _MISTRAL_ORDER,
        },
        call_ids=_NINE,
        systems="first",
        equal_roles="merged",
        after_tool="assistant",
    )


def _gemma(like: Constraints) -> Constraints:
    return row(
        like,
        {
            "systems": _TEMPLATES,
            "equal_roles": '"Conversation roles must alternate user/assistant" (template of Gemma)',
        },
        systems="first",
        equal_roles="merged",
    )


GPT: Final = r"(?:^|/)(?:openai/)?(?:gpt-(?!oss)|chatgpt|o[1-9](?:-|$))"
CLAUDE: Final = r"claude"
MISTRAL: Final = r"mistral|mixtral|ministral|devstral|codestral|magistral|pixtral"
GEMMA: Final = r"gemma"
TEMPLATED: Final = r"qwen|llama|phi-|granite|nemotron|hermes"


def _any_model(base: Constraints) -> Target:
    """A place where models of every maker are served."""
    return Target(
        base, ((GPT, _openai(base)), (CLAUDE, _claude(base)), (MISTRAL, _mistral(base)), (GEMMA, _gemma(base)))
    )


UNKNOWN_SERVER: Final = _any_model(_UNKNOWN)

SIMULATED_TARGET: Final = Target(PLAIN)

_GATEWAY: Final = row(_UNKNOWN, {}, systems="anywhere")
GATEWAY: Final = Target(
    _GATEWAY, (*_any_model(_GATEWAY).families, (TEMPLATED, row(_GATEWAY, {"systems": _TEMPLATES}, systems="first")))
)
"""OpenRouter, Vercel: they pass on what their hosts know, and take cache marks."""

_LOCAL: Final = row(
    _UNKNOWN,
    {
        "equal_roles": '"Conversation roles must alternate" (templates of Gemma, Ministral: crush#279)',
        "texts": '"sequence item 0: expected str instance, list found" (opencode#25031)',
    },
    equal_roles="merged",
    texts="strings",
    tool_names=None,
)
LOCAL: Final = Target(_LOCAL, ((MISTRAL, _mistral(_LOCAL)),))
"""vLLM, llama.cpp, LM Studio: the template of the model judges the conversation."""

_HOST: Final = row(
    _UNKNOWN,
    {
        "texts": "\"Invalid 'content' type. Expected one of: ['str'], got list\" (claude-code-router#965)",
        "cache_marks": _UNMARKED,
        "tool_schemas": "DeepSeek: \"schema must be a JSON Schema of 'type: object', got 'type: null'\"",
        "foreign_thoughts": _OWN_THOUGHTS,
        "empty": _BLANK,
    },
    texts="strings",
    empty="filled",
    cache_marks=NOWHERE,
    tool_schemas="properties",
    foreign_thoughts="removed",
)
HOST: Final = _any_model(_HOST)
"""Hosts of open models."""

OLLAMA_CLOUD_TARGET: Final = Target(row(_HOST, {}, foreign_thoughts="kept"), HOST.families)
"""Ollama's own servers take thoughts back in every field."""

_MAKER: Final = row(_HOST, {}, systems="anywhere")
MAKER: Final = Target(_MAKER)
"""Those who serve the models they make, in OpenAI's format."""

_OPENAI: Final = row(
    _openai(_UNKNOWN),
    {"cache_marks": _UNMARKED, "foreign_thoughts": _OWN_THOUGHTS},
    cache_marks=NOWHERE,
    foreign_thoughts="removed",
)
OPENAI_TARGET: Final = Target(_OPENAI)

MISTRAL_TARGET: Final = Target(row(_mistral(_HOST), {}, texts="parts"))
DEEPSEEK_TARGET: Final = Target(
    row(
        _MAKER,
        {
            "texts": '"invalid type: sequence, expected a string" (qwen-code#2320, litellm#6642, openclaude#774)',
            "equal_roles": '"does not support successive user or assistant messages" (DeepSeek-R1#21, litellm#8018)',
        },
        equal_roles="merged",
    )
)
PERPLEXITY_TARGET: Final = Target(
    row(
        _MAKER,
        {
            "systems": '"after the (optional) system message(s), user and assistant roles should be alternating"',
            "equal_roles": "the same",
        },
        systems="first",
        equal_roles="merged",
    )
)
DASHSCOPE_TARGET: Final = Target(
    row(
        _HOST,
        {"cache_marks": "Model Studio, explicit context cache: `cache_control` on parts"},
        cache_marks=PLAIN.cache_marks,
        texts="parts",
    )
)
GEMINI_COMPATIBLE: Final = Target(
    row(_MAKER, {"equal_roles": _GEMINI_TURNS}, texts="parts", foreign_thoughts="kept", equal_roles="merged")
)
CLOUDFLARE_TARGET: Final = Target(
    row(
        _HOST,
        {"texts": "\"Type mismatch of '/messages/0/content', 'array' not in 'string'\" (litellm#34002)"},
    ),
    HOST.families,
)

# Anthropic's format
_ANTHROPIC: Final = row(
    PLAIN,
    {
        "tool_names": "\"tools.0.custom.name: String should match pattern '^[a-zA-Z0-9_-]{1,128}$'\" (vercel/ai#17769)",
        "call_ids": _ID_PATTERN,
        "image_types": "\"media_type: Input should be 'image/jpeg', 'image/png', 'image/gif' or 'image/webp'\"",
        "empty": _BLANK_AT_CLAUDE,
        "tool_schemas": _ROOT_AT_CLAUDE,
        "foreign_thoughts": '"Invalid `signature` in `thinking` block" (platform.claude.com, thinking)',
    },
    tool_names=Spelling(WORD, 128),
    call_ids=_CLAUDE_IDS,
    image_types="registered",
    empty="filled",
    tool_schemas="object",
    foreign_thoughts="removed",
)
ANTHROPIC_TARGET: Final = Target(_ANTHROPIC)

_VERTEX_BETAS: Final = frozenset(
    {
        "compact-2026-01-12",
        "compact-2026-09-04",
        "computer-use-2025-01-24",
        "computer-use-2025-11-24",
        "context-1m-2025-08-07",
        "context-management-2025-06-27",
        "dangerous-tool-use-2026-09-03",
        "interleaved-thinking-2025-05-14",
        "per-turn-control-2026-07-01",
        "thinking-binding-controls-2026-08-01",
        "thinking-display-updates-2026-08-18",
        "tool-search-tool-2025-10-19",
        "web-search-2025-03-05",
    }
)
_BEDROCK_BETAS: Final = frozenset(
    {
        "computer-use-2024-10-22",
        "computer-use-2025-01-24",
        "computer-use-2025-11-24",
        "context-1m-2025-08-07",
        "context-management-2025-06-27",
        "dev-full-thinking-2025-05-14",
        "effort-2025-11-24",
        "interleaved-thinking-2025-05-14",
        "output-128k-2025-02-19",
        "token-efficient-tools-2025-02-19",
        "tool-examples-2025-10-29",
        "tool-search-tool-2025-10-19",
    }
)
_NO_SYSTEM_TURN: Final = "unexpected role `system`: its turns are newer than the clouds (claude-code#82549)"
_BETA_REFUSED: Final = (
    '"invalid beta flag", "Extra inputs are not permitted" (claude-code#82549, #49490, litellm#36683)'
)

_GEMINI: Final = row(
    _UNKNOWN,
    {
        "tool_names": '"Invalid function name. Must start with a letter or an underscore", at most 64 (google-genai)',
        "equal_roles": _GEMINI_TURNS,
        "empty": '"contents.parts must not be empty"',
        "cache_marks": "Gemini knows no `cache_control`: what repeats is cached by itself",
    },
    tool_names=Spelling(WORD, 64, first="a-zA-Z_"),
    systems="anywhere",
    equal_roles="merged",
    empty="filled",
    cache_marks=NOWHERE,
)
GEMINI_TARGET: Final = Target(_GEMINI)
VERTEX_TARGET: Final = Target(
    _GEMINI,
    (
        (
            CLAUDE,
            row(
                _ANTHROPIC,
                {
                    "betas": _BETA_REFUSED + "; names: litellm, anthropic_beta_headers_config",
                    "billing_line": _BILLED,
                    "systems": _NO_SYSTEM_TURN,
                },
                betas=_VERTEX_BETAS,
                systems="first",
                billing_line="removed",
            ),
        ),
    ),
)

_BEDROCK: Final = row(
    _ANTHROPIC,
    {
        "tool_names": '"toolConfig.tools.0.toolSpec.name: must satisfy [a-zA-Z0-9_-]+", at most 64 (botocore)',
        "call_ids": '"toolUseId: must satisfy [a-zA-Z0-9_.:-]+", at most 64 (botocore); Claude takes fewer letters',
        "cache_marks": '"does not support prompt caching" (litellm#39210, ironclaw#1935)',
        "betas": _BETA_REFUSED,
        "billing_line": _BILLED,
        "systems": _NO_SYSTEM_TURN,
    },
    tool_names=_WORDS_64,
    systems="first",
    call_ids=_WORDS_64,
    cache_marks=NOWHERE,
    betas=_BEDROCK_BETAS,
    billing_line="removed",
)
_BEDROCK_CLAUDE: Final = row(_BEDROCK, {}, cache_marks=PLAIN.cache_marks)
BEDROCK_TARGET: Final = Target(
    _BEDROCK,
    (
        (r"claude-(?:instant|v\d|2|3-(?:opus|sonnet|haiku))", _BEDROCK),
        (
            r"claude-(?:(?:opus|sonnet|haiku)-(?:4-[7-9]|[5-9])|fable|mythos)",
            row(_BEDROCK_CLAUDE, {}, betas=frozenset({"interleaved-thinking-2025-05-14"})),
        ),
        (CLAUDE, _BEDROCK_CLAUDE),
        (
            r"amazon\.nova",
            row(
                _BEDROCK,
                {"cache_marks": "Nova caches system and messages, not tools (Amazon Nova user guide, prompt caching)"},
                cache_marks=frozenset({"system", "messages"}),
            ),
        ),
    ),
)
"""Which models cache: Amazon Bedrock user guide, "Prompt caching", supported models (read 2026-11)."""

COHERE_TARGET: Final = Target(
    row(_HOST, {"cache_marks": "Cohere's v2/chat has no place for one"}, systems="anywhere", foreign_thoughts="kept")
)
OLLAMA_TARGET: Final = Target(
    row(
        _UNKNOWN,
        {"systems": _TEMPLATES, "cache_marks": "Ollama's /api/chat has no place for one"},
        tool_names=None,
        cache_marks=NOWHERE,
    )
)
