"""`POST /v1/images/generations` and `POST /v1/images/edits`. Source: openai-python 3.52 types (read 2026-11)."""

import zlib
from collections.abc import Iterable, Iterator
from functools import cached_property
from typing import Any, ClassVar

from typing_extensions import override

from entrypoints.simulator.answers import words_of
from entrypoints.simulator.apis.endpoint import Body, encoded, event
from entrypoints.simulator.apis.forms import Upload, is_form, read_form
from entrypoints.simulator.apis.openai_errors import OpenAIEndpoint
from entrypoints.simulator.behaviour import Behaviour
from entrypoints.simulator.completion import CREATED
from entrypoints.simulator.oddities import framed
from entrypoints.simulator.pictures import png_text


class Images(OpenAIEndpoint):
    """Small pictures, as base64 or as an address where nothing is."""

    events: ClassVar[str] = "image_generation"

    @override
    def check(self) -> None:
        self.need("prompt")
        if self.model.startswith("gpt-image") and "response_format" in self.fields:
            self.refuse("Unknown parameter: 'response_format'.", "unknown_parameter", "response_format")

    @property
    def prompt(self) -> str:
        """What to draw."""
        return str(self.fields["prompt"])

    @override
    def plain(self, behaviour: Behaviour) -> Body:
        body: dict[str, Any] = {
            "created": CREATED,
            "data": [self._picture(number) for number in range(self.fields.get("n") or 1)],
        }
        for name, default in (("size", "1024x1024"), ("quality", "high"), ("output_format", "png")):
            given = self.fields.get(name)
            body[name] = default if given in {None, "auto"} else given
        body["background"] = "opaque"
        return Body(encoded(body | self._usage(behaviour)))

    def _picture(self, number: int) -> dict[str, Any]:
        if self.fields.get("response_format") == "url":
            shown = f"{zlib.crc32(self.prompt.encode()):08x}-{number}"
            return {"url": f"https://pictures.example/{shown}.png", "revised_prompt": self.prompt}
        return {"b64_json": png_text(self.prompt, number)}

    def _usage(self, behaviour: Behaviour) -> dict[str, Any]:
        if behaviour.usage is False:
            return {}
        asked = behaviour.usage.prompt_tokens if behaviour.usage else len(words_of(self.prompt))
        drawn = behaviour.usage.completion_tokens if behaviour.usage else 16 * (self.fields.get("n") or 1)
        details = {"text_tokens": asked, "image_tokens": 0}
        return {
            "usage": {
                "input_tokens": asked,
                "output_tokens": drawn,
                "total_tokens": asked + drawn,
                "input_tokens_details": details,
            }
        }

    @override
    def blocks(self, behaviour: Behaviour) -> Iterable[bytes]:
        return framed([event(value, value["type"]) for value in self._events(behaviour)], behaviour.odd)

    def _events(self, behaviour: Behaviour) -> Iterator[dict[str, Any]]:
        shared = {"created_at": CREATED, "size": "1024x1024", "quality": "high", "background": "opaque"}
        shared["output_format"] = "png"
        for number in range(self.fields.get("partial_images") or 0):
            kind = {"type": f"{self.events}.partial_image", "partial_image_index": number}
            yield {**kind, "b64_json": png_text(self.prompt, 100 + number), **shared}
        last = {"type": f"{self.events}.completed", "b64_json": png_text(self.prompt)}
        yield {**last, **shared, **self._usage(behaviour)}


class ImageEdits(Images):
    """The same out of a form or of JSON: what is drawn follows from the prompt and from the pictures that came."""

    events = "image_edit"

    @override
    def check(self) -> None:
        super().check()
        if not self._pictures:
            self.refuse("The form needs an 'image'.", "missing_required_parameter", "image")

    @cached_property
    def _form(self) -> Upload:
        return read_form(self.call.headers.get("content-type", ""), self.call.body)

    @property
    @override
    def fields(self) -> dict[str, Any]:
        if not is_form(self.call.headers.get("content-type", "")):
            return self.call.fields
        return {name: _typed(value) for name, value in self._form.fields.items()}

    @property
    def _pictures(self) -> list[str]:
        given = [str(file) for file in self._form.files if file.field in {"image", "image[]"}]
        return given or [str(picture) for picture in self.call.fields.get("images") or ()]

    @property
    @override
    def prompt(self) -> str:
        return " and ".join([str(self.fields["prompt"]), *self._pictures])


def _typed(value: str) -> object:
    if value in {"true", "false"}:
        return value == "true"
    return int(value) if value.isdecimal() else value
