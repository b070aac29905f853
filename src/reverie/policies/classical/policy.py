"""The classical pipeline as a Policy: parse, detect, plan, follow waypoints, look whether it worked. Nothing is learned.

    LOOK       until target and reference are found (from the lookout if they cannot be seen from the start)
    APPROACH .. LIFT   waypoints over, at and above the target
    CARRY      first looks: the target moved with the hand? if it stayed or lies elsewhere, plan anew and try again
    .. RETREAT to the goal, let go, up
    FINISHED   first looks: the target lies elsewhere? plan anew; then stands still

It sees what a VLA sees: four images, the commanded state and the instruction. An instruction that it cannot read (see
`request`) makes it stand still: a failure of the policy, not an error of the evaluation. Deterministic; seeds are unused.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from reverie.core import ActionChunk, ActionSpec, Memory, Observations, ObservationSpec
from reverie.core.source import source_hash
from reverie.embodiments import panda
from reverie.policies.classical.row import Row


class ClassicalPolicy:
    """`memory` holds, per row: phase, timer, attempts, looks, and the arrays of a `planning.Plan`."""

    name = "classical"

    @property
    def observation_spec(self) -> ObservationSpec:
        return replace(panda.OBSERVATION_SPEC, measured=())

    @property
    def action_spec(self) -> ActionSpec:
        return panda.ACTION_SPEC

    @property
    def fingerprint(self) -> str:
        return source_hash(
            "reverie.policies.classical", "reverie.scenes", "reverie.embodiments", "reverie.core.rotations"
        )

    @property
    def n_action_steps(self) -> int:
        return panda.OBSERVATION_SPEC.frame_every

    def infer(
        self, observations: Observations, memory: Memory | None, seeds: Sequence[int]
    ) -> tuple[ActionChunk, Memory | None]:
        assert observations.commanded is not None
        images = {camera: v[:, -1] for camera, v in observations.images.items()}
        state = observations.commanded[:, -1].astype(np.float64)  # [B, 15]
        rows = [
            Row(observations.instructions[i], None if memory is None else {k: v[i] for k, v in memory.items()})
            for i in range(len(seeds))
        ]
        for i, row in enumerate(rows):
            row.look({camera: v[i] for camera, v in images.items()}, state[i])
        actions = []
        for _ in range(self.n_action_steps):
            actions.append(np.stack([row.act(state[i]) for i, row in enumerate(rows)]).astype(np.float32))
            state = panda.integrate(state, actions[-1])
        chunk = ActionChunk(np.stack(actions, axis=1), self.action_spec)  # [B, T, 7]
        return chunk, _stack([row.memory() for row in rows])


def _stack(memories: Sequence[Mapping[str, Any]]) -> dict[str, NDArray[Any]]:
    return {k: np.stack([np.asarray(m[k]) for m in memories]) for k in memories[0]}
