"""Names and ids made fit for a target, and changed back in its answer.

A name that a target takes stays. Another one becomes its fit beginning with a digest behind it, always the same for
the same name: a conversation stays the same from turn to turn, for the model and for a cache.

    fs.read                                -> fs_read_5b1c2f0e
    functions.get_weather:0                -> call_3f0c…
"""

import hashlib
import re
import string
from collections.abc import Iterable
from typing import Final

import msgspec

from adapters.constraints.rules import Spelling

_ALPHANUMERIC: Final = string.digits + string.ascii_letters
_ID_DIGITS: Final = 24
_NAME_DIGITS: Final = 8

_encode = msgspec.json.Encoder().encode


def fit_id(call_id: str, spelling: Spelling) -> str:
    """The same short one for the same id, everywhere: so a tool's result still finds its call."""
    digest = hashlib.sha256(call_id.encode())
    fit = f"call_{digest.hexdigest()[:_ID_DIGITS]}"
    if spelling.takes(fit):
        return fit
    return "".join(_ALPHANUMERIC[byte % 62] for byte in digest.digest()[: spelling.most])


def fit_name(name: str, spelling: Spelling) -> str:
    """Its letters as far as they are taken, and a digest that keeps two names apart."""
    digits = hashlib.sha256(name.encode()).hexdigest()[:_NAME_DIGITS]
    begun = re.sub(f"[^{spelling.letters}]", "_", name)
    if spelling.first and not re.match(f"[{spelling.first}]", begun):
        begun = f"_{begun}"
    return f"{begun[: (spelling.most or len(begun) + 9) - 1 - _NAME_DIGITS]}_{digits}"


_NAMED: Final = re.compile(rb'("(?:name|id|call_id|tool_call_id|tool_use_id|tool_name)"\s*:\s*)("[^"\\]+")')


class Changes:
    """What was changed in one conversation, and back: `owner` is put before thoughts that its target encrypts."""

    def __init__(self, owner: str = "") -> None:
        self._fit: dict[str, str] = {}
        self._given: dict[bytes, bytes] = {}
        self._owner = owner.encode()

    def __bool__(self) -> bool:
        return bool(self._fit or self._owner)

    def name(self, name: str, spelling: Spelling | None) -> str:
        return name if spelling is None or spelling.takes(name) else self._note(name, fit_name(name, spelling))

    def call_id(self, call_id: str, spelling: Spelling | None) -> str:
        """An empty id stays: it belongs to no call, and is the client's to explain."""
        if spelling is None or not call_id or spelling.takes(call_id):
            return call_id
        return self._note(call_id, fit_id(call_id, spelling))

    def names_in(self, choice: object, spelling: Spelling | None) -> bool:
        """Change the names in a choice of tools, however deep they stand. Whether there was one to change."""
        changed = False
        if isinstance(choice, dict):
            for key, value in choice.items():
                if key == "name" and isinstance(value, str):
                    choice[key] = self.name(value, spelling)
                    changed = changed or choice[key] != value
                else:
                    changed = self.names_in(value, spelling) or changed
        elif isinstance(choice, list):
            for item in choice:
                changed = self.names_in(item, spelling) or changed
        return changed

    def _note(self, given: str, fit: str) -> str:
        if given not in self._fit:
            self._fit[given] = fit
            self._given[f'"{fit}"'.encode()] = _encode(given)
        return fit

    def undone(self, answer: bytes) -> bytes:
        """An answer in JSON, or whole events of one, with what was changed changed back.

        What stands inside a text has its quotes escaped, and stays.
        """
        if self._given:
            answer = _NAMED.sub(self._as_given, answer)
        if self._owner and _ENCRYPTED in answer:
            answer = _ENCRYPTED_TEXT.sub(rb"\g<0>" + self._owner, answer)
        return answer

    def _as_given(self, found: re.Match[bytes]) -> bytes:
        return found[1] + self._given.get(found[2], found[2])


_ENCRYPTED: Final = b'"encrypted_content"'
_ENCRYPTED_TEXT: Final = re.compile(rb'"encrypted_content"\s*:\s*"(?!")')


def misfit(texts: Iterable[str | None], spelling: Spelling | None) -> bool:
    """Whether any of them is not taken."""
    if spelling is None:
        return False
    fits = re.compile(spelling.pattern).fullmatch
    return any(text and fits(text) is None for text in texts)
