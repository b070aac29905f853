"""Blocks: the unit of work. A plan decides them once; each is computed whole, always in the same batch shape."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import count, islice
from typing import TypeVar

from reverie.core import Scene, TrialKey, content_hash
from reverie.evaluation.plan import Entry, Plan

REPLAY = "+replay"
UNEDITED = "none"
Item = TypeVar("Item")


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
    """Every policy in every world, the truth's world first; scripts in the truth's world only."""
    truth = plan.truth.world if plan.truth else None
    for world in sorted(plan.worlds, key=lambda w: w.name != truth):
        for policy in (*plan.policies, *(plan.scripts if world.name == truth else ())):
            yield from _blocks(plan, policy, world, world.name, None)


def replays_of(plan: Plan) -> Iterator[Block]:
    """The truth's executed actions in every other world: they need the truth's blocks to be finished."""
    if not (plan.replay and plan.truth):
        return
    true_world = plan.world(plan.truth.world)
    for world in plan.worlds:
        for policy in (*plan.policies, *plan.scripts) if world != true_world else ():
            yield from _blocks(plan, policy, world, world.name + REPLAY, true_world.name)


def n_planned(plan: Plan) -> int:
    """How many trials the plan asks for."""
    return sum(len(b.keys) for blocks in (blocks_of, replays_of) for b in blocks(plan))


def _blocks(plan: Plan, policy: Entry, world: Entry, arm: str, source: str | None) -> Iterator[Block]:
    rows = (
        (TrialKey(policy.name, arm, scene.id, edit_of(scene), replicate), scene)
        for replicate in range(plan.replicates)
        for scene in plan.scenes
    )
    for number in count():
        taken = list(islice(rows, plan.block_size))
        if not taken:
            return
        keys, scenes = zip(*taken, strict=True)
        replayed = block_id(source, policy.name, number) if source else None
        yield Block(
            block_id(arm, policy.name, number), policy, world, keys, scenes, plan.block_size, plan.n_steps, replayed
        )


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
