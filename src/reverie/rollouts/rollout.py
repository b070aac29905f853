"""rollout: a policy in a world gives episodes. The one loop that every evaluation, collection and search uses.

Knows time, memory, windows and seeds; knows nothing about particular policies, worlds or tasks.
"""

from collections.abc import Sequence

import numpy as np

from reverie.core import Episode, Policy, ReverieError, Scene, TrialKey, World, check_compatible
from reverie.core.contracts import check_memory
from reverie.rollouts.noisy import noisy
from reverie.rollouts.recording import Recording
from reverie.rollouts.seeds import RowSeeds, call_seeds
from reverie.rollouts.windows import window


def rollout(
    policy: Policy, world: World, scenes: Sequence[Scene], keys: Sequence[TrialKey | int], n_steps: int
) -> list[Episode]:
    """Run B rows for n_steps control steps; one Episode a row, none ended early.

    check that policy and world speak the same language; where a scene asks for sensor noise, its row is seen through it
    frames <- [world.reset(scenes, scene seeds)]
    until n_steps: the policy sees a window of the frames and its memory, and answers with a chunk;
                   the world executes the first n_action_steps of it; new frames are appended
    keys: a TrialKey or a plain number per row; they are the only source of randomness.
    """
    check_start(policy, world, scenes, keys, n_steps)
    rows, world = [RowSeeds.of(key) for key in keys], noisy(world, scenes)
    recording = Recording.start(world.reset(scenes, [row.scene for row in rows]))
    memory, step = None, 0
    while step < n_steps:
        seen = window(recording.frames, policy.observation_spec, world.observation_spec)
        chunk, memory = policy.infer(seen, memory, call_seeds(rows, step))
        check_memory(memory, len(rows))
        taken = min(policy.n_action_steps, n_steps - step, chunk.values.shape[1])
        recording.add(chunk, taken, world.step(chunk.values[:, :taken]))
        step += taken
    return recording.episodes(policy, world, scenes)


def check_start(
    policy: Policy, world: World, scenes: Sequence[Scene], keys: Sequence[TrialKey | int], n_steps: int
) -> None:
    """What can be known to be wrong before the first step."""
    check_compatible(
        (policy.observation_spec, policy.action_spec),
        (world.observation_spec, world.action_spec),
        f"{policy.name}, {world.name}",
    )
    if len(keys) != len(scenes) or not scenes:
        raise ReverieError(
            f"rollout got {len(scenes)} scenes and {len(keys)} keys: give one key per scene, at least one"
        )
    if n_steps < 1 or policy.n_action_steps < 1:
        raise ReverieError(f"n_steps is {n_steps}, n_action_steps {policy.n_action_steps}: both must be >= 1")


def executed_actions(episodes: Sequence[Episode]) -> np.ndarray:
    """The actions of B episodes of equal length, [B, N, A]: what a replay needs."""
    lengths = {e.n_steps for e in episodes}
    if len(lengths) != 1:
        raise ReverieError(f"episodes have {sorted(lengths)} actions: replay needs equally many")
    return np.stack([e.actions for e in episodes])
