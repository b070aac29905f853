"""Left or right of a post: what policies make of demonstrations that differ, with the catalog's networks and training.

    python bench/two_ways.py [--scenes 200] [--left 0.6]

Demonstrators pass a post on the left (`left` of all times) or on the right; nothing says which. Small policies learn
from the same episodes and are rolled out in closed loop, asked anew at every step, and after their chunk of 8.
Expected before it was run: squared error answers with the mean and drives into the post; diffusion and flow draw whole
chunks and keep both sides in the demonstrated shares; tokens draw every number of a chunk by itself, so that a chunk mixes
both sides, and keep them only if asked often. Found: so, except that flow keeps both sides but not
their shares, which change with the length of training, and that squared error asked at every step misses the post about half
the time, nearly always on the commoner side: what it is off the middle at first, it answers with more of the same.

Beside the rates, the first chunk by itself: where it ends, and whether it goes one way. Writes docs/pictures/two_ways.png.
"""

import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
import tyro
from numpy.typing import NDArray

from record import number, rate, write
from reverie.core import Episode, Policy
from reverie.data.cache import FrameCache
from reverie.nn.resnet import ResNetConfig
from reverie.nn.text_config import TextConfig
from reverie.nn.unet1d import UNet1dConfig
from reverie.policies.bc import BCConfig
from reverie.policies.diffusion_policy import DiffusionPolicyConfig
from reverie.policies.encoders import EncoderConfig
from reverie.policies.heads import HeadConfig
from reverie.policies.towers import TowerConfig
from reverie.policies.vla import VLAConfig
from reverie.rollouts import Chunked, open_policy, rollout
from reverie.rollouts.windows import window
from reverie.stats import wilson
from reverie.training.behaviour_cloning import CloningConfig
from reverie.training.config import TrainerConfig
from reverie.training.fit import PolicyRecipe, fit_policy
from two_ways_data import N_STEPS, POST, POST_RADIUS, TwoWays, as_cache, demonstrate, two_ways_scenes
from two_ways_picture import Panel, draw

PICTURE = Path(__file__).resolve().parents[1] / "docs" / "pictures" / "two_ways.png"
HORIZON, ASKED_EVERY = 8, (1, 8)
OUTCOMES = ("left", "right", "touched", "short")
CLONING = CloningConfig(sources=(), counterfactual=0.0, far_weight=1.0)
SPLIT = "final"  # other starts than those on which the length of training was chosen ("test")
WAVER_M = 0.005  # a step to the side that is no noise


@dataclass(frozen=True)
class Options:
    scenes: int = 200
    demonstrations: int = 300
    left: float = 0.6
    """Share of demonstrations on the left."""
    samples: int = 80_000
    out: Path = Path("build/bench/two_ways")


@dataclass(frozen=True)
class Arm:
    """says: what it answers with, for the picture. effort: how many times the options' samples it learns from."""

    family: str
    says: str
    config: Any
    effort: float = 1.0


def encoder() -> EncoderConfig:
    """Cells of a 32x32 image, and words."""
    resnet = ResNetConfig(norm="group", stem="patch", patch=8, width=0.25, n_stages=2)
    return EncoderConfig("resnet", text=TextConfig("words", words_dim=32), tower=TowerConfig(resnet))


def vla(head: HeadConfig) -> VLAConfig:
    return VLAConfig(HORIZON, dim=64, depth=2, hidden=128, encoder=encoder(), head=head)


def arms() -> dict[str, Arm]:
    unet = UNet1dConfig((32, 64), step_dim=32)
    diffusion = DiffusionPolicyConfig(HORIZON, unet=unet, dim=32, pool="points", n_points=16, encoder=encoder())
    return {
        "bc": Arm("bc", "squared error: the mean", BCConfig(HORIZON, dim=32, widths=(256, 256), encoder=encoder())),
        "vla_tokens": Arm("vla", "each number drawn alone", vla(HeadConfig("tokens", n_bins=64, temperature=1.0))),
        "vla_flow": Arm("vla", "whole chunks drawn", vla(HeadConfig("flow"))),
        "diffusion_policy": Arm("diffusion_policy", "whole chunks drawn", diffusion, effort=1.5),
    }


def positions(episode: Episode) -> NDArray[np.float32]:
    assert episode.observations.commanded is not None
    return episode.observations.commanded


def outcome(episode: Episode) -> str:
    """Which side of the post it passed, unless it touched it or never came so far (`short`)."""
    way = positions(episode)
    beyond = np.flatnonzero(way[:, 0] >= POST[0])
    if episode.observations.extras["touched"][-1]:
        return "touched"
    return "short" if not len(beyond) else "left" if way[beyond[0], 1] > 0 else "right"


