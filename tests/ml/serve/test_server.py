"""The server answers, streams, refuses and recovers, by real HTTP."""

import json
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from http.client import HTTPConnection, HTTPResponse
from pathlib import Path
from typing import Any

import pytest

from causeway.flow.parameters import ServingParameters
from ml.serve.server import LARGEST, Model, Server
from ml.serve.trigrams import Trigrams
from tests.ml.serve.test_trigrams import FILMS

PARAMETERS = ServingParameters(sm_vllm_max_model_len=20, sm_vllm_max_num_seqs=2)
PATIENCE = 20


class Gated:
    """Says "word" again and again; all but the first wait for `gate`. `said` counts them."""

    name = "gated"

    def __init__(self) -> None:
        self.gate, self.said, self.ended = threading.Semaphore(0), 0, threading.Event()

    def tokens(self, text: str) -> list[str]:
        return text.split()

    def generate(self, prompt: Sequence[str], *, temperature: float, seed: int | None) -> Iterator[str]:
        try:
            self.said += 1
            yield "word "
            while self.gate.acquire(timeout=PATIENCE):
                self.said += 1
                yield "word "
        finally:
            self.ended.set()


class Failing(Gated):
    def generate(self, prompt: Sequence[str], *, temperature: float, seed: int | None) -> Iterator[str]:
        if prompt:
            yield "a"
            raise ValueError("broken")
        yield "whole"


@contextmanager
def serving(model: Model, parameters: ServingParameters = PARAMETERS) -> Iterator[int]:
    with Server(model, parameters, ("127.0.0.1", 0)) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield server.server_port
        finally:
            server.shutdown()
            thread.join()


def asked(port: int, body: Any, path: str = "/invocations", **headers: str) -> HTTPResponse:
    connection = HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    connection.request("POST", path, data, headers)
    return connection.getresponse()


def answer(port: int, body: Any, **options: str) -> tuple[int, Any]:
    response = asked(port, body, **options)
    return response.status, json.loads(response.read())


def events(response: HTTPResponse) -> list[str]:
    text = response.read().decode()
    return [event.removeprefix("data: ") for event in text.split("\n\n") if event]


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    with serving(Trigrams.of_films(FILMS)) as port:
        yield port


@pytest.fixture
def gated() -> Iterator[tuple[Gated, int]]:
    model = Gated()
    with serving(model) as port:
        yield model, port
        model.gate.release(1000)


def test_it_says_that_it_is_there(port: int) -> None:
    connection = HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
    connection.request("GET", "/ping")
    assert connection.getresponse().status == 200


def test_a_prompt_is_gone_on_with_as_far_as_asked(port: int) -> None:
    status, document = answer(port, {"prompt": "The film", "max_tokens": 7, "temperature": 0})
    assert (status, document["usage"]) == (200, {"prompt_tokens": 2, "completion_tokens": 7})
    (choice,) = document["choices"]
    assert choice["finish_reason"] == "length"
    assert len(Trigrams([]).tokens(choice["text"])) == 7


def test_what_ends_by_itself_says_so() -> None:
    with serving(Trigrams(["A man comes home."])) as port:
        for most, reason in ((4, "length"), (5, "stop"), (9, "stop")):
            _, document = answer(port, {"prompt": "", "max_tokens": most, "temperature": 0})
            assert document["choices"][0]["finish_reason"] == reason


def test_a_stream_is_the_same_text_token_by_token(port: int) -> None:
    request = {"prompt": "It stars", "max_tokens": 9, "seed": 7}
    _, whole = answer(port, request)
    response = asked(port, {**request, "stream": True})
    assert (response.status, response.getheader("Content-Type")) == (200, "text/event-stream")
    *parts, done = events(response)
    choices = [json.loads(part)["choices"][0] for part in parts]
    assert done == "[DONE]"
    assert "".join(choice["text"] for choice in choices) == whole["choices"][0]["text"]
    assert [choice["finish_reason"] for choice in choices] == [*[None] * (len(choices) - 1), "length"]


def test_a_token_is_sent_before_the_next_is_made(gated: tuple[Gated, int]) -> None:
    model, port = gated
    response = asked(port, {"prompt": "a", "stream": True})
    assert b'"text": "word "' in response.readline()
    assert model.said == 1


@pytest.mark.parametrize(
    ("body", "status", "expected"),
    [
        (b"{", 400, "the body: Invalid JSON"),
        ({}, 400, "prompt: Field required; it has prompt, max_tokens"),
        ({"prompt": 1}, 400, "prompt: Input should be a valid string"),
        ({"prompt": "a", "max_token": 1}, 400, "max_token: Extra inputs are not permitted"),
        ({"prompt": "a", "max_tokens": 0}, 400, "max_tokens: Input should be greater than or equal to 1"),
        (
            {"prompt": "a " * 10, "max_tokens": 11},
            400,
            "10 tokens and max_tokens = 11 are more than the context of 20",
        ),
    ],
)
def test_a_wrong_request_is_refused_with_the_reason(port: int, body: Any, status: int, expected: str) -> None:
    refused, document = answer(port, body)
    assert (refused, document["error"]["code"]) == (status, status)
    assert expected in document["error"]["message"]


