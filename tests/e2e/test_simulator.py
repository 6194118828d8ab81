"""The simulator breaks on the wire in the exact way it was told to, and keeps an honest journal."""

from contextlib import closing
from pathlib import Path

import httpx
import openai
import pytest

from tests.e2e.processes import OMG, RunningProcess, Simulator, free_port
from tests.raw_client import open_socket, send_bytes
from tests.waiting import takes, wait_until

pytestmark = pytest.mark.process

ASK = [{"role": "user", "content": "grüß dich"}]


def ask(simulator: Simulator, persona: str, model: str, *, stream: bool = False, timeout: float = 5) -> httpx.Response:
    body = {"model": model, "messages": ASK, "stream": stream}
    return httpx.post(f"{simulator.base_url(persona)}/chat/completions", json=body, timeout=timeout)


def raw_answer(simulator: Simulator, model: str) -> bytes | type[Exception]:
    """Everything a stream sends until its end, or the way it broke."""
    body = f'{{"model": "{model}", "messages": [{{"role": "user", "content": "a b c"}}], "stream": true}}'
    head = f"POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\ncontent-length: {len(body)}\r\n\r\n"
    received = b""
    with open_socket(simulator.port) as connection:
        send_bytes(connection, (head + body).encode())
        try:
            while data := connection.recv(65536):
                received += data
                if received.endswith(b"0\r\n\r\n"):
                    return received
        except ConnectionResetError:
            return ConnectionResetError
    return received


def test_it_answers_the_official_client_with_no_script(simulator: Simulator) -> None:
    with openai.OpenAI(base_url=simulator.base_url("plain"), api_key="none", max_retries=0) as client:
        answer = client.chat.completions.create(model="anything", messages=[{"role": "user", "content": "grüß dich"}])

        assert answer.choices[0].message.content == "grüß dich"
        assert "sim-echo" in {model.id for model in client.models.list()}
        assert client.models.retrieve("sim-echo").id == "sim-echo"
        with pytest.raises(openai.NotFoundError):
            client.models.retrieve("none")


def test_a_cut_stream_ends_without_its_last_chunk_and_a_reset_one_with_rst(simulator: Simulator) -> None:
    cut = raw_answer(simulator, "sim-cut-after-2")
    ended = raw_answer(simulator, "sim-end-after-2")

    assert isinstance(cut, bytes)
    assert cut.count(b"data: ") == 2
    assert not cut.endswith(b"0\r\n\r\n")
    assert isinstance(ended, bytes)
    assert ended.endswith(b"0\r\n\r\n")
    assert raw_answer(simulator, "sim-reset-after-2") is ConnectionResetError
    assert raw_answer(simulator, "sim-reset") is ConnectionResetError


@pytest.mark.parametrize(("model", "outcome"), [("sim-cut-after-0", "faulted"), ("sim-echo", "completed")])
def test_the_journal_tells_how_each_request_ended(simulator: Simulator, model: str, outcome: str) -> None:
    persona = f"journal-{outcome}"
    try:
        ask(simulator, persona, model, stream=True)
    except httpx.RemoteProtocolError:
        assert outcome == "faulted"

    [entry] = simulator.calls(persona)
    assert (entry["outcome"], entry["model"], entry["body"]["messages"]) == (outcome, model, ASK)
    assert entry["finished_at"] >= entry["started_at"]


def test_the_journal_notices_a_client_that_leaves_a_silent_socket(simulator: Simulator) -> None:
    with pytest.raises(httpx.ReadTimeout):
        ask(simulator, "left", "sim-silent", timeout=0.2)

    wait_until(lambda: simulator.calls("left")[0]["outcome"] != "open")
    [entry] = simulator.calls("left")
    assert entry["outcome"] == "client_gone"
    assert entry["status"] is None


def test_delays_happen_before_the_headers_or_before_the_body(simulator: Simulator) -> None:
    body = {"model": "sim-slow-first-3s", "messages": ASK, "stream": True}
    with (
        httpx.stream("POST", f"{simulator.url}/v1/chat/completions", json=body, timeout=60) as answer,
        takes(at_least=1.5),
    ):
        answer.read()  # the headers came before

    with takes(at_least=0.2):
        ask(simulator, "delayed", "sim-delay-200ms")


def test_a_persona_may_require_its_key(simulator: Simulator) -> None:
    simulator.script("locked", require_key="sk-right")
    url = f"{simulator.base_url('locked')}/models"

    assert httpx.get(url).status_code == 401
    assert httpx.get(url, headers={"authorization": "Bearer sk-wrong"}).status_code == 401
    assert httpx.get(url, headers={"authorization": "Bearer sk-right"}).status_code == 200
    assert httpx.get(url, headers={"x-goog-api-key": "sk-right"}).status_code == 200


def test_a_wrong_script_is_refused_and_the_old_one_stays(simulator: Simulator) -> None:
    simulator.script("kept", behaviours={"m": [{"reply": "still here"}]})

    refused = simulator.http.put("/__sim__/script/kept", json={"behaviours": {"m": [{"status": "?"}]}})

    assert refused.status_code == 400
    assert "behaviours.m[0].status" in refused.json()["error"]["message"]
    assert ask(simulator, "kept", "m").json()["choices"][0]["message"]["content"] == "still here"


