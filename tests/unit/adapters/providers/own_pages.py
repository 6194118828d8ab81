"""Writes a page for each OpenAI-compatible provider: `uv run python -m tests.unit.adapters.providers.own_pages`.

What it says is the provider's row of data, read from the registry; kinds with an API of their own have pages that
people write.
"""

from pathlib import Path

from adapters.providers.kind import Entry, Kind
from adapters.providers.kinds import ENTRIES, OPENAI
from domain.fidelity import Fidelity
from domain.free_tiers import age_in_words
from tests.unit.adapters.providers.page import newest_fact, notes_of

ROOT = Path(__file__).parents[4]
FOLDER = ROOT / "docs" / "providers"
_TABLES = "src/adapters/providers/openai_compatible"
_OVER_CHAT = ("completions", "responses", "messages", "messages.count_tokens", "models.generate_content")
_ROUTES = {
    "chat.completions": "`/v1/chat/completions`",
    "completions": "`/v1/completions`",
    "embeddings": "`/v1/embeddings`",
    "images.generations": "`/v1/images/generations`",
    "images.edits": "`/v1/images/edits`",
    "audio.speech": "`/v1/audio/speech`",
    "audio.transcriptions": "`/v1/audio/transcriptions`",
    "audio.translations": "`/v1/audio/translations`",
    "moderations": "`/v1/moderations`",
    "rerank": "`/v1/rerank`",
    "responses": "`/v1/responses`",
    "messages": "`/v1/messages`",
    "messages.count_tokens": "`/v1/messages/count_tokens`",
    "models.generate_content": "`/v1beta/models/{model}:generateContent`",
}


def entries() -> list[Entry]:
    """The providers whose pages are made here."""
    return [entry for entry in ENTRIES if entry.kind == OPENAI.id]


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
    """The file with the provider's row. Raises `StopIteration` where none has it."""
    tables = sorted((ROOT / _TABLES).glob("*.py"))
    found = next(table for table in tables if f'id="{entry.id}"' in table.read_text(encoding="utf-8"))
    return f"{_TABLES}/{found.name}"


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
    if words := preset.free_tier.in_words().replace("*", "\\*"):
        age = age_in_words(preset.free_tier, newest_fact())
        seen = f" (as of {preset.free_tier.as_of}{f'; {age}' if age else ''})" if preset.free_tier.as_of else ""
        facts.append(f"Free tier: {words}{seen}.")
    if not preset.requires_key:
        facts.append("It is called without a key where none is stored.")
    return [*lines, "", " ".join(facts)]


def _endpoints(entry: Entry) -> list[str]:
    chats = entry.chat_path is not None
    native = {"chat.completions", *entry.paths} if chats else {*entry.paths}
    lines = ["| endpoint | how |", "| --- | --- |"]
    for endpoint, route in _ROUTES.items():
        if endpoint in native:
            how = "its own"
        elif endpoint == "messages.count_tokens" and chats:
            how = "an estimate by the gateway"
        elif endpoint in _OVER_CHAT and chats:
            how = "carried over chat"
        else:
            how = "not there"
        lines.append(f"| {route} | {how} |")
    return lines


def _parameters(entry: Entry, kind: Kind) -> list[str]:
    """The cells that are not `honored`; the rest in a sentence."""
    lines = ["| endpoint | parameter | here | as | note |", "| --- | --- | --- | --- | --- |"]
    rows = [row for endpoint, table in kind.load().fidelity(entry).items() for row in _rows(endpoint, table)]
    if not rows:
        return ["Every parameter is sent on as it is. [What the words mean](../parameters.md)."]
    words = "Every other parameter is sent on as it is. [What the words mean](../parameters.md)."
    return [*lines, *rows, "", words]


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
        (FOLDER / f"{row.id}.md").write_text(page_of(row), encoding="utf-8")
