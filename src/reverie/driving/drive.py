"""Drive: a person at the keys of one world, in a local page.

`run` steps the world in the thread that calls it (a renderer belongs to one thread), in real time if the world can keep up.
Pages ask and press from other threads: what they are shown is a value that `run` replaces, what they press is done by `run`.
Time stands still until a key that moves the hand is held, while the drive is paused, and while no page looks.
"""

import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from queue import SimpleQueue
from threading import Condition
from typing import Any

from reverie.core import ReverieError, Scene, World
from reverie.driving.keys import MOVES, SLOWLY
from reverie.driving.pace import Pace
from reverie.driving.shelf import Shelf
from reverie.driving.take import Take
from reverie.pages import Encoded, Reply, encoded

AWAY_S = 2.0
"""A page that has not asked for so long is gone."""
ANSWER_S = 0.5
"""How long a page that has seen everything waits for something new."""
IDLE_S = 0.05
KEPT_PICTURES = 8
PRESSES = {
    " ": ("grip", "open or close the gripper"),
    "r": ("restart", "the same scene again"),
    "n": ("next", "next scene"),
    "Enter": ("save", "save, next scene"),
    "p": ("pause", "pause"),
    "q": ("finish", "finish"),
}
"""key -> what is called, and what it does"""


@dataclass(frozen=True)
class DriveConfig:
    """speed: of the hand, as a share of how fast scripts move. time_scale: seconds in the world in one of the person's (0.5:
    slow motion). limit_s: the longest drive in one scene, by the world's time."""

    speed: float = 0.4
    time_scale: float = 1.0
    limit_s: float = 120.0

    def __post_init__(self) -> None:
        if not 0 < self.speed <= 1:
            raise ReverieError(f"speed is {self.speed}, expected more than 0 and at most 1")
        for name in ("time_scale", "limit_s"):
            if not 0 < getattr(self, name) < math.inf:
                raise ReverieError(f"{name} is {getattr(self, name)}, expected a finite number > 0")


