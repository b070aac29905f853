"""From what a user types to policies, worlds, judges and scenes: literal tables of loaders.

A spec is, in this order, `kind` or `kind:rest` of a table, a path (a checkpoint), or MODULE:FACTORY, Python names of something
importable that is called for it (`python:MODULE:FACTORY` where the module is called like a kind). Loaders import what they need when they are used, so that a run
pays only for what it evaluates; workers call them again with the same strings.
"""

import ast
import importlib
from collections.abc import Callable, Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import parse_qsl

from reverie.core import Judge, Policy, ReverieError, Scene, World, unknown_name
from reverie.evaluation import loaders, recordings

Value = TypeVar("Value")


def fake(rest: str) -> Any:
    """`fake:ReachPolicy?skill=0.5&name=good`: anything of `core.fakes` by its class name, for tests and dry runs."""
    fakes = importlib.import_module("reverie.core.fakes")
    name, _, query = rest.partition("?")
    known = [n for n in fakes.__all__ if n[0].isupper() and not n.isupper()]
    if name not in known:
        raise unknown_name("fake", name, known)
    return getattr(fakes, name)(**{k: _literal(v) for k, v in parse_qsl(query)})


def _literal(text: str) -> Any:
    try:
        return ast.literal_eval(text)
    except (ValueError, SyntaxError):
        return text


def python(rest: str) -> Any:
    """`python:module:factory`: what `module.factory()` returns; the module must be importable."""
    module, colon, factory = rest.partition(":")
    try:
        make = getattr(importlib.import_module(module), factory)
    except (ImportError, AttributeError, ValueError) as error:
        raise ReverieError(
            f"python:{rest}: {error}; expected python:MODULE:FACTORY with an importable module"
        ) from error
    if not colon:
        raise ReverieError(f"python:{rest}: expected python:MODULE:FACTORY")
    return make()


def fake_scenes(rest: str) -> list[Scene]:
    """`fake:16`: sixteen scenes of the toy world; `fake:16,push`: of a task named push."""
    from reverie.core.fakes import fake_scenes as draw

    count, _, task = rest.partition(",")
    if not count.isdigit():
        raise ReverieError(f"scenes fake:{rest}: expected fake:NUMBER or fake:NUMBER,TASK")
    return draw(int(count), task or "reach")


CHECKPOINT = "checkpoint"
"""The kind that a path stands for, where a table has it."""
POLICIES: dict[str, Callable[[str], Policy]] = {
    CHECKPOINT: loaders.policy_checkpoint,
    "shipped": lambda rest: loaders.policy_checkpoint(str(loaders.shipped(f"policies/{rest}"))),
    "classical": loaders.classical,
    "script": loaders.script,
    "nothing": loaders.nothing,
    "recorded": recordings.policy,
    "openpi": loaders.openpi,
    "fake": fake,
    "python": python,
}
WORLDS: dict[str, Callable[[str], World]] = {
    CHECKPOINT: loaders.video,
    "physics": loaders.physics,
    "video": loaders.video,
    "recorded": recordings.world,
    "fake": fake,
    "python": python,
}
JUDGES: dict[str, Callable[[str], Judge]] = {
    CHECKPOINT: loaders.judge,
    "shipped": lambda rest: loaders.judge(str(loaders.shipped(f"judges/{rest}"))),
    "physics": loaders.physics_judge,
    "label": recordings.label,
    "vlm": loaders.vlm,
    "fake": fake,
    "python": python,
}
SCENES: dict[str, Callable[[str], list[Scene]]] = {
    "test": lambda rest: loaders.tabletop_scenes("test", rest),
    "validation": lambda rest: loaders.tabletop_scenes("validation", rest),
    "train": lambda rest: loaders.tabletop_scenes("train", rest),
    "nominal": loaders.nominal,
    "recorded": recordings.scenes,
    "fake": fake_scenes,
    "python": python,
}

BLIND = ("script", "nothing", "recorded")
"""Kinds of policies that look at no frame."""


def looks(spec: str) -> bool:
    """Does a policy, as it was asked for, look at frames? (`fake` and `python` can be anything: taken as if they did.)"""
    return spec.partition(":")[0] not in BLIND


def load_policy(spec: str) -> Policy:
    return _complete(_load("policy", spec, POLICIES), spec)


def _complete(policy: Policy, spec: str) -> Policy:
    """Errors: ReverieError for an object that lacks a part of the contract."""
    parts = ("name", "fingerprint", "observation_spec", "action_spec", "n_action_steps", "infer")
    if missing := [part for part in parts if not hasattr(policy, part)]:
        raise ReverieError(f"{spec}: found a {type(policy).__name__} without {', '.join(missing)}, expected a policy (reverie.core.Policy)")  # fmt: skip
    return policy


def load_world(spec: str) -> World:
    return _load("world", spec, WORLDS)


def load_judge(spec: str) -> Judge:
    return _load("judge", spec, JUDGES)


def load_scenes(spec: str) -> list[Scene]:
    return _load("scenes", spec, SCENES)


def _load(what: str, spec: str, loaders: Mapping[str, Callable[[str], Value]]) -> Value:
    kind, _, rest = spec.partition(":")
    if kind in loaders:
        return loaders[kind](rest)
    if CHECKPOINT in loaders and ("/" in spec or Path(spec).exists()):
        return loaders[CHECKPOINT](spec)
    if "python" in loaders and kind and find_spec(kind.partition(".")[0]) and rest.isidentifier():
        return loaders["python"](spec)
    raise unknown_name(what, spec, sorted(loaders))
