"""Plan: what a run computes, fully resolved, as values. `plan.json` is this and nothing else.

It decides every block of work, so it is fixed once a run has begun: a changed plan for the same folder is an error that
says what differs. It loads nothing; `planning` makes it from what the user typed.
"""

import json
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from reverie.core import ReverieError, Scene
from reverie.core.files import write_text

VERSION = 1
FILE = "plan.json"


@dataclass(frozen=True)
class Entry:
    """One policy, world or judge: how it was asked for, its name in keys, a hash that changes with its results.

    about: JSON of what else it has to say of itself (the description of a policy server), empty for most."""

    spec: str
    name: str
    fingerprint: str
    about: str = ""


@dataclass(frozen=True)
class Truth:
    """Whose word counts: this judge in this world."""

    world: str
    judge: str


@dataclass(frozen=True)
class Logged:
    """Trials that one policy made in reality, as somebody logged them: what repeats them in the truth's world, under that
    policy's name, and the ids of the scenes that begin as they did."""

    entry: Entry
    scenes: tuple[str, ...]


@dataclass(frozen=True)
class Plan:
    """policies x worlds x scenes x replicates, in blocks of `block_size` trials of `n_steps` control steps, or of as many as
    their scenes state themselves (`Scene.limit_steps`).

    scripts: privileged policies that only the truth's world can feed; elsewhere their actions are replayed.
    logged: with recorded trials as the truth, whose they are: there nobody else acts, and nobody in another's trial.
    controls: judges whose agreement with the truth shows what needs no pictures. replay: play the truth's executed
    actions in every other world too, under the name `<world>+replay`. threads: per process; part of the result.
    """

    policies: tuple[Entry, ...]
    worlds: tuple[Entry, ...]
    judges: tuple[Entry, ...]
    scenes: tuple[Scene, ...]
    n_steps: int
    truth: Truth | None = None
    scripts: tuple[Entry, ...] = ()
    controls: tuple[str, ...] = ()
    replicates: int = 1
    block_size: int = 8
    threads: int = 1
    replay: bool = True
    keep_video: bool = True
    logged: tuple[Logged, ...] = ()

    def __post_init__(self) -> None:
        for field in ("n_steps", "replicates", "block_size", "threads"):
            if getattr(self, field) < 1:
                raise ReverieError(f"{field} is {getattr(self, field)}: it must be >= 1")
        for field in ("policies", "worlds", "judges", "scenes"):
            if not getattr(self, field) and (field != "policies" or not self.replayed_only):
                raise ReverieError(f"the plan has no {field}: give at least one")
        _unique("policies", [p.name for p in (*self.policies, *self.replayed_only)])
        _unique("worlds", [w.name for w in self.worlds])
        _unique("judges", [j.name for j in self.judges])
        _unique("scenes", [scene_name(s) for s in self.scenes])
        self._check_truth()

    def _check_truth(self) -> None:
        worlds, judges = [w.name for w in self.worlds], [j.name for j in self.judges]
        if self.truth and (self.truth.world not in worlds or self.truth.judge not in judges):
            raise ReverieError(
                f"truth is judge {self.truth.judge!r} in world {self.truth.world!r}; the plan has worlds {worlds}, judges {judges}"
            )
        if self.scripts and self.logged:
            raise ReverieError("the truth is logged trials, which nobody acts in: leave the scripts out")
        if self.scripts and not self.truth:
            raise ReverieError("scripts need a truth whose world can feed them: give one, or leave the scripts out")
        if strange := [c for c in self.controls if c not in judges]:
            raise ReverieError(f"controls {strange} are no judges of the plan: it has {judges}")

    @property
    def replayed_only(self) -> tuple[Entry, ...]:
        """Who acts in the truth's world and is replayed elsewhere: scripts, and logged policies that are not at hand."""
        at_hand = {p.name for p in self.policies}
        return (*self.scripts, *(log.entry for log in self.logged if log.entry.name not in at_hand))

    def world(self, name: str) -> Entry:
        return next(w for w in self.worlds if w.name == name)

    def to_dict(self) -> dict[str, Any]:
        return {"v": VERSION, **asdict(self)}

    @classmethod
    def from_dict(cls, value: dict[str, Any]) -> "Plan":
        if value.get("v") != VERSION:
            raise ReverieError(
                f"plan version is {value.get('v')!r}, expected {VERSION}: written by another version of Reverie"
            )
        fields = {k: v for k, v in value.items() if k != "v"}
        for name in ("policies", "worlds", "judges", "scripts"):
            fields[name] = tuple(Entry(**e) for e in fields[name])
        fields["scenes"] = tuple(Scene.from_dict(s) for s in fields["scenes"])
        fields["controls"] = tuple(fields["controls"])
        fields["logged"] = tuple(Logged(Entry(**v["entry"]), tuple(v["scenes"])) for v in fields.get("logged", ()))
        fields["truth"] = Truth(**fields["truth"]) if fields["truth"] else None
        return cls(**fields)


