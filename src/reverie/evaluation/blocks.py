"""Blocks: the unit of work. A plan decides them once; each is computed whole, always in the same batch shape."""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import islice
from typing import TypeVar

from reverie.core import Scene, TrialKey, content_hash
from reverie.evaluation.plan import Entry, Plan

REPLAY = "+replay"
SCRIPTS = "+scripts"
"""Suffix of an arm that unites a world's own trials with the replayed ones of scripts."""
UNEDITED = "none"
Item = TypeVar("Item")
Rows = Iterable[tuple[Scene, int]]
"""Scenes with the number of the replicate."""


@dataclass(frozen=True)
class Block:
    """Up to `size` trials of one policy in one world. `replays` names the block whose executed actions are played."""

    id: str
    policy: Entry
    world: Entry
    keys: tuple[TrialKey, ...]
    scenes: tuple[Scene, ...]
    size: int
    n_steps: int
    replays: str | None = None


def blocks_of(plan: Plan) -> Iterator[Block]:
    """Every policy in every world, the truth's world first; scripts in the truth's world only, and logged trials as it."""
    truth = plan.truth.world if plan.truth else None
    for world in sorted(plan.worlds, key=lambda w: w.name != truth):
        for policy, rows in _acting(plan, world.name == truth):
            yield from _blocks(plan, policy, rows, world, world.name, None)


def replays_of(plan: Plan) -> Iterator[Block]:
    """The truth's executed actions in every other world: they need the truth's blocks to be finished."""
    if not (plan.replay and plan.truth):
        return
    true_world = plan.world(plan.truth.world)
    for world in plan.worlds:
        for policy, rows in _acting(plan, in_truth=True) if world != true_world else ():
            yield from _blocks(plan, policy, rows, world, world.name + REPLAY, true_world.name)


def n_planned(plan: Plan) -> int:
    """How many trials the plan asks for."""
    return sum(len(b.keys) for blocks in (blocks_of, replays_of) for b in blocks(plan))


def _acting(plan: Plan, in_truth: bool) -> Iterator[tuple[Entry, Callable[[], Rows]]]:
    """Who acts in a world, and in which scenes and replicates. What was logged happened once."""
    if in_truth and plan.logged:
        by_id = {scene.id: scene for scene in plan.scenes}
        for log in plan.logged:
            yield log.entry, partial(_once, [by_id[scene] for scene in log.scenes])
        return
    for policy in (*plan.policies, *(plan.scripts if in_truth else ())):
        yield policy, partial(_everything, plan)


def _once(scenes: Sequence[Scene]) -> Rows:
    return ((scene, 0) for scene in scenes)


def _everything(plan: Plan) -> Rows:
    return ((scene, replicate) for replicate in range(plan.replicates) for scene in plan.scenes)


def _blocks(plan: Plan, policy: Entry, rows: Callable[[], Rows], world: Entry, arm: str, source: str | None) -> Iterator[Block]:  # fmt: skip
    for number, (n_steps, part) in enumerate(_parts(plan, rows)):
        scenes = tuple(scene for scene, _ in part)
        keys = tuple(TrialKey(policy.name, arm, scene.id, edit_of(scene), replicate) for scene, replicate in part)
        replayed = block_id(source, policy.name, number) if source else None
        yield Block(block_id(arm, policy.name, number), policy, world, keys, scenes, plan.block_size, n_steps, replayed)


def _parts(plan: Plan, rows: Callable[[], Rows]) -> Iterator[tuple[int, list[tuple[Scene, int]]]]:
    """Rows of equal length, block by block, and that length; as they come where all are as long as the run's."""
    for n_steps in sorted({scene.n_steps(plan.n_steps) for scene in plan.scenes}):
        alike = (row for row in rows() if row[0].n_steps(plan.n_steps) == n_steps)
        while part := list(islice(alike, plan.block_size)):
            yield n_steps, part


def edit_of(scene: Scene) -> str:
    """What a key says of a scene's edits."""
    return "+".join(e.id for e in scene.edits) or UNEDITED


def block_id(world: str, policy: str, number: int) -> str:
    return f"{slug(world)}/{slug(policy)}/{number:05d}"


def slug(name: str) -> str:
    """A name as part of a path; names that would read the same differ by a hash."""
    plain = re.sub(r"[^A-Za-z0-9._+=-]+", "-", name).strip("-.")
    return plain if plain == name else f"{plain[:60]}-{content_hash(name)[:6]}"


def padded(rows: Sequence[Item], size: int) -> list[Item]:
    """Rows repeated from the start until there are `size`: results depend on the batch's shape, so it never changes."""
    return [rows[i % len(rows)] for i in range(size)]
