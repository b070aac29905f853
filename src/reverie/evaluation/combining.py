"""Plans combined: the union of several, and a part of one. What does not fit together is refused, naming what differs."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from fnmatch import fnmatchcase
from typing import Any, TypeVar

from reverie.core import ReverieError
from reverie.evaluation.plan import Plan, Truth, scene_name

Part = TypeVar("Part")
DECISIVE = ("n_steps", "block_size", "threads", "replay")
"""Results depend on these: runs that differ in one are no halves of the same."""
ENTRIES = ("policies", "worlds", "judges", "scripts")


def union(plans: Sequence[Plan]) -> Plan:
    """Everything that any of the plans asks for. Trials that none of them has are missing in the merged run, and can be
    computed there."""
    for field in DECISIVE:
        _agreed(field, [getattr(p, field) for p in plans])
    truths = [p.truth for p in plans if p.truth]
    parts: dict[str, Any] = {f: _joined(f, plans, lambda e: str(e.name)) for f in ENTRIES}
    return replace(
        plans[0],
        **parts,
        scenes=_joined("scenes", plans, scene_name),
        truth=_agreed("truth", truths) if truths else None,
        controls=tuple(dict.fromkeys(c for p in plans for c in p.controls)),
        replicates=max(p.replicates for p in plans),
        keep_video=any(p.keep_video for p in plans),
    )


def _agreed(field: str, values: Sequence[Part]) -> Part:
    if any(v != values[0] for v in values):
        found = " and ".join(dict.fromkeys(map(repr, values)))
        raise ReverieError(f"these runs cannot be merged: {field} is {found}; it must be the same in all of them")
    return values[0]


def _joined(field: str, plans: Sequence[Plan], name: Callable[[Any], str]) -> tuple[Any, ...]:
    """By name, in the order of their first appearance."""
    found: dict[str, Any] = {}
    for plan in plans:
        for part in getattr(plan, field):
            if found.setdefault(name(part), part) != part:
                raise ReverieError(
                    f"these runs cannot be merged: {field} {name(part)!r} is not the same in all of them "
                    f"({found[name(part)]} and {part}); they ran with different versions of it, or it is another of that name"
                )
    return tuple(found.values())


def part(plan: Plan, policies: Sequence[str], worlds: Sequence[str], scenes: Sequence[str], judges: Sequence[str]) -> Plan:  # fmt: skip
    """Only what fits the patterns (of names; `*` and `?` as in a shell); all of a kind where no pattern is given.

    Without the truth's world and judge there is no truth left, and with it go scripts and replays.
    """
    kept_worlds = _fitting("world", plan.worlds, worlds, lambda w: w.name)
    kept_judges = _fitting("judge", plan.judges, judges, lambda j: j.name)
    truth = _truth_of(plan, {w.name for w in kept_worlds}, {j.name for j in kept_judges})
    everybody = _fitting("policy", (*plan.policies, *plan.scripts), policies, lambda p: p.name)
    return replace(
        plan,
        policies=tuple(p for p in everybody if p in plan.policies),
        scripts=tuple(p for p in everybody if p in plan.scripts and truth),
        worlds=kept_worlds,
        judges=kept_judges,
        scenes=_fitting("scene", plan.scenes, scenes, lambda s: s.id),
        truth=truth,
        controls=tuple(c for c in plan.controls if c in {j.name for j in kept_judges}),
    )


def _truth_of(plan: Plan, worlds: set[str], judges: set[str]) -> Truth | None:
    return plan.truth if plan.truth and plan.truth.world in worlds and plan.truth.judge in judges else None


def _fitting(what: str, parts: Iterable[Part], patterns: Sequence[str], name: Callable[[Part], str]) -> tuple[Part, ...]:  # fmt: skip
    parts = tuple(parts)
    for pattern in patterns:
        if not any(fnmatchcase(name(p), pattern) for p in parts):
            known = ", ".join(name(p) for p in parts[:12])
            raise ReverieError(f"no {what} of this run fits {pattern!r}; it has {known}{', …' if len(parts) > 12 else ''}")  # fmt: skip
    return tuple(p for p in parts if not patterns or any(fnmatchcase(name(p), pattern) for pattern in patterns))
