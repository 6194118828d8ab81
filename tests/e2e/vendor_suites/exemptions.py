"""Which cases of the vendors' suites the gateway does not pass, each with the reason: a table that the tests hold.

A case is `file::test` without the class and the variant; a row is a pattern of such cases.
"""

from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Final, Literal

Why = Literal["placeholder", "not an endpoint", "the SDK's own"]
"""`placeholder`: OpenAI refuses what the case sends. `not an endpoint`: the gateway has not got it. `the SDK's own`:
the case cannot pass against the vendor's service either.
"""


@dataclass(frozen=True, slots=True)
class Exemption:
    """Cases that fail, and why."""

    cases: str
    why: Why
    reason: str

    def covers(self, case: str) -> bool:
        return fnmatchcase(case, self.cases)


OPENAI: Final = (
    Exemption(
        "chat/test_completions.py::test_method_create_with_all_params_*",
        "placeholder",
        "`max_completion_tokens: 0`: at least 1",
    ),
    *(
        Exemption(f"chat/test_completions.py::test_*_{verb}*", "not an endpoint", "stored chat completions")
        for verb in ("retrieve", "update", "list", "delete")
    ),
    Exemption("test_images.py::test_*_create_variation*", "not an endpoint", "`images/variations`"),
    *(
        Exemption(
            f"test_images.py::test_method_{verb}_with_all_params_*",
            "placeholder",
            "`response_format` with a GPT image model, which knows none",
        )
        for verb in ("generate", "edit")
    ),
    Exemption("test_models.py::test_*_delete", "not an endpoint", "deleting a fine-tuned model"),
    Exemption(
        "test_embeddings.py::test_*_create", "the SDK's own", "it asks for base64, and its strict mode wants numbers"
    ),
    Exemption(
        "test_responses.py::test_*_create_overload_*", "placeholder", "neither `model` nor `prompt`: nothing is asked"
    ),
    Exemption(
        "test_responses.py::test_method_create_with_all_params_*",
        "placeholder",
        "`previous_response_id` of a response that never was",
    ),
    *(
        Exemption(f"test_responses.py::test_*_{verb}*", "placeholder", "the id of a response that never was")
        for verb in ("retrieve", "delete", "cancel")
    ),
    Exemption("test_responses.py::test_*_compact*", "not an endpoint", "`responses/compact`"),
    *(
        Exemption(
            f"responses/test_input_items.py::test_{case}_list*", "placeholder", "the id of a response that never was"
        )
        for case in ("method", "raw_response", "streaming_response")
    ),
    *(
        Exemption(f"responses/test_input_tokens.py::test_{case}_count*", "placeholder", "neither a model nor an input")
        for case in ("method", "raw_response", "streaming_response")
    ),
)

ANTHROPIC: Final[tuple[Exemption, ...]] = ()
