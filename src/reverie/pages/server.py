"""The server of local pages: a page, its pictures and a few JSON calls for each site, on this machine only.

It listens on the loopback address, answers only to that host's names, and takes only JSON that its own page sends, so no
other web site in the same browser can rate, label or drive.
"""

import json
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import quote, unquote, urlsplit

from reverie.core import ReverieError
from reverie.pages.pictures import Encoded

STYLE = Path(__file__).resolve().parent / "page.css"
FILES = {"": ("text/html", "page.html"), "page.js": ("text/javascript", "page.js")}
"""Of a site's folder, by their last part of the address."""
LOCAL = ("127.0.0.1", "localhost")
MAX_BODY = 10_000
POLICY = "default-src 'self'; frame-ancestors 'none'"


Reply = Mapping[str, Any] | Encoded | None
"""A JSON value, a picture, or None where nothing lies."""


class Site(Protocol):
    """What lies under `/NAME/`: page.html and page.js of its `folder`, and what it answers to them, from any thread.

    Errors: ReverieError is shown on the page.
    """

    @property
    def folder(self) -> Path: ...

    def get(self, rest: Sequence[str]) -> Reply:
        """rest: the parts of the address after the name."""
        ...

    def post(self, rest: Sequence[str], value: Mapping[str, Any]) -> Reply:
        """value: what the page sent. One call at a time, over all sites."""
        ...


class Stale(ReverieError):
    """The page shows something else than the site: it was opened twice, or a key came late."""


class _NotHere(Exception):
    """Nothing lies at this address."""


class Server(ThreadingHTTPServer):
    """sites: by the name in their address, `/NAME/`. Closing waits for what is being answered: nothing is written later."""

    daemon_threads = False

    def __init__(self, sites: Mapping[str, Site], port: int) -> None:
        self.sites, self.writing = sites, threading.Lock()
        super().__init__((LOCAL[0], port), _Handler)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A browser that hangs up while a picture is on its way is no news."""


class _Handler(BaseHTTPRequestHandler):
    server: Server
    timeout = 5.0  # of a browser that connects and says nothing

    def do_GET(self) -> None:
        self._answer(self._get)

    def do_POST(self) -> None:
        with self.server.writing:  # several raters may share one journal
            self._answer(self._post)

    def _answer(self, respond: Any) -> None:
        """Every error is an answer too."""
        try:
            if self._host not in LOCAL:
                self._send(403, "text/plain", b"this page answers to its own machine only")
                return
            respond(urlsplit(self.path).path)
        except _NotHere:
            self._send(404, "text/plain", b"nothing here")
        except Stale as error:
            self._json(409, {"error": str(error)})
        except ReverieError as error:
            self._json(400, {"error": str(error)})

    @property
    def _host(self) -> str | None:
        return urlsplit(f"//{self.headers.get('Host', '')}").hostname

    def _get(self, path: str) -> None:
        if path == "/page.css":
            self._send(200, "text/css", STYLE.read_bytes())
        elif path == "/":
            self._index()
        else:
            site, rest = self._site(path)
            if len(rest) == 1 and rest[0] in FILES:
                kind, name = FILES[rest[0]]
                self._send(200, kind, (site.folder / name).read_bytes())
            else:
                self._reply(site.get(rest))

    def _index(self) -> None:
        links = "".join(f'<li><a href="/{quote(name)}/">{name}</a></li>' for name in self.server.sites)
        self._send(
            200, "text/html", f'<!doctype html><meta charset="utf-8"><title>Pages</title><ul>{links}</ul>'.encode()
        )

    def _post(self, path: str) -> None:
        site, rest = self._site(path)
        self._reply(site.post(rest, self._body()))

    def _site(self, path: str) -> tuple[Site, list[str]]:
        """`/NAME/a/b` -> the site of NAME and ["a", "b"]."""
        _, name, *rest = [unquote(part) for part in path.split("/")]
        if name not in self.server.sites or not rest:
            raise _NotHere
        return self.server.sites[name], rest

    def _body(self) -> dict[str, Any]:
        """A JSON object. Another web site's page can send neither this type nor our origin."""
        origin, kind = self.headers.get("Origin"), self.headers.get_content_type()
        if kind != "application/json" or (origin is not None and urlsplit(origin).netloc != self.headers.get("Host")):
            raise ReverieError("expected JSON from this server's own page")
        length = self.headers.get("Content-Length", "")
        if not length.isdigit() or int(length) > MAX_BODY:
            raise ReverieError(f"Content-Length: found {length!r}, expected at most {MAX_BODY}")
        try:
            value = json.loads(self.rfile.read(int(length)))
        except ValueError as error:
            raise ReverieError(f"found broken JSON ({error})") from None
        if not isinstance(value, dict):
            raise ReverieError("expected a JSON object")
        return value

    def _reply(self, reply: Reply) -> None:
        if reply is None:
            raise _NotHere
        if isinstance(reply, Encoded):
            self._send(200, *reply)
        else:
            self._json(200, reply)

    def _json(self, code: int, value: Any) -> None:
        self._send(code, "application/json", json.dumps(value, allow_nan=False).encode())

    def _send(self, code: int, kind: str, body: bytes) -> None:
        self.send_response(code)
        headers = {"Content-Type": f"{kind}; charset=utf-8" if kind.startswith("text/") else kind}
        headers |= {"Content-Length": str(len(body)), "Cache-Control": "no-store", "Content-Security-Policy": POLICY}
        for name, text in headers.items():
            self.send_header(name, text)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing on the terminal: it shows what matters."""


@contextmanager
def serving(sites: Mapping[str, Site], port: int = 0) -> Iterator[str]:
    """The server's address while the block runs; port 0 takes a free one. Errors: ReverieError for a port in use."""
    try:
        server = Server(sites, port)
    except OSError as error:
        raise ReverieError(f"--port {port}: {error.strerror}; give another one, or 0 for any that is free") from None
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.1}, daemon=True)
    thread.start()
    try:
        yield f"http://{LOCAL[0]}:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
