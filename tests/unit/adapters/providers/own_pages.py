"""Writes a page for each OpenAI-compatible provider: `uv run python -m tests.unit.adapters.providers.own_pages`.

What it says is the provider's row of data, read from the registry; kinds with an API of their own have pages that
people write.
"""

from pathlib import Path

from adapters.providers.entry import Entry
from adapters.providers.kind import Kind
from adapters.providers.registry import ENTRIES, OPENAI
from domain.fidelity import Fidelity
from tests.unit.adapters.providers.page import notes_of

FOLDER = Path(__file__).parents[4] / "docs" / "providers"
_OVER_CHAT = ("completions", "responses", "messages", "messages.count_tokens")
_ROUTES = {
    "chat.completions": "`/v1/chat/completions`",
    "completions": "`/v1/completions`",
    "embeddings": "`/v1/embeddings`",
    "images.generations": "`/v1/images/generations`",
    "audio.speech": "`/v1/audio/speech`",
    "audio.transcriptions": "`/v1/audio/transcriptions`",
    "moderations": "`/v1/moderations`",
    "responses": "`/v1/responses`",
    "messages": "`/v1/messages`",
    "messages.count_tokens": "`/v1/messages/count_tokens`",
}


def entries() -> list[Entry]:
    """The providers whose pages are made here."""
    return [entry for entry in ENTRIES if entry.preset.kind == OPENAI.id]


def page_of(entry: Entry) -> str:
    """One provider's page."""
    preset = entry.preset
    parts = [f"# {preset.name}", "", *_set_up(entry), "", "## What works", "", *_endpoints(entry), ""]
    if notes := notes_of(entry):
        parts += ["## What is particular", "", *(f"- {_sentence(note)}" for note in notes), ""]
    parts += ["## Parameters", "", *_parameters(entry, OPENAI)]
    source = source_of(entry)
    return "\n".join([*parts, "", f"Written from `{source}`; [all providers](../providers.md).", ""])


def source_of(entry: Entry) -> str:
    """The module with the provider's row."""
    return f"src/adapters/providers/openai_compatible/{entry.preset.id.replace('-', '_')}.py"


def _set_up(entry: Entry) -> list[str]:
    preset = entry.preset
    lines = ["## Set it up", ""]
    if not preset.base_url:
        lines += [
            f'Add a provider with `{{"id": "mine", "kind": "{preset.kind}", "base_url": "https://host/v1"}}`',
            "through the [admin API](../admin-api.md) or [omg.yaml](../configuration.md), with a key if it needs one.",
        ]
        return lines
    steps = []
    if preset.key_url:
        steps.append(f"Make a key at [{preset.key_url.removeprefix('https://')}]({preset.key_url}).")
    if preset.env:
        others = f" (or {', '.join(f'`{name}`' for name in preset.env[1:])})" if preset.env[1:] else ""
        value = "…" if preset.requires_key else preset.base_url
        steps.append(f"`export {preset.env[0]}={value}`{others} and start the gateway.")
    else:
        steps.append(f'Add a provider `{{"id": "{preset.id}"}}` through the [admin API](../admin-api.md).')
    model = preset.default_model or "<model>"
    steps.append(f"Ask for `{preset.id}/{model}`, or for any id of `GET /{preset.id}/v1/models`.")
    lines += [f"{number}. {step}" for number, step in enumerate(steps, 1)]
    facts = [f"Base URL `{preset.base_url}`."]
    if preset.free_tier:
        facts.append(f"Free tier: {preset.free_tier}.")
    if not preset.requires_key:
        facts.append("It is called without a key where none is stored.")
    return [*lines, "", " ".join(facts)]


def _endpoints(entry: Entry) -> list[str]:
    native = {"chat.completions", *entry.paths}
    lines = ["| endpoint | how |", "| --- | --- |"]
    for endpoint, route in _ROUTES.items():
        if endpoint in native:
            how = "its own"
        elif endpoint == "messages.count_tokens":
            how = "an estimate by the gateway"
        elif endpoint in _OVER_CHAT:
            how = "carried over chat"
        else:
            how = "not there"
        lines.append(f"| {route} | {how} |")
    return lines


def _parameters(entry: Entry, kind: Kind) -> list[str]:
    """The cells that are not `honored`; the rest in a sentence."""
    lines = ["| endpoint | parameter | here | as | note |", "| --- | --- | --- | --- | --- |"]
    rows = [row for endpoint, table in kind.fidelity(entry).items() for row in _rows(endpoint, table)]
    if not rows:
        return ["Every parameter is sent on as it is. [What the words mean](../parameters.md)."]
    told = "Every other parameter is sent on as it is. [What the words mean](../parameters.md)."
    return [*lines, *rows, "", told]


def _rows(endpoint: str, table: Fidelity) -> list[str]:
    return [
        f"| {endpoint} | `{name}` | {cell.support} | {f'`{cell.to}`' if cell.to else ''} | {cell.note} |"
        for name, cell in sorted(table.items())
        if cell.support != "honored"
    ]


def _sentence(note: str) -> str:
    return f"{note[:1].upper()}{note[1:]}."


if __name__ == "__main__":
    for row in entries():
        (FOLDER / f"{row.preset.id}.md").write_text(page_of(row), encoding="utf-8")
