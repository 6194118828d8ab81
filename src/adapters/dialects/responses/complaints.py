"""What is told of a Responses request that chat cannot carry."""

from domain.errors import UpstreamFailure
from domain.failover import FailureKind


def invalid(message: str, param: str, code: str = "invalid_value") -> UpstreamFailure:
    """The request itself is at fault, whoever serves it."""
    return UpstreamFailure(
        FailureKind.CLIENT_FAULT, message, status=400, type_="invalid_request_error", code=code, param=param
    )


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
