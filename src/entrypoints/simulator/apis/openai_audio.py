"""`POST /v1/audio/speech`, `/transcriptions` and `/translations`.

Source: openai-python 3.52 types (read 2026-11).
"""

import base64
import struct
import zlib
from collections.abc import Iterable
from functools import cached_property
from typing import Any

from typing_extensions import override

from entrypoints.simulator.answers import words_of
from entrypoints.simulator.apis.endpoint import EVENT_STREAM, Body, encoded, event
from entrypoints.simulator.apis.forms import Upload, read_form
from entrypoints.simulator.apis.openai_errors import OpenAIEndpoint
from entrypoints.simulator.behaviour import Behaviour
from entrypoints.simulator.oddities import framed

_SPEECH_TYPES = {
    "mp3": "audio/mpeg",
    "opus": "audio/opus",
    "aac": "audio/aac",
    "flac": "audio/flac",
    "wav": "audio/wav",
    "pcm": "audio/pcm",
}

_BYTES_A_WORD = 1024


class Speech(OpenAIEndpoint):
    """Bytes that follow from the text, a kilobyte a word, written a word at a time."""

    @override
    def check(self) -> None:
        self.need("input", "voice")
        if self.format not in _SPEECH_TYPES:
            self.refuse("'response_format' is none of them.", "invalid_value", "response_format")

    @property
    def format(self) -> str:
        """The wanted encoding."""
        return str(self.fields.get("response_format") or "mp3")

    @property
    def _as_events(self) -> bool:
        return self.fields.get("stream_format") == "sse"

    @property
    @override
    def stream_type(self) -> str:
        return EVENT_STREAM if self._as_events else _SPEECH_TYPES[self.format]

    @override
    def asked(self) -> dict[str, Any]:
        return {"messages": [{"role": "user", "content": str(self.fields["input"])}]}

    @override
    def streams(self) -> bool:
        return True

    @override
    def plain(self, behaviour: Behaviour) -> Body:
        return Body(b"".join(self._sound(behaviour)), _SPEECH_TYPES[self.format])

    @override
    def blocks(self, behaviour: Behaviour) -> Iterable[bytes]:
        pieces = self._sound(behaviour)
        if not self._as_events:
            return pieces
        parts = [event({"type": "speech.audio.delta", "audio": base64.b64encode(piece).decode()}) for piece in pieces]
        asked = len(words_of(str(self.fields["input"])))
        usage = {"input_tokens": asked, "output_tokens": len(pieces), "total_tokens": asked + len(pieces)}
        return framed([*parts, event({"type": "speech.audio.done", "usage": usage})], behaviour.odd)

    def _sound(self, behaviour: Behaviour) -> list[bytes]:
        words = self.answer(behaviour).pieces
        sound = [zlib.crc32(f"{self.format}/{word}".encode()).to_bytes(4, "big") * 256 for word in words]
        size = len(sound) * _BYTES_A_WORD
        head = struct.pack("<4sI4s4sIHHIIHH4sI", b"RIFF", size + 36, b"WAVE", b"fmt ", 16, 1, 1, 24000, 48000, 2, 16,
                           b"data", size)  # fmt: skip
        return [head, *sound] if self.format == "wav" else sound

    @override
    def error_block(self) -> bytes:
        return super().error_block() if self._as_events else b""

    @override
    def broken_block(self) -> bytes:
        return super().broken_block() if self._as_events else b""


class Transcription(OpenAIEndpoint):
    """Says which file came, how long it is, and of what type."""

    @override
    def check(self) -> None:
        if not self.model:
            self.refuse("The form needs a 'model'.", "missing_required_parameter", "model")
        if self._form.file("file") is None:
            self.refuse("The form needs a 'file'.", "missing_required_parameter", "file")

    @cached_property
    def _form(self) -> Upload:
        return read_form(self.call.headers.get("content-type", ""), self.call.body)

    @property
    @override
    def model(self) -> str:
        return self._form.fields.get("model", "")

    @override
    def streams(self) -> bool:
        return self._form.fields.get("stream", "").lower() == "true"

    @override
    def asked(self) -> dict[str, Any]:
        form, file = self._form, self._form.file("file")
        language = f" in {form.fields['language']}" if "language" in form.fields else ""
        said = f"{file}{language}"
        return {"messages": [{"role": "user", "content": said}]}

    @override
    def plain(self, behaviour: Behaviour) -> Body:
        text = self.answer(behaviour).text
        match self._form.fields.get("response_format", "json"):
            case "text":
                return Body(f"{text}\n".encode(), "text/plain; charset=utf-8")
            case "srt":
                return Body(f"1\n00:00:00,000 --> 00:00:01,000\n{text}\n\n".encode(), "text/plain; charset=utf-8")
            case "vtt":
                vtt = f"WEBVTT\n\n00:00:00.000 --> 00:00:01.000\n{text}\n\n"
                return Body(vtt.encode(), "text/plain; charset=utf-8")
            case "verbose_json":
                return Body(encoded(self._verbose(text)))
            case _:
                return Body(encoded({"text": text} | self._usage(behaviour)))

    def _verbose(self, text: str) -> dict[str, Any]:
        segment = {"id": 0, "seek": 0, "start": 0.0, "end": 1.0, "text": text, "tokens": [1], "temperature": 0.0}
        segment |= {"avg_logprob": -0.5, "compression_ratio": 1.0, "no_speech_prob": 0.0}
        task = "translate" if self.call.captures["task"] == "translations" else "transcribe"
        body = {"task": task, "language": self._form.fields.get("language", "english"), "duration": 1.0, "text": text}
        return {**body, "segments": [segment], "usage": {"type": "duration", "seconds": 1}}

    def _usage(self, behaviour: Behaviour) -> dict[str, Any]:
        usage = self.answer(behaviour).usage
        if usage is None:
            return {}
        counts = {"input_tokens": usage["prompt_tokens"], "output_tokens": usage["completion_tokens"]}
        return {"usage": {"type": "tokens", **counts, "total_tokens": usage["total_tokens"]}}

    @override
    def blocks(self, behaviour: Behaviour) -> Iterable[bytes]:
        answer = self.answer(behaviour)
        values: list[dict[str, Any]] = [{"type": "transcript.text.delta", "delta": piece} for piece in answer.pieces]
        values.append({"type": "transcript.text.done", "text": answer.text} | self._usage(behaviour))
        return framed([event(value) for value in values], behaviour.odd)
