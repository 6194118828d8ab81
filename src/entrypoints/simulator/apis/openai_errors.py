"""What all of OpenAI's endpoints share: their errors, and the checks of a field that must be there."""

from collections.abc import Mapping
from typing import NoReturn

from typing_extensions import override

from entrypoints.simulator.apis.endpoint import Endpoint, Failure, Refused
from entrypoints.simulator.error_bodies import error_body

DONE = b"data: [DONE]\n\n"


class OpenAIEndpoint(Endpoint):
    """An endpoint with OpenAI's envelope for errors."""

    @override
    def failure(
        self,
        status: int,
        message: str | None = None,
        code: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Failure:
        return Failure(status, error_body(status, message, code), dict(headers or {}))

    @override
    def broken_block(self) -> bytes:
        return super().broken_block() + DONE

    def need(self, *names: str) -> None:
        """Raise `Refused` unless the model and these fields are there."""
        for name in ("model", *names):
            if not (self.model if name == "model" else self.fields.get(name) is not None):
                fields = " and ".join(f"'{field}'" for field in ("model", *names))
                self.refuse(f"The body needs a {fields}.", "missing_required_parameter", name)

    def refuse(self, message: str, code: str | None = "invalid_value", param: str | None = None) -> NoReturn:
        """Raise a 400."""
        body = error_body(400, message, code)
        body["error"]["param"] = param
        raise Refused(Failure(400, body))
