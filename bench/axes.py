"""What every axis of generalisation costs the shipped policies in physics, against the same scenes unedited; and that what was
edited can still be done: the scripted expert on edited scenes.

    python bench/axes.py [--scenes 50] [--expert 100] [--axes all] [--out build/bench/axes]

Paired by scene, so a drop's interval is that of the pairs. The run resumes. The last line is JSON.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import tyro

from physics import expert
from record import rate, rated, write
from reverie.cli.demo import shipped_policies, shipped_request
from reverie.cli.progress import progress
from reverie.edits import AXES, arms_named, edited_scenes
from reverie.evaluation import evaluate, make_plan
from reverie.evaluation.drops import EVERY_LEVEL, Axes, Drop
from reverie.evaluation.loaders import tabletop_scenes
from reverie.evaluation.summary import summarise
from reverie.stats import wilson

WORDS_OR_LOOKS = ("V-SC", "V-VIEW", "V-AUG", "S-LANG")
"""Axes that change nothing for somebody who knows all poses; but plushies, which could stand in the way."""


@dataclass(frozen=True)
class Options:
    scenes: int = 50
    """Per task family."""
    first: int = 3000
    """Number of the first scene: others than those of the other benches."""
    expert: int = 100
    """Edited scenes of every level on which the expert is tried; 0: it is not."""
    axes: tuple[str, ...] = ("all",)
    """As `reverie evaluate --axes`; those that no image shows may be named too."""
    out: Path = Path("build/bench/axes")
    processes: int = 2


def doable(options: Options) -> dict[str, Any]:
    """The expert's success by axis and level, where edits could take it away; blind axes too, since physics interprets them."""
    scenes = tabletop_scenes("test", f"{options.expert}+{options.first}")
    asked = [arm for spec in options.axes for arm in arms_named(spec)]
    asked += [
        (name, level) for name, axis in AXES.items() if axis.blind and "all" in options.axes for level in axis.levels
    ]
    found: dict[str, Any] = {}
    for name, level in dict.fromkeys(asked):
        if AXES[name].code not in WORDS_OR_LOOKS or name.startswith("distractors"):
            changed = edited_scenes(scenes, [f"{name}:{level}"])
            found.setdefault(name, {})[level] = rate(wilson(expert(changed), len(changed)))
    return found


def costs(axes: Axes) -> dict[str, Any]:
    """axis -> level (or "all") -> policy (or "all")."""
    found: dict[str, Any] = {}
    for d in axes.drops:
        found.setdefault(d.axis, {}).setdefault("all" if d.level == EVERY_LEVEL else d.level, {})[d.policy or "all"] = (
            cost(d)
        )
    return found


def cost(d: Drop) -> dict[str, Any]:
    p = {} if d.p is None else {"p": d.p.value}
    return {"clean": rate(d.clean), "edited": rate(d.edited), "drop": rate(d.drop), **p}


def hardest_first(drops: Sequence[Drop], policy: str) -> list[str]:
    mine = [d for d in drops if d.policy == policy and d.level == EVERY_LEVEL and d.drop.value is not None]
    return [d.axis for d in sorted(mine, key=lambda d: -float(d.drop.value or 0))]


def main() -> None:
    options = tyro.cli(Options)
    values: dict[str, Any] = {"expert": doable(options)} if options.expert else {}
    request = replace(
        shipped_request(f"test:{2 * options.scenes}+{options.first}"),
        policies=(*shipped_policies(), "classical"),
        worlds=("physics",),
        judges=("physics",),
        controls=(),
        axes=options.axes,
        keep_video=False,
    )
    with progress("trials") as advance:
        evaluate(make_plan(request), options.out, options.processes, advance)
    summary = summarise(options.out)
    assert summary.axes is not None
    values["clean"] = {r.policy: rated(r) for r in summary.rates}
    values["axes"] = costs(summary.axes)
    values["hardest_first"] = {r.policy: hardest_first(summary.axes.drops, r.policy) for r in summary.rates}
    write("axes", values)


if __name__ == "__main__":
    main()
