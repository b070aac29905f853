"""Who acts while data is collected: one literal table, and mixes of it by share."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from reverie.collection.labelled import Labelled
from reverie.collection.taken_over import TakenOver
from reverie.core import Policy, ReverieError, unknown_name
from reverie.rollouts import open_policy
from reverie.sim.play import Play
from reverie.sim.script import INTENTION, VARIANTS, Script, ScriptConfig

_POLICY, _TAKEN_OVER, _LABELLED = "policy:", "expert_after:", "labelled:"
_OTHERS = (f"{_POLICY}FOLDER", f"{_TAKEN_OVER}STEPS:FOLDER", f"{_LABELLED}FOLDER")
BEHAVIOURS: dict[str, Callable[[], Policy]] = {
    **{v: (lambda v=v: Script(ScriptConfig(variant=v, intention=INTENTION))) for v in VARIANTS},  # type: ignore[misc]
    "clean_expert": lambda: Script(ScriptConfig(noise_m=0.0, noise_rad=0.0, bump_probability=0.0, intention=INTENTION)),
    "play": Play,
}

MIXES: dict[str, Mapping[str, float]] = {
    "demonstrations": {"expert": 1.0},
    "mixed": {
        "expert": 0.62,
        "missed_grasp": 0.04,
        "drop": 0.05,
        "wrong_object": 0.05,
        "wrong_place": 0.04,
        "near_miss": 0.04,
        "late": 0.02,
        "play": 0.14,
    },
}


@dataclass(frozen=True)
class Crew:
    """A mix, opened. A behaviour is known by its label: its name in the table, or a policy's name and fingerprint, never
    its folder. key: part of every seed. shares: label -> share. policies: label -> who acts."""

    key: str
    shares: Mapping[str, float]
    policies: Mapping[str, Policy]


def crew_of(mix: str) -> Crew:
    shares = mix_named(mix)
    opened = {name: behaviour_named(name) for name in shares}
    labels = {n: n if n in BEHAVIOURS else f"{_POLICY}{p.name}@{p.fingerprint}" for n, p in opened.items()}
    key = mix if mix in MIXES else ",".join(labels[name] for name in mix.split(","))
    return Crew(key, {labels[n]: s for n, s in shares.items()}, {labels[n]: p for n, p in opened.items()})


def behaviour_named(name: str) -> Policy:
    """A behaviour of the table; `policy:FOLDER`: a trained policy's checkpoint; `expert_after:STEPS:FOLDER`: the same, until
    the expert takes over; or `labelled:FOLDER`: the same, and at every look what the expert would do."""
    if name.startswith(_POLICY):
        return open_policy(name.removeprefix(_POLICY))
    if name.startswith(_TAKEN_OVER):
        steps, _, folder = name.removeprefix(_TAKEN_OVER).partition(":")
        if not steps.isdigit() or not folder:
            raise ReverieError(f"{name!r} is no behaviour: expected {_TAKEN_OVER}STEPS:FOLDER, such as {_TAKEN_OVER}24:checkpoints/vla")  # fmt: skip
        return TakenOver(open_policy(folder), int(steps))
    if name.startswith(_LABELLED):
        return Labelled(open_policy(name.removeprefix(_LABELLED)))
    if name not in BEHAVIOURS:
        raise unknown_name("behaviour", name, [*BEHAVIOURS, *_OTHERS])
    return BEHAVIOURS[name]()


def mix_named(name: str) -> Mapping[str, float]:
    """A mix of the table, or behaviours separated by commas in equal shares."""
    if name in MIXES:
        return MIXES[name]
    parts = name.split(",")
    for part in parts:
        if part not in BEHAVIOURS and not part.startswith((_POLICY, _TAKEN_OVER, _LABELLED)):
            raise unknown_name("mix", part, [*MIXES, *BEHAVIOURS, *_OTHERS])
    return {part: 1 / len(parts) for part in parts}


def pick(mix: Mapping[str, float], draw: float) -> str:
    """The behaviour at `draw` in [0, 1) of the cumulated shares."""
    total, passed = sum(mix.values()), 0.0
    for name, share in mix.items():
        passed += share / total
        if draw < passed:
            return name
    raise ReverieError(f"draw {draw} is not below 1")
