"""`reverie serve POLICY`: the policy behind a websocket that any openpi client can ask.

    reverie serve checkpoints/act --port 8000
    reverie evaluate --policies openpi://localhost:8000 ...

A request holds images/CAMERA (uint8 [H, W, 3]), commanded and measured (as far as the policy needs them) and prompt; the
first message says the sizes, names and units. The address is printed on stdout; on stderr, what is served, and one line for every
request that failed.
"""

import threading
from collections.abc import Sequence
from dataclasses import dataclass

import tyro

from reverie.evaluation.resolve import load_policy
from reverie.serving import serve


@dataclass(frozen=True)
class Options:
    """Serves until Ctrl-C."""

    policy: tyro.conf.Positional[str]
    """A policy, as for `reverie evaluate`."""
    host: str = "127.0.0.1"
    """Where to listen; 0.0.0.0 for everybody, who can then ask."""
    port: int = 8000
    """0: any that is free."""


def main(arguments: Sequence[str]) -> int:
    options = tyro.cli(Options, args=list(arguments), prog="reverie serve", description=__doc__)
    with serve(load_policy(options.policy), options.host, options.port) as port:
        print(f"ws://{options.host}:{port}", flush=True)
        threading.Event().wait()
    return 0
