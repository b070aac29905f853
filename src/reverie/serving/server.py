"""A policy server that speaks the openpi protocol, so that any openpi client can ask any of our policies.

One thread a connection, one call of the policy at a time; each connection has a memory of its own, which {"endpoint":
"reset"} clears. GET /healthz answers OK. An error goes out as text, and the connection is closed with code 1011; here it is one
line on stderr, with the client's address, as is what is served where.
"""

import sys
import threading
import time
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from reverie.core import Memory, Policy, ReverieError
from reverie.remote.own import own_metadata
from reverie.remote.wire import pack, unpack
from reverie.serving.requests import observations_of

INTERNAL_ERROR = 1011


@contextmanager
def serve(policy: Policy, host: str = "127.0.0.1", port: int = 8000) -> Iterator[Any]:
    """Within the block the policy is served by threads; gives the port, which is chosen where 0 is asked for.

    Errors: ReverieError for a policy that needs what the protocol cannot carry, or a port that is taken.
    """
    if policy.observation_spec.extras:
        raise ReverieError(f"{policy.name} needs {list(policy.observation_spec.extras)}, which no request carries; serve a policy that sees pictures and state")  # fmt: skip
    server = _listen(Service(policy), host, port)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    chosen = server.socket.getsockname()[1]
    tell(f"{policy.name} ({policy.fingerprint}) listens at ws://{host}:{chosen}")
    try:
        yield chosen
    finally:
        server.shutdown()
        thread.join()


def _listen(service: "Service", host: str, port: int) -> Any:
    try:
        from websockets.sync.server import serve as listen
    except ImportError:
        raise ReverieError("policy servers need msgpack and websockets: pip install 'reverie[serve]'") from None
    try:
        return listen(service.talk, host, port, compression=None, max_size=None, process_request=healthz)
    except OSError as error:
        raise ReverieError(f"--host {host} --port {port}: cannot listen there ({error.strerror}); give another port") from None  # fmt: skip


def tell(line: str) -> None:
    """To whoever watches the server."""
    print(line, file=sys.stderr, flush=True)


def healthz(connection: Any, request: Any) -> Any:
    return connection.respond(200, "OK\n") if request.path == "/healthz" else None


class Service:
    """The policy, and who may ask it now."""

    def __init__(self, policy: Policy) -> None:
        self.policy, self._one_at_a_time = policy, threading.Lock()
        specs = (policy.observation_spec, policy.action_spec)
        self.metadata = own_metadata(policy.name, policy.fingerprint, *specs, policy.n_action_steps)

    def talk(self, socket: Any) -> None:
        """One connection from its metadata to its end."""
        from websockets.exceptions import ConnectionClosed

        client = _address(socket)  # a socket that was lost has none
        try:
            self._talk(socket, client, ConnectionClosed)
        except ConnectionClosed as end:
            tell(f"{client}: the connection was lost ({_reason(end)})")

    def _talk(self, socket: Any, client: str, lost: type[Exception]) -> None:
        socket.send(pack(self.metadata))
        memory: Memory | None = None
        for calls, message in enumerate(socket):
            try:
                request = unpack(message)
                if isinstance(request, dict) and request.get("endpoint") == "reset":
                    memory = None
                    socket.send("reset successful")
                    continue
                answer, memory = self.answer(request, memory, calls)
                socket.send(pack(answer))
            except lost:
                raise
            except Exception as error:
                tell(f"{client}: request {calls + 1} failed: {_reason(error)}")
                socket.send(traceback.format_exc())
                socket.close(INTERNAL_ERROR, "error in the policy")
                return

    def answer(self, request: Any, memory: Memory | None, calls: int) -> tuple[dict[str, Any], Memory | None]:
        """A request without a seed gets the number of the call for one."""
        observations = observations_of(request, self.policy.observation_spec)
        started = time.perf_counter()
        with self._one_at_a_time:
            chunk, memory = self.policy.infer(observations, memory, [int(request.get("seed", calls))])
        milliseconds = 1000 * (time.perf_counter() - started)
        return {"actions": chunk.values[0], "server_timing": {"infer_ms": milliseconds}}, memory


def _address(socket: Any) -> str:
    try:
        host, port, *_ = socket.remote_address
    except OSError:
        return "a client that left at once"
    return f"{host}:{port}"


def _reason(error: Exception) -> str:
    """On one line; of an error that is none of ours, what kind it is."""
    said = " ".join(str(error).split())
    return said if isinstance(error, ReverieError) else f"{type(error).__name__}: {said}"
