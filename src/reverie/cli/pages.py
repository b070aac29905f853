"""Keeps local pages open until what they ask for is done, or the person at the terminal ends it."""

import sys
import time
from collections.abc import Mapping
from typing import Protocol

from reverie.pages import Site, serving

LINGER_S = 1.0
"""So that a page still gets its last answer's reply."""


class Work(Site, Protocol):
    """A site that asks for something, until it is done."""

    @property
    def finished(self) -> bool: ...

    @property
    def n_left(self) -> int: ...


def until_finished(sessions: Mapping[str, Work], port: int) -> None:
    """Serve, say where on stderr, and wait. Whatever was saved is kept, however this ends."""
    with serving(sessions, port) as url:
        for name in sessions:
            print(f"{name}: open {url}/{name}/ in a browser on this machine (Ctrl-C ends)", file=sys.stderr, flush=True)
        try:
            while not all(s.finished for s in sessions.values()):
                time.sleep(0.1)
            time.sleep(LINGER_S)
        except KeyboardInterrupt:
            left = sum(s.n_left for s in sessions.values())
            print(f"ended with {left} left; the same command goes on there", file=sys.stderr)
