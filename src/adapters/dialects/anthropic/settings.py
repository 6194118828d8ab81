"""Where an Anthropic upstream differs from api.anthropic.com: the same messages travel over other clouds too."""

import msgspec


class AnthropicSettings(msgspec.Struct, frozen=True):
    """What the place expects of a request.

    Source: platform.claude.com, Claude on Vertex AI and in Amazon Bedrock (read 2026-11).
    """

    body_version: str = ""  # `vertex-2023-10-16`, `bedrock-2023-05-31`; empty: the version is a header
    model_in_body: bool = True
    stream_in_body: bool = True
    inline_media_only: bool = False  # images and documents by URL are refused there
    betas_in_body: bool = False  # beta names go into the body's `anthropic_beta`, not into a header
