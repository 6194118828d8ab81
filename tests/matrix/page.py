"""Writes docs/matrix.md: which endpoint does what over which adapter. `test_cells` holds every cell to what happens."""

from collections.abc import Callable, Mapping
from types import ModuleType

from tests.architecture.tree import ROOT
from tests.matrix import (
    chat,
    completions,
    content_counts,
    content_vectors,
    contents,
    counts,
    edits,
    listing,
    messages,
    moderations,
    pictures,
    ranking,
    responses,
    speech,
    transcriptions,
    translations,
    vectors,
)
from tests.matrix.bench import Bench
from tests.matrix.gaps import GAPS, LACKING, NO_ENDPOINT
from tests.matrix.rows import ROWS, Row

PAGE = ROOT / "docs" / "matrix.md"
COMMAND = "uv run python -m tests.matrix.page"

Cell = Callable[[Bench, Row], None]

INGRESSES: Mapping[str, tuple[str, ModuleType]] = {
    "chat.completions": ("`POST /v1/chat/completions`", chat),
    "completions": ("`POST /v1/completions`", completions),
    "responses": ("`POST /v1/responses`", responses),
    "messages": ("`POST /v1/messages`", messages),
    "messages.count_tokens": ("`POST /v1/messages/count_tokens`", counts),
    "models.generate_content": ("`POST /v1beta/models/{model}:generateContent`, `…:streamGenerateContent`", contents),
    "models.count_tokens": ("`POST /v1beta/models/{model}:countTokens`", content_counts),
    "models.embed_content": ("`POST /v1beta/models/{model}:batchEmbedContents`", content_vectors),
    "embeddings": ("`POST /v1/embeddings`", vectors),
    "images.generations": ("`POST /v1/images/generations`", pictures),
    "images.edits": ("`POST /v1/images/edits`", edits),
    "audio.speech": ("`POST /v1/audio/speech`", speech),
    "audio.transcriptions": ("`POST /v1/audio/transcriptions`", transcriptions),
    "audio.translations": ("`POST /v1/audio/translations`", translations),
    "moderations": ("`POST /v1/moderations`", moderations),
    "rerank": ("`POST /v1/rerank`", ranking),
    "models": ("`GET /{provider}/v1/models`", listing),
}

FEATURES: Mapping[str, str] = {
    "plain": "plain",
    "stream": "stream",
    "tools": "tools",
    "parallel_tools": "parallel tools",
    "images": "pictures",
    "system": "system prompt",
    "history": "history",
    "sampling": "sampling",
    "reasoning": "reasoning",
    "thinking_tools": "reasoning, then tools",
    "structured": "JSON schema",
    "stop": "stop sequence",
    "refusal": "refusal",
    "usage": "usage",
    "cached": "cached tokens",
    "error": "error 4xx",
    "error_in_stream": "error in a stream",
    "cut": "cut stream",
    "base64": "base64",
    "tokens": "token ids",
    "several": "several",
}

_HEAD = f"""# What works where

Each cell is a test: the official `openai`, `anthropic` and `google-genai` clients ask a real gateway, which asks the
[simulator](simulator.md) in the upstream's own wire format. ✓ is what they got. The page is written from the tests
(`{COMMAND}`), which fail where a cell is not what happens.

What the features are:

| feature | what is tried |
| --- | --- |
| plain, stream | the whole text arrives, with the reason why it ended |
| tools, parallel tools | calls of declared tools, plain and streamed; then their results are sent back and answered |
| pictures | a PNG beside the text reaches the model |
| system prompt | the model was given it |
| history | turns of one role in a row, and instructions in the middle |
| sampling | temperatures, seeds and limits are taken, mapped or dropped, and never an error |
| reasoning | thoughts come apart from the answer, plain and streamed |
| reasoning, then tools | a thought before a call goes back with the result, signed where the upstream signs |
| JSON schema | the answer fits the schema that was asked for |
| stop sequence | the text ends before it |
| refusal | an answer that the model or its filter withholds is told apart from an answer |
| usage, cached tokens | the upstream's tokens, plain and streamed; how many of them were read from a cache |
| error 4xx | a context that is too long is a 400 |
| error in a stream, cut stream | what came before arrives, and the client is told: never a complete answer (R-08) |
| base64, token ids | vectors as OpenAI's clients ask for them; input that is token ids |
| several | two pictures by one request |

A kind that serves an endpoint *over chat* has no such API itself: the gateway carries it over the upstream's chat.
"""


def cells() -> list[tuple[str, Row, str]]:
    """Endpoint, row and feature of every cell."""
    return [
        (endpoint, row, feature)
        for endpoint, (_, module) in INGRESSES.items()
        for row in ROWS
        for feature in FEATURES
        if hasattr(module, feature)
    ]


def gap(endpoint: str, row: Row, feature: str) -> str | None:
    """Why this cell does not work, or None where it does."""
    return lacking(endpoint, row) or GAPS.get((endpoint, row.label, feature))


def lacking(endpoint: str, row: Row) -> str | None:
    """Why this row does not serve the endpoint at all, or None where it does."""
    return NO_ENDPOINT if endpoint not in row.endpoints else LACKING.get((endpoint, row.label))


def cell(endpoint: str, feature: str) -> Cell:
    """What tries it."""
    found: Cell = getattr(INGRESSES[endpoint][1], feature)
    return found


def render() -> str:
    """The whole page."""
    parts = [_HEAD]
    reasons: list[str] = []
    for endpoint, (title, module) in INGRESSES.items():
        features = [feature for feature in FEATURES if hasattr(module, feature)]
        heads = " | ".join(FEATURES[feature] for feature in features)
        lines = [f"## {title}\n", f"| upstream | {heads} |", "| --- |" + " --- |" * len(features)]
        for row in ROWS:
            shown = " | ".join(_sign(gap(endpoint, row, feature), reasons) for feature in features)
            means = "embeddings" if endpoint == "models.embed_content" else "chat"
            carried = f" (over {means})" if endpoint in row.carried else ""
            lines.append(f"| {row.label}{carried} | {shown} |")
        parts.append("\n".join(lines) + "\n")
    notes = "\n".join(f"{number}. {reason}" for number, reason in enumerate(reasons, 1))
    return "\n".join([*parts, f"## Why not\n\n{notes}\n"])


def _sign(reason: str | None, reasons: list[str]) -> str:
    if reason is None:
        return "✓"
    if reason not in reasons:
        reasons.append(reason)
    return f"– ({reasons.index(reason) + 1})"


if __name__ == "__main__":
    PAGE.write_text(render())
