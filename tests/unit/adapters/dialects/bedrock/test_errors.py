"""What Bedrock's refusals mean."""

import json

import pytest

from adapters.dialects.bedrock.converse import BedrockConverse
from domain.errors import UpstreamFailure
from domain.failover import FailureKind
from tests.unit.adapters.dialects.bedrock.samples import SECRET, a_call


def failure(status: int, name: str, message: str, *headers: tuple[bytes, bytes]) -> UpstreamFailure:
    received = [(b"x-amzn-ErrorType", name.encode()), *headers] if name else list(headers)
    return BedrockConverse().failure(status, received, json.dumps({"message": message}).encode(), a_call())


@pytest.mark.parametrize(
    ("status", "name", "message", "kind"),
    [
        (400, "ValidationException", "The field is wrong", FailureKind.CLIENT_FAULT),
        (400, "ValidationException", "Input is too long for requested model.", FailureKind.CONTEXT_LENGTH),
        (400, "ValidationException", "The provided model identifier is invalid.", FailureKind.MODEL_ABSENT),
        (
            400,
            "ValidationException",
            "Invocation of model ID x with on-demand throughput isn’t supported.",
            FailureKind.MODEL_ABSENT,
        ),
        (400, "ServiceQuotaExceededException", "Your quota is spent", FailureKind.QUOTA_EXHAUSTED),
        (403, "AccessDeniedException", "User is not authorized", FailureKind.INVALID_CREDENTIAL),
        (
            403,
            "AccessDeniedException",
            "You don't have access to the model with the specified model ID.",
            FailureKind.MODEL_BLOCKED,
        ),
        (403, "UnrecognizedClientException:http://x", "The security token is invalid", FailureKind.INVALID_CREDENTIAL),
        (403, "ExpiredTokenException", "expired", FailureKind.INVALID_CREDENTIAL),
        (403, "InvalidSignatureException", "mismatch", FailureKind.INVALID_CREDENTIAL),
        (404, "ResourceNotFoundException", "no such model", FailureKind.MODEL_ABSENT),
        (408, "ModelTimeoutException", "slow", FailureKind.SERVER_ERROR),
        (424, "ModelErrorException", "broken", FailureKind.SERVER_ERROR),
        (429, "ThrottlingException:http://internal.amazon.com/", "Too many requests", FailureKind.RATE_LIMITED),
        (429, "ThrottlingException", "Too many tokens per day", FailureKind.QUOTA_EXHAUSTED),
        (429, "ModelNotReadyException", "cold", FailureKind.OVERLOADED),
        (500, "InternalServerException", "oops", FailureKind.SERVER_ERROR),
        (503, "ServiceUnavailableException", "busy", FailureKind.OVERLOADED),
        (429, "", "slow down", FailureKind.RATE_LIMITED),
        (429, "", "Too many input tokens, please wait", FailureKind.RATE_LIMITED),
        (400, "", "Input is too long for requested model.", FailureKind.CONTEXT_LENGTH),
        (403, "", "forbidden", FailureKind.INVALID_CREDENTIAL),
        (418, "SomethingNewException", "?", FailureKind.UNEXPECTED_ANSWER),
    ],
)
def test_each_refusal_has_its_kind_and_its_words(status: int, name: str, message: str, kind: FailureKind) -> None:
    found = failure(status, name, message)

    assert found.kind is kind
    assert found.message.startswith(message)


def test_a_model_that_needs_a_profile_says_what_to_ask_for() -> None:
    found = failure(400, "ValidationException", "on-demand throughput isn't supported")

    assert "inference profile" in found.message


@pytest.mark.parametrize(
    ("message", "param"),
    [
        ("This model doesn't support tool use in streaming mode.", "tools"),
        ("This model doesn't support tool use.", "tools"),
        ("This model doesn't support system prompts.", "messages"),
        ("This model doesn't support the stopSequences field.", "stop"),
        ("This model doesn't support the topP field.", "top_p"),
        ("This model does not support images.", "messages"),
    ],
)
def test_what_a_model_lacks_another_may_have(message: str, param: str) -> None:
    found = failure(400, "ValidationException", message)

    assert (found.kind, found.param) == (FailureKind.FEATURE_REFUSED, param)
    assert message in found.message


def test_the_type_may_stand_in_the_body_and_the_message_be_capital() -> None:
    body = json.dumps({"__type": "com.amazon.coral.service#AccessDeniedException", "Message": "no"}).encode()

    found = BedrockConverse().failure(403, [], body, a_call())

    assert (found.kind, found.message, found.type) == (FailureKind.INVALID_CREDENTIAL, "no", "AccessDeniedException")


def test_what_was_signed_is_never_repeated() -> None:
    """S-21."""
    received = (
        f"The signature does not match. The Canonical String for this request should have been 'tok {SECRET.reveal()}'"
    )

    found = failure(403, "InvalidSignatureException", received)

    assert found.message == "The signature does not match."


def test_a_wait_is_taken_from_the_header() -> None:
    assert failure(429, "ThrottlingException", "x", (b"retry-after", b"7")).retry_after_seconds == 7
    assert failure(429, "ThrottlingException", "x").retry_after_seconds is None
