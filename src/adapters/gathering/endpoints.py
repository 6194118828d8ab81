"""Which gatherer an endpoint has. What gathers is imported when the first answer is gathered: few users need it."""

from typing_extensions import override

from domain.ports.gathering import Gatherer, Gatherers

_KNOWN = frozenset({"chat.completions", "completions", "messages", "models.generate_content", "responses"})


class EndpointGatherers(Gatherers):
    """Of all endpoints whose answers are texts."""

    @override
    def knows(self, endpoint: str) -> bool:
        return endpoint in _KNOWN

    @override
    def of(self, endpoint: str) -> Gatherer:
        if endpoint == "messages":
            from adapters.gathering.messages import MessageGatherer

            return MessageGatherer()
        if endpoint == "models.generate_content":
            from adapters.gathering.contents import ContentGatherer

            return ContentGatherer()
        if endpoint == "responses":
            from adapters.gathering.responses import ResponseGatherer

            return ResponseGatherer()
        from adapters.gathering.chat import ChunkGatherer

        return ChunkGatherer(text=endpoint == "completions")
