"""Turns a chat's messages into Gemini's contents and its system instruction.

    in:  [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Hello"}]
    out: contents [{"role": "user", "parts": [{"text": "Hello"}]}], instruction {"parts": [{"text": "Be brief."}]}

There are two roles; a tool's results are the user's, found by the function's name; and from Gemini 3 on a function call
of the history must carry the signature of the thought it came from. Source: google-genai 3.4 types; ai.google.dev
function calling, thought signatures, image, audio and document understanding (read 2026-11).
"""

import mimetypes
import re
from typing import Final
from urllib.parse import urlsplit

import msgspec

from adapters.wire.chat_history import HistoryCall, HistoryMessage, HistoryPart
from adapters.wire.files import read_data_url
from adapters.wire.sift import unsupported
from domain.errors import UpstreamFailure
from domain.failover import FailureKind

Part = dict[str, object]

_VERSION: Final = re.compile(r"gemini-(\d+)(?:\.(\d+))?")
_OLDER_THAN_JSON_SCHEMA: Final = 2.5
_ADDRESSES: Final = ("https://", "http://", "gs://")
_AUDIO: Final = {"mp3": "audio/mp3", "wav": "audio/wav", "pcm16": "audio/pcm"}


class GeminiSettings(msgspec.Struct, frozen=True):
    """What differs between the upstreams that speak Gemini's format. The defaults are those of the Gemini API.

    `json_schema`: takes JSON Schema as it is (`parametersJsonSchema`), from Gemini 2.5 on. `call_ids`: knows ids of
    function calls, from Gemini 3 on. `typed_files`: a file by address needs its media type. `drop` are parameters an
    operator wants left out.
    """

    json_schema: bool = True
    call_ids: bool = True
    typed_files: bool = False
    drop: tuple[str, ...] = ()


def generation(model: str) -> float:
    """3.8 for `models/gemini-3.8-flash`. A Gemini without a number is an alias of a new one (`gemini-flash-latest`)."""
    name = model.rpartition("/")[2].lower()
    found = _VERSION.match(name)
    if found is not None:
        return float(f"{found[1]}.{found[2] or 0}")
    return 3.0 if name.startswith("gemini") else 0.0


def takes_json_schema(settings: GeminiSettings, model: str) -> bool:
    return settings.json_schema and generation(model) >= _OLDER_THAN_JSON_SCHEMA


def media_part(part: HistoryPart, where: str, settings: GeminiSettings) -> Part:
    """The part of a message that is no text. `where` names it in errors; raises `UNSUPPORTED`."""
    if part.type == "image_url" and part.image_url is not None:
        return _by_address(part.image_url.url, f"{where}.image_url", settings)
    if part.type == "video_url" and part.video_url is not None:
        return _by_address(part.video_url.url, f"{where}.video_url", settings)
    if part.type == "input_audio" and part.input_audio is not None:
        form = part.input_audio.format
        return _inline(_AUDIO.get(form, f"audio/{form}"), part.input_audio.data)
    if part.type == "file" and part.file is not None:
        given = part.file.file_data or part.file.file_id or ""
        if part.file.file_data is None and not given.startswith(_ADDRESSES):
            raise unsupported(f"{where}.file.file_id", "send the file's content, or its address")
        if given.startswith(("data:", *_ADDRESSES)):
            return _by_address(given, f"{where}.file", settings, part.file.filename)
        return _inline(_type_of(part.file.filename or "") or "application/pdf", given)
    raise unsupported(f"{where}.type", f"there is no place for {part.type!r}")


def _by_address(url: str, where: str, settings: GeminiSettings, filename: str | None = None) -> Part:
    try:
        data = read_data_url(url)
    except ValueError as error:
        raise _broken(where, str(error)) from None
    if data is not None:
        return _inline(data.media_type, data.base64)
    if not url.startswith(_ADDRESSES):
        raise _broken(where, "it is neither a data URL nor an https address")
    media_type = _type_of(filename or "") or _type_of(urlsplit(url).path)
    if media_type is None and settings.typed_files:
        raise unsupported(where, "an address must end in a file name that tells its type; send a data URL")
    file = {"fileUri": url} if media_type is None else {"fileUri": url, "mimeType": media_type}
    return {"fileData": file}


def _inline(media_type: str, base64: str) -> Part:
    return {"inlineData": {"mimeType": media_type, "data": base64}}


def _type_of(name: str) -> str | None:
    return mimetypes.guess_type(name, strict=False)[0]


def _broken(where: str, why: str) -> UpstreamFailure:
    return UpstreamFailure(
        FailureKind.CLIENT_FAULT,
        f"Invalid '{where}': {why}.",
        status=400,
        type_="invalid_request_error",
        code="invalid_value",
        param=where,
    )


Content = dict[str, object]

FOREIGN_SIGNATURE: Final = "skip_thought_signature_validator"
"""Google's own word for calls that another model made."""

