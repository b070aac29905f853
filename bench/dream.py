"""How fast a person can drive in the shipped video world: the verb's own loop and server, with a page that asks as the real one
does (state, then the new picture), without a browser. Paced to real time, and as fast as it comes.

    python bench/dream.py [--seconds 20]
"""

import http.client
import json
import threading
import time
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import torch
import tyro

from record import number, write
from reverie.driving.drive import Drive, DriveConfig
from reverie.evaluation.loaders import tabletop_scenes, video
from reverie.pages import serving

HELD = (["ArrowDown", "s"], ["ArrowLeft"], ["ArrowUp", "w"], ["ArrowRight", "a"])
WARM_S = 2.0


@dataclass(frozen=True)
class Options:
    seconds: float = 20.0
    threads: tuple[int, ...] = (1, 2)


class Page:
    """What page.js does, and how many steps and pictures it saw after the first seconds."""

    def __init__(self, url: str, seconds: float) -> None:
        self._place, self._seconds, self.seen = urlsplit(url), seconds, dict[str, float]()

    def drive(self) -> None:
        begun, first, state = time.monotonic(), None, self._ask("state")
        while (gone := time.monotonic() - begun) < WARM_S + self._seconds:
            self._ask("hold", {"keys": HELD[int(gone) % len(HELD)]})
            state = self._ask(f"state/{state['version']}")
            self._ask(f"frame/{state['picture']}")
            if gone >= WARM_S and first is None:
                first = (time.monotonic(), state)
        assert first is not None
        span = time.monotonic() - first[0]
        self.seen = {k: (state[k] - first[1][k]) / span for k in ("time_s", "picture")}
        self._ask("press", {"key": "q"})

    def _ask(self, what: str, body: Any = None) -> Any:
        connection = http.client.HTTPConnection(self._place.hostname or "", self._place.port, timeout=30)
        sent = {} if body is None else {"Content-Type": "application/json"}
        connection.request(
            "GET" if body is None else "POST", f"/drive/{what}", None if body is None else json.dumps(body), sent
        )
        response = connection.getresponse()
        data = response.read()
        connection.close()
        return json.loads(data) if response.headers.get_content_type() == "application/json" else None


def driven(seconds: float, time_scale: float) -> dict[str, Any]:
    """Steps and pictures a second."""
    world = video("shipped")
    drive = Drive(world, tabletop_scenes("validation", "1"), None, DriveConfig(time_scale=time_scale, limit_s=10_000))
    with serving({"drive": drive}) as url:
        page = Page(url, seconds)
        person = threading.Thread(target=page.drive)
        person.start()
        drive.run()
        person.join()
    steps = page.seen["time_s"] * world.action_spec.control_hz
    return {
        "steps": number(steps, "steps/s", round(steps * seconds)),
        "pictures": number(page.seen["picture"], "pictures/s", round(page.seen["picture"] * seconds)),
    }


def main() -> None:
    options = tyro.cli(Options)
    values = {}
    for threads in options.threads:
        torch.set_num_threads(threads)
        paces = {"real_time": 1.0, "free": 1000.0}
        values[f"threads_{threads}"] = {name: driven(options.seconds, scale) for name, scale in paces.items()}
    write("dream", values)


if __name__ == "__main__":
    main()
