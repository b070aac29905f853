"""The commanded state at every frame: what training must share with use.

The tabletop's arm logs its commanded state. For any other it is what the robot makes of the actions, from the first
observation on, exactly as the video world does later; the logged state of later frames is not looked at.
"""

import numpy as np
from numpy.typing import NDArray

from reverie.core import ActionSpec, Observations
from reverie.data import FrameCache
from reverie.world_model.robots import Robot

Array = NDArray[np.float32]


def commanded_states(cache: FrameCache, robot: Robot) -> Array:
    """[F, D]: logged, or integrated from the actions."""
    if robot.logged:
        return np.asarray(cache.frames["commanded"], np.float32)
    return np.concatenate([_integrated(cache, robot, e) for e in range(len(cache.episodes))])


def _integrated(cache: FrameCache, robot: Robot, episode: int) -> Array:
    """[F_e, D]: the state at each frame of one episode."""
    frames, actions = (slice(*o[episode : episode + 2]) for o in (cache.frame_offsets, cache.action_offsets))
    first = {k: cache.frames[k][frames][:1] for k in ("commanded", "measured") if k in cache.frames}
    seen = Observations(images={}, time_s=np.zeros(1), commanded=first.get("commanded"), measured=first.get("measured"))
    states = [robot.begin(seen)]
    for action in cache.actions[actions]:
        states.append(robot.integrate(states[-1], action[None]))
    return np.concatenate(states)[cache.frame_steps[frames]].astype(np.float32)


def absolute_commands(spec: ActionSpec) -> tuple[int, ...]:
    return tuple(i for i, mode in enumerate(spec.modes) if mode == "absolute")


def relative_actions(cache: FrameCache, states: Array, absolute: tuple[int, ...], commands_at: int = 0) -> Array:
    """[N, A]: absolute targets minus the state [F, D] at the frame before them, whose numbers of commands begin at `commands_at`;
    other commands as they are."""
    actions = np.array(cache.actions, np.float32)
    for e in range(len(cache.episodes)) if absolute else ():
        frames, mine = (slice(*o[e : e + 2]) for o in (cache.frame_offsets, cache.action_offsets))
        shown = np.searchsorted(cache.frame_steps[frames], np.arange(mine.stop - mine.start), side="right") - 1
        actions[mine, absolute] -= states[frames][shown][:, commands_at:][:, absolute]
    return actions
