"""A small server that speaks the chat protocol, or fails to, as it is told: each request takes the next behaviour."""

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

GOOD = '{"reason": "it lies in the bowl", "level": 4, "picture": 3}'
BAD = '{"reason": "it never moved", "level": 1, "picture": null}'
Behaviour = Callable[["Handler"], None]


def completion(text: str | None, **message: object) -> bytes:
    return json.dumps({"choices": [{"message": {"role": "assistant", "content": text, **message}}]}).encode()


def says(text: str | None, **message: object) -> Behaviour:
    return lambda handler: handler.send(200, completion(text, **message))


def fails(code: int, body: bytes = b"sorry", **headers: str) -> Behaviour:
    return lambda handler: handler.send(code, body, **headers)


def cut_short(handler: "Handler") -> None:
    """Announces more than it sends."""
    body = completion(GOOD)
    handler.send_response(200)
    handler.send_header("Content-Length", str(len(body)))
    handler.end_headers()
    handler.wfile.write(body[: len(body) // 2])
    handler.close_connection = True


def half_the_json(handler: "Handler") -> None:
    """A whole answer by its length, of half a JSON value."""
    handler.send(200, completion(GOOD)[:-20])


def hangs_up(handler: "Handler") -> None:
    handler.close_connection = True
    handler.connection.close()


def drips(handler: "Handler") -> None:
    """A byte now and then, so that no single read times out."""
    handler.send_response(200)
    handler.send_header("Content-Length", "100000")
    handler.end_headers()
    for _ in range(200):
        try:
            handler.wfile.write(b" ")
            handler.wfile.flush()
        except OSError:
            return
        time.sleep(0.02)


def sleeps(handler: "Handler") -> None:
    time.sleep(0.8)
    handler.send(200, completion(GOOD))


class Handler(BaseHTTPRequestHandler):
    server: "ChatServer"

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.next_behaviour(self.path, dict(self.headers), json.loads(body))(self)

    def send(self, code: int, body: bytes, **headers: str) -> None:
        self.send_response(code)
        for name, value in {"Content-Length": str(len(body)), **headers}.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        with suppress(OSError):
            self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Quiet."""


class ChatServer(ThreadingHTTPServer):
    """behaviours: of the requests in order; the last one stays. asked: (path, headers, body) of each."""

    daemon_threads = True

    def __init__(self, behaviours: list[Behaviour]) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.behaviours, self.asked = list(behaviours), []
        self._lock = threading.Lock()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/v1"

    def next_behaviour(self, *request: object) -> Behaviour:
        with self._lock:
            self.asked.append(request)
            return self.behaviours.pop(0) if len(self.behaviours) > 1 else self.behaviours[0]

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that gave up is part of the test."""


@contextmanager
def chat_server(*behaviours: Behaviour) -> Iterator[ChatServer]:
    server = ChatServer(list(behaviours))
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
