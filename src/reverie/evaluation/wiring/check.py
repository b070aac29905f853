"""check_wiring: layout, fit, alternatives, sizes and instruction of a policy on logged episodes, and the verdict.

A policy is wired up wrong where an alternative fits better than what it says, with confidence over episodes (one-sided t,
Holm over all alternatives), where its sizes are nearer to those of a known mistake than to 1, where it does not
predict better than the mean action, or where it does not listen. That an alternative is not found says nothing about
mistakes that are not in the list.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

import numpy as np

from reverie.core import Episode, Estimate, Policy, ReverieError
from reverie.core.specs import action_differences, observation_differences
from reverie.evaluation.wiring.alternatives import OtherActions, other_actions, other_pictures
from reverie.evaluation.wiring.asking import Array, Asked, spread, squared
from reverie.evaluation.wiring.instructions import UNIT, Listening, listening
from reverie.evaluation.wiring.scales import Scale, scales
from reverie.stats import bootstrap_mean, holm, mean_above_zero

ALPHA = 0.05
FLOOR = 1e-6
Verdict = Literal["right", "wrong", "undecided"]


@dataclass(frozen=True)
class Tried:
    """An alternative: by how much it fits better (above 0) or worse, weighted squares, a mean over episodes; Holm-adjusted p
    that it does fit better, None where there are too few episodes."""

    words: str
    gain: Estimate
    p: float | None

    @property
    def better(self) -> bool:
        return self.p is not None and self.p <= ALPHA

    @property
    def ruled_out(self) -> bool:
        return self.gain.high is not None and self.gain.high < 0


@dataclass(frozen=True)
class Dimension:
    """error: of the policy, mean absolute, in the dimension's unit; of_mean: of the mean action. said, recorded: lowest and
    highest action."""

    name: str
    unit: str
    error: Estimate
    of_mean: Estimate
    said: tuple[float, float]
    recorded: tuple[float, float]


@dataclass(frozen=True)
class Wiring:
    """problems: differences of the specs; then nothing else was done. advantage: what the mean action fits worse than the
    policy, over episodes."""

    policy: str
    n_episodes: int
    n_frames: int
    problems: tuple[str, ...]
    dimensions: tuple[Dimension, ...] = ()
    advantage: Estimate | None = None
    tried: tuple[Tried, ...] = ()
    scales: tuple[Scale, ...] = ()
    listening: Listening | None = None
    must_listen: bool = True

    @property
    def findings(self) -> tuple[str, ...]:
        """What is wrong, the most telling first."""
        better = sorted((t for t in self.tried if t.better), key=lambda t: -(t.gain.value or 0))
        sizes = [f"{s.name} is too large by a factor of {s.words}" for s in self.scales if s.words]
        deaf = [self.listening.words] if self.must_listen and self.listening and self.listening.ignored else []
        useless = self.advantage is not None and self.advantage.high is not None and (self.advantage.low or 0) <= 0
        blind = ["it fits what was done no better than the mean action does"] if useless else []
        return (*self.problems, *(t.words for t in better), *sizes, *deaf, *blind)

    @property
    def verdict(self) -> Verdict:
        if self.findings:
            return "wrong"
        return "undecided" if self.advantage is None or self.advantage.low is None else "right"

    def to_dict(self) -> dict[str, Any]:
        """Ready for JSON, with the verdict and the findings."""
        return {"v": 1, "verdict": self.verdict, "findings": list(self.findings), **asdict(self)}


def check_wiring(policy: Policy, episodes: Sequence[Episode], n_frames: int = 12, must_listen: bool = True) -> Wiring:
    """Show up to n_frames frames of each episode, which share their specs. Errors: ReverieError without an episode."""
    if not episodes:
        raise ReverieError("found no episode to check a policy on, expected several")
    first = episodes[0]
    problems = [
        *observation_differences(policy.observation_spec, first.observation_spec),
        *action_differences(policy.action_spec, first.action_spec),
    ]
    asked = spread(episodes, n_frames)
    frames = sum(len(a.frames) for a in asked)
    if problems:
        return Wiring(policy.name, len(asked), frames, tuple(p.replace("world", "data") for p in problems))
    answers = [a.answer(policy) for a in asked]
    horizon = min(answer.shape[1] for answer in answers)
    answers = [answer[:, :horizon] for answer in answers]
    recorded = [a.recorded(horizon) for a in asked]
    weight = weights(recorded, policy.action_spec.units)
    executed = slice(0, min(policy.n_action_steps, horizon))
    said, done = ([v[:, executed] for v in side] for side in (answers, recorded))
    return Wiring(
        policy.name,
        len(asked),
        frames,
        (),
        tuple(_dimensions(policy, said, done)),
        _advantage(said, done, weight),
        tuple(_tried(policy, asked, answers, recorded, weight)),
        tuple(scales(said, done, policy.action_spec)),
        listening(policy, asked, answers, weight),
        must_listen,
    )


def weights(recorded: Sequence[Array], units: Sequence[str]) -> Array:
    """[A]: 1 / the mean variance of all dimensions of one unit, so that exchanging two of them weighs nothing by itself."""
    variance = np.nanvar(np.concatenate(recorded).reshape(-1, len(units)), axis=0)
    return np.array([1 / max(float(np.mean(variance[[u == unit for u in units]])), FLOOR) for unit in units])


def _tried(policy: Policy, asked: Sequence[Asked], answers: Sequence[Array], recorded: Sequence[Array], weight: Array) -> list[Tried]:  # fmt: skip
    horizon = answers[0].shape[1]
    gains = {
        a.words: [_gain(a, said, done, weight) for said, done in zip(answers, recorded, strict=True)]
        for a in other_actions(policy.action_spec, horizon)
    }
    for pictures in other_pictures(policy.observation_spec):
        others = [a.answer(policy, pictures.change)[:, :horizon] for a in asked]
        gains[pictures.words] = [
            squared(said - done, weight) - squared(other - done, weight)
            for said, other, done in zip(answers, others, recorded, strict=True)
        ]
    tests = {words: mean_above_zero(values, UNIT).value for words, values in gains.items()}
    there = [p for p in tests.values() if p is not None]
    adjusted = iter(float(p) for p in holm(there))
    return [Tried(words, bootstrap_mean(values, UNIT), None if tests[words] is None else next(adjusted)) for words, values in gains.items()]  # fmt: skip


def _gain(alternative: OtherActions, said: Array, done: Array, weight: Array) -> float:
    plain, other = alternative.plain(said), alternative.other(said)
    at = done[:, alternative.first : alternative.first + plain.shape[1]]
    return squared(plain - at, weight) - squared(other - at, weight)


def _advantage(said: Sequence[Array], done: Sequence[Array], weight: Array) -> Estimate:
    """The mean action is that of the other episodes: of its own it would know too much."""
    totals, counts = ([f(d, axis=(0, 1)) for d in done] for f in (np.nansum, lambda d, axis: np.isfinite(d).sum(axis)))
    gains = []
    for i, (answer, at) in enumerate(zip(said, done, strict=True)):
        others = [k for k in range(len(done)) if k != i] or [i]
        mean = sum(totals[k] for k in others) / sum(counts[k] for k in others)
        gains.append(squared(mean - at, weight) - squared(answer - at, weight))
    return bootstrap_mean(gains, UNIT)


def _dimensions(policy: Policy, said: Sequence[Array], done: Sequence[Array]) -> list[Dimension]:
    spec, everything, mean = policy.action_spec, np.concatenate(done), np.nanmean(np.concatenate(done), axis=(0, 1))
    answers = np.concatenate(said)
    found = []
    for i, (name, unit) in enumerate(zip(spec.names, spec.units, strict=True)):
        errors = [float(np.nanmean(np.abs(s - d)[..., i])) for s, d in zip(said, done, strict=True)]
        of_mean = [float(np.nanmean(np.abs(mean - d)[..., i])) for d in done]
        ranges = [(float(np.nanmin(v[..., i])), float(np.nanmax(v[..., i]))) for v in (answers, everything)]
        found.append(Dimension(name, unit, bootstrap_mean(errors, UNIT), bootstrap_mean(of_mean, UNIT), *ranges))
    return found
