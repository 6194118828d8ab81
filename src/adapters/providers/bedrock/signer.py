"""Signs requests to AWS: SigV4 by botocore, or a Bedrock API key as a bearer token.

Source: AWS SigV4, checked against vectors that botocore 1.44.5 made: the path is encoded a second time for signing, so
it must reach the wire as it is in the URL. Of our headers only the content type is signed, as boto3 does.
"""

from collections.abc import Callable
from typing import Final

import httpx
from typing_extensions import override

from adapters.providers.bedrock.identity import ApiKey, AwsIdentity
from adapters.providers.upstream import Signer
from domain.errors import UpstreamFailure
from domain.failover import FailureKind
from domain.keys import ProviderKey

_ADDED: Final = ("Authorization", "X-Amz-Date", "X-Amz-Security-Token")


class AwsSigner(Signer):
    """For one service: `bedrock`, `sts`. `region` says for which region an address is signed."""

    def __init__(self, identity: AwsIdentity, region: Callable[[httpx.URL], str], service: str = "bedrock") -> None:
        self._identity = identity
        self._region = region
        self._service = service

    @override
    async def sign(self, request: httpx.Request, body: bytes, key: ProviderKey | None) -> None:
        found = await self._identity.of(key)
        if isinstance(found, ApiKey):
            request.headers["Authorization"] = f"Bearer {found.token}"
            return
        from botocore.auth import SigV4Auth
        from botocore.awsrequest import AWSRequest

        given = {"Content-Type": request.headers["Content-Type"]} if body else {}
        signed = AWSRequest(method=request.method, url=str(request.url), data=body or None, headers=given)
        try:
            SigV4Auth(found, self._service, self._region(request.url)).add_auth(signed)
        except (UnicodeError, TypeError, ValueError):
            raise UpstreamFailure(
                FailureKind.INVALID_CREDENTIAL,
                "The AWS credentials hold characters that cannot sign; enter them again.",
            ) from None
        for name in _ADDED:
            if name in signed.headers:
                request.headers[name] = signed.headers[name]
