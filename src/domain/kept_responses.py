"""What is asked of a response that a provider keeps: to have it again, to stop it, to forget it."""

from typing import ClassVar, Literal

from typing_extensions import override

from domain.inference import InferenceRequest, ModelName

KeptAction = Literal["retrieve", "delete", "cancel", "input_items"]


class KeptResponseRequest(InferenceRequest, kw_only=True):
    """`upstream_id` is what the provider calls the response; `query` goes along as it came.

    It names no model, and costs nothing. `of_model` is what made the response, where that is known.
    """

    spends: ClassVar[bool] = False

    action: KeptAction
    upstream_id: str
    model: ModelName = "responses"
    query: tuple[tuple[str, str], ...] = ()
    stream: bool = False
    of_model: str = ""

    @property
    @override
    def streams(self) -> bool:
        return self.stream
