"""One block through `rollout`, so that a crash costs only the row that crashes.

Whatever a policy or a world raises becomes that trial's traceback: an error, never a failure of the policy.
"""

import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from reverie.core import ActionSpec, Episode, ObservationSpec, Policy, Scene, TrialKey, World
from reverie.core.world import refusal
from reverie.evaluation.blocks import Block, padded
from reverie.rollouts import Recorded, rollout
from reverie.rollouts.no_op import no_op

Rows = Sequence[tuple[TrialKey, Scene]]
REPLAY_STEPS = 10


@dataclass(frozen=True)
class Refused:
    """A world cannot be asked this: no success, no failure, no error."""

    reason: str


Outcomes = list[Episode | str | Refused]


def attempt_asked(run: Callable[[Rows], list[Episode]], rows: Rows, shown: ObservationSpec) -> Outcomes:
    """As `attempt`, of the rows that a world which shows this can be asked about."""
    reasons = [refusal(scene, shown) for _, scene in rows]
    asked = [row for row, reason in zip(rows, reasons, strict=True) if reason is None]
    ran = iter(attempt(run, asked) if asked else [])
    return [next(ran) if reason is None else Refused(reason) for reason in reasons]


def attempt(run: Callable[[Rows], list[Episode]], rows: Rows) -> Outcomes:
    """All rows together; if that crashes, each alone. An Episode or a traceback per row."""
    try:
        return list(run(rows))
    except Exception as error:
        if len(rows) == 1:
            return ["".join(traceback.format_exception(error))]
    return [outcome for row in rows for outcome in attempt(run, [row])]


def run_policy(policy: Policy, world: World, block: Block) -> Callable[[Rows], list[Episode]]:
    """Rows padded to the block's size, so that the batch shape never depends on which rows are asked for."""

    def run(rows: Rows) -> list[Episode]:
        keys, scenes = zip(*padded(rows, block.size), strict=True)
        return rollout(policy, world, scenes, keys, block.n_steps)[: len(rows)]

    return run


def run_replay(
    executed: Sequence[NDArray[np.float32] | None], world: World, block: Block
) -> Callable[[Rows], list[Episode]]:
    """The executed actions of the same trials in the truth's world, played here."""
    by_key = dict(zip(block.keys, executed, strict=True))

    def run(rows: Rows) -> list[Episode]:
        keys, _ = zip(*padded(rows, block.size), strict=True)
        actions = np.stack([_to_play(by_key[k], k, block.n_steps, world.action_spec) for k in keys])
        policy = Recorded(
            actions, world.action_spec, world.observation_spec.frame_every, REPLAY_STEPS, name=block.policy.name
        )
        return run_policy(policy, world, block)(rows)

    return run


def _to_play(actions: NDArray[np.float32] | None, key: TrialKey, n_steps: int, spec: ActionSpec) -> NDArray[np.float32]:
    if actions is None or not len(actions):
        raise RuntimeError(f"nothing to replay: the true trial of {key.policy} in {key.scene} ended in an error")
    still = np.repeat(no_op(spec, actions[-1:]), n_steps - len(actions), axis=0)
    return np.concatenate([actions, still])
