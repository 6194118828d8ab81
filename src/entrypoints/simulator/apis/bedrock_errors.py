"""What all of Bedrock's endpoints share: signatures that must be there, and errors that are named in a header.

Source: botocore 1.44.5 service model, the user guide on API keys (read 2026-11).
"""

import re
from collections.abc import Mapping
from typing import ClassVar, NoReturn

from typing_extensions import override

from entrypoints.simulator.apis.endpoint import Endpoint, Failure, Refused, encoded
from entrypoints.simulator.event_stream import CONTENT_TYPE, event_frame, exception_frame

_SIGNATURE = re.compile(
    r"AWS4-HMAC-SHA256 Credential=[^/]+/(?P<date>\d{8})/[a-z0-9-]+/(?P<service>[a-z-]+)/aws4_request, ?"
    r"SignedHeaders=(?P<signed>[a-z0-9;-]+), ?Signature=[0-9a-f]{64}"
)

_NAMES = {
    400: "ValidationException",
    403: "AccessDeniedException",
    404: "ResourceNotFoundException",
    408: "ModelTimeoutException",
    424: "ModelErrorException",
    429: "ThrottlingException",
    500: "InternalServerException",
    503: "ServiceUnavailableException",
}


class BedrockEndpoint(Endpoint):
    """An endpoint of AWS."""

    service: ClassVar[str] = "bedrock"

    @property
    @override
    def model(self) -> str:
        return self.call.captures["model"]

    @override
    def check(self) -> None:
        """Raise `Refused` where the request is not signed; the signature itself is not computed."""
        given = self.call.headers.get("authorization", "")
        if given.startswith("Bearer ") and self.service == "bedrock":
            return
        match = _SIGNATURE.fullmatch(given)
        if match is None:
            self.deny("MissingAuthenticationTokenException", "Missing Authentication Token")
        if not self.call.headers.get("x-amz-date", "").startswith(match["date"]) or match["service"] != self.service:
            self.deny("InvalidSignatureException", "Credential should be scoped to a valid date, region and service.")
        signed = match["signed"].split(";")
        if not {"host", "x-amz-date"} <= set(signed) or signed != sorted(signed):
            self.deny("InvalidSignatureException", "'host' and 'x-amz-date' must be signed, in order.")

    def deny(self, name: str, message: str) -> NoReturn:
        """Raise a 403."""
        raise Refused(Failure(403, {"message": message}, {"x-amzn-errortype": name}))

    def refuse(self, message: str) -> NoReturn:
        """Raise a 400."""
        raise Refused(self.failure(400, message))

    @property
    @override
    def stream_type(self) -> str:
        return CONTENT_TYPE

    @override
    def headers(self) -> dict[str, str]:
        return {"x-amzn-requestid": f"sim-{self.call.number}"}

    @override
    def failure(
        self,
        status: int,
        message: str | None = None,
        code: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Failure:
        name = _NAMES.get(status, "InternalServerException")
        said = message or f"Status {status}: scripted."
        if code == "insufficient_quota":
            status, name, said = 400, "ServiceQuotaExceededException", "You have exceeded your quota."
        elif code == "context_length_exceeded":
            said = "Input is too long for requested model."
        elif code == "model_not_found":
            status, name, said = 400, "ValidationException", "The provided model identifier is invalid."
        elif status == 401:
            status, name = 403, "UnrecognizedClientException"
            said = message or "The security token included in the request is invalid."
        typed = {"x-amzn-errortype": f"{name}:http://internal.amazon.com/coral/com.amazon.bedrock/"}
        return Failure(status, {"message": said}, self.headers() | typed | dict(headers or {}))

    @override
    def error_block(self) -> bytes:
        return exception_frame("modelStreamErrorException", encoded({"message": "scripted error"}))

    @override
    def broken_block(self) -> bytes:
        return event_frame("contentBlockDelta", b'{"contentBlockIndex": 0, "del')