def shares(episodes: Sequence[Episode]) -> dict[str, Any]:
    found, n = Counter(map(outcome, episodes)), len(episodes)
    reached = sum(bool(e.success) for e in episodes)
    return {name: rate(wilson(found[name], n)) for name in OUTCOMES} | {"reached": rate(wilson(reached, n))}


def chunk_shares(steps: NDArray[np.float32]) -> dict[str, Any]:
    """Of chunks [B, T, 2]: that end clear of the post on either side or between, and that go to both sides on the way."""
    across, n = steps[..., 1], len(steps)
    end = across.sum(1)
    wavering = (across.max(1) > WAVER_M) & (across.min(1) < -WAVER_M)
    cases = {
        "left": end > POST_RADIUS,
        "right": end < -POST_RADIUS,
        "between": np.abs(end) <= POST_RADIUS,
        "wavering": wavering,
    }
    return {name: rate(wilson(int(where.sum()), n)) for name, where in cases.items()}


def first_chunks(policy: Policy, n: int) -> NDArray[np.float32]:
    """[n, HORIZON, 2]"""
    world, scenes = TwoWays(), two_ways_scenes(n, SPLIT)
    seen = window([world.reset(scenes, range(n))], policy.observation_spec, world.observation_spec)
    return policy.infer(seen, None, list(range(n)))[0].values


def taught(name: str, arm: Arm, data: FrameCache, options: Options) -> tuple[Policy, dict[str, Any]]:
    """The policy, and what its training took."""
    torch.set_num_threads(1)
    samples, start = round(arm.effort * options.samples), time.process_time()
    trainer = TrainerConfig(samples, 64, learning_rate=2e-3, warmup_samples=samples // 10, ema=0.99, precision="float32", validate_every=samples, state_every=samples)  # fmt: skip
    recipe = PolicyRecipe(arm.family, arm.config, CLONING, trainer)
    measured = fit_policy(data, recipe, options.out / name, restart=True)
    seconds = number(time.process_time() - start, "s of one core")
    parts = {k.removeprefix("held_out/"): number(v) for k, v in measured.items() if k.startswith("held_out/")}
    return open_policy(options.out / name), {"samples": samples, "seconds": seconds, **parts}


def panel(
    name: str, says: str, episodes: Sequence[Episode], found: dict[str, Any], shown: Sequence[Episode] = ()
) -> Panel:
    ways = [(outcome(e), positions(e)) for e in episodes]
    shares = {k: found[k]["value"] for k in (*OUTCOMES, "reached")}
    return Panel(name, says, ways, shares, [positions(e) for e in shown])


def measure(options: Options, chosen: dict[str, Arm], picture: Path) -> dict[str, Any]:
    """Every policy taught, asked at every of ASKED_EVERY, and drawn at the first and the last of them."""
    shown = demonstrate(options.demonstrations, options.left)
    data = as_cache(shown)
    values: dict[str, Any] = {"demonstrators": shares(shown), "policies": {}}
    values["demonstrators"]["first_chunk"] = chunk_shares(np.stack([e.actions[:HORIZON] for e in shown]))
    rows: dict[int, list[Panel | None]] = {every: [] for every in ASKED_EVERY}
    for name, arm in chosen.items():
        policy, training = taught(name, arm, data, options)
        found = {"training": training, "first_chunk": chunk_shares(first_chunks(policy, options.scenes))}
        for every in ASKED_EVERY:
            scenes = two_ways_scenes(options.scenes, SPLIT)
            episodes = rollout(Chunked(policy, every), TwoWays(), scenes, range(options.scenes), N_STEPS)
            found[f"every_{every}"] = shares(episodes)
            rows[every].append(panel(name, arm.says, episodes, found[f"every_{every}"], shown))
        values["policies"][name] = found
    people = panel("demonstrators", f"{options.demonstrations} episodes", shown, values["demonstrators"])
    often, seldom = min(ASKED_EVERY), max(ASKED_EVERY)
    titles = {
        f"asked anew at every step ({options.scenes} runs each)": [people, *rows[often]],
        f"asked anew after {seldom} steps: chunks are executed whole": [None, *rows[seldom]],
    }
    draw(picture, titles)
    return values


def main() -> None:
    options = tyro.cli(Options)
    write("two_ways", measure(options, arms(), PICTURE))


if __name__ == "__main__":
    main()
