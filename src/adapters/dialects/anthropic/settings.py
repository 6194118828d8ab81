"""Where an Anthropic upstream differs from api.anthropic.com: the same messages travel over other clouds too.

The API version and the names of betas are headers, or fields of the body where the upstream wants them there.

Source: platform.claude.com versioning and beta headers, Claude on Vertex AI and in Amazon Bedrock (read 2026-11).
Version 2026-10-21 refuses temperature, so that what the gateway translates is sent as 2023-06-01, which every model
still takes.
"""

from typing import Final

import msgspec


class AnthropicSettings(msgspec.Struct, frozen=True):
    """What the upstream expects of a request.

    Source: platform.claude.com, Claude on Vertex AI and in Amazon Bedrock (read 2026-11).
    """

    body_version: str = ""  # `vertex-2023-10-16`, `bedrock-2023-05-31`; empty: the version is a header
    model_in_body: bool = True
    stream_in_body: bool = True
    inline_media_only: bool = False  # images and documents by URL are refused there
    betas_in_body: bool = False  # beta names go into the body's `anthropic_beta`, not into a header


VERSION: Final = "2023-06-01"

_VERSION_HEADER: Final = "anthropic-version"
_BETA_HEADER: Final = "anthropic-beta"

Headers = tuple[tuple[str, str], ...]


def request_headers(settings: AnthropicSettings, client_headers: Headers = ()) -> Headers:
    """The headers this request needs: the client's version and betas where it sent any (S-24: nothing else)."""
    given = {name: value for name, value in client_headers if name in {_VERSION_HEADER, _BETA_HEADER} and value}
    if settings.body_version:
        given.pop(_VERSION_HEADER, None)
    else:
        given.setdefault(_VERSION_HEADER, VERSION)
    if settings.betas_in_body:
        given.pop(_BETA_HEADER, None)
    return tuple(given.items())


def body_fields(settings: AnthropicSettings, client_headers: Headers = ()) -> dict[str, object]:
    """The same as fields of the body, for upstreams that want them there."""
    fields: dict[str, object] = {}
    if settings.body_version:
        fields["anthropic_version"] = settings.body_version
    betas = next((value for name, value in client_headers if name == _BETA_HEADER), "")
    names = [name.strip() for name in betas.split(",") if name.strip()]
    if settings.betas_in_body and names:
        fields["anthropic_beta"] = names
    return fields
