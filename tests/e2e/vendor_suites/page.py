"""Writes docs/conformance.md from the table of exemptions: `uv run python -m tests.e2e.vendor_suites.page`."""

from collections.abc import Iterator

from tests.architecture.tree import ROOT
from tests.e2e.vendor_suites.suites import SUITES, Suite

PAGE = ROOT / "docs" / "conformance.md"

_INTRO = """# Conformance

What others have written to tell whether a service speaks an API, run against the gateway.

## The SDKs' own tests

`.ci/run` fetches the source distributions of the locked SDKs and runs these files of their `tests/api_resources`
against a gateway with the simulator behind it, loose and strict, blocking and not; only their clients are made here,
with a key of the gateway. Every case passes but those in the tables: what a *placeholder* sends the vendor refuses as
well, *not an endpoint* is not there, and *the SDK's own* cannot pass at the vendor's either. A case that fails and is
not listed is a failed check; so is a row that nothing needs any more. By hand: `VENDOR_SUITES=1 uv run pytest
tests/e2e/vendor_suites`.
"""

_OPEN_RESPONSES = """## Open Responses

The cases of its [compliance suite](https://github.com/openresponses/openresponses) are written anew in
`tests/e2e/test_open_responses.py`, with the schema of its response and of its events, and asked of a provider that has
Responses and of one that has only chat: text, streams, instructions, calls plain and streamed, results of calls,
pictures, files, several turns. All pass, with three exceptions.

| case | why not |
| --- | --- |
| WebSocket | there is none: an upgrade is refused |
| `previous_response_id` over chat | nothing that was said is kept: send the whole history, as the refusal says |
| file search, offline web search | optional there too: they want a provider that has these tools |
"""


def render() -> str:
    """The whole page."""
    return "\n".join([_INTRO, *(line for suite in SUITES for line in _of(suite)), _OPEN_RESPONSES])


def _of(suite: Suite) -> Iterator[str]:
    yield f"### {suite.package}"
    yield ""
    yield f"Files: {', '.join(f'`{name}`' for name in suite.files)}."
    yield ""
    if not suite.exempt:
        yield "All pass."
        yield ""
        return
    yield "| cases | why | reason |"
    yield "| --- | --- | --- |"
    for row in suite.exempt:
        yield f"| `{row.cases}` | {row.why} | {row.reason} |"
    yield ""


if __name__ == "__main__":
    PAGE.write_text(render(), encoding="utf-8")
