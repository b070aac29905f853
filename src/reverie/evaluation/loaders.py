"""What the tables of `resolve` open: the tabletop's scenes and physics, shipped and trained checkpoints, scripts."""

from pathlib import Path
from typing import Any

from reverie.core import Judge, Policy, ReverieError, Scene, World, unknown_name

SHIPPED = Path(__file__).resolve().parents[1] / "checkpoints" / "shipped"
"""The best of the shipped policies, by its name."""


def shipped(name: str) -> Path:
    """The folder of a checkpoint that came with the package."""
    known = sorted(str(p.parent.relative_to(SHIPPED)) for p in SHIPPED.glob("*/*/checkpoint.json"))
    if name not in known:
        raise unknown_name("shipped checkpoint", name, known)
    return SHIPPED / name


def policy_checkpoint(path: str) -> Policy:
    from reverie.rollouts import open_policy

    return open_policy(path, name=Path(path).name)


def classical(rest: str) -> Policy:
    """The classical pipeline: `classical`."""
    from reverie.policies.catalog import load_policy

    _takes_nothing("classical", rest)
    return load_policy("classical")


def openpi(rest: str) -> Policy:
    """`openpi://HOST:PORT?spec=FILE.yaml`: a policy server; without a file where it describes itself."""
    from reverie.remote import open_remote

    return open_remote(rest)


def script(rest: str) -> Policy:
    """`script:expert`, or `script:near_miss` and others that err: open loop, planned from the poses at reset."""
    from reverie.sim.script import VARIANTS, Script, ScriptConfig

    if rest not in VARIANTS:
        raise unknown_name("script", rest, list(VARIANTS))
    return Script(ScriptConfig(variant=rest, retry=False, noise_m=0.0, noise_rad=0.0, bump_probability=0.0))


def nothing(rest: str) -> Policy:
    """A policy that keeps the hand where it is, open: it must never succeed anywhere."""
    from dataclasses import replace

    from reverie.core.fakes import ConstantPolicy
    from reverie.embodiments import panda

    _takes_nothing("nothing", rest)
    blind = replace(panda.OBSERVATION_SPEC, cameras=(), measured=())
    return ConstantPolicy((0.0,) * 6 + (1.0,), "nothing", blind, panda.ACTION_SPEC)


def physics(rest: str) -> World:
    from reverie.sim import PhysicsWorld

    _takes_nothing("physics", rest)
    return PhysicsWorld()


def video(rest: str) -> World:
    """A video world's checkpoint, or `video:shipped`: starts where physics starts, and goes on alone.
    `video:CHECKPOINT@DATA`: starts with the first frames of recorded episodes."""
    from reverie.evaluation import recordings
    from reverie.sim import PhysicsWorld
    from reverie.world_model.checkpoint import load_world

    checkpoint, at, root = rest.partition("@")
    if not checkpoint or (at and not root):
        raise ReverieError(
            f"world 'video:{rest}' names no checkpoint or no data: expected video:shipped, video:FOLDER or video:FOLDER@DATA"
        )
    if at:
        return recordings.dreamt(_path(checkpoint, "world"), root)
    return load_world(_path(rest, "world")).world(PhysicsWorld())


def judge(rest: str) -> Judge:
    """A judge's checkpoint."""
    from reverie.judges.catalog import load_judge

    return load_judge(rest)


def vlm(rest: str) -> Judge:
    """A vision-language model: `vlm:http://HOST:PORT/v1?model=NAME&votes=3`, or `vlm:FOLDER` for a local one."""
    from reverie.judges.vlm import vlm_judge

    return vlm_judge(rest)


def physics_judge(rest: str) -> Judge:
    from reverie.judges.catalog import load_judge

    _takes_nothing("physics", rest)
    return load_judge("physics")


def tabletop_scenes(split: str, rest: str) -> list[Scene]:
    """`test:16`: 16 scenes, half of each task that the shipped checkpoints know; `test:16,stack`: of one family;
    `test:16+100`: beginning with number 100."""
    from reverie.scenes.tasks import BASIC, draw_scene, task_named

    count, _, task = rest.partition(",")
    count, _, first = count.partition("+")
    if not count.isdigit() or not (first or "0").isdigit() or int(count) < 1:
        raise ReverieError(
            f"scenes {split}:{rest}: expected {split}:NUMBER, {split}:NUMBER,TASK or {split}:NUMBER+FIRST"
        )
    names = [task_named(task).name] if task else list(BASIC)
    numbers = range(int(first or 0) * len(names), int(first or 0) * len(names) + int(count))
    return [draw_scene(names[i % len(names)], split, i // len(names)) for i in numbers]


def nominal(rest: str) -> list[Scene]:
    """`nominal`: the 80 scenes of the benchmark, for three replicates; `nominal:stack,put_in`: of some families."""
    from reverie.scenes.nominal import nominal_scenes

    return nominal_scenes(*(rest.split(",") if rest else ()))


def _path(rest: str, name: str) -> Path:
    return next(iter(sorted((SHIPPED / name).glob("*/"))), SHIPPED / name) if rest == "shipped" else Path(rest)


def _takes_nothing(kind: str, rest: Any) -> None:
    if rest:
        raise ReverieError(f"{kind}:{rest}: {kind} takes no argument")
