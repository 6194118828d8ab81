"""Lists what Bedrock offers: models on demand, and inference profiles, by which most new models are reached.

Where a credential may not list, STS says whether it is good (GetCallerIdentity needs no permission). Source: botocore
1.44.5 service model of bedrock (read 2026-11).
"""

from collections.abc import Sequence
from typing import Final

import httpx
import msgspec
from typing_extensions import override

from adapters.dialects.bedrock.errors import failure_from_bedrock
from adapters.providers.bedrock.addresses import Addresses
from adapters.providers.bedrock.identity import ApiKey, AwsIdentity
from adapters.providers.upstream import HttpUpstream, unexpected_status
from adapters.wire.errors import unreadable
from adapters.wire.raw_json import UNDECODABLE
from domain.errors import UpstreamFailure
from domain.failover import FailureKind
from domain.keys import ProviderKey
from domain.ports.providers import ModelLister
from domain.providers import Offering

_MODELS: Final = "/foundation-models"
_PROFILES: Final = (
    "/inference-profiles?maxResults=1000&type=SYSTEM_DEFINED",
    "/inference-profiles?maxResults=1000&type=APPLICATION",
)
_CAPABILITIES: Final = {"TEXT": "chat", "EMBEDDING": "embeddings", "IMAGE": "images"}
_KNOWN: Final = {"EMBEDDING": ("titan-embed", "cohere.embed"), "IMAGE": ("amazon.",)}
"""What of a modality the dialects have bodies for; all of the others."""
_WHO_AM_I: Final = b"Action=GetCallerIdentity&Version=2011-06-15"


class _Model(msgspec.Struct, rename="camel"):
    model_id: str
    model_arn: str = ""
    provider_name: str = ""
    output_modalities: list[str] = []
    inference_types_supported: list[str] = []

    @property
    def offering(self) -> Offering:
        capabilities = tuple(
            _CAPABILITIES[kind]
            for kind in self.output_modalities
            if kind in _CAPABILITIES and any(part in self.model_id for part in _KNOWN.get(kind, ("",)))
        )
        return Offering(self.model_id, owned_by=self.provider_name, capabilities=capabilities)


class _Models(msgspec.Struct, rename="camel"):
    model_summaries: list[_Model]


class _ProfileModel(msgspec.Struct, rename="camel"):
    model_arn: str = ""


class _Profile(msgspec.Struct, rename="camel"):
    inference_profile_id: str
    inference_profile_arn: str = ""
    status: str = "ACTIVE"
    type: str = "SYSTEM_DEFINED"
    models: list[_ProfileModel] = []

    @property
    def model(self) -> str:
        """What it is asked for by; one of the account's own goes by its ARN."""
        return self.inference_profile_arn if self.type == "APPLICATION" else self.inference_profile_id


class _Profiles(msgspec.Struct, rename="camel"):
    inference_profile_summaries: list[_Profile]


_decode_models = msgspec.json.Decoder(_Models).decode
_decode_profiles = msgspec.json.Decoder(_Profiles).decode


class BedrockModels(ModelLister):
    """`certain` are the models an operator named; `tokens` signs for STS."""

    def __init__(
        self,
        upstream: HttpUpstream,
        tokens: HttpUpstream,
        addresses: Addresses,
        identity: AwsIdentity,
        headers: httpx.Headers,
        certain: Sequence[str],
    ) -> None:
        self._upstream = upstream
        self._tokens = tokens
        self._addresses = addresses
        self._identity = identity
        self._headers = headers
        self._certain = certain

    @override
    async def list_models(self, key: ProviderKey | None) -> Sequence[Offering]:
        try:
            body = await self._get(_MODELS, key)
        except UpstreamFailure as failure:
            if failure.type != "AccessDeniedException":
                raise
            await self._check(key)
            return tuple(Offering(model) for model in self._certain)
        try:
            models = _decode_models(body).model_summaries
            profiles = [profile for path in _PROFILES for profile in await self._profiles(path, key)]
        except UNDECODABLE:
            raise unreadable(body, key.secret if key is not None else None, "a list of models") from None
        return _offerings(models, profiles)

    async def _profiles(self, path: str, key: ProviderKey | None) -> list[_Profile]:
        """None of them where the credential may not list them."""
        try:
            return _decode_profiles(await self._get(path, key)).inference_profile_summaries
        except UpstreamFailure as failure:
            if failure.type != "AccessDeniedException":
                raise
            return []

    async def _get(self, path: str, key: ProviderKey | None) -> bytes:
        status, headers, body = await self._upstream.fetch(
            "GET", self._addresses.control(path), self._headers, b"", key
        )
        self._accept(status, headers, body, key)
        return body

    async def _check(self, key: ProviderKey | None) -> None:
        """Raises `UpstreamFailure` for a credential that is not good. An API key was good enough to be denied."""
        if isinstance(await self._identity.of(key), ApiKey):
            return
        headers = self._headers.copy()
        headers["content-type"] = "application/x-www-form-urlencoded; charset=utf-8"
        url = self._addresses.tokens()
        status, answer_headers, body = await self._tokens.fetch("POST", url, headers, _WHO_AM_I, key)
        if status in {400, 401, 403}:
            raise UpstreamFailure(FailureKind.INVALID_CREDENTIAL, "AWS does not know these credentials.", status=status)
        self._accept(status, answer_headers, body, key)

    def _accept(self, status: int, headers: httpx.Headers, body: bytes, key: ProviderKey | None) -> None:
        odd = unexpected_status(status)
        if odd is not None:
            raise odd
        if status >= 400:
            secret = key.secret if key is not None else None
            raise failure_from_bedrock(status, headers.raw, body, secret=secret, now=self._upstream.now())


def _offerings(models: Sequence[_Model], profiles: Sequence[_Profile]) -> tuple[Offering, ...]:
    """Models that answer on demand, and active profiles, which can what their models can."""
    on_demand = [
        model.offering
        for model in models
        if "ON_DEMAND" in model.inference_types_supported and model.offering.capabilities
    ]
    by_id = {model.model_id: model.offering for model in models}
    through = []
    for profile in profiles:
        if profile.status != "ACTIVE":
            continue
        arn = profile.models[0].model_arn if profile.models else ""
        of = by_id.get(arn.rpartition("/")[2], Offering("", owned_by=""))
        through.append(Offering(profile.model, owned_by=of.owned_by, capabilities=of.capabilities))
    return (*on_demand, *through)
