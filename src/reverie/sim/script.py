"""Scripted behaviour on the tabletop: an expert, experts that err on purpose, and play. All are ordinary policies.

They know what no camera shows: the poses of things (extras of the physics world). The closed-loop expert reads them in
every frame and tries again after a missed grasp; the open-loop scripts plan from `start_poses` alone, so that they can
also act in a world that generates video. What varies from trial to trial is drawn from the seed of the first call.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from reverie.core.observations import Observations
from reverie.core.policy import ActionChunk, Memory
from reverie.core.seeding import content_hash
from reverie.core.source import source_hash
from reverie.core.specs import ActionSpec, ObservationSpec
from reverie.embodiments import panda
from reverie.embodiments.steering import towards
from reverie.scenes.goals import SHUT_RAD
from reverie.scenes.grasping import (
    APPROACH,
    CARRY,
    CLOSE,
    DESCEND,
    LIFT,
    LOWER,
    OPEN,
    RETREAT,
    SAFE_Z_M,
)
from reverie.sim.plan import Plan, plan_goal
from reverie.sim.resuming import phase_of
from reverie.sim.table_model import SOURCES
from reverie.sim.turns import ATTEMPTS, asked, errs_at, follows, turns_of

Array = NDArray[np.float64]
VARIANTS = ("expert", "missed_grasp", "drop", "wrong_object", "wrong_place", "near_miss", "late", "wrong_order")
"""Of several goals one is erred at, "late" at all of them; "wrong_order" needs several to be wrong."""
IDLE = RETREAT + 1
INTENTION = 16
"""Control steps of `ScriptConfig.intention` in what is recorded: more than any chunk of the small policies."""


@dataclass(frozen=True)
class ScriptConfig:
    """noise_m, noise_rad and bump_m are standard deviations of what is added to single commands (recovery data),
    bump_probability is per control step; retry needs current poses. intention: so many control steps ahead it says with
    every chunk what it would do without noise (0: nothing; costs as much as acting that long)."""

    variant: str = "expert"
    retry: bool = True
    noise_m: float = 0.0025
    noise_rad: float = 0.025
    bump_probability: float = 0.025
    bump_m: float = 0.035
    intention: int = 0


class Script:
    """Waypoints of one goal after the other. `n_action_steps` is 1 frame (2 control steps): the script is closed loop."""

    RESUMES_BY = ("angles", "held")
    """Extras that `resume` goes by beside those of the closed loop."""

    def __init__(self, config: ScriptConfig) -> None:
        self.config = config
        self.name = f"script-{config.variant}" if config.retry else f"script-{config.variant}-open-loop"

    @property
    def observation_spec(self) -> ObservationSpec:
        """Privileged: poses of things at reset, and now where it retries; no camera."""
        extras = ("object_poses", "success") * self.config.retry + ("start_poses", "kinds", "goal", "goals")
        return replace(panda.OBSERVATION_SPEC, cameras=(), measured=(), extras=extras)

    @property
    def action_spec(self) -> ActionSpec:
        return panda.ACTION_SPEC

    @property
    def fingerprint(self) -> str:
        return content_hash({"source": source_hash(*SOURCES), "config": repr(self.config)})

    @property
    def n_action_steps(self) -> int:
        return panda.OBSERVATION_SPEC.frame_every

    def infer(
        self, observations: Observations, memory: Memory | None, seeds: Sequence[int]
    ) -> tuple[ActionChunk, Memory | None]:
        """Actions [B, 2, 7]; memory holds, per row, the plan's arrays, the phase, its timer and the attempts, and which
        goal is next and at which one it errs."""
        now = observations[:, -1]
        assert now.commanded is not None
        extras = now.extras
        if memory is None:
            memory = self._begin(extras["start_poses"], extras, seeds, np.zeros(len(seeds), np.int64))
        memory = self._next_goals(memory, extras, seeds)
        rows = [
            _Row(self.config, {k: v[i] for k, v in memory.items()}, np.asarray(now.commanded[i], np.float64), seeds[i])
            for i in range(len(seeds))
        ]
        if self.config.retry:
            for i, row in enumerate(rows):
                row.look(extras["object_poses"][i])
        intended = self._intended(rows)
        chunks = _played(rows, self.n_action_steps)
        carried = {k: np.stack([row.memory[k] for row in rows]) for k in rows[0].memory}
        return ActionChunk(chunks, self.action_spec, intended), carried

    def _intended(self, rows: Sequence["_Row"]) -> NDArray[np.float32] | None:
        """[B, intention, A]: the same state machines, as they are now, going on without noise."""
        if not self.config.intention:
            return None
        calm = replace(self.config, noise_m=0.0, noise_rad=0.0, bump_probability=0.0)
        return _played([_Row(calm, dict(row.memory), row.state, 0) for row in rows], self.config.intention)

    def resume(self, observations: Observations, seeds: Sequence[int]) -> Memory:
        """What to remember to go on from here, as if others had acted so far: in the phase that hand and target are in;
        nothing more where all is done. Needs the extras of the closed loop and `RESUMES_BY`."""
        now = observations[:, -1]
        assert now.commanded is not None
        turns = turns_of(now.extras["goals"], now.extras["goal"])
        memory = self._begin(now.extras["object_poses"], now.extras, seeds, turns)
        held = now.extras["held"].reshape(-1) == memory["plan.target"]
        phases = []
        for i, state in enumerate(np.asarray(now.commanded, np.float64)):
            plan = Plan.from_arrays({k: v[i] for k, v in memory.items()})
            target = now.extras["object_poses"][i, plan.target].astype(np.float64)
            if held[i]:
                plan.correct_for_grip(state[:3], target[:3])
            shut = now.extras["angles"][i, plan.target] < SHUT_RAD
            phases.append((RETREAT, 0) if plan.hinged and shut else phase_of(plan, state, target, bool(held[i])))
        phase, timer = np.array(phases, np.int64).T
        phase = np.where(now.extras["success"].reshape(-1) > 0, IDLE, phase)
        return {**memory, "phase": phase, "timer": timer}

    def _begin(self, poses: NDArray[np.float32], extras: Any, seeds: Sequence[int], turns: NDArray[np.int64]) -> Memory:
        errs = np.array([errs_at(goals, seed) for goals, seed in zip(extras["goals"], seeds, strict=True)])
        memory = {"turn": turns.astype(np.int64), "errs_at": errs}
        plans = [self._plan(memory, i, poses[i], extras, seed).to_arrays() for i, seed in enumerate(seeds)]
        n = len(plans)
        return {
            **{k: np.stack([a[k] for a in plans]) for k in plans[0]},
            **memory,
            "phase": np.zeros(n, np.int64),
            "timer": np.zeros(n, np.int64),
            "attempts": np.zeros(n, np.int64),
        }

    def _plan(self, memory: Memory, row: int, poses: NDArray[np.float32], extras: Any, seed: int) -> Plan:
        turn, errs = int(memory["turn"][row]), int(memory["errs_at"][row])
        variant, goal = asked(self.config.variant, extras["goals"][row], turn, errs)
        return plan_goal(variant, poses, extras["kinds"][row], goal, seed)

    def _next_goals(self, memory: Memory, extras: Any, seeds: Sequence[int]) -> Memory:
        """Where a goal was brought to its end, begin with the one that follows; in closed loop the expert first waits until
        it counts as reached, and otherwise does it again."""
        ended = [int(i) for i in np.flatnonzero(memory["phase"] == IDLE)]
        if not ended:
            return memory
        checks = self.config.retry and self.config.variant == "expert"
        poses = extras["object_poses" if self.config.retry else "start_poses"]
        memory = {k: v.copy() for k, v in memory.items()}
        for i in ended:
            row = {k: v[i] for k, v in memory.items()}
            step = follows(row, {k: v[i] for k, v in extras.items()}, checks)
            if step is None:
                continue
            memory["turn"][i] += step
            fresh = self._plan(memory, i, poses[i], extras, seeds[i]).to_arrays()
            attempts = 0 if step else row["attempts"] + 1
            for name, value in {**fresh, "phase": APPROACH, "timer": 0, "attempts": attempts}.items():
                memory[name][i] = value
        return memory


def _played(rows: Sequence["_Row"], n: int) -> NDArray[np.float32]:
    """Actions [B, n, A] of n control steps, all rows at once."""
    actions = []
    for _ in range(n):
        states = np.stack([row.state for row in rows])
        goals, yaws, openings = zip(*(row.waypoint() for row in rows), strict=True)
        steps = towards(np.stack(goals), yaws, openings, states, [row.plan.speed for row in rows])
        taken = [row.take(*step) for row, *step in zip(rows, *steps, strict=True)]
        actions.append(np.stack(taken).astype(np.float32))
        for row, state in zip(rows, panda.integrate(states, actions[-1]), strict=True):
            row.state = state
    return np.stack(actions, axis=1)


class _Row:
    """One row's state machine over one call."""

    def __init__(self, config: ScriptConfig, memory: dict[str, Any], commanded: Array, seed: int) -> None:
        self.config, self.memory = config, memory
        self.plan = Plan.from_arrays(memory)
        self.state = commanded
        self.rng = np.random.default_rng(seed)

    def look(self, poses: NDArray[np.float32]) -> None:
        """Follow the target while it is on the table, notice a missed grasp, and aim the carried object, not the hand."""
        plan, phase = self.plan, int(self.memory["phase"])
        target = poses[plan.target].astype(np.float64)
        if phase in (APPROACH, DESCEND):
            plan.aim_at(target)
        if phase == CARRY and plan.expects_grasp and target[2] < SAFE_Z_M / 2 and self.memory["attempts"] < ATTEMPTS:
            self.memory |= {"phase": np.int64(APPROACH), "timer": np.int64(0), "attempts": self.memory["attempts"] + 1}
            plan.aim_at(target)
        if phase in (CARRY, LOWER) and plan.expects_grasp:
            plan.correct_for_grip(self.state[:3], target[:3])
        self.memory |= plan.to_arrays()

    def waypoint(self) -> tuple[Array, float, float]:
        return self.plan.waypoint(int(self.memory["phase"]), self.state)

    def take(self, action: Array, distance: float, angle: float) -> Array:
        """What is done of an action [7] towards the waypoint, so far away; the state machine goes on."""
        phase = int(self.memory["phase"])
        self._advance(phase, distance, angle)
        return np.asarray(action + np.concatenate([self._disturbance(phase), self._shake(phase), [0.0]]))

    def _advance(self, phase: int, distance: float, angle: float) -> None:
        self.memory["timer"] = self.memory["timer"] + 1
        if phase != IDLE and self.plan.phase_ended(phase, int(self.memory["timer"]), distance, angle):
            self.memory |= {"phase": np.int64(phase + 1), "timer": np.int64(0)}

    def _disturbance(self, phase: int) -> Array:
        """Noise in free motion, with now and then a bump of one control step; none while fingers close or open."""
        config = self.config
        if phase in (CLOSE, OPEN, IDLE):
            return np.zeros(3)
        bump = np.zeros(3)
        if self.rng.random() < config.bump_probability and phase in (APPROACH, DESCEND, CARRY):
            bump = self.rng.normal(0, config.bump_m, 3) * [1, 1, 0.5]
        fine = 0.4 if phase in (DESCEND, LOWER) else 1.0
        return np.asarray(bump + self.rng.normal(0, config.noise_m, 3) * fine)

    def _shake(self, phase: int) -> Array:
        return np.asarray(self.rng.normal(0, self.config.noise_rad, 3) * (phase in (APPROACH, LIFT, CARRY, RETREAT)))
