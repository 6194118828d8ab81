"""Writes the table of docs/endpoints.md from the registry.

Run `uv run python -m tests.unit.adapters.providers.endpoints_page`.
"""

import re
from pathlib import Path

from adapters.ingress.carriers import over_chat_fidelity
from adapters.providers.kinds import KINDS

PAGE = Path(__file__).parents[4] / "docs" / "endpoints.md"

_COLUMNS = {
    "completions": "completions",
    "embeddings": "embeddings",
    "images.generations": "images",
    "images.edits": "edits",
    "audio.speech": "speech",
    "audio.transcriptions": "transcriptions",
    "audio.translations": "translations",
    "moderations": "moderations",
    "rerank": "rerank",
    "responses": "responses",
    "messages": "messages",
    "models.generate_content": "Gemini's",
}
_PLACE = re.compile(r"(<!-- endpoints -->\n).*?(<!-- /endpoints -->)", re.DOTALL)


def filled(page: str) -> str:
    """The page with its table brought up to date."""
    table = "\n".join(_table())
    return _PLACE.sub(lambda match: f"{match[1]}{table}\n{match[2]}", page)


def _table() -> list[str]:
    lines = [f"| provider | {' | '.join(_COLUMNS.values())} |", "| --- " * (len(_COLUMNS) + 1) + "|"]
    rows = [(entry, kind) for kind in KINDS for entry in kind.entries if kind.id != "simulated"]
    for entry, kind in sorted(rows, key=lambda row: row[0].preset.priority):
        own = kind.load().fidelity(entry)
        carried = over_chat_fidelity() if "chat.completions" in own else {}
        signs = ["✓" if name in own else "○" if name in carried else "" for name in _COLUMNS]
        lines.append(f"| `{entry.id}` | {' | '.join(signs)} |")
    return lines


if __name__ == "__main__":
    PAGE.write_text(filled(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