def test_other_paths_are_named(port: int) -> None:
    status, document = answer(port, {"prompt": "a"}, path="/v1/completions")
    assert status == 404
    assert "POST /invocations" in document["error"]["message"]


def raw(port: int, head: str) -> bytes:
    """What the server answers to a request without a body, until it closes."""
    with socket.create_connection(("127.0.0.1", port), timeout=PATIENCE) as client:
        client.sendall(head.encode())
        return b"".join(iter(lambda: client.recv(4096), b""))


@pytest.mark.parametrize(
    ("length", "expected"),
    [("", b" 411 "), ("Content-Length: -1\r\n", b" 411 "), (f"Content-Length: {LARGEST + 1}\r\n", b" 413 ")],
)
def test_a_body_too_large_or_of_no_length_is_refused_unread(port: int, length: str, expected: bytes) -> None:
    assert expected in raw(port, f"POST /invocations HTTP/1.1\r\nHost: a\r\n{length}\r\n").splitlines()[0]


def test_a_client_that_sends_too_large_a_body_sees_why_it_is_refused(port: int) -> None:
    for _ in range(5):
        status, document = answer(port, b"a" * (LARGEST + 1))
        assert (status, document["error"]["code"]) == (413, 413)


def test_of_many_clients_at_once_each_is_answered_or_refused(port: int) -> None:
    statuses, start = list[int](), threading.Barrier(32)

    def ask() -> None:
        start.wait()
        statuses.append(answer(port, {"prompt": "a"})[0])

    clients = [threading.Thread(target=ask) for _ in range(32)]
    for client in clients:
        client.start()
    for client in clients:
        client.join()
    assert len(statuses) == 32
    assert set(statuses) <= {200, 429}


def test_more_than_it_takes_at_once_are_refused_until_one_has_ended(gated: tuple[Gated, int]) -> None:
    model, port = gated
    streams = []
    for _ in range(2):
        streams.append(asked(port, {"prompt": "a", "stream": True}))
        streams[-1].readline()  # it has begun
    response = asked(port, {"prompt": "a"})
    assert (response.status, response.getheader("Retry-After")) == (429, "1")
    assert "2 are answered at once" in json.loads(response.read())["error"]["message"]
    model.gate.release(1000)
    for stream in streams:
        stream.read()
    assert answer(port, {"prompt": "a"})[0] == 200


def test_a_client_that_goes_makes_room_for_the_next(gated: tuple[Gated, int]) -> None:
    model, port = gated
    client = socket.create_connection(("127.0.0.1", port), timeout=PATIENCE)
    body = json.dumps({"prompt": "a", "max_tokens": 19, "stream": True})
    client.sendall(
        f"POST /invocations HTTP/1.1\r\nHost: a\r\nContent-Length: {len(body)}\r\n\r\n{body}".encode()
    )
    client.recv(10)
    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")  # gone at once, as in a crash
    client.close()
    model.gate.release(8)
    assert model.ended.wait(PATIENCE)
    model.gate.release(1000)
    assert model.said < 19
    assert [answer(port, {"prompt": "a"})[0] for _ in range(4)] == [200] * 4


def test_a_model_that_fails_is_an_error_and_the_next_request_is_answered() -> None:
    with serving(Failing()) as port:
        for _ in range(3):  # more than are answered at once
            status, document = answer(port, {"prompt": "a"})
            assert (status, document["error"]["message"]) == (500, "the model failed; its log says why")
        assert answer(port, {"prompt": ""})[0] == 200


def test_a_model_that_fails_in_a_stream_ends_it_with_the_error() -> None:
    with serving(Failing()) as port:
        first, error, done = events(asked(port, {"prompt": "a", "stream": True}))
        assert json.loads(first)["choices"][0]["text"] == "a"
        assert (json.loads(error)["error"]["code"], done) == (500, "[DONE]")


def test_what_was_begun_is_answered_though_the_server_is_told_to_end() -> None:
    model, answers = Gated(), list[tuple[int, Any]]()
    with serving(model) as port:
        client = threading.Thread(
            target=lambda: answers.append(answer(port, {"prompt": "a", "max_tokens": 2}))
        )
        client.start()
        while not model.said:
            client.join(0.01)
        threading.Timer(0.2, model.gate.release, (10,)).start()
    client.join()
    assert answers[0][0] == 200


def test_the_command_serves_under_the_limits_of_its_environment_until_it_is_told_to_end() -> None:
    root = Path(__file__).resolve().parents[3]
    environment = {**os.environ, "SM_VLLM_MAX_MODEL_LEN": "12", "PYTHONPATH": str(root)}
    command = [sys.executable, "-m", "ml.serve", str(FILMS), "0"]
    with subprocess.Popen(
        command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as process:
        assert process.stdout
        port = int(process.stdout.readline().split("/")[2].split(":")[1])
        assert answer(port, {"prompt": "The", "max_tokens": 11})[0] == 200
        assert answer(port, {"prompt": "The", "max_tokens": 12})[0] == 400
        process.send_signal(signal.SIGTERM)
        assert process.wait(PATIENCE) == 0
