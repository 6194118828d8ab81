"""What is hidden of a provider, in documents: compared as it is, told as it is shown, kept where it is written so."""

import copy
from typing import Any

from application.desired_state.state import DesiredState
from tests.unit.application.desired_state.test_state import applied, told


async def test_what_is_hidden_of_a_provider_is_compared_as_it_is_and_told_as_it_is_shown(
    desired_state: DesiredState,
) -> None:
    hidden = {"proxy": "http://user:s3cret-word@proxy.example:3128", "headers": {"x-client-secret": "s3cret-word"}}
    document: dict[str, Any] = {"providers": [{"id": "own", "base_url": "http://own.example/v1", "settings": hidden}]}
    first = await desired_state.plan(document)
    await applied(desired_state, document)

    assert told(await desired_state.plan(document)) == []
    exported = await desired_state.export()
    assert told(await desired_state.plan(exported)) == []

    other = copy.deepcopy(document)
    other["providers"][0]["settings"]["headers"]["x-client-secret"] = "s3cret-word-2"
    changed = await desired_state.plan(other)
    assert told(changed) == [("update", "providers", "own")]
    differences = [step.differences for step in (*first.steps, *changed.steps)]
    assert "s3cret" not in f"{differences}{exported}"
