"""Real robot data, from the source to what a report needs: DROID and Bridge samples, or any data set of those formats.

import -> small frames, held-out takes -> frame cache -> train the video world on the training takes -> replay the held-out
takes in it -> train the policy on the same training takes -> its open-loop action error -> fidelity.json, real.json.

Cameras are not calibrated: there is no pose map, commands enter the video world per frame. Nothing says where objects are:
the policy learns without grounding losses. Every step goes on where it was killed and is skipped when it is finished.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch

from reverie.core import Episode, unknown_name
from reverie.core.files import write_text
from reverie.data import is_finished, open_cache, write_dataset
from reverie.data.cache import FrameCache
from reverie.data.importers import importer
from reverie.data.recorded import recorded_episodes
from reverie.evaluation import Request, evaluate, make_plan
from reverie.policies.vla import VLAConfig
from reverie.recipes.preparation import HoldOut, by_own_split, last_of_each_instruction, prepared
from reverie.recipes.real_measurement import measure_fidelity, measure_policy, record
from reverie.training.augmentation import Augmentation
from reverie.training.behaviour_cloning import CloningConfig
from reverie.training.config import TrainerConfig
from reverie.training.dreaming import DreamingConfig
from reverie.training.fit import PolicyRecipe, fit_policy
from reverie.training.fit_world import WORLD_TRAINER, WorldTraining, fit_world

POSE = ("x", "y", "z", "roll", "pitch", "yaw", "gripper")
RESULTS = "real.json"
Say = Callable[[str], None]


@dataclass(frozen=True)
class RealRecipe:
    """size: (height, width) of the frames. window: frames dreamt from starts within a take, `window_every` frames apart.
    world_share: of the minutes; the policy gets the rest. world_rate, policy_rate: training samples a minute on one core
    that was measured; they turn minutes into samples, so that the same minutes are the same training everywhere."""

    importer: str
    size: tuple[int, int]
    hold_out: HoldOut
    commanded: tuple[str, ...]
    measured: tuple[str, ...]
    length: int
    window: int
    window_every: int
    frames: tuple[int, ...]
    minutes: float
    world_rate: float
    policy_rate: float
    world_share: float = 0.88
    augmentation: Augmentation | None = None
    model: VLAConfig = VLAConfig(horizon=5, n_action_steps=5)

    def world(self, minutes: float) -> WorldTraining:
        samples = max(8, round(self.world_share * minutes * self.world_rate))
        trainer = replace(
            WORLD_TRAINER, samples=samples, batch_size=2, warmup_samples=samples // 10, ema=0.995,
            validate_every=samples // 3,
        )  # fmt: skip
        return WorldTraining(
            trainer=trainer, data=DreamingConfig(length=self.length, n_validation=16), augmentation=self.augmentation
        )

    def policy(self, minutes: float, backbone: Path | None) -> PolicyRecipe:
        samples = max(32, round((1 - self.world_share) * minutes * self.policy_rate))
        trainer = TrainerConfig(
            samples=samples, batch_size=16, warmup_samples=samples // 10, validate_every=samples // 3
        )
        cloning = CloningConfig(sources=(), commanded=self.commanded, measured=self.measured, counterfactual=0.0)
        return PolicyRecipe(model=self.model, cloning=cloning, trainer=trainer, backbone=backbone, name="real")


RECIPES: Mapping[str, RealRecipe] = {
    "droid": RealRecipe(
        importer="droid",
        size=(48, 80),
        hold_out=by_own_split,  # the second take of each of six tasks
        commanded=POSE,
        measured=(),
        length=5,
        window=10,
        window_every=5,
        frames=(1, 2, 5, 10, 20, 40),
        minutes=12.0,
        world_rate=200,
        policy_rate=8000,
    ),
    "bridge": RealRecipe(
        importer="rlds",
        size=(64, 64),
        hold_out=last_of_each_instruction,
        commanded=(),  # deltas only: what was commanded in all is not recorded
        measured=POSE,
        length=5,
        window=5,
        window_every=2,
        frames=(1, 2, 5, 9),
        minutes=4,
        world_rate=200,
        policy_rate=8000,
        augmentation=Augmentation(),  # every take has its own sink and cameras: without it they are learned by heart
    ),
}
"""Takes of 5 Hz, so a chunk of 5 actions is a second; Bridge's takes are cut to 2 s."""


@dataclass(frozen=True)
class Places:
    """What a recipe leaves in the run's folder beside the run itself."""

    root: Path

    @property
    def data(self) -> Path:
        return self.root / "data"

    @property
    def windows(self) -> Path:
        return self.root / "windows"

    @property
    def world(self) -> Path:
        return self.root / "world"

    @property
    def policy(self) -> Path:
        return self.root / "vla"


def recipe_named(name: str) -> RealRecipe:
    if name not in RECIPES:
        raise unknown_name("real data set", name, list(RECIPES))
    return RECIPES[name]


