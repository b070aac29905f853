"""From what the user asks for to a Plan: everything is loaded once, named, hashed, and checked to fit together."""

import json
from collections.abc import Sequence
from dataclasses import dataclass

from reverie.core import (
    ActionSpec,
    Judge,
    ObservationSpec,
    Policy,
    Scene,
    SpecMismatch,
    World,
    check_compatible,
)
from reverie.edits import edited_scenes
from reverie.evaluation import recordings
from reverie.evaluation.plan import Entry, Logged, Plan, Truth
from reverie.evaluation.resolve import load_judge, load_policy, load_scenes, load_world

Specs = tuple[ObservationSpec, ActionSpec]


@dataclass(frozen=True)
class Request:
    """What to evaluate, as typed. Specs are resolved by `evaluation.resolve`; see Plan for the other fields.

    truth: (world spec, judge spec), both listed above, or None. logged_policy: with recorded trials as the truth, whose those
    are that name no policy. axes: every scene again under each level of these (`edits.arms_named`).
    """

    policies: tuple[str, ...]
    worlds: tuple[str, ...]
    scenes: tuple[str, ...]
    judges: tuple[str, ...]
    n_steps: int = 80
    truth: tuple[str, str] | None = None
    scripts: tuple[str, ...] = ()
    controls: tuple[str, ...] = ()
    replicates: int = 1
    block_size: int = 8
    threads: int = 1
    replay: bool = True
    keep_video: bool = True
    logged_policy: str = recordings.NOBODY
    axes: tuple[str, ...] = ()


def make_plan(request: Request) -> Plan:
    """Load, name and check everything. A policy that does not fit a world is refused here, before any trial."""
    worlds = {spec: _world(spec) for spec in request.worlds}
    judges = {spec: _judge(spec) for spec in request.judges}
    truth = Truth(worlds[request.truth[0]][0].name, judges[request.truth[1]].name) if request.truth else None
    everywhere = dict(worlds.values())
    scenes = [scene for spec in request.scenes for scene in load_scenes(spec)]
    true_only = {entry: specs for entry, specs in everywhere.items() if truth and entry.name == truth.world}
    return Plan(
        policies=_policies(request.policies, everywhere),
        worlds=tuple(everywhere),
        judges=tuple(judges.values()),
        scenes=(*scenes, *edited_scenes(scenes, request.axes)),
        n_steps=request.n_steps,
        truth=truth,
        scripts=_policies(request.scripts, true_only),
        controls=tuple(judges[spec].name for spec in request.controls),
        replicates=request.replicates,
        block_size=request.block_size,
        threads=request.threads,
        replay=request.replay,
        keep_video=request.keep_video,
        logged=_logged(request, scenes),
    )


def _logged(request: Request, scenes: Sequence[Scene]) -> tuple[Logged, ...]:
    truth = request.truth[0] if request.truth else ""
    if truth.partition(":")[0] != recordings.KIND:
        return ()
    return recordings.logged(truth, tuple(scenes), request.logged_policy, request.n_steps)


def _world(spec: str) -> tuple[Entry, Specs]:
    world: World = load_world(spec)
    try:
        return Entry(spec, world.name, world.fingerprint), (world.observation_spec, world.action_spec)
    finally:
        world.close()


def _judge(spec: str) -> Entry:
    judge: Judge = load_judge(spec)
    return Entry(spec, judge.name, judge.version)


def _policies(specs: tuple[str, ...], worlds: dict[Entry, Specs]) -> tuple[Entry, ...]:
    """One policy at a time is held; every mismatch with every world is collected before any is raised."""
    entries, problems = [], []
    for spec in specs:
        policy: Policy = load_policy(spec)
        entries.append(Entry(spec, policy.name, policy.fingerprint, _about(policy)))
        for entry, offered in worlds.items():
            try:
                check_compatible((policy.observation_spec, policy.action_spec), offered, f"{policy.name}, {entry.name}")
            except SpecMismatch as mismatch:
                problems.append(str(mismatch))
    if problems:
        raise SpecMismatch("\n".join(problems))
    return tuple(entries)


def _about(policy: Policy) -> str:
    about = getattr(policy, "about", None)  # no part of the contract: most policies are all in their fingerprint
    return json.dumps(about, sort_keys=True) if about else ""