def test_literal_events_and_bodies_are_sent_as_they_stand(simulator: Simulator) -> None:
    simulator.script(
        "literal",
        behaviours={
            "e": [{"events": ["event: x\ndata: 1\n\n", {"a": 1}]}],
            "b": [{"status": 418, "body": {"tea": True}}],
        },
    )

    assert ask(simulator, "literal", "e", stream=True).text == 'event: x\ndata: 1\n\ndata: {"a": 1}\n\n'
    teapot = ask(simulator, "literal", "b")
    assert (teapot.status_code, teapot.json()) == (418, {"tea": True})


def test_a_script_file_is_played_and_a_wrong_one_stops_the_start(tmp_path: Path) -> None:
    script = tmp_path / "faults.yaml"
    script.write_text("personas: {alpha: {behaviours: {m: [sim-503, {reply: well}]}}}")
    with Simulator(tmp_path / "good", "--script", str(script)) as running:
        assert [ask(running, "alpha", "m").status_code for _ in range(2)] == [503, 200]
        assert running.http.get("/__sim__/script").json()["personas"].keys() == {"alpha"}
        assert running.http.delete("/__sim__/script").status_code == 200
        assert ask(running, "alpha", "m").status_code == 200
        assert running.http.delete("/__sim__/requests").json() == {"data": []}
        assert running.http.get("/__sim__/nonsense").status_code == 404

    script.write_text("personas:\n  alpha:\n    behaviors: {}\n")
    process = RunningProcess([*OMG, "simulate", "--port", str(free_port()), "--script", str(script)], tmp_path / "bad")
    assert process.process.wait(20) == 2
    assert "line 3, personas.alpha.behaviors" in process.output


@pytest.mark.parametrize("body", ["", "[]", '{"model": "m"}', '{"messages": []}', "{"])
def test_a_body_without_model_or_messages_is_a_400(simulator: Simulator, body: str) -> None:
    answer = httpx.post(f"{simulator.url}/v1/chat/completions", content=body)

    assert answer.status_code == 400
    assert answer.json()["error"]["code"] == "missing_required_parameter"


def test_models_that_a_persona_does_not_list_do_not_exist(simulator: Simulator) -> None:
    simulator.script("listing", models=["only"])

    assert ask(simulator, "listing", "only").status_code == 200
    assert ask(simulator, "listing", "other").json()["error"]["code"] == "model_not_found"
    assert ask(simulator, "listing", "sim-nonsense").status_code == 404
    assert httpx.get(f"{simulator.base_url('listing')}/nonsense").status_code == 404


def test_a_stream_is_cut_after_the_very_byte(simulator: Simulator) -> None:
    cut = raw_answer(simulator, "sim-cut-at-byte-70")
    ended = raw_answer(simulator, "sim-end-at-byte-70")

    assert isinstance(cut, bytes)
    assert isinstance(ended, bytes)
    chunks = [answer.partition(b"\r\n\r\n")[2] for answer in (cut, ended)]
    assert [chunk.startswith(b"46\r\ndata: {") for chunk in chunks] == [True, True]
    assert (len(chunks[0]), chunks[1][-5:]) == (4 + 70 + 2, b"0\r\n\r\n")


def test_the_official_client_of_aws_reads_the_frames_off_the_wire(simulator: Simulator) -> None:
    from botocore.exceptions import EventStreamError
    from botocore.session import Session

    session = Session()
    session.set_credentials("AKID", "secret")
    client = session.create_client("bedrock-runtime", "us-east-1", endpoint_url=f"{simulator.url}/aws")
    asked = {"modelId": "us.sim-words-3", "messages": [{"role": "user", "content": [{"text": "a"}]}]}

    plain = client.converse(**asked)
    with closing(client.converse_stream(**asked)["stream"]) as stream:
        events = list(stream)
    with (
        closing(client.converse_stream(**{**asked, "modelId": "sim-error-event-after-2"})["stream"]) as broken,
        pytest.raises(EventStreamError, match="scripted error"),
    ):
        list(broken)
    client.close()

    assert plain["output"]["message"]["content"] == [{"text": "word1 word2 word3"}]
    texts = [event["contentBlockDelta"]["delta"]["text"] for event in events if "contentBlockDelta" in event]
    assert "".join(texts) == "word1 word2 word3"
    assert events[-1]["metadata"]["usage"] == plain["usage"]
    assert simulator.requests("aws")[0]["path"] == "/aws/model/us.sim-words-3/converse"


def test_an_answer_of_another_api_breaks_in_the_same_places(simulator: Simulator) -> None:
    headers = {"x-api-key": "k", "anthropic-version": "2023-06-01"}
    body = {"model": "sim-cut-after-2", "max_tokens": 9, "messages": ASK, "stream": True}

    with pytest.raises(httpx.RemoteProtocolError):
        httpx.post(f"{simulator.base_url('claude')}/messages", json=body, headers=headers)

    [entry] = simulator.requests("claude")
    assert (entry["outcome"], entry["chunks_sent"], entry["model"]) == ("faulted", 2, "sim-cut-after-2")
