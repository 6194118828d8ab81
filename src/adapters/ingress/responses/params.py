"""What becomes of each parameter of OpenAI's Responses where chat carries it, and how what chat cannot is refused."""

from typing import Final

from domain.errors import UpstreamFailure
from domain.failover import FailureKind
from domain.fidelity import HONORED, Fidelity, dropped, mapped, refused

_NOTHING_KEPT: Final = "over chat nothing is kept: send the whole history in `input`, with `store: false`"

RESPONSES_OVER_CHAT: Final[Fidelity] = {
    "background": refused("over chat the answer cannot be fetched later"),
    "context_management": dropped("the history is sent as it is"),
    "conversation": refused(_NOTHING_KEPT),
    "include": mapped("logprobs", "encrypted reasoning comes unasked; other values are of tools chat has not"),
    "input": mapped("messages", "items an upstream made with tools of its own are left out"),
    "instructions": mapped("messages", "the first system message"),
    "max_output_tokens": mapped("max_completion_tokens"),
    "max_tool_calls": dropped("it limits tools that run at the provider"),
    "metadata": mapped("", "told back in the response"),
    "moderation": dropped(),
    "parallel_tool_calls": HONORED,
    "previous_response_id": refused(_NOTHING_KEPT),
    "prompt": refused("prompt templates are kept at OpenAI"),
    "prompt_cache_key": HONORED,
    "prompt_cache_options": HONORED,
    "prompt_cache_retention": HONORED,
    "reasoning": mapped("reasoning_effort", "the thoughts an upstream shows become the summary"),
    "safety_identifier": HONORED,
    "service_tier": HONORED,
    "store": dropped("over chat nothing is kept"),
    "stream": HONORED,
    "stream_options": mapped("", "events are never padded"),
    "temperature": HONORED,
    "text": mapped("response_format, verbosity"),
    "tool_choice": HONORED,
    "tools": mapped("tools", "functions, custom tools and namespaces; tools that run at the provider are left out"),
    "top_logprobs": mapped("logprobs, top_logprobs"),
    "top_p": HONORED,
    "truncation": dropped("a history that is too long is refused"),
    "user": HONORED,
}

RESPONSE_COUNTS: Final[Fidelity] = {
    name: cell if name in ("input", "instructions", "tools") else dropped("not counted")
    for name, cell in RESPONSES_OVER_CHAT.items()
} | {"previous_response_id": RESPONSES_OVER_CHAT["previous_response_id"]}
"""The same for a count of tokens, which is an estimate made here."""

_OF_CHAT: Final = {
    "max_completion_tokens": "max_output_tokens",
    "max_tokens": "max_output_tokens",
    "reasoning_effort": "reasoning",
    "response_format": "text",
    "verbosity": "text",
    "logprobs": "top_logprobs",
    "messages": "input",
    "messages.reasoning_content": "input.reasoning",
}


def of_chat(name: str) -> str:
    """A chat parameter by the name of the Responses parameter it was made from."""
    head, dot, rest = name.partition(".")
    return _OF_CHAT.get(name) or _OF_CHAT.get(head, head) + dot + rest


def not_over_chat(what: str, param: str, code: str = "unsupported_parameter") -> UpstreamFailure:
    """An upstream with a Responses API of its own may serve it; this one cannot."""
    return UpstreamFailure(
        FailureKind.UNSUPPORTED,
        f"{what} This provider is asked through its chat API.",
        status=400,
        type_="invalid_request_error",
        code=code,
        param=param,
    )