class Drive:
    """A Site. shelf: where episodes go, None where nothing is saved."""

    folder = Path(__file__).resolve().parent

    def __init__(self, world: World, scenes: Sequence[Scene], shelf: Shelf | None, config: DriveConfig) -> None:
        self._world, self._scenes, self._shelf, self._config = world, scenes, shelf, config
        self._limit = max(1, round(config.limit_s * world.action_spec.control_hz))
        self._pace = Pace(world.action_spec.control_hz * config.time_scale)
        self._held: frozenset[str] = frozenset()
        self._asked: SimpleQueue[str] = SimpleQueue()
        self._asked_at = 0.0
        self._news = Condition()
        self._shown: dict[str, Any] = {"version": 0}
        self._pictures: dict[int, Any] = {}
        self._n_pictures, self._finished, self._message = 0, False, ""
        self._begin(0)

    def run(self) -> None:
        """Until the person is finished. Errors: ReverieError where a scene cannot be begun."""
        while not self._finished:
            self._obey()
            if self._goes_on():
                self._pace.wait()
                self._step()
            elif not self._finished:
                self._stand_still()

    def _obey(self) -> None:
        calls: Mapping[str, Callable[[], None]] = {
            "grip": self._grip,
            "restart": lambda: self._begin(self._number),
            "next": lambda: self._begin(self._number + 1),
            "save": self._save,
            "pause": self._pause,
            "finish": self._finish,
        }
        while not self._asked.empty():
            try:
                calls[self._asked.get()]()
            except ReverieError as error:
                self._message = str(error)
            self._show()

    def _begin(self, number: int) -> None:
        self._number = number % len(self._scenes)
        self._take = Take(self._world, self._scenes[self._number], self._config.speed)
        self._running, self._over, self._message = False, False, ""
        self._picture()
        self._show()

    def _goes_on(self) -> bool:
        """Whether time goes on in the world; a key that moves the hand makes it."""
        self._running = self._running or (not self._over and bool(self._held & MOVES.keys()))
        return self._running and time.monotonic() - self._asked_at < AWAY_S

    def _stand_still(self) -> None:
        self._pace.restart()
        time.sleep(IDLE_S)

    def _step(self) -> None:
        try:
            new = self._take.step(self._held)
        except ReverieError as error:  # a world that broke: what it showed before is kept
            new, self._over, self._message = False, True, str(error)
        self._pace.stepped()
        if self._take.ended or self._take.n_steps >= self._limit:
            self._over, self._message = (
                True,
                f"This drive ends after {self._take.n_steps} steps: save it, or begin again.",
            )
        self._running = self._running and not self._over
        if new:
            self._picture()
        self._show()

    def _grip(self) -> None:
        self._take.keyboard.open = not self._take.keyboard.open
        self._running = not self._over

    def _pause(self) -> None:
        self._running = not self._running and not self._over

    def _save(self) -> None:
        if self._shelf is None:
            raise ReverieError("nothing is saved in this session: start again with --out FOLDER")
        number = self._shelf.save(self._take.episode())
        self._begin(self._number + 1)
        self._message = f"Saved as episode {number}."

    def _finish(self) -> None:
        self._finished = True

    def _picture(self) -> None:
        with self._news:
            self._n_pictures += 1
            self._pictures[self._n_pictures] = self._take.picture
            self._pictures.pop(self._n_pictures - KEPT_PICTURES, None)

    def _show(self) -> None:
        """What pages are shown from now on."""
        take, hz = self._take, self._world.action_spec.control_hz
        shown = {
            "title": f"Driving in {self._world.name}",
            "scene": take.scene.id,
            "place": f"scene {self._number + 1} of {len(self._scenes)}",
            "instruction": take.scene.instruction,
            "picture": self._n_pictures,
            "lines": take.lines,
            "time_s": take.n_steps / hz,
            "pace": self._pace.words,
            "state": "running" if self._running else "over" if self._over else "waiting",
            "gripper": ("open" if take.keyboard.open else "closed") if take.keyboard.grips else None,
            "success": take.success,
            "message": self._message,
            "saved": None if self._shelf is None else self._shelf.n_saved,
            "moves": {**take.keyboard.moves, SLOWLY: "slowly"},
            "presses": {key: what for key, (_, what) in PRESSES.items()},
            "finished": self._closing() if self._finished else None,
        }
        with self._news:
            self._shown = {**shown, "version": self._shown["version"] + 1}
            self._news.notify_all()

    def _closing(self) -> list[str]:
        if self._shelf is None or not self._shelf.n_saved:
            return ["Nothing was saved. This page can be closed."]
        return [f"Saved in {self._shelf.root}: {self._shelf.n_saved}. This page can be closed."]

    def get(self, rest: Sequence[str]) -> Reply:
        self._asked_at = time.monotonic()
        match rest:
            case ["state"]:
                return self._shown
            case ["state", version] if version.isdigit():
                return self._newer(int(version))
            case ["frame", number] if number.isdigit():
                return self._frame(int(number))
        return None

    def _newer(self, version: int) -> dict[str, Any]:
        with self._news:
            self._news.wait_for(lambda: self._shown["version"] != version, ANSWER_S)
            return self._shown

    def _frame(self, number: int) -> Encoded | None:
        with self._news:
            picture = self._pictures.get(number)
        return None if picture is None else encoded(picture)

    def post(self, rest: Sequence[str], value: Mapping[str, Any]) -> Reply:
        match rest:
            case ["hold"]:
                self._held = _known(value.get("keys"))
            case ["press"]:
                key = value.get("key")
                if not isinstance(key, str) or key not in PRESSES:
                    raise ReverieError(f"key: found {key!r}, expected one of {', '.join(map(repr, PRESSES))}")
                self._asked.put(PRESSES[key][0])
            case _:
                return None
        return {}


def _known(keys: Any) -> frozenset[str]:
    """Those held keys that move the hand."""
    if not isinstance(keys, list) or not all(isinstance(key, str) for key in keys):
        raise ReverieError(f"keys: found {keys!r}, expected a list of names of keys")
    return frozenset(keys) & {*MOVES, SLOWLY}