_SIGNED_FROM: Final = 3.0
_WITHOUT_INSTRUCTION: Final = ("gemma-1", "gemma-2", "gemma-3")
"""What they answer 400 to ("Developer instruction is not enabled") is said at the beginning instead."""

_NOTHING: Final = " "  # a text must not be empty


class ContentsWriter:
    """The conversation of one request."""

    def __init__(self, model: str, settings: GeminiSettings) -> None:
        self._settings = settings
        self._instructed = not model.rpartition("/")[2].startswith(_WITHOUT_INSTRUCTION)
        self._signed = generation(model) >= _SIGNED_FROM
        self._ids = settings.call_ids and self._signed
        self._names: dict[str, str] = {}  # of functions, by the id of their call
        self._contents: list[Content] = []
        self._system: list[str] = []
        self._shown: list[Part] = []  # what the results at hand show, besides what they say

    def write(self, messages: list[HistoryMessage]) -> tuple[list[Content], Content | None]:
        """Contents, never none, and the system instruction. Raises `UNSUPPORTED`."""
        results: list[Part] = []
        for index, message in enumerate(messages):
            where = f"messages.{index}"
            if message.role in {"tool", "function"}:
                results += self._results(message, where)
                continue
            if results:
                self._answer(results)
                results = []
            if message.role in {"system", "developer"}:
                self._system.append(message.text())
            elif message.role == "assistant":
                self._add("model", self._assistant(message, where))
            else:
                self._add("user", self._parts(message, where) or [{"text": _NOTHING}])
        if results:
            self._answer(results)
        instruction = "\n".join(text for text in self._system if text)
        if not self._contents:  # there must be one: what was said to the model is what it is asked
            return [_content("user", [{"text": instruction or _NOTHING}])], None
        if not instruction:
            return self._contents, None
        if not self._instructed:
            return [_content("user", [{"text": instruction}]), *self._contents], None
        return self._contents, {"parts": [{"text": instruction}]}

    def _answer(self, results: list[Part]) -> None:
        """Results of parallel calls stand side by side, and all that they show behind the last."""
        self._contents.append(_content("user", [*results, *self._shown]))
        self._shown = []

    def _add(self, role: str, parts: list[Part]) -> None:
        if parts:
            self._contents.append(_content(role, parts))

    def _parts(self, message: HistoryMessage, where: str) -> list[Part]:
        found: list[Part] = []
        for index, part in enumerate(message.parts):
            if part.type in {"text", "input_text", "output_text", "refusal"}:
                text = part.text or part.refusal
                if text:
                    found.append({"text": text})
            else:
                found.append(media_part(part, f"{where}.content.{index}", self._settings))
        return found

    def _assistant(self, message: HistoryMessage, where: str) -> list[Part]:
        parts = self._parts(message, where)
        if message.refusal:
            parts.append({"text": message.refusal})
        calls = message.tool_calls or []
        for index, call in enumerate(calls):
            if call.function is None:
                raise unsupported(f"{where}.tool_calls.{index}.type", f"there is no place for {call.type!r} calls")
            parts.append(self._call(call, first=index == 0))
        return parts

    def _call(self, call: HistoryCall, *, first: bool) -> Part:
        """Of the calls of one step the first alone is signed."""
        self._names[call.id] = call.name
        function_call: dict[str, object] = {"name": call.name, "args": call.arguments()}
        if self._ids:
            function_call["id"] = call.id
        part: Part = {"functionCall": function_call}
        google = call.extra_content.google if call.extra_content is not None else None
        signature = google.thought_signature if google is not None else None
        if signature:
            part["thoughtSignature"] = signature
        elif first and self._signed:
            part["thoughtSignature"] = FOREIGN_SIGNATURE
        return part

    def _results(self, message: HistoryMessage, where: str) -> list[Part]:
        """A tool's result as an object."""
        call_id = message.tool_call_id or ""
        name = self._names.get(call_id) or message.name or call_id or "unknown"
        response: dict[str, object] = {"name": name, "response": _as_object(message.text())}
        if self._ids and call_id in self._names:
            response["id"] = call_id
        self._shown += [part for part in self._parts(message, where) if "text" not in part]
        return [{"functionResponse": response}]


def _content(role: str, parts: list[Part]) -> Content:
    return {"role": role, "parts": parts}


def _as_object(text: str) -> object:
    """JSON as the object it is; but Gemini 3 resolves a `$ref` in it, and refuses the request for one it cannot find.

    Source: NousResearch/hermes-agent#93014, vercel/ai#14369 (read 2026-11).
    """
    if text.lstrip().startswith("{") and '"$ref"' not in text:
        try:
            value: object = msgspec.json.decode(text)
        except (msgspec.DecodeError, RecursionError):
            return {"result": text}
        if isinstance(value, dict):
            return value
    return {"result": text}