def scene_name(scene: Scene) -> str:
    """What tells the scenes of a plan apart: a scene and the same one edited are two."""
    return "+".join((scene.id, *(e.id for e in scene.edits)))


def _unique(what: str, names: list[str]) -> None:
    twice = sorted({n for n in names if names.count(n) > 1})
    if twice:
        raise ReverieError(f"two {what} are named {twice}: names are part of every record, so each must be its own")


def read_plan(folder: Path) -> Plan:
    path = folder / FILE
    if not path.exists():
        raise ReverieError(f"{path} not found: {folder} is not the folder of a run; make one with `reverie evaluate`")
    try:
        return Plan.from_dict(json.loads(path.read_text()))
    except (ValueError, KeyError, TypeError) as error:
        raise ReverieError(f"{path}: not a plan ({error!r}); restore the file or start a new run") from None


def settle(plan: Plan, folder: Path) -> Plan:
    """Write the plan into a new run's folder, or check that it is the one the run began with."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / FILE
    if path.exists():
        found = plan_differences(read_plan(folder), plan)
        if found:
            raise ReverieError(
                f"{folder} was begun with another plan:\n  - "
                + "\n  - ".join(found)
                + "\nChoose another folder, or ask for the same again."
            )
        return plan
    write_text(path, json.dumps(plan.to_dict(), indent=1))
    return plan


def plan_differences(old: Plan, new: Plan) -> list[str]:
    """What differs, old against new, in words; scenes by id."""
    found = []
    for field, before, after in _changed(replace(old, scenes=new.scenes), new):
        found.append(f"{field}: the run has {before!r}, asked for {after!r}")
    before_scenes, after_scenes = ({scene_name(s): s for s in plan.scenes} for plan in (old, new))
    for name in before_scenes.keys() | after_scenes.keys():
        if before_scenes.get(name) != after_scenes.get(name):
            where = "differs" if name in before_scenes and name in after_scenes else "is only in one of them"
            found.append(f"scene {name} {where}")
    if not found and list(before_scenes) != list(after_scenes):
        found.append("scenes: another order")
    return sorted(found)[:20]


def _changed(old: Plan, new: Plan) -> list[tuple[str, Any, Any]]:
    """Fields that differ; entries are compared by name, so that one changed checkpoint reads as one line."""
    found: list[tuple[str, Any, Any]] = []
    for field, before in asdict(old).items():
        after = asdict(new)[field]
        if field in ("policies", "worlds", "judges", "scripts"):
            left, right = ({e["name"]: e for e in side} for side in (before, after))
            found += [
                (f"{field} {n}", left.get(n), right.get(n))
                for n in left.keys() | right.keys()
                if left.get(n) != right.get(n)
            ]
            if left == right and list(left) != list(right):
                found.append((field, list(left), list(right)))
        elif before != after:
            found.append((field, before, after))
    return found
