"""Which of a scene's goals a script is at, what it makes of it, and what follows. Goals are rows of the world's `goals`."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

ATTEMPTS = 3
_WAIT_STEPS = 8  # as long as a goal must be held before it counts, and a little more
Goals = NDArray[np.int8]


def n_goals(goals: Goals) -> int:
    return int((goals[:, 0] >= 0).sum())


def errs_at(goals: Goals, seed: int) -> int:
    """At which of several goals one errs who errs once."""
    return int(np.random.default_rng(seed).integers(n_goals(goals))) if n_goals(goals) > 1 else 0


def asked(variant: str, goals: Goals, turn: int, errs: int) -> tuple[str, Goals]:
    """How a goal is planned for, and the goal [3] itself: "wrong_order" begins with the last one."""
    if variant == "wrong_order":
        return "expert", goals[: n_goals(goals)][::-1][turn]
    return (variant if variant == "late" or turn == errs else "expert"), goals[turn]


def turns_of(goals: Goals, goal: Goals) -> NDArray[np.int64]:
    """[B]: the place of the goal whose turn it is, by its target and reference [B, 2]."""
    return np.asarray((goals[..., :2] == goal[:, None]).all(-1).argmax(-1), np.int64)


def follows(row: Any, extras: Any, checks: bool) -> int | None:
    """After the end of a goal: 1 for the next one, 0 for the same again, None for nothing (yet). row: of a script's memory.
    checks: see whether the world counts it as reached."""
    goals, turn = extras["goals"], int(row["turn"])
    more = turn + 1 < n_goals(goals)
    if checks and row["attempts"] < ATTEMPTS:
        reached = bool(extras["success"]) or (more and bool((extras["goal"] == goals[turn + 1, :2]).all()))
        if not reached:
            return 0 if row["timer"] >= _WAIT_STEPS else None
    return 1 if more else None
