"""Who does a capability's part is chosen for each call, and what is made late is made once."""

from typing import Any

from adapters.wire.chosen import late, late_answering
from domain.ports.providers import ProviderAnswer, ProviderCall
from tests.contracts.ingress.driving import a_call


class Counted:
    """Answers with how many were made before it."""

    def __init__(self, made: list["Counted"]) -> None:
        self.number = len(made)
        made.append(self)

    async def complete(self, call: ProviderCall[Any]) -> ProviderAnswer:
        return ProviderAnswer(str(self.number).encode(), call.model, None)

    async def stream(self, call: ProviderCall[Any]) -> Any:
        return self.number


async def test_what_is_made_late_is_made_by_the_first_call_and_once() -> None:
    made: list[Counted] = []
    whole = late(lambda: Counted(made))
    answering = late_answering(lambda: Counted(made))
    call = a_call("chat", "openai")

    assert made == []
    assert [(await whole.complete(call)).body, await whole.stream(call)] == [b"0", 0]
    assert [(await answering.complete(call)).body, (await answering.complete(call)).body] == [b"1", b"1"]
    assert len(made) == 2
