"""Sequences that start from dreamt frames: same commands and targets, other pictures; strangers are refused."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from reverie.core import ReverieError
from reverie.data.cache import FrameCache
from reverie.training.config import TrainerConfig
from reverie.training.dreaming import DreamingConfig, DreamingSource
from reverie.training.fakes import fake_cache
from reverie.training.fit_world import WorldTraining, fit_world
from reverie.training.starts import Starts, belongs
from reverie.world_model.network import UNetConfig
from reverie.world_model.robots import GenericRobot

LENGTH = 3


def dreamt_from(cache: FrameCache, numbers: list[int]) -> FrameCache:
    """The numbered episodes with every frame but the first in negative."""
    rows = [np.arange(*cache.frame_offsets[[n, n + 1]]) for n in numbers]
    steps = [np.arange(*cache.action_offsets[[n, n + 1]]) for n in numbers]
    begins = np.concatenate([r == r[0] for r in rows])[:, None, None, None]
    every = np.concatenate(rows)
    return replace(
        cache,
        path=cache.path.with_name("dreamt"),
        images={c: np.where(begins, v[every], 255 - v[every]) for c, v in cache.images.items()},
        frame_steps=cache.frame_steps[every],
        actions=cache.actions[np.concatenate(steps)],
        frame_offsets=np.cumsum([0, *map(len, rows)]),
        action_offsets=np.cumsum([0, *map(len, steps)]),
        episodes=[replace(cache.episodes[n], provenance={"original": n}) for n in numbers],
    )


def test_a_dreamt_start_has_the_recorded_future() -> None:
    cache = fake_cache(6)
    dreamt = dreamt_from(cache, [4, 1])
    source = DreamingSource(
        cache,
        GenericRobot(cache.action_spec),
        DreamingConfig(LENGTH, dreamt_share=1.0, validation_fraction=0.0),
        [dreamt],
    )
    plain = DreamingSource(cache, GenericRobot(cache.action_spec), DreamingConfig(LENGTH, validation_fraction=0.0))
    batch = source.batch(0, 64)
    starts = source._sampler.rows(0, 64)
    assert (starts >= len(cache.frame_steps)).all()
    recorded = plain._make(source._starts.recorded[starts])
    for name in ("first", "targets", "actions", "states", "new_states"):
        assert torch.equal(batch[name], recorded[name])
    assert torch.equal(batch["last"], 255 - recorded["last"])
    second = source._starts.begins[starts] == starts - 1  # the frame before these is the first one, as it was recorded
    assert second.any()
    assert torch.equal(batch["before"][second], recorded["before"][second])
    assert torch.equal(batch["before"][~second], 255 - recorded["before"][~second])


def test_the_share_is_kept_and_held_out_episodes_stay_out() -> None:
    cache = fake_cache(8)
    starts = Starts.of(cache, [dreamt_from(cache, [0, 1]), dreamt_from(cache, [1, 5, 2])])
    recorded = np.ones(len(cache.frame_steps))
    recorded[cache.frame_offsets[5] : cache.frame_offsets[6]] = 0
    weights = starts.weights(recorded, 0.25)
    assert weights[starts.n_recorded :].sum() / weights.sum() == pytest.approx(0.25)
    assert weights[np.isin(starts.recorded, np.flatnonzero(recorded == 0))].sum() == 0
    assert weights[starts.begins == np.arange(len(starts.begins))][-5:].sum() == 0


def test_strangers_are_refused(tmp_path: Path) -> None:
    cache, other = fake_cache(6), fake_cache(6)
    dreamt = dreamt_from(cache, [2, 3])
    assert belongs(cache, dreamt)
    wrong = replace(dreamt, actions=dreamt.actions + 0.5)
    with pytest.raises(ReverieError, match=r"episode 0 was not dreamt from"):
        Starts.of(other, [wrong])
    with pytest.raises(ReverieError, match="not dreamt from any"):
        fit_world(cache, tmp_path, WorldTraining(), dreamt=[wrong], quiet=True)
    with pytest.raises(ReverieError, match="cameras"):
        Starts.of(replace(cache, observation_spec=replace(cache.observation_spec, cameras=())), [dreamt])


def test_a_world_trains_from_both(tmp_path: Path) -> None:
    cache = fake_cache(8)
    trainer = TrainerConfig(8, 4, warmup_samples=4, precision="float32", validate_every=8, state_every=0)
    training = WorldTraining(trainer, DreamingConfig(2, validation_fraction=0.2), UNetConfig((8, 16, 16, 16), 32, 2))
    measured = fit_world(cache, tmp_path, training, dreamt=[dreamt_from(cache, [0, 1])], quiet=True)
    assert np.isfinite(list(measured.values())).all()
