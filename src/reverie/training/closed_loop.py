"""Success while training: the averaged weights, as the policy that would be saved now, in physics on validation scenes.

Offline metrics mislead; this does not, up to its interval. It is for watching: the scenes are of the validation split, the
same each time, never those of tests. Nothing here changes the training: weights are copied, and what is drawn is drawn
from the trials' own seeds.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from reverie.core import ActionSpec, Episode, ObservationSpec, Policy, ReverieError, Scene, TrialKey, check_compatible
from reverie.judges.physics import PhysicsJudge
from reverie.nn.metrics import Mean
from reverie.policies.learned import LearnedPolicy
from reverie.rollouts import rollout
from reverie.scenes.tasks import draw_scene
from reverie.stats import wilson
from reverie.training.team import Team

SPLIT = "validation"
BLOCK = 10
"""Scenes rolled out side by side: results depend on the batch's shape, so every process takes whole blocks."""

Build = Callable[[Mapping[str, Tensor]], LearnedPolicy]


@dataclass(frozen=True)
class SuccessConfig:
    """every: so many training samples (0: never). scenes: how many of `task`, steps: control steps of each, as `reverie
    evaluate` has them."""

    every: int = 0
    scenes: int = 50
    task: str = "put"
    steps: int = 80

    def __post_init__(self) -> None:
        if self.every < 0 or self.scenes < 1 or self.steps < 1:
            raise ReverieError(
                f"success: expected every >= 0, scenes and steps >= 1, found {self.every}, {self.scenes}, {self.steps}"
            )


class ClosedLoop:
    """`build` makes the policy, of `specs`, from whole weights; `seen` are the ids of the scenes that are trained on.

    Errors: ReverieError, before anything is trained, for another robot than the world's, and for scenes that were seen."""

    def __init__(self, config: SuccessConfig, build: Build, specs: tuple[ObservationSpec, ActionSpec], seen: Collection[str]) -> None:  # fmt: skip
        from reverie.sim import PhysicsWorld  # only here: most trainings need no physics

        self.config, self.build, self.world = config, build, PhysicsWorld()
        self.scenes = [draw_scene(config.task, SPLIT, i) for i in range(config.scenes)]
        shown = {s.id for s in self.scenes}.intersection(seen)
        if shown:
            raise ReverieError(
                f"the training data show {len(shown)} of the {SPLIT} scenes that success is measured on, such as "
                f"{min(shown)}: train on scenes of the split train"
            )
        check_compatible(specs, (self.world.observation_spec, self.world.action_spec), "the data, success in physics")

    @property
    def every(self) -> int:
        return self.config.every

    def measure(self, weights: Mapping[str, Tensor], team: Team) -> dict[str, Any]:
        """Successes, n and errors (with one of them), and the rate with Wilson's interval unless nothing could be counted: a
        crash is an error, never a failure of the policy. A team shares the scenes."""
        self._crash = ""
        policy = self.build(weights)
        policy.model.to(team.device)
        blocks = [self.scenes[i : i + BLOCK] for i in range(0, len(self.scenes), BLOCK)]
        found = [e for block in blocks[team.rank :: team.size] for e in self._rolled_out(policy, block)]
        verdicts = [v.success for v in PhysicsJudge().judge([e for e in found if e is not None])]
        counts = {"n": len(verdicts), "successes": sum(v is True for v in verdicts), "errors": found.count(None)}
        sums = team.totals({k: Mean(torch.tensor(float(v)), torch.tensor(1.0)) for k, v in counts.items()})
        told = {k: int(m.total) for k, m in sums.items()}
        rate = wilson(told["successes"], told["n"])
        interval = {} if rate.value is None else {"rate": rate.value, "low": rate.low, "high": rate.high}
        crash = {"crash": self._crash} if self._crash else {}
        return {"task": self.config.task, "split": SPLIT, "steps": self.config.steps, **told, **interval, **crash}

    def _rolled_out(self, policy: Policy, scenes: Sequence[Scene]) -> list[Episode | None]:
        """All together; if that crashes, each alone: None for one that crashes then."""
        keys = [TrialKey(policy.name, self.world.name, s.id) for s in scenes]
        try:
            return list(rollout(policy, self.world, scenes, keys, self.config.steps))
        except Exception as error:
            self._crash = f"{type(error).__name__}: {error}"
            if len(scenes) == 1:
                return [None]
        return [episode for scene in scenes for episode in self._rolled_out(policy, [scene])]
