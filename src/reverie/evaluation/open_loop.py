"""Open-loop action error: what a policy would have commanded at every frame of held-out takes, against what was commanded.

It never acts: no world is needed. A small error says that the demonstrations are imitated, not that a task would succeed.
Beside it stand two policies that look at nothing: the mean action of the training takes, and holding still.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from reverie.core import ActionSpec, Episode, Estimate, Observations, Policy
from reverie.evaluation.fidelity import UNIT, by_take
from reverie.rollouts.no_op import no_op
from reverie.rollouts.windows import window_indices
from reverie.stats import bootstrap_mean

Array = NDArray[np.float64]
ROWS_AT_ONCE = 32
SCALE_FLOOR = 1e-3
GROUPS = {"m": "position", "rad": "rotation", "1": "gripper"}
"""Unit of an action -> what its errors are called, in that unit."""


@dataclass(frozen=True)
class ActionError:
    """Mean absolute errors over takes of one predictor. `overall`: by "normalised" and by group; `by_step`: the same for
    each control step of the chunk. Normalised: in standard deviations of the training takes' actions, mean over all
    dimensions."""

    overall: Mapping[str, Estimate]
    by_step: Mapping[str, tuple[Estimate, ...]]

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True)
class OpenLoop:
    """`gain`: what the mean action errs more than the policy, normalised, of the same takes (above 0: the policy is better)."""

    policy: ActionError
    mean_action: ActionError
    hold_still: ActionError
    gain: Estimate
    horizon: int
    control_hz: float

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)


def open_loop(policy: Policy, takes: Mapping[str, Episode], training_actions: NDArray[np.float32]) -> OpenLoop:
    """takes: name -> episode; training_actions [N, A]. At every frame with a recorded action left, the first `horizon`
    actions of the chunk are compared with those recorded, as far as they go on."""
    spec, horizon = policy.action_spec, _horizon(policy, takes)
    mean = training_actions.mean(0, dtype=np.float64)
    scale = np.maximum(training_actions.std(0, dtype=np.float64), SCALE_FLOOR)
    wanted = {take: _chunks(e, horizon) for take, e in takes.items()}  # [R, horizon, A], nan past the end
    of_policy, of_mean, of_still = (
        {take: np.abs(guess(take) - wanted[take]) for take in takes}
        for guess in (
            lambda take: predictions(policy, takes[take])[:, :horizon],
            lambda take: mean,
            lambda take: _still(takes[take], spec)[:, None],
        )
    )
    gains = [float(np.nanmean(of_mean[t] / scale) - np.nanmean(of_policy[t] / scale)) for t in takes]
    return OpenLoop(
        policy=_action_error(of_policy, spec, scale),
        mean_action=_action_error(of_mean, spec, scale),
        hold_still=_action_error(of_still, spec, scale),
        gain=bootstrap_mean(gains, UNIT),
        horizon=horizon,
        control_hz=spec.control_hz,
    )


def predictions(policy: Policy, episode: Episode) -> Array:
    """[R, T, A]: the chunk at every frame that has a recorded action left, each inferred alone from its window."""
    frames, chunks = _asked(episode), []
    for i in range(0, len(frames), ROWS_AT_ONCE):
        seen = shown_at(policy, episode, frames[i : i + ROWS_AT_ONCE])
        chunk, _ = policy.infer(seen, None, [0] * len(seen.time_s))
        chunks.append(chunk.values.astype(np.float64))
    return np.concatenate(chunks)


def _asked(episode: Episode) -> NDArray[np.int64]:
    return np.flatnonzero(episode.frame_steps < episode.n_steps)


def shown_at(policy: Policy, episode: Episode, frames: NDArray[np.int64]) -> Observations:
    """What the policy would see at some frames: [R, n_obs_steps, ...]."""
    index = np.array([window_indices(int(f) + 1, policy.observation_spec) for f in frames])
    shown = episode.observations.select(policy.observation_spec, episode.observation_spec)
    return shown.map(lambda v: v[index], (episode.instruction,) * len(frames))


def _horizon(policy: Policy, takes: Mapping[str, Episode]) -> int:
    """Length of a chunk, by asking for one."""
    episode = next(iter(takes.values()))
    chunk, _ = policy.infer(shown_at(policy, episode, np.zeros(1, np.int64)), None, [0])
    return int(chunk.values.shape[1])


def _chunks(episode: Episode, horizon: int) -> Array:
    steps = episode.frame_steps[_asked(episode)][:, None] + np.arange(horizon)  # [R, horizon]
    found = episode.actions[np.minimum(steps, episode.n_steps - 1)].astype(np.float64)
    found[steps >= episode.n_steps] = np.nan
    return np.asarray(found)


def _still(episode: Episode, spec: ActionSpec) -> Array:
    """[R, A]: zeros for deltas; for absolute actions what was commanded last (before the first command: the state, by name)."""
    steps = episode.frame_steps[_asked(episode)]
    last = episode.actions[np.maximum(steps - 1, 0)].copy()
    last[steps == 0] = _state(episode, spec)
    return np.asarray(no_op(spec, last), np.float64)


def _state(episode: Episode, spec: ActionSpec) -> Array:
    """What is known of the state at reset under the actions' names; nan (not measured) for the others."""
    known: dict[str, float] = {}
    for part in ("measured", "commanded"):
        value = getattr(episode.observations, part)
        if value is not None:
            known |= dict(zip(getattr(episode.observation_spec, part), value[0].tolist(), strict=True))
    return np.array([known.get(name, np.nan) for name in spec.names])


def _action_error(errors: Mapping[str, Array], spec: ActionSpec, scale: Array) -> ActionError:
    """errors: take -> [R, horizon, A]"""
    groups = {"normalised": (np.arange(spec.action_dim), scale)}
    for unit, name in GROUPS.items():
        members = np.array([i for i, u in enumerate(spec.units) if u == unit], np.int64)
        if len(members):
            groups[name] = (members, np.ones(len(members)))
    horizon = next(iter(errors.values())).shape[1]
    overall, by_step = {}, {}
    for name, (members, divisor) in groups.items():
        scaled = {take: e[..., members] / divisor for take, e in errors.items()}
        overall[name] = _over_takes(scaled)
        by_step[name] = tuple(_over_takes({t: e[:, k] for t, e in scaled.items()}) for k in range(horizon))
    return ActionError(overall, by_step)


def _over_takes(errors: Mapping[str, Array]) -> Estimate:
    return bootstrap_mean(by_take((t, float(np.nanmean(e))) for t, e in errors.items() if np.isfinite(e).any()), UNIT)
