"""From what a server answers to commands of the world: checked, renamed, turned round, scaled, at the world's rate.

Deltas of rotations are added up over steps as if they commuted, which they do for the small turns of a control step.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from reverie.core import ActionSpec, ReverieError
from reverie.core.specs import Gripper
from reverie.remote.description import Answer

Array = NDArray[np.float64]
TURNED: Mapping[Gripper, Gripper] = {"closed0_open1": "open0_closed1", "open0_closed1": "closed0_open1"}


def spec_of(answer: Answer) -> ActionSpec:
    """What the converted actions mean: this is what is compared with the world's."""
    theirs, chosen = answer.theirs, _chosen(answer)
    ours = [name for name, _ in answer.columns]
    units = [answer.scale[n][1] if n in answer.scale else theirs.units[i] for n, i in zip(ours, chosen, strict=True)]
    return replace(
        theirs,
        names=tuple(ours),
        units=tuple(units),
        modes=tuple(theirs.modes[i] for i in chosen),
        gripper=TURNED[theirs.gripper] if answer.flip else theirs.gripper,
        control_hz=answer.control_hz or theirs.control_hz,
        low=None,
        high=None,
    )


def actions_of(answer: Answer, reply: Any, n_action_steps: int) -> NDArray[np.float32]:
    """The server's reply -> [T, A]. Errors: ReverieError for anything but at least n_action_steps of finite actions."""
    said = _checked(answer, reply)[:, _chosen(answer)]
    sign = np.array([-1.0 if ours in answer.negate else 1.0 for ours, _ in answer.columns])
    scale = np.array([answer.scale[ours][0] if ours in answer.scale else 1.0 for ours, _ in answer.columns])
    turned = np.array([ours in answer.flip for ours, _ in answer.columns])
    found = at_rate(np.where(turned, 1 - said, said * sign * scale), answer)
    if len(found) < n_action_steps:
        raise ReverieError(f"the server answered with {len(found)} actions at {spec_of(answer).control_hz:g} Hz, expected n_action_steps ({n_action_steps}) or more")  # fmt: skip
    return found.astype(np.float32)


def _chosen(answer: Answer) -> list[int]:
    return [answer.theirs.names.index(name) for _, name in answer.columns]


def _checked(answer: Answer, reply: Any) -> Array:
    if not isinstance(reply, dict) or answer.key not in reply:
        found = sorted(map(str, reply)) if isinstance(reply, dict) else type(reply).__name__
        raise ReverieError(f"the server answered with {found}, expected the key {answer.key!r}")
    said, names = np.asarray(reply[answer.key]), answer.theirs.names
    if said.ndim != 2 or said.shape[1] != len(names) or said.dtype.kind not in "iuf":
        raise ReverieError(f"the server's {answer.key!r} is {said.dtype} {list(said.shape)}, expected numbers [T, {len(names)}] for {list(names)}")  # fmt: skip
    if not np.isfinite(said).all():
        step, column = (int(i[0]) for i in np.nonzero(~np.isfinite(said)))
        raise ReverieError(f"the server's action {names[column]!r} of step {step} is {said[step, column]}: not finite")
    return said.astype(np.float64)


def at_rate(actions: Array, answer: Answer) -> Array:
    """[T, A] at the server's rate -> at the world's. Faster servers: of so many steps the deltas are added up, the last
    target and the mean velocity taken. Slower ones: deltas are shared out, the others repeated."""
    theirs, ours = answer.theirs.control_hz, answer.control_hz or answer.theirs.control_hz
    many, few = round(theirs / ours), round(ours / theirs)
    modes = np.array([answer.theirs.modes[i] for i in _chosen(answer)])
    if many > 1:
        groups = actions[: len(actions) // many * many].reshape(-1, many, actions.shape[1])
        summed, last, mean = groups.sum(1), groups[:, -1], groups.mean(1)
        return np.where(modes == "delta", summed, np.where(modes == "absolute", last, mean))
    if few > 1:
        return np.repeat(np.where(modes == "delta", actions / few, actions), few, axis=0)
    return actions
