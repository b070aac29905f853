"""From the keys that a person holds down to one command: which way each key moves the hand, and how far.

Up and left of a picture are up and left on the keys as the tabletop's front and top cameras show it: the robot's base is at the
top. Any robot whose commands name x and y in its base frame can be driven; keys for what it has not do nothing.
"""

from collections.abc import Collection
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from reverie.core import ActionSpec, Observations, ObservationSpec, ReverieError
from reverie.embodiments import panda
from reverie.embodiments.steering import SPEED_M, TURN_RAD

SPEED_M_S, TURN_RAD_S = (v * panda.ACTION_SPEC.control_hz for v in (SPEED_M, TURN_RAD))
SLOWLY, SLOWLY_SHARE = "Shift", 0.3


class Move(NamedTuple):
    axis: str
    sign: int
    what: str


MOVES = {
    "ArrowUp": Move("x", -1, "towards the base"),
    "ArrowDown": Move("x", 1, "away from the base"),
    "ArrowLeft": Move("y", -1, "left"),
    "ArrowRight": Move("y", 1, "right"),
    "w": Move("z", 1, "up"),
    "s": Move("z", -1, "down"),
    "a": Move("yaw", 1, "turn left"),
    "d": Move("yaw", -1, "turn right"),
}
"""key, as a browser names it -> what it does while it is held"""
AXES = tuple(dict.fromkeys(m.axis for m in MOVES.values()))


@dataclass
class Keyboard:
    """speed: a share of how fast scripts move. `open` is what the gripper is told. Begins where the first observation is."""

    spec: ActionSpec
    shown: ObservationSpec
    first: Observations
    speed: float
    open: bool = True

    def __post_init__(self) -> None:
        self._places = places(self.spec)
        absolute = [i for i in self._places.values() if self.spec.modes[i] == "absolute"]
        self._target = np.zeros(self.spec.action_dim)
        for i, name in enumerate(self.spec.names):
            if self.spec.modes[i] != "absolute" or name == "gripper":
                continue
            if self.first.commanded is None or name not in self.shown.commanded:
                raise ReverieError(f"commands say where {name} is to be, and nothing says where it is: cannot drive")
            self._target[i] = self.first.commanded[0, self.shown.commanded.index(name)]
        self._absolute = frozenset(absolute)

    @property
    def moves(self) -> dict[str, str]:
        """The keys that this robot has something for, and what they do."""
        return {key: move.what for key, move in MOVES.items() if move.axis in self._places}

    @property
    def grips(self) -> bool:
        return "gripper" in self.spec.names

    def action(self, held: Collection[str]) -> NDArray[np.float32]:
        """One command [A]. Keys of opposite directions cancel."""
        slow = SLOWLY_SHARE if SLOWLY in held else 1.0
        action = self._target.copy()
        for axis, place in self._places.items():
            way = sum(m.sign for key, m in MOVES.items() if m.axis == axis and key in held)
            rate = way * slow * self.speed * (TURN_RAD_S if axis == "yaw" else SPEED_M_S)
            action[place] += rate if self.spec.modes[place] == "velocity" else rate / self.spec.control_hz
        if self.grips:
            action[self.spec.names.index("gripper")] = float(self.open == (self.spec.gripper != "open0_closed1"))
        if self.spec.low is not None and self.spec.high is not None:
            action = np.clip(action, self.spec.low, self.spec.high)
        for place in self._absolute:
            self._target[place] = action[place]
        return action.astype(np.float32)


def places(spec: ActionSpec) -> dict[str, int]:
    """axis -> its place in a command. Errors: ReverieError for a robot that is not told x and y in its base frame."""
    found = {axis: spec.names.index(name) for axis in AXES for name in (axis, f"d{axis}") if name in spec.names}
    if spec.frame != "base" or not {"x", "y"} <= found.keys():
        raise ReverieError(
            f"commands are {', '.join(spec.names)} in the {spec.frame} frame: keys move a hand by x, y and z in its base "
            "frame; drive a world that takes such commands"
        )
    return found
