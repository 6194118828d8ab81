"""Numbers streamed tool calls from 0 without gaps, each id and name given once, arguments as text.

Clients add the fragments of a call together: a repeated id becomes `call_1call_1`, an index that starts at 1
or is missing raises in two SDKs, arguments as an object become `[object Object]` (wire facts, section 12). The AI SDK
reads the name from a call's first fragment alone, and so do Messages and Responses, whose items begin with it: what
comes of a call before its name (GLM, MiniMax) waits for it.
"""

import msgspec
from msgspec import UNSET, UnsetType

from adapters.wire.call import made_call_id

Fields = dict[str, msgspec.Raw]

_encode = msgspec.json.Encoder().encode
_decode_fields = msgspec.json.Decoder(Fields).decode
_decode_list = msgspec.json.Decoder(list[Fields]).decode


class FunctionDelta(msgspec.Struct):
    name: str | None = None
    arguments: str | dict[str, object] | list[object] | UnsetType | None = UNSET

    def text(self) -> str:
        """The arguments as far as they came."""
        return "" if self.arguments is None or self.arguments is UNSET else arguments_text(self.arguments)


class ToolDelta(msgspec.Struct):
    """A call as upstreams send it, whole or a fragment: `index` may be missing or a string."""

    index: int | str | None = None
    id: str | None = None
    type: str | None = None
    function: FunctionDelta | None = None
    custom: msgspec.Raw | UnsetType = UNSET

    def text_bytes(self) -> int:
        """Bytes of generated text in the fragment."""
        if self.function is None:
            return 0
        return len((self.function.name or "").encode()) + len(self.function.text().encode())

    @property
    def is_function(self) -> bool:
        return self.custom is UNSET and (self.function is not None or self.type in (None, "", "function"))


def arguments_text(arguments: object) -> str:
    """Tool arguments as the string OpenAI sends, whether they came as that, as an object, or not at all."""
    if isinstance(arguments, str):
        return arguments
    return "{}" if arguments is None else _encode(arguments).decode()


class _Call:
    __slots__ = ("arguments", "continued", "held", "held_text", "id", "index", "name", "said", "told")

    def __init__(self) -> None:
        self.index = 0  # among those told
        self.id = ""
        self.name = ""
        self.arguments = ""  # of the first fragment
        self.continued = False  # a second fragment came
        self.told = False
        self.said = False  # arguments were told
        self.held: Fields = {}  # the fields of what came before its name
        self.held_text = ""


class _Edit(msgspec.Struct):
    """What to change in one fragment; None leaves a field as it is."""

    keep: bool = True
    index: int | None = None
    id: str | None = None  # empty: remove
    name: str | None = None  # empty: remove
    type: str | None = None  # empty: remove
    arguments: str | None = None
    held_by: _Call | None = None  # keep its fields there until the name comes
    before: Fields | None = None  # fields that came before the name

    @property
    def is_empty(self) -> bool:
        return self == _UNCHANGED


_UNCHANGED = _Edit()


