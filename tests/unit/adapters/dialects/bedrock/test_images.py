"""The bodies of InvokeModel for images."""

import json
from typing import Any

import msgspec
import pytest

from adapters.dialects.bedrock.images import BedrockImages
from adapters.wire.call import DialectCall
from domain.errors import UpstreamFailure
from domain.failover import FailureKind
from domain.images import ImageRequest
from domain.payload import Payload
from tests.unit.adapters.dialects.bedrock.samples import NOW, SECRET


def a_call(model: str = "amazon.nova-canvas-v1:0", **fields: Any) -> DialectCall[ImageRequest]:
    body = msgspec.json.encode({"model": "m", "prompt": "a cat"} | fields)
    payload = Payload(
        msgspec.json.decode(body, type=ImageRequest), msgspec.json.decode(body, type=dict[str, msgspec.Raw])
    )
    return DialectCall(payload, model, SECRET, lambda: NOW)


def test_a_prompt_becomes_a_task_with_its_size_and_quality() -> None:
    call = a_call(n=2, size="512x768", quality="hd", response_format="b64_json", style="vivid", output_format="png")

    encoded = BedrockImages().encode(call, stream=False)

    assert json.loads(encoded.body) == {
        "taskType": "TEXT_IMAGE",
        "textToImageParams": {"text": "a cat"},
        "imageGenerationConfig": {"numberOfImages": 2, "width": 512, "height": 768, "quality": "premium"},
    }
    assert encoded.dropped == ("style",)


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"model": "stability.sd3-5-large-v1:0"}, "model"),
        ({"response_format": "url"}, "response_format"),
        ({"n": 6}, "n"),
        ({"size": "big"}, "size"),
    ],
)
def test_what_it_cannot_do_is_refused(fields: dict[str, Any], param: str) -> None:
    with pytest.raises(UpstreamFailure) as caught:
        BedrockImages().encode(a_call(**fields), stream=False)

    assert (caught.value.kind, caught.value.param) == (FailureKind.UNSUPPORTED, param)


def test_images_do_not_stream() -> None:
    with pytest.raises(UpstreamFailure) as caught:
        BedrockImages().encode(a_call(), stream=True)
    reading = BedrockImages().decoder(a_call(), "")
    reading.feed(b"x")
    reading.finish()

    assert caught.value.param == "stream"
    assert reading.failure is not None


def test_images_are_base64() -> None:
    answer = BedrockImages().read(b'{"images":["AA=="],"error":null}', a_call(), "application/json")

    assert json.loads(answer.body) == {"created": int(NOW), "data": [{"b64_json": "AA=="}]}


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b'{"images":[],"error":"The prompt was blocked."}', FailureKind.CLIENT_FAULT),
        (b'{"images":[]}', FailureKind.SERVER_ERROR),
        (b"[]", FailureKind.SERVER_ERROR),
    ],
)
def test_a_refusal_with_status_200_is_one(body: bytes, kind: FailureKind) -> None:
    with pytest.raises(UpstreamFailure) as caught:
        BedrockImages().read(body, a_call(), "application/json")

    assert caught.value.kind is kind