def make(recipe: RealRecipe, source: Path, out: Path, minutes: float | None = None, backbone: Path | None = None, say: Say = print) -> dict[str, Any]:  # fmt: skip
    """Run every step that is not finished in `out`; returns what is written to out/real.json.

    minutes: of training, on the core that the recipe's rates were measured on. backbone: a grounding checkpoint for the
    policy to begin with. Errors: ReverieError, also where `out` holds a training with other settings.
    """
    torch.set_num_threads(1)
    places, minutes = Places(out), recipe.minutes if minutes is None else minutes
    say(f"1/5 import {source}")
    cache = imported(recipe, source, places.data)
    takes = held_out(cache)
    say(f"2/5 video world: {len(cache.episodes) - len(takes)} training takes, {len(takes)} held out")
    world = recipe.world(minutes)
    if not is_trained(places.world, world.trainer):
        fit_world(cache, places.world, world)
    say("3/5 policy")
    policy = recipe.policy(minutes, backbone)
    if not is_trained(places.policy, policy.trainer):
        fit_policy(cache, policy, places.policy)
    say("4/5 replay of the held-out takes")
    evaluate(make_plan(request(cache, places)), out)
    say("5/5 fidelity and action error")
    windows = cut(recipe, cache, places.windows)
    fidelity = measure_fidelity(out, places.world, windows)
    actions = measure_policy(places.policy, cache)
    results = record(out, fidelity, actions, recipe.frames)
    write_text(out / RESULTS, json.dumps(results, indent=1, allow_nan=False) + "\n")
    return results


def imported(recipe: RealRecipe, source: Path, root: Path) -> FrameCache:
    """The takes of `source` as the recipe wants them. Errors: ReverieError if other takes lie at `root`."""
    asked = {
        "made_by": f"real, {recipe.importer}",
        "source": str(source.resolve()),
        "size": recipe.size,
        "hold_out": recipe.hold_out.__name__,
    }
    if not is_finished(root, asked):
        episodes = prepared(importer(recipe.importer)(source), recipe.size, recipe.hold_out)
        robot = str(episodes[0].provenance.get("source", "unknown"))
        write_dataset(root, episodes, "png", robot, request=asked)
    return open_cache(root)


def held_out(cache: FrameCache) -> list[int]:
    return [i for i, e in enumerate(cache.episodes) if e.split == "val"]


def is_trained(folder: Path, trainer: TrainerConfig) -> bool:
    """Whether a training of these settings has been finished there. With others the training itself says what differs."""
    file = folder / "checkpoint.json"
    return file.is_file() and json.loads(file.read_text())["receipt"].get("trainer") == trainer.__dict__


def request(cache: FrameCache, places: Places) -> Request:
    """The recordings are the truth; their actions are replayed in the video world. The only judge is the recordings' own
    label: it scores nothing where there is none, and no dream."""
    recorded = f"recorded:{places.data}"
    takes = held_out(cache)
    steps = max(cache.episodes[i].n_frames - 1 for i in takes) * cache.observation_spec.frame_every
    return Request(
        policies=(),
        worlds=(recorded, f"video:{places.world}@{places.data}"),
        scenes=(f"{recorded},val",),
        judges=("label",),
        n_steps=steps,
        truth=(recorded, "label"),
        block_size=len(takes),
    )


def cut(recipe: RealRecipe, cache: FrameCache, root: Path) -> FrameCache:
    """The held-out takes in pieces of `window` + 1 frames: beginnings in the middle of a motion."""
    asked = {
        "made_by": "real, windows",
        "data": cache.path.name,
        "window": recipe.window,
        "window_every": recipe.window_every,
    }
    if not is_finished(root, asked):
        pieces = [
            p
            for e in recorded_episodes(cache, held_out(cache))
            for p in pieces_of(e, recipe.window, recipe.window_every)
        ]
        write_dataset(root, pieces, "png", "windows", request=asked)
    return open_cache(root)


def pieces_of(take: Episode, length: int, every: int) -> list[Episode]:
    """Frames f to f + length for f = 0, every, 2 every, ..., as episodes of their own, unlabelled."""
    name = take.scene.recorded if take.scene is not None else None
    pieces = []
    for begin in range(0, take.n_frames - length, every):
        first, last = int(take.frame_steps[begin]), int(take.frame_steps[begin + length])
        frames = slice(begin, begin + length + 1)
        seen = take.observations[frames]
        pieces.append(
            replace(
                take,
                observations=replace(seen, time_s=seen.time_s - seen.time_s[0]),
                frame_steps=take.frame_steps[frames] - first,
                actions=take.actions[first:last],
                success=None,
                success_time_s=None,
                scene=None,
                provenance={"source": "window", "take": name, "frame": begin, "source_id": f"{name}/{begin:04d}"},
            )
        )
    return pieces