class ToolCallOrder:
    """The calls of one choice so far. `seed` makes ids for calls that have none."""

    def __init__(self) -> None:
        self._calls: list[_Call] = []
        self._by_index: dict[int, _Call] = {}
        self._told = 0

    def __bool__(self) -> bool:
        """Whether any call was told."""
        return self._told > 0

    @property
    def lacks_name(self) -> bool:
        """Whether arguments wait for a name. A call that says nothing at all is none."""
        return any(call.held_text.strip() for call in self._calls)

    def without_arguments(self) -> list[dict[str, object]]:
        """At the end: fragments for the calls that came without any, as a client decodes what it got. Given once."""
        empty = [call for call in self._calls if call.told and not call.said]
        for call in empty:
            call.said = True
        return [{"index": call.index, "function": {"arguments": "{}"}} for call in empty]

    def mend(self, deltas: list[ToolDelta], raw: msgspec.Raw, seed: str) -> msgspec.Raw | None:
        """The fragments to send instead, None where they are fine as they are."""
        edits = [self._edit(delta, seed) for delta in deltas]
        if all(edit.is_empty for edit in edits):
            return None
        calls = [_apply(edit, call) for edit, call in zip(edits, _decode_list(raw), strict=True)]
        return msgspec.Raw(_encode([call for call in calls if call is not None]))

    def _edit(self, delta: ToolDelta, seed: str) -> _Edit:
        function = delta.function or FunctionDelta()
        text = function.text()
        call = self._known(delta, function)
        first = call is None
        if call is None:
            call = self._begin(delta, seed)
            call.arguments = text
        call.said = call.said or bool(text.strip())
        if call.told:
            edit = self._later(delta, call, text)
            call.continued = True
            return edit
        call.continued = not first
        if not function.name and delta.is_function:
            call.held_text += text
            return _Edit(held_by=call)
        return self._tell(delta, call, text, first=first)

    def _tell(self, delta: ToolDelta, call: _Call, text: str, *, first: bool) -> _Edit:
        """The name is here."""
        function = delta.function
        call.name = (function.name if function is not None else None) or ""
        call.told = True
        call.said = call.said or not delta.is_function
        call.index = self._told
        self._told += 1
        edit = _Edit()
        if delta.index != call.index:
            edit.index = call.index
        if delta.id != call.id:
            edit.id = call.id
        if function is not None and delta.custom is UNSET and delta.type != "function":
            edit.type = "function"
        if call.held_text or (function is not None and not isinstance(function.arguments, str)):
            edit.arguments = call.held_text + text
        if not first:
            edit.before = call.held
        call.held, call.held_text = {}, ""
        return edit

    def _later(self, delta: ToolDelta, call: _Call, text: str) -> _Edit:
        edit = _Edit()
        function = delta.function
        name = function.name if function is not None else None
        if delta.index != call.index:
            edit.index = call.index
        if function is not None and function.arguments is not UNSET and not isinstance(function.arguments, str):
            edit.arguments = text
        if delta.type is not None:
            edit.type = ""
        if delta.id is not None:
            edit.id = ""
            # Without an index, a whole call sent twice is one call; its arguments must not be doubled.
            whole = delta.index is None and not call.continued and bool(text) and text == call.arguments
            edit.keep = not (whole and name == call.name)
        if name is not None and (name == call.name or not name):
            edit.name = ""
        return edit

    def _known(self, delta: ToolDelta, function: FunctionDelta) -> _Call | None:
        """The call this fragment continues, None where it begins one."""
        index = _number(delta.index)
        if index is not None:
            call = self._by_index.get(index)
            if call is None:
                return None if function.name else self._of_id(delta.id)
            another = delta.id and delta.id != call.id and function.name and call.name
            return None if another else call
        if delta.id:
            return self._of_id(delta.id)
        last = self._calls[-1] if self._calls else None
        return None if last is None or (function.name and last.told) else last

    def _of_id(self, call_id: str | None) -> _Call | None:
        return next((call for call in self._calls if call.id == call_id), None)

    def _begin(self, delta: ToolDelta, seed: str) -> _Call:
        call = _Call()
        known = {other.id for other in self._calls}
        call.id = delta.id if delta.id and delta.id not in known else made_call_id(f"{seed}/{len(known)}")
        self._calls.append(call)
        index = _number(delta.index)
        if index is not None:
            self._by_index[index] = call
        return call


def _number(index: int | str | None) -> int | None:
    if isinstance(index, str):
        return int(index) if index.isdecimal() else None
    return index


def _apply(edit: _Edit, call: Fields) -> Fields | None:
    """The fragment to send; None for none, or none yet."""
    if edit.held_by is not None:
        edit.held_by.held |= call
        return None
    if not edit.keep:
        return None
    if edit.before is not None:
        call = edit.before | call
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


def _set(fields: Fields, name: str, value: str | None) -> None:
    if value:
        fields[name] = msgspec.Raw(_encode(value))
    elif value is not None:
        fields.pop(name, None)
