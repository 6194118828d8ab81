"""What Bedrock's control plane lists, and who STS says is asking.

Source: botocore 1.44.5 service models of bedrock and sts (read 2026-11).
"""

from typing import Any
from urllib.parse import parse_qs

from typing_extensions import override

from entrypoints.simulator.apis.bedrock_errors import BedrockEndpoint
from entrypoints.simulator.apis.endpoint import Body, Failure, Refused, encoded
from entrypoints.simulator.behaviour import Behaviour

_ARN = "arn:aws:bedrock:us-east-1"
_KINDS = (("embed", "EMBEDDING"), ("image", "IMAGE"), ("canvas", "IMAGE"))


class FoundationModels(BedrockEndpoint):
    """The persona's models: what its name says it gives, on demand and not."""

    needs_model = False

    @override
    def plain(self, behaviour: Behaviour) -> Body:
        return Body(encoded({"modelSummaries": [_summary(model.id) for model in self.call.listed]}))


class InferenceProfiles(BedrockEndpoint):
    """A profile of AWS's own for each model, and none of the account's."""

    needs_model = False

    @override
    def plain(self, behaviour: Behaviour) -> Body:
        wanted = self.call.query.get("type", "SYSTEM_DEFINED")
        profiles = [] if wanted != "SYSTEM_DEFINED" else [_profile(model.id) for model in self.call.listed]
        return Body(encoded({"inferenceProfileSummaries": profiles}))


class CallerIdentity(BedrockEndpoint):
    """STS: whose the signature is."""

    needs_model = False
    service = "sts"

    @override
    def check(self) -> None:
        super().check()
        action = parse_qs(self.call.body.decode("latin-1")).get("Action", [""])[0]
        if action != "GetCallerIdentity":
            body = (
                f"<ErrorResponse><Error><Code>InvalidAction</Code><Message>{action}</Message></Error></ErrorResponse>"
            )
            raise Refused(Failure(400, body))

    @override
    def plain(self, behaviour: Behaviour) -> Body:
        result = (
            "<Arn>arn:aws:iam::123456789012:user/simulated</Arn>"
            f"<UserId>{self.call.credential}</UserId><Account>123456789012</Account>"
        )
        body = (
            '<GetCallerIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/">'
            f"<GetCallerIdentityResult>{result}</GetCallerIdentityResult></GetCallerIdentityResponse>"
        )
        return Body(body.encode(), "text/xml")


def _summary(model: str) -> dict[str, Any]:
    kind = next((kind for word, kind in _KINDS if word in model), "TEXT")
    return {
        "modelArn": f"{_ARN}::foundation-model/{model}",
        "modelId": model,
        "modelName": model,
        "providerName": model.partition(".")[0] if "." in model else "Simulator",
        "inputModalities": ["TEXT"],
        "outputModalities": [kind],
        "responseStreamingSupported": kind == "TEXT",
        "inferenceTypesSupported": ["ON_DEMAND"],
        "modelLifecycle": {"status": "ACTIVE"},
    }


def _profile(model: str) -> dict[str, Any]:
    return {
        "inferenceProfileName": f"US {model}",
        "inferenceProfileId": f"us.{model}",
        "inferenceProfileArn": f"{_ARN}:123456789012:inference-profile/us.{model}",
        "status": "ACTIVE",
        "type": "SYSTEM_DEFINED",
        "models": [{"modelArn": f"{_ARN}::foundation-model/{model}"}],
    }
