"""Model names say what the simulator does."""

import msgspec
import pytest

from entrypoints.simulator.errors import ScriptInvalid
from entrypoints.simulator.model_names import LISTED_MODELS, understand


@pytest.mark.parametrize(
    ("model", "fields"),
    [
        ("sim-echo", {}),
        ("sim-words-100", {"words": 100}),
        ("sim-delay-500ms", {"delay_ms": 500.0}),
        ("sim-slow-headers-3s", {"delay_ms": 3000.0}),
        ("sim-slow-first-1.5s", {"first_chunk_delay_ms": 1500.0}),
        ("sim-429", {"status": 429}),
        ("sim-429-retry-2s", {"status": 429, "headers": {"retry-after": "2"}}),
        ("sim-503-retry-500ms", {"status": 503, "headers": {"retry-after": "0.5"}}),
        ("sim-silent", {"fault": "silent"}),
        ("sim-reset", {"fault": "reset"}),
        ("sim-cut-after-2", {"fault": "cut", "after_chunks": 2}),
        ("sim-error-event-after-1", {"fault": "error_event", "after_chunks": 1}),
        ("sim-bad-json-after-3", {"fault": "bad_json", "after_chunks": 3}),
        ("sim-leak-401", {"status": 401, "fault": "leak_key"}),
        ("sim-500-big-2mb", {"status": 500, "pad_bytes": 2 * 1024 * 1024}),
        ("sim-role-repeat", {"odd": "role-repeat"}),
        ("sim-words-5+chunk-delay-20ms+no-usage", {"words": 5, "chunk_delay_ms": 20.0, "usage": False}),
    ],
)
def test_a_name_is_understood(model: str, fields: dict[str, object]) -> None:
    assert msgspec.to_builtins(understand(model)) == fields


def test_a_name_without_the_prefix_asks_for_nothing() -> None:
    assert understand("gpt-5") is None


@pytest.mark.parametrize("model", ["sim-", "sim-nope", "sim-echo+nope", "sim-delay-5", "sim-42"])
def test_an_unknown_directive_is_refused(model: str) -> None:
    with pytest.raises(ScriptInvalid):
        understand(model)


@pytest.mark.parametrize("model", LISTED_MODELS)
def test_every_listed_model_is_understood(model: str) -> None:
    assert understand(model) is not None
