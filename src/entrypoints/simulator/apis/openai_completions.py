"""`POST /v1/completions`, the legacy text completions.

Source: openai-python 3.52 types (read 2026-11).
"""

from collections.abc import Iterable, Iterator
from typing import Any

from typing_extensions import override

from entrypoints.simulator.answers import SimulatedAnswer, answer_to, words_of
from entrypoints.simulator.apis.endpoint import Body, encoded, event
from entrypoints.simulator.apis.openai_errors import DONE, OpenAIEndpoint
from entrypoints.simulator.behaviour import Behaviour
from entrypoints.simulator.completion import CREATED
from entrypoints.simulator.oddities import framed

_DEFAULT_MAX_TOKENS = 16


class Completions(OpenAIEndpoint):
    """A text for each prompt, `n` times each."""

    @override
    def check(self) -> None:
        self.need("prompt")

    @property
    def prompts(self) -> list[str]:
        """Each prompt as a text; tokens as `<1 2 3>`."""
        given = self.fields["prompt"]
        if isinstance(given, list) and given and not isinstance(given[0], int):
            return [text_of(prompt) for prompt in given]
        return [text_of(given)]

    @override
    def asked(self) -> dict[str, Any]:
        return self._asked(" ".join(self.prompts))

    def _asked(self, prompt: str) -> dict[str, Any]:
        limit = self.fields.get("max_tokens")
        return {
            "messages": [{"role": "user", "content": prompt}],
            "max_tokens": _DEFAULT_MAX_TOKENS if limit is None else limit,
            "stop": self.fields.get("stop"),
        }

    def _choices(self, behaviour: Behaviour) -> list[tuple[tuple[str, ...], SimulatedAnswer]]:
        """The pieces of each choice's text, the echoed prompt among them, and the answer behind them."""
        count = self.fields.get("n") or 1
        found = []
        for prompt in self.prompts:
            answer = answer_to(self._asked(prompt), behaviour, self.fields)
            before = words_of(prompt) if self.fields.get("echo") else ()
            found += [((*before, *answer.pieces), answer)] * count
        return found

    def _usage(
        self, choices: list[tuple[tuple[str, ...], SimulatedAnswer]], behaviour: Behaviour
    ) -> dict[str, Any] | None:
        if behaviour.usage is not None:
            return self.answer(behaviour).usage
        prompt = sum(len(words_of(text)) for text in self.prompts)
        said = sum(len(answer.pieces) for _, answer in choices)
        return {"prompt_tokens": prompt, "completion_tokens": said, "total_tokens": prompt + said}

    @property
    def _head(self) -> dict[str, Any]:
        identity = f"cmpl-sim{self.call.number}"
        return {"id": identity, "object": "text_completion", "created": CREATED, "model": self.model}

    @override
    def plain(self, behaviour: Behaviour) -> Body:
        choices = self._choices(behaviour)
        shown = [
            self._choice(index, pieces, "".join(pieces), answer.finish_reason)
            for index, (pieces, answer) in enumerate(choices)
        ]
        usage = self._usage(choices, behaviour)
        return Body(encoded({**self._head, "choices": shown} | ({} if usage is None else {"usage": usage})))

    @override
    def blocks(self, behaviour: Behaviour) -> Iterable[bytes]:
        return framed([*map(event, self._chunks(behaviour)), DONE], behaviour.odd)

    def _chunks(self, behaviour: Behaviour) -> Iterator[dict[str, Any]]:
        options = self.fields.get("stream_options")
        with_usage = isinstance(options, dict) and options.get("include_usage") is True
        tail: dict[str, Any] = {"usage": None} if with_usage else {}
        choices = self._choices(behaviour)
        for index, (pieces, answer) in enumerate(choices):
            for piece in pieces:
                yield {**self._head, "choices": [self._choice(index, (piece,), piece, None)], **tail}
            yield {**self._head, "choices": [self._choice(index, (), "", answer.finish_reason)], **tail}
        usage = self._usage(choices, behaviour)
        if with_usage and usage is not None:
            yield {**self._head, "choices": [], "usage": usage}

    def _choice(self, index: int, pieces: tuple[str, ...], text: str, finish: str | None) -> dict[str, Any]:
        return {"text": text, "index": index, "logprobs": self._logprobs(pieces), "finish_reason": finish}

    def _logprobs(self, pieces: tuple[str, ...]) -> dict[str, Any] | None:
        wanted = self.fields.get("logprobs")
        if not isinstance(wanted, int) or not pieces:
            return None
        return {
            "tokens": list(pieces),
            "token_logprobs": [-0.5] * len(pieces),
            "top_logprobs": [{piece: -0.5} if wanted else {} for piece in pieces],
            "text_offset": [sum(map(len, pieces[:index])) for index in range(len(pieces))],
        }


def text_of(prompt: object) -> str:
    """A prompt, or tokens by their numbers."""
    if isinstance(prompt, list):
        return "<" + " ".join(str(token) for token in prompt) + ">"
    return str(prompt)
