"""Writes docs/providers.md from the registry: `uv run python -m tests.unit.adapters.providers.page`."""

from datetime import date
from pathlib import Path

from adapters.dialects.openai.quirks import EndpointQuirks, Quirks
from adapters.providers.kind import Entry
from adapters.providers.kinds import ENTRIES
from domain.free_tiers import FRESH_DAYS, is_outdated

PAGE = Path(__file__).parents[4] / "docs" / "providers.md"

_INTRO = """# Providers

Set one of a provider's variables and it is on, with that key and nothing else to configure; or add it
through the [admin API](admin-api.md), with several keys and weights. Lower priority numbers are tried first.
`auto` asks each provider for its default model. `omg providers list` shows which are on, and why one is not.

Any other OpenAI-compatible URL works too, without a preset: give the provider a `base_url`, with or without
`/v1`. A provider of any name that points at one of the hosts below gets that host's quirks; `settings.preset`
chooses them by name.

What each of them serves besides chat is in [endpoints](endpoints.md). This page is written from
the tables of `src/adapters/providers/`, and a test keeps it in step.
[Adding a provider](adding-a-provider.md) is one more row.
"""

BRIEFLY = {
    "renewing": "[yes](#free-tiers)",
    "credit": "[once](#free-tiers)",
    "none": "none",
    "ended": "ended",
    "own": "your own machine",
    "unknown": "–",
}

_FREE_TIERS = f"""
## Free tiers

What costs nothing, when and where that was last read. *Official* is the provider's own word, *observed* was measured,
*secondhand* is in others' code. Facts that were more than {FRESH_DAYS} days old when the newest of this page were read
are marked **outdated**; the gateway marks them by the day you ask (`omg providers list`, `GET /admin/provider-kinds`,
what a first start prints), and a provider's own headers and refusals always win.

| provider | what | as of | source |
| --- | --- | --- | --- |"""

_QUIRKS = """
## Quirks

What the gateway does for you because the provider differs from OpenAI. *Dropped* parameters are left out and named in
`x-omg-dropped-params`; *refused* ones are sent on, because leaving them out would change the answer's meaning, and the
provider says no. The same facts for programs: `GET /admin/provider-kinds`.

"""


def render() -> str:
    """The whole page."""
    entries = sorted(ENTRIES, key=lambda entry: entry.priority)
    lines = ["", "| id | provider | variables | priority | default model | free tier |", "| --- " * 6 + "|"]
    lines += [_row(entry) for entry in entries]
    free = [_FREE_TIERS, *(_free_row(entry) for entry in entries if entry.preset.free_tier.as_of)]
    notes = [f"- **{entry.id}**: {'; '.join(found)}." for entry in entries if (found := notes_of(entry))]
    return _INTRO + "\n".join(lines) + "\n" + "\n".join(free) + "\n" + _QUIRKS + "\n".join(notes) + "\n"


def _row(entry: Entry) -> str:
    preset = entry.preset
    name = f"[{preset.name}]({preset.key_url})" if preset.key_url else preset.name
    variables = ", ".join(f"`{variable}`" for variable in (*preset.env, *preset.ambient)) or "–"
    model = f"`{preset.default_model}`" if preset.default_model else "–"
    page = "simulator.md" if preset.kind == "simulated" else f"providers/{preset.id}.md"
    facts = f"{variables} | {preset.priority} | {model} | {BRIEFLY[preset.free_tier.kind]}"
    return f"| [`{preset.id}`]({page}) | {name} | {facts} |"


def newest_fact() -> date:
    """The day on which this page is up to date: that of the newest fact in it."""
    return max(day for entry in ENTRIES if (day := entry.preset.free_tier.as_of))


def _free_row(entry: Entry) -> str:
    tier = entry.preset.free_tier
    read = {(tier.as_of, tier.confidence, tier.source)} if tier.as_of else set()
    seen = sorted(read | {(q.as_of, q.confidence, q.source) for q in tier.resolved()}, key=str, reverse=True)
    days = "<br>".join(f"{day}{' **outdated**' if is_outdated(day, newest_fact()) else ''}" for day, _, _ in seen)
    sources = "<br>".join(f"[{confidence}]({source})" for _, confidence, source in seen)
    words = tier.in_words().replace("*", "\\*")
    return f"| `{entry.id}` | {words} | {days} | {sources} |"


def notes_of(entry: Entry) -> list[str]:
    """What is particular about a provider, a clause each."""
    quirks, notes = entry.quirks, []
    if quirks.max_tokens_field is not None:
        notes.append(f"the token limit is sent as `{quirks.max_tokens_field}`")
    for name, new_name in quirks.rename.items():
        notes.append(f"`{name}` is sent as `{new_name}`")
    for name, table in quirks.rewrite.items():
        words = ", ".join("an object" if value == "{" else f"`{value}`" for value in table)
        notes.append(
            f"`{name}` of {words} is sent as {', '.join(f'`{value}`' for value in dict.fromkeys(table.values()))}"
        )
    if quirks.drop:
        notes.append(f"dropped: {_names(quirks.drop)}")
    if quirks.refused:
        notes.append(f"refused: {_names(quirks.refused)}")
    if not quirks.message_names:
        notes.append("`name` on messages is dropped")
    if quirks.message_fields:
        notes.append(f"{_names(quirks.message_fields)} in the history is sent back")
    notes += _answer_notes(quirks)
    if entry.paths:
        also = ", ".join(f"`{endpoint}`" for endpoint in entry.paths)
        notes.insert(0, f"also serves {also}")
    for endpoint, own in entry.endpoint_quirks.items():
        notes += _endpoint_notes(endpoint, own)
    if entry.models_path is None:
        notes.append("it lists no models")
    return notes


def _endpoint_notes(endpoint: str, own: EndpointQuirks) -> list[str]:
    notes = [f"`{name}` of {endpoint} is sent as `{new_name}`" for name, new_name in own.rename.items()]
    if own.drop:
        notes.append(f"of {endpoint} dropped: {_names(own.drop)}")
    if own.refused:
        notes.append(f"of {endpoint} refused: {_names(own.refused)}")
    if not own.token_ids:
        notes.append("token ids become text for its embeddings")
    return notes


def _answer_notes(quirks: Quirks) -> list[str]:
    notes = []
    if not quirks.stream_usage:
        notes.append("usage comes in streams without being asked for")
    if quirks.completion_excludes_reasoning:
        notes.append("reasoning tokens are added to `completion_tokens`, which leaves them out")
    if quirks.stop_with_tool_calls:
        notes.append("`stop` after tool calls is told as `tool_calls`")
    if quirks.quota_resets:
        notes.append(f"a spent quota is back with the next UTC {quirks.quota_resets} where it does not say")
    if quirks.limits:
        notes.append("its rate-limit headers are read")
    return notes


def _names(names: frozenset[str]) -> str:
    return ", ".join(f"`{name}`" for name in sorted(names))


if __name__ == "__main__":
    PAGE.write_text(render(), encoding="utf-8")
