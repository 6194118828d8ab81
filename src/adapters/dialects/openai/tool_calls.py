"""Numbers streamed tool calls from 0 without gaps, each id and name told once, arguments as text.

Clients add the fragments of a call together: a repeated id becomes `call_1call_1`, an index that starts at 1
or is missing raises in two SDKs, arguments as an object become `[object Object]` (wire facts, section 12).
"""

import hashlib

import msgspec

from adapters.dialects.openai.response import arguments_text

_encode = msgspec.json.Encoder().encode
_decode_fields = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode
_decode_list = msgspec.json.Decoder(list[dict[str, msgspec.Raw]]).decode


class FunctionDelta(msgspec.Struct):
    name: str | None = None
    arguments: str | dict[str, object] | list[object] | None = None


class ToolDelta(msgspec.Struct):
    """One fragment of a call as upstreams send it: `index` may be missing or a string."""

    index: int | str | None = None
    id: str | None = None
    type: str | None = None
    function: FunctionDelta | None = None

    def text_bytes(self) -> int:
        """Bytes of generated text in the fragment."""
        if self.function is None:
            return 0
        arguments = self.function.arguments
        text = arguments_text(arguments) if arguments is not None else ""
        return len((self.function.name or "").encode()) + len(text.encode())


class _Call:
    __slots__ = ("arguments", "fragments", "id", "index", "name")

    def __init__(self, index: int) -> None:
        self.index = index
        self.id = ""
        self.name = ""
        self.arguments = ""  # of the first fragment
        self.fragments = 0


class _Edit(msgspec.Struct):
    """What to change in one fragment; None leaves a field as it is."""

    keep: bool = True
    index: int | None = None
    id: str | None = None  # empty: remove
    name: str | None = None  # empty: remove
    type: str | None = None  # empty: remove
    arguments: str | None = None

    @property
    def is_empty(self) -> bool:
        return self == _UNCHANGED


_UNCHANGED = _Edit()


class ToolCallOrder:
    """The calls of one choice so far. `seed` makes ids for calls that have none."""

    def __init__(self) -> None:
        self._calls: list[_Call] = []
        self._by_index: dict[int, _Call] = {}

    def __bool__(self) -> bool:
        return bool(self._calls)

    def mend(self, deltas: list[ToolDelta], raw: msgspec.Raw, seed: str) -> msgspec.Raw | None:
        """The fragments to send instead, None where they are fine as they are."""
        edits = [self._edit(delta, seed) for delta in deltas]
        if all(edit.is_empty for edit in edits):
            return None
        calls = [_apply(edit, call) for edit, call in zip(edits, _decode_list(raw), strict=True) if edit.keep]
        return msgspec.Raw(_encode(calls))

    def _edit(self, delta: ToolDelta, seed: str) -> _Edit:
        function = delta.function or FunctionDelta()
        arguments = function.arguments
        text = arguments if isinstance(arguments, str) else arguments_text(arguments) if arguments is not None else ""
        call = self._known(delta, function)
        first = call is None
        if call is None:
            call = self._begin(delta, seed)
        edit = _Edit()
        if delta.index != call.index:
            edit.index = call.index
        if arguments is not None and not isinstance(arguments, str):
            edit.arguments = text
        if first:
            call.arguments = text
            self._first(edit, delta, call)
        else:
            self._later(edit, delta, call, text)
        if function.name and not call.name:
            call.name = function.name
        call.fragments += 1
        return edit

    def _first(self, edit: _Edit, delta: ToolDelta, call: _Call) -> None:
        if not delta.id:
            edit.id = call.id
        if delta.type is None and delta.function is not None:
            edit.type = "function"

    def _later(self, edit: _Edit, delta: ToolDelta, call: _Call, text: str) -> None:
        name = delta.function.name if delta.function is not None else None
        if delta.id is not None:
            edit.id = edit.type = ""
            # Without an index, a whole call told twice is one call; its arguments must not be doubled.
            whole = delta.index is None and call.fragments == 1 and bool(text) and text == call.arguments
            edit.keep = not (whole and name == call.name)
        if name is not None and (name == call.name or not name):
            edit.name = ""

    def _known(self, delta: ToolDelta, function: FunctionDelta) -> _Call | None:
        """The call this fragment continues, None where it begins one."""
        index = _number(delta.index)
        if index is not None:
            call = self._by_index.get(index)
            another = call is not None and delta.id and delta.id != call.id and function.name
            return None if another else call
        if delta.id:
            return next((call for call in self._calls if call.id == delta.id), None)
        return None if not self._calls or function.name else self._calls[-1]

    def _begin(self, delta: ToolDelta, seed: str) -> _Call:
        call = _Call(len(self._calls))
        call.id = delta.id or "call_" + hashlib.sha256(f"{seed}/{call.index}".encode()).hexdigest()[:24]
        self._calls.append(call)
        index = _number(delta.index)
        if index is not None:
            self._by_index[index] = call
        return call


def _number(index: int | str | None) -> int | None:
    if isinstance(index, str):
        return int(index) if index.isdecimal() else None
    return index


def _apply(edit: _Edit, call: dict[str, msgspec.Raw]) -> dict[str, msgspec.Raw]:
    if edit.index is not None:
        call["index"] = msgspec.Raw(_encode(edit.index))
    _set(call, "id", edit.id)
    _set(call, "type", edit.type)
    if edit.name is not None or edit.arguments is not None:
        function = _decode_fields(call["function"])
        _set(function, "name", edit.name)
        if edit.arguments is not None:
            function["arguments"] = msgspec.Raw(_encode(edit.arguments))
        call["function"] = msgspec.Raw(_encode(function))
    return call


def _set(fields: dict[str, msgspec.Raw], name: str, value: str | None) -> None:
    if value:
        fields[name] = msgspec.Raw(_encode(value))
    elif value is not None:
        fields.pop(name, None)
