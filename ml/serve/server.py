"""An HTTP server in the shape that SageMaker AI wants of a container: GET /ping, POST /invocations.

Requests and answers are those of vLLM's completions, so that a client need not know which of the two answers.
"""

import contextlib
import json
import logging
import socket
import threading
from collections.abc import Iterator, Sequence
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import islice
from typing import Annotated, Any, Protocol

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from causeway.flow.parameters import ServingParameters

LARGEST = 6 * 1024 * 1024  # bytes of a request: what SageMaker AI takes of one that is answered at once
PIECE, UNREAD = 64 * 1024, 1024  # bytes, and how many times as many of a refused request are read
SILENT = 20  # seconds of a client that sends or reads nothing; a container has 30 to end
PATHS = "there are GET /ping and POST /invocations"
BROKEN = "the model failed; its log says why"
LOG = logging.getLogger(__name__)


class Model(Protocol):
    """What is served. A token is whatever the model makes of a text; joined, they are text again."""

    name: str

    def tokens(self, text: str) -> list[str]: ...

    def generate(self, prompt: Sequence[str], *, temperature: float, seed: int | None) -> Iterator[str]: ...


class Completion(BaseModel):
    """A request."""

    model_config = ConfigDict(extra="forbid", strict=True)

    prompt: str
    max_tokens: Annotated[int, Field(ge=1)] = 16
    temperature: Annotated[float, Field(ge=0, le=2)] = 1.0
    seed: int | None = None
    stream: bool = False
    model: str | None = None  # what clients of OpenAI's send, and nobody needs here


class RefusedError(Exception):
    """A request that is not answered: its status, and the reason for the client."""

    def __init__(self, status: HTTPStatus, reason: str) -> None:
        super().__init__(reason)
        self.status = status


class Server(ThreadingHTTPServer):
    """Serves the model on a port (0: a free one) until `shutdown`; `server_close` lets what runs end."""

    daemon_threads = False
    request_queue_size = 128  # by default 5 wait, and others are reset in place of an answer

    def __init__(self, model: Model, parameters: ServingParameters, address: tuple[str, int]) -> None:
        super().__init__(address, Handler)
        self.model, self.context = model, parameters.sm_vllm_max_model_len
        self.concurrency = parameters.sm_vllm_max_num_seqs
        self.slots = threading.BoundedSemaphore(self.concurrency)


class Handler(BaseHTTPRequestHandler):
    """One request a connection: one that is kept open would keep the server from ending."""

    server: Server
    protocol_version = "HTTP/1.1"
    timeout = SILENT

    def do_GET(self) -> None:
        with contextlib.suppress(OSError):
            if self.path == "/ping":
                self._send(HTTPStatus.OK, {})
            else:
                self._refuse(HTTPStatus.NOT_FOUND, f"{self.path}: {PATHS}")

    def do_POST(self) -> None:
        with contextlib.suppress(OSError):  # the client went
            self._serve()

    def _serve(self) -> None:
        try:
            asked, prompt = self._read()
            if not self.server.slots.acquire(blocking=False):
                raise RefusedError(
                    HTTPStatus.TOO_MANY_REQUESTS, f"{self.server.concurrency} are answered at once"
                )
            try:
                self._answer(asked, prompt)
            finally:
                self.server.slots.release()
        except RefusedError as refused:
            self._refuse(refused.status, str(refused))

    def _read(self) -> tuple[Completion, list[str]]:
        if self.path != "/invocations":
            raise RefusedError(HTTPStatus.NOT_FOUND, f"{self.path}: {PATHS}")
        length = self.headers.get("Content-Length", "")
        if not length.isdecimal():
            raise RefusedError(HTTPStatus.LENGTH_REQUIRED, "Content-Length: missing; send the body's bytes")
        if int(length) > LARGEST:
            reason = f"the body has {int(length):,} bytes; {LARGEST:,} are taken"
            raise RefusedError(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, reason)
        try:
            asked = Completion.model_validate_json(self.rfile.read(int(length)))
        except ValidationError as error:
            first = error.errors()[0]
            place = ".".join(map(str, first["loc"])) or "the body"
            known = ", ".join(Completion.model_fields)
            raise RefusedError(HTTPStatus.BAD_REQUEST, f"{place}: {first['msg']}; it has {known}") from None
        prompt = self.server.model.tokens(asked.prompt)
        if len(prompt) + asked.max_tokens > self.server.context:
            reason = f"{len(prompt)} tokens and max_tokens = {asked.max_tokens} are more than"
            raise RefusedError(HTTPStatus.BAD_REQUEST, f"{reason} the context of {self.server.context}")
        return asked, prompt

    def _answer(self, asked: Completion, prompt: list[str]) -> None:
        tokens = self.server.model.generate(prompt, temperature=asked.temperature, seed=asked.seed)
        # One more is asked for: whether there is one says why it ends.
        words = islice(tokens, asked.max_tokens + 1)
        if asked.stream:
            self._stream(words, asked.max_tokens)
            return
        try:
            made = list(words)
        except Exception:
            LOG.exception("the model failed")
            raise RefusedError(HTTPStatus.INTERNAL_SERVER_ERROR, BROKEN) from None
        reason, made = "stop" if len(made) <= asked.max_tokens else "length", made[: asked.max_tokens]
        usage = {"prompt_tokens": len(prompt), "completion_tokens": len(made)}
        self._send(HTTPStatus.OK, {**self._choice("".join(made), reason), "usage": usage})

    def _stream(self, words: Iterator[str], most: int) -> None:
        """Server-sent events, one a token, in chunks; the last says why it ended."""
        self.send_response(HTTPStatus.OK)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Transfer-Encoding", "chunked")
        self.send_header("Connection", "close")
        self.end_headers()
        count = 0
        try:
            for count, word in enumerate(words, 1):
                if count <= most:
                    self._event(json.dumps(self._choice(word, None)))
            self._event(json.dumps(self._choice("", "length" if count > most else "stop")))
        except OSError:
            raise
        except Exception:
            LOG.exception("the model failed")
            self._event(json.dumps(_error(HTTPStatus.INTERNAL_SERVER_ERROR, BROKEN)))
        self._event("[DONE]")
        self.wfile.write(b"0\r\n\r\n")

    def _event(self, data: str) -> None:
        event = f"data: {data}\n\n".encode()
        self.wfile.write(b"%x\r\n%b\r\n" % (len(event), event))

    def _choice(self, text: str, reason: str | None) -> dict[str, Any]:
        choice = {"index": 0, "text": text, "finish_reason": reason}
        return {"object": "text_completion", "model": self.server.model.name, "choices": [choice]}

    def _refuse(self, status: HTTPStatus, reason: str) -> None:
        self._send(status, _error(status, reason))
        # A body that is left unread resets the connection, and the client would not see why.
        self.connection.shutdown(socket.SHUT_WR)
        for _ in range(UNREAD):
            if not self.rfile.read1(PIECE):
                break

    def _send(self, status: HTTPStatus, document: dict[str, Any]) -> None:
        body = json.dumps(document, ensure_ascii=False).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        if status == HTTPStatus.TOO_MANY_REQUESTS:
            self.send_header("Retry-After", "1")
        self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        LOG.info(format, *args)


def _error(status: HTTPStatus, reason: str) -> dict[str, Any]:
    return {"error": {"message": reason, "type": status.phrase, "code": int(status)}}
