"""PDF by Typst, one at a time beside the event loop. Its library (extra `pdf`) is imported with the first one."""

import asyncio
from collections.abc import Sequence
from typing import Final

import msgspec
from typing_extensions import override

from domain.errors import NotInstalled, RequestInvalid
from domain.ports.documents import DocumentSetter, Passage

MAX_CHARACTERS: Final = 2_000_000

# What people and models wrote comes in as data, never as markup.
_TEMPLATE: Final = rb"""
#let given = json(bytes(sys.inputs.given))
#let from-right = regex("^[^\\p{L}]*[\\p{Arabic}\\p{Hebrew}\\p{Syriac}\\p{Thaana}]")
#let line(words) = block(width: 100%, above: 0.7em, below: 0.7em, {
  set text(dir: rtl) if words.match(from-right) != none
  words
})
#let lines(words) = for each in words.split("\n") {
  if each.trim() == "" { v(0.4em) } else { line(each) }
}
#set document(title: given.title)
#set page(paper: "a4", margin: (x: 20mm, y: 18mm), numbering: "1")
#set text(size: 10.5pt, fallback: true)
#set par(leading: 0.7em)
#text(size: 16pt, weight: "bold", line(given.title))
#for passage in given.passages {
  block(above: 1.6em, below: 0.7em, sticky: true, strong(passage.heading))
  if passage.text != "" { lines(passage.text) }
  if passage.note != "" { text(size: 8.5pt, fill: luma(90), passage.note) }
}
"""


class TypstSetter(DocumentSetter):
    """With the fonts of the machine: Latin, Greek and Cyrillic are in the library, other scripts need fonts there."""

    def __init__(self) -> None:
        self._one_at_a_time = asyncio.Lock()

    @override
    async def pdf(self, title: str, passages: Sequence[Passage]) -> bytes:
        if sum(len(one.text) for one in passages) > MAX_CHARACTERS:
            raise RequestInvalid(
                f"A PDF takes {MAX_CHARACTERS:,} characters at most: print the page instead, or take Markdown.",
                code="request_too_large",
                param="format",
            )
        given = msgspec.json.encode({"title": title, "passages": passages}).decode()
        async with self._one_at_a_time:
            return await asyncio.to_thread(_set, given)


def _set(given: str) -> bytes:
    try:
        import typst
    except ImportError as error:
        raise NotInstalled(
            "PDF needs a library: pip install 'open-model-gateway[pdf]', or print the page.", param="format"
        ) from error
    made = typst.compile(_TEMPLATE, format="pdf", sys_inputs={"given": given})
    if not isinstance(made, bytes):
        raise TypeError(f"one document was asked for, not {type(made).__name__}")
    return made
