"""Blocks: the unit of work. A plan decides them once; each is computed whole, always in the same batch shape."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TypeVar

from reverie.core import Scene, TrialKey, content_hash
from reverie.evaluation.plan import Entry, Plan

REPLAY = "+replay"
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


def blocks_of(plan: Plan) -> list[Block]:
    """Every policy in every world, the truth's world first; scripts in the truth's world only."""
    truth = plan.truth.world if plan.truth else None
    worlds = sorted(plan.worlds, key=lambda w: w.name != truth)
    return [
        block
        for world in worlds
        for policy in (*plan.policies, *(plan.scripts if world.name == truth else ()))
        for block in _blocks(plan, policy, world, world.name, None)
    ]


def replays_of(plan: Plan) -> list[Block]:
    """The truth's executed actions in every other world: they need the truth's blocks to be finished."""
    if not (plan.replay and plan.truth):
        return []
    true_world = plan.world(plan.truth.world)
    return [
        block
        for world in plan.worlds
        if world != true_world
        for policy in (*plan.policies, *plan.scripts)
        for block in _blocks(plan, policy, world, world.name + REPLAY, true_world.name)
    ]


def _blocks(plan: Plan, policy: Entry, world: Entry, arm: str, source: str | None) -> Iterator[Block]:
    rows = [
        (TrialKey(policy.name, arm, scene.id, edit_of(scene), replicate), scene)
        for replicate in range(plan.replicates)
        for scene in plan.scenes
    ]
    for number, (n_steps, part) in enumerate(_parts(rows, plan)):
        keys, scenes = zip(*part, strict=True)
        replayed = block_id(source, policy.name, number) if source else None
        yield Block(block_id(arm, policy.name, number), policy, world, keys, scenes, plan.block_size, n_steps, replayed)


def _parts(
    rows: Sequence[tuple[TrialKey, Scene]], plan: Plan
) -> Iterator[tuple[int, Sequence[tuple[TrialKey, Scene]]]]:
    """Rows of equal length, block by block, and that length; as they come where all are as long as the run's."""
    lengths = [scene.n_steps(plan.n_steps) for _, scene in rows]
    for n_steps in dict.fromkeys(sorted(lengths)):
        alike = [row for row, length in zip(rows, lengths, strict=True) if length == n_steps]
        yield from ((n_steps, alike[i : i + plan.block_size]) for i in range(0, len(alike), plan.block_size))


def edit_of(scene: Scene) -> str:
    """What a key says of a scene's edits."""
    return "+".join(e.id for e in scene.edits) or "none"


def block_id(world: str, policy: str, number: int) -> str:
    return f"{slug(world)}/{slug(policy)}/{number:05d}"


def slug(name: str) -> str:
    """A name as part of a path; names that would read the same differ by a hash."""
    plain = re.sub(r"[^A-Za-z0-9._+=-]+", "-", name).strip("-.")
    return plain if plain == name else f"{plain[:60]}-{content_hash(name)[:6]}"


def padded(rows: Sequence[Item], size: int) -> list[Item]:
    """Rows repeated from the start until there are `size`: results depend on the batch's shape, so it never changes."""
    return [rows[i % len(rows)] for i in range(size)]
