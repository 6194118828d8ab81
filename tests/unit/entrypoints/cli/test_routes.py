"""Targets as one types them in a shell."""

import click
import pytest

from entrypoints.cli.routes import _target


def test_a_target_is_a_provider_and_a_model_with_a_weight_behind_it() -> None:
    assert _target("groq/openai/gpt-oss-120b=3") == {"provider": "groq", "model": "openai/gpt-oss-120b", "weight": 3.0}
    assert _target("demo-a/demo") == {"provider": "demo-a", "model": "demo"}
    assert _target("gpt-oss-120b") == {"model": "gpt-oss-120b"}


def test_what_is_no_weight_is_said() -> None:
    with pytest.raises(click.BadParameter, match="is no weight"):
        _target("a/m=much")
