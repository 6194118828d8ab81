"""`POST /v1/chat/completions`."""

import itertools
from collections.abc import Iterable, Iterator

from typing_extensions import override

from entrypoints.simulator.apis.endpoint import Body, encoded, event
from entrypoints.simulator.apis.openai_errors import OpenAIEndpoint
from entrypoints.simulator.behaviour import Behaviour
from entrypoints.simulator.completion import chunks, completion, word_chunk
from entrypoints.simulator.oddities import blocks_of


class Chat(OpenAIEndpoint):
    """Chat completions, plain and streamed."""

    @override
    def check(self) -> None:
        self.need("messages")
        if not isinstance(self.fields["messages"], list):
            self.refuse("The body needs a 'model' and 'messages'.", "missing_required_parameter", "messages")

    @property
    def identity(self) -> str:
        """The id of the answer."""
        return f"chatcmpl-sim{self.call.number}"

    @override
    def plain(self, behaviour: Behaviour) -> Body:
        return Body(encoded(completion(self.fields, self.answer(behaviour), self.identity)))

    @override
    def blocks(self, behaviour: Behaviour) -> Iterable[bytes]:
        return blocks_of(chunks(self.fields, self.answer(behaviour), self.identity), behaviour.odd)

    @override
    def endless(self, behaviour: Behaviour) -> Iterator[bytes]:
        for number in itertools.count():
            yield event(word_chunk(self.fields, self.identity, number))
