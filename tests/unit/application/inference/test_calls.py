"""What the books keep of a request whose answer streams."""

from application.admission.authentication import OPEN_PRINCIPAL
from application.inference.calls import CallContext, CallTrace, InferenceCall, booked
from tests.builders import a_chat_payload


def test_the_books_keep_what_an_estimate_and_the_record_need_and_let_the_body_go() -> None:
    messages = [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": [{"type": "text", "text": "Hi"}]},
    ]
    payload = a_chat_payload(messages=messages, stream=True, temperature=0.5)
    context = CallContext("req_1", "chat.completions", None, 0.0, CallTrace())
    call = InferenceCall(OPEN_PRINCIPAL, payload, context, [])

    kept = booked(call)

    assert "\n".join(kept.request.prompt_texts()) == "\n".join(call.request.prompt_texts())
    for name in ("model", "streams", "turns"):
        assert getattr(kept.request, name) == getattr(call.request, name)
    assert kept.payload.fields == {}
    assert kept.payload.size_bytes == payload.size_bytes
    assert kept.attempts is call.attempts
    assert kept.context is context
