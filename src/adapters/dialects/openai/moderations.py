"""OpenAI's moderations, passed on. Source: openai-python 3.52 types (November 2026)."""

from adapters.dialects.openai.endpoint import OpenAIEndpoint, text_of
from adapters.wire.answer import PlainAnswer
from adapters.wire.call import WireCall
from domain.moderations import ModerationRequest


class OpenAIModerations(OpenAIEndpoint[ModerationRequest]):
    """One upstream's moderations. It reports no usage."""

    name = "moderations"
    answer_name = "a moderation"

    def read(self, body: bytes, call: WireCall[ModerationRequest], content_type: str) -> PlainAnswer:  # noqa: ARG002 - JSON
        fields = self.fields_of(body, call, "results")
        return PlainAnswer(body, text_of(fields, "model") or call.model, None)
