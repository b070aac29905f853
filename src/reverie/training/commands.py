"""The commanded state at every frame: what training must share with use.

A calibrated robot logs its commanded state. For any other it is what `GenericRobot` makes of the actions, from the first
observation on, exactly as the video world does later; the logged state of later frames is not looked at.
"""

import numpy as np
from numpy.typing import NDArray

from reverie.core import ActionSpec, Observations
from reverie.data import FrameCache
from reverie.world_model.robots import GenericRobot

Array = NDArray[np.float32]


def commanded_states(cache: FrameCache, calibrated: bool) -> Array:
    """[F, D]: logged (calibrated), or integrated from the actions."""
    if calibrated:
        return np.asarray(cache.frames["commanded"], np.float32)
    robot = GenericRobot(cache.action_spec)
    return np.concatenate([_integrated(cache, robot, e) for e in range(len(cache.episodes))])


def _integrated(cache: FrameCache, robot: GenericRobot, episode: int) -> Array:
    """[F_e, A]: the state at each frame of one episode."""
    frames, actions = (slice(*o[episode : episode + 2]) for o in (cache.frame_offsets, cache.action_offsets))
    first = {k: cache.frames[k][frames][:1] for k in ("commanded", "measured") if k in cache.frames}
    seen = Observations(images={}, time_s=np.zeros(1), commanded=first.get("commanded"), measured=first.get("measured"))
    states = [robot.begin(seen)]
    for action in cache.actions[actions]:
        states.append(robot.integrate(states[-1], action[None]))
    return np.concatenate(states)[cache.frame_steps[frames]].astype(np.float32)


def absolute_commands(spec: ActionSpec) -> tuple[int, ...]:
    return tuple(i for i, mode in enumerate(spec.modes) if mode == "absolute")


def relative_actions(cache: FrameCache, states: Array, absolute: tuple[int, ...]) -> Array:
    """[N, A]: absolute targets minus the state [F, A] at the frame before them; other commands as they are."""
    actions = np.array(cache.actions, np.float32)
    for e in range(len(cache.episodes)) if absolute else ():
        frames, mine = (slice(*o[e : e + 2]) for o in (cache.frame_offsets, cache.action_offsets))
        shown = np.searchsorted(cache.frame_steps[frames], np.arange(mine.stop - mine.start), side="right") - 1
        actions[mine, absolute] -= states[frames][shown][:, absolute]
    return actions
