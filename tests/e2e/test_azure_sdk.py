"""OpenAI's SDK in its Azure form, against a gateway: deployments in the path, a version in the query, `api-key`."""

from collections.abc import Iterator

import pytest
from openai import AzureOpenAI
from openai.types.chat import ChatCompletionMessageParam

from tests.e2e.conftest import AddUpstream
from tests.e2e.processes import Gateway

pytestmark = pytest.mark.process

TEXT = "good morning to you"
MESSAGES: list[ChatCompletionMessageParam] = [{"role": "user", "content": TEXT}]


@pytest.fixture
def azure(gateway: Gateway) -> Iterator[AzureOpenAI]:
    """As someone sets it up who has an Azure resource, with the gateway in its place."""
    with AzureOpenAI(
        azure_endpoint=gateway.url, api_key=gateway.key, api_version="2025-04-01-preview", max_retries=0
    ) as made:
        yield made


@pytest.fixture
def model(add_upstream: AddUpstream) -> str:
    return f"{add_upstream('behind', settings={'preset': 'openai'})}/sim-echo"


def test_chats_plain_and_streamed_name_their_deployment(azure: AzureOpenAI, model: str) -> None:
    answer = azure.chat.completions.create(model=model, messages=MESSAGES)
    stream = azure.chat.completions.create(model=model, messages=MESSAGES, stream=True)
    text = "".join(chunk.choices[0].delta.content or "" for chunk in stream if chunk.choices)

    assert answer.choices[0].message.content == text == TEXT


def test_the_other_operations_of_a_deployment_do_too(azure: AzureOpenAI, model: str) -> None:
    wave = ("a.wav", bytes(range(256)), "audio/wav")

    assert len(azure.embeddings.create(model=model, input="hi").data) == 1
    assert azure.images.generate(model=model, prompt="a cat").data
    assert azure.images.edit(model=model, image=("a.png", b"x", "image/png"), prompt="a cat").data
    assert azure.audio.transcriptions.create(model=model, file=wave).text == "a.wav has 256 bytes of audio/wav"
    assert azure.audio.speech.create(model=model, input="hi", voice="alloy").read()


def test_responses_and_models_lie_outside_the_deployments(azure: AzureOpenAI, model: str) -> None:
    answer = azure.responses.create(model=model, input=TEXT)

    assert answer.output_text == TEXT
    assert azure.responses.retrieve(answer.id).id == answer.id
    assert {found.id for found in azure.models.list()}
