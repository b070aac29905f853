"""What a recipe for real data measures once world and policy are trained, and how it is recorded."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from reverie.core import Episode, ReverieError, Trial
from reverie.data.cache import FrameCache
from reverie.data.recorded import RecordedWorld, recorded_episodes
from reverie.evaluation.blocks import REPLAY
from reverie.evaluation.fidelity import Pair, Series, series, table
from reverie.evaluation.fidelity_record import Curve, curve, film, replay_curves, write_fidelity
from reverie.evaluation.open_loop import GROUPS, OpenLoop, open_loop
from reverie.evaluation.plan import read_plan
from reverie.evaluation.storage import read_episodes
from reverie.rollouts import Recorded, executed_actions, open_policy, rollout
from reverie.trials import TRIALS
from reverie.world_model.checkpoint import load_world

ROWS_AT_ONCE = 8
UNITS = {"normalised": "standard deviations", **{name: unit for unit, name in GROUPS.items()}} | {"gripper": "opening"}


@dataclass(frozen=True)
class Fidelity:
    """takes: replays of whole held-out takes from their first frames; pieces: of windows that begin anywhere in them."""

    pairs: tuple[Pair, ...]
    takes: tuple[Series, ...]
    pieces: tuple[Series, ...]
    frames_hz: float


def measure_fidelity(run: Path, checkpoint: Path, windows: FrameCache) -> Fidelity:
    pairs = replayed_takes(run)
    hz = windows.action_spec.control_hz / windows.observation_spec.frame_every
    pieces = [series(p) for p in replayed_windows(checkpoint, windows)]
    return Fidelity(tuple(pairs), tuple(series(p) for p in pairs), tuple(pieces), hz)


def replayed_takes(run: Path) -> list[Pair]:
    """The trials of a finished run: each recorded take beside its replay. A trial that crashed is an error here: a mean over
    the others would look better than it is."""
    plan = read_plan(run)
    assert plan.truth is not None
    trials = {(t.key.scene, t.key.world): t for t in TRIALS.read(run)}
    (dream,) = [w.name for w in plan.worlds if w.name != plan.truth.world]
    return [
        Pair(s.id, _stored(run, trials[s.id, plan.truth.world]), _stored(run, trials[s.id, dream + REPLAY]))
        for s in plan.scenes
    ]


def _stored(run: Path, trial: Trial) -> Episode:
    if trial.error is not None:
        raise ReverieError(f"{run}: trial {trial.key.id} ended in an error: {trial.error.strip().splitlines()[-1]}")
    return read_episodes(run, str(trial.info["block"]), {int(trial.info["row"]): trial.clip})[0]


def replayed_windows(checkpoint: Path, windows: FrameCache) -> list[Pair]:
    world, every = load_world(checkpoint).world(RecordedWorld(windows)), windows.observation_spec.frame_every
    pairs: list[Pair] = []
    for start in range(0, len(windows.episodes), ROWS_AT_ONCE):
        numbers = list(range(start, min(start + ROWS_AT_ONCE, len(windows.episodes))))
        real = recorded_episodes(windows, numbers)
        policy = Recorded(executed_actions(real), windows.action_spec, every, every)
        scenes = [e.scene for e in real if e.scene is not None]
        dreamt = rollout(policy, world, scenes, numbers, real[0].n_steps)
        pairs += [Pair(str(r.provenance["take"]), r, d) for r, d in zip(real, dreamt, strict=True)]
    return pairs


def measure_policy(checkpoint: Path, cache: FrameCache) -> OpenLoop:
    splits = np.array([e.split == "val" for e in cache.episodes])
    training = np.repeat(~splits, np.diff(cache.action_offsets))
    takes = recorded_episodes(cache, np.flatnonzero(splits).tolist())
    named = {e.scene.id: e for e in takes if e.scene is not None}
    return open_loop(open_policy(checkpoint), named, cache.actions[training])


def record(run: Path, fidelity: Fidelity, actions: OpenLoop, frames: Sequence[int]) -> dict[str, Any]:
    """Write fidelity.json with its films; returns every number, with n and interval."""
    curves = [
        *replay_curves(
            fidelity.pieces, fidelity.frames_hz, "from frames anywhere in a take", ("psnr_moving", "ssim_moving")
        ),
        *replay_curves(fidelity.takes, fidelity.frames_hz, "from the first frame"),
        *action_curves(actions),
    ]
    write_fidelity(run, curves, [film(run, pair, fidelity.frames_hz) for pair in fidelity.pairs])
    return {
        "frames_hz": fidelity.frames_hz,
        "n_windows": len(fidelity.pieces),
        "takes": _plain(table(fidelity.takes, frames)),
        "windows": _plain(table(fidelity.pieces, frames)),
        "actions": actions.to_dict(),
    }


def _plain(found: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    return {metric: {name: asdict(value) for name, value in by.items()} for metric, by in found.items()}


def action_curves(found: OpenLoop) -> list[Curve]:
    """The policy's error at every control step of its chunk, beside the two that look at nothing."""
    x = [k / found.control_hz for k in range(found.horizon)]
    note = (
        "Open loop: mean absolute difference from the recorded action, by its place in the chunk, at every frame of the "
        "held-out takes; shaded: 95 % over takes (bootstrap). Says nothing about success."
    )
    curves = []
    for group, values in found.policy.by_step.items():
        baselines = {
            "mean action of the training takes": found.mean_action.by_step[group],
            "hold still": found.hold_still.by_step[group],
        }
        curves.append(curve(f"Action error of the policy, {group}", UNITS[group], x, values, baselines, note))
    return [c for c in curves if c is not None]
