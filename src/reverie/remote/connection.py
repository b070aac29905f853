"""Connection: one websocket to a policy server. Asks, waits, and says in one sentence what went wrong.

A server that went away is called again a few times, with a pause in between; after that, and for everything else (no
answer in time, an answer that cannot be read, an error of the server), the call is an error.
"""

import time
from contextlib import ExitStack
from typing import Any

from reverie.core import ReverieError
from reverie.remote.wire import pack, unpack

PAUSES_S = (0.2, 1.0, 3.0)
"""Before each new attempt to reach a server that is not there."""
SHOWN = 300  # characters of a server's error in a message


class Connection:
    """Opened when it is made; `metadata` is the server's first message. Errors: ReverieError, naming the address."""

    def __init__(self, uri: str, timeout_s: float) -> None:
        self.uri, self.timeout_s = uri, timeout_s
        self._socket: Any = None
        self._opened = ExitStack()
        self.metadata = self._open()

    def ask(self, request: Any) -> Any:
        """The answer to one request. A connection that was lost is opened again and the request repeated, once."""
        from websockets.exceptions import ConnectionClosed

        try:
            return self._ask(request)
        except (ConnectionClosed, OSError):
            self.metadata = self._open()
        try:
            return self._ask(request)
        except (ConnectionClosed, OSError) as error:
            raise ReverieError(f"{self.uri}: the server closed the connection twice over one request ({error})") from None  # fmt: skip

    def close(self) -> None:
        self._opened.close()

    def _open(self) -> dict[Any, Any]:
        self.close()
        for pause in (*PAUSES_S, None):
            try:
                return self._connect()
            except OSError as error:  # refused, unreachable, no such host, or no handshake in time
                if pause is None:
                    raise ReverieError(f"{self.uri}: nobody answers ({error or type(error).__name__}), asked {len(PAUSES_S) + 1} times; start the server, or correct the address") from None  # fmt: skip
                time.sleep(pause)
        raise AssertionError("unreachable")

    def _connect(self) -> dict[Any, Any]:
        try:
            from websockets.exceptions import ConnectionClosed, InvalidHandshake
            from websockets.sync.client import connect
        except ImportError:
            raise ReverieError("policy servers need msgpack and websockets: pip install 'reverie[serve]'") from None
        try:
            opening = connect(self.uri, compression=None, max_size=None, open_timeout=self.timeout_s, proxy=None)
            self._socket = self._opened.enter_context(opening)
            metadata = self._receive("its metadata")
        except (InvalidHandshake, ConnectionClosed) as error:
            raise ReverieError(
                f"{self.uri}: answers, but not as a policy server ({error}); correct the address"
            ) from None
        if not isinstance(metadata, dict):
            raise ReverieError(f"{self.uri}: the first message is {type(metadata).__name__}, expected a map")
        return metadata

    def _ask(self, request: Any) -> Any:
        self._socket.send(pack(request))
        return self._receive("an answer")

    def _receive(self, what: str) -> Any:
        try:
            content = self._socket.recv(timeout=self.timeout_s)
        except TimeoutError:
            self.close()
            raise ReverieError(f"{self.uri}: no sign of {what} within {self.timeout_s:g} s; see what the server does, or give it more time (timeout_s)") from None  # fmt: skip
        if isinstance(content, str):
            self.close()
            raise ReverieError(f"{self.uri}: error in the server: {_last_line(content)}")
        try:
            return unpack(content)
        except ReverieError as error:
            raise ReverieError(f"{self.uri}: {error}") from None


def _last_line(text: str) -> str:
    """Of a traceback: what was raised."""
    lines = [line.strip() for line in text.strip().splitlines()]
    return lines[-1][:SHOWN] if lines else "(nothing said)"
