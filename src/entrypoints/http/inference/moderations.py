"""`POST /v1/moderations`."""

import msgspec

from application.inference.calls import MODERATIONS
from domain.moderations import ModerationRequest
from entrypoints.http.inference.json_body import JsonBody
from entrypoints.http.inference.route import InferenceRoute
from entrypoints.http.inference.serving import Serving


class ModerationResult(msgspec.Struct):
    """What was found, by category."""

    flagged: bool
    categories: dict[str, bool]
    category_scores: dict[str, float]


class Moderation(msgspec.Struct):
    """A result for each input."""

    id: str
    model: str
    results: list[ModerationResult]


create_moderation = Serving(decode=JsonBody(ModerationRequest), answering=MODERATIONS)

CREATE_MODERATION = InferenceRoute(
    path="/v1/moderations",
    method="POST",
    operation_id="createModeration",
    tag="Moderations",
    summary="Say what is wrong with a text or an image",
    description="OpenAI's moderations. Without a `model` it is `omni-moderation-latest`.",
    handler=create_moderation,
    request=ModerationRequest,
    request_example={"input": "I could kill for a coffee"},
    response=Moderation,
    response_example={
        "id": "modr-970d409ef3bef3b70c73d8232df86e7d",
        "model": "omni-moderation-latest",
        "results": [{"flagged": False, "categories": {"violence": False}, "category_scores": {"violence": 0.01}}],
    },
)
