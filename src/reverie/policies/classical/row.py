"""One row of the classical pipeline over one call: what it remembers, when it looks, and what it decides then."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from reverie.policies.classical import detection, motion
from reverie.policies.classical.planning import Plan, at_goal, plan
from reverie.policies.classical.request import Request, understand
from reverie.policies.classical.views import look as views_of
from reverie.scenes.grasping import APPROACH, CARRY

Array = NDArray[np.float64]
Images = Mapping[str, NDArray[np.uint8]]
_SURE, _PERHAPS = 0.5, 0.35  # a right fit matches by 0.75 to 0.95, a wrong one by less than 0.66
_ELSEWHERE = 0.7  # to undo a finished job one must be surer
_HELD, _GONE = 0.53, 0.2  # what hangs from the hand matches by 0.59 to 0.95, an empty hand mostly by less than 0.3
_LOOKS, _GIVE_UP, _ATTEMPTS = 6, 12, 3
_COUNTERS = ("phase", "timer", "attempts", "looks", "checked")  # checked: the last phase whose outcome was looked at
_NOWHERE = Plan(np.zeros(4), np.zeros(4), np.zeros(3), np.zeros(3), np.zeros(2), 0.0)


class Row:
    """`memory()` is all that it knows at the end of a call; nothing else survives."""

    def __init__(self, instruction: str, memory: Mapping[str, Any] | None) -> None:
        self.request = understand(instruction)
        start = {**dict.fromkeys(_COUNTERS, 0), "phase": motion.LOOK, **vars(_NOWHERE)}
        kept = start if memory is None else memory
        self.phase, self.timer, self.attempts, self.looks, self.checked = (int(kept[k]) for k in _COUNTERS)
        self.plan = Plan(**{k: kept[k] for k in vars(_NOWHERE)})

    def memory(self) -> dict[str, Any]:
        counters = {k: np.int64(getattr(self, k)) for k in _COUNTERS}
        return counters | {k: np.asarray(v) for k, v in vars(self.plan).items()}

    def look(self, images: Images, state: Array) -> None:
        """Look where a decision is due; most calls decide nothing."""
        if self.request is None:
            return
        if self.phase == motion.LOOK and self.looks < _GIVE_UP:
            self._find(self.request, images, state)
        elif self.phase in (CARRY, motion.FINISHED) and self.checked != self.phase and self.attempts < _ATTEMPTS:
            self.checked = self.phase
            check = self._check_grasp if self.phase == CARRY else self._check_result
            check(self.request, images, state)

    def act(self, state: Array) -> Array:
        """One action [7]."""
        if self.request is None:
            return motion.stay(state)
        if self.phase == motion.LOOK:
            return motion.stay(state) if self.looks >= _LOOKS else motion.to_lookout(state)
        action, self.phase, self.timer = motion.step(self.phase, self.timer, self.plan, state)
        return action

    def _find(self, request: Request, images: Images, state: Array) -> None:
        """Both things found surely, or after some looks perhaps: plan and go."""
        views = views_of(images, state, moving=self.looks > 0)
        target = detection.find(views, request.target.kind, request.target.color)
        reference = detection.find(views, request.reference.kind, request.reference.color)
        self.looks += 1
        needed = _SURE if self.looks <= _LOOKS else _PERHAPS
        if target and reference and min(target.match, reference.match) >= needed:
            self._begin(plan(request, target.pose, reference.pose, views))

    def _begin(self, new: Plan) -> None:
        self.plan, self.phase, self.timer, self.looks, self.checked = new, APPROACH, 0, 0, 0

    def _check_grasp(self, request: Request, images: Images, state: Array) -> None:
        """Try again if the hand seems empty and the target is seen on the table, or go and look for it."""
        views = views_of(images, state, moving=True)
        held = self.plan.target + np.array([*(state[:3] - self.plan.grasp), 0.0])
        in_hand = detection.match_near(views, request.target.kind, request.target.color, held)
        if in_hand >= _HELD:
            return
        found = detection.find(views, request.target.kind, request.target.color)
        if found and found.match > max(_SURE, in_hand):
            self._retry(plan(request, found.pose, self.plan.reference, views))
        elif in_hand < _GONE:
            self.attempts, self.phase, self.looks = self.attempts + 1, motion.LOOK, 1

    def _check_result(self, request: Request, images: Images, state: Array) -> None:
        """Try again if the target surely lies where it does not belong."""
        views = views_of(images, state, moving=True)
        found = detection.find(views, request.target.kind, request.target.color)
        if found and found.match > _ELSEWHERE and not at_goal(request, found.pose, self.plan.reference):
            self._retry(plan(request, found.pose, self.plan.reference, views))

    def _retry(self, new: Plan) -> None:
        self.attempts += 1
        self._begin(new)
