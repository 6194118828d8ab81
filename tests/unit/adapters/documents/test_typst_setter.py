"""Conversations as PDF: what was written is text in it, never markup; without the library it is said what to do."""

import sys

import pytest

from adapters.documents.typst_setter import MAX_CHARACTERS, TypstSetter
from domain.errors import NotInstalled, RequestInvalid
from domain.ports.documents import Passage

WRITTEN = [
    "#panic()",
    '#read("/etc/passwd")',
    "= no heading *and* $x$ _so_ @on <label> `code` \\ // #",
    "مرحبا بالعالم",
    "你好，世界",
    "line\n\n  another\ttab",
    "",
    "\u0000\ufffd\u202e",
]


@pytest.mark.slow
async def test_whatever_is_written_is_text_of_a_pdf() -> None:
    pytest.importorskip("typst")
    passages = [Passage(f"# {text}", text, text) for text in WRITTEN]

    made = await TypstSetter().pdf("#panic() = title", passages)

    assert made.startswith(b"%PDF-")
    assert made.rstrip().endswith(b"%%EOF")


async def test_without_the_library_it_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "typst", None)

    with pytest.raises(NotInstalled, match=r"open-model-gateway\[pdf\]"):
        await TypstSetter().pdf("Title", [Passage("You", "Hello")])


async def test_what_is_too_long_is_refused_before_it_is_set() -> None:
    with pytest.raises(RequestInvalid, match="print the page"):
        await TypstSetter().pdf("Title", [Passage("You", "x" * (MAX_CHARACTERS + 1))])
