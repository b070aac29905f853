"""Dreams: a killed run ends like one that nobody killed; what is not labelled is not dreamt."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from tiny import save_world

from reverie.collection import CollectConfig, collect, dreams
from reverie.collection.dreams import dream, spread
from reverie.core import ReverieError
from reverie.data import EpisodeStager, FrameCache, open_cache, open_dataset
from reverie.data.held_out import held_out_episodes

NUMBERS = [0, 2, 3, 4, 5]


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> FrameCache:
    config = CollectConfig(6, mix="expert,drop", seconds=0.6, depth=False)
    return open_cache(collect(config, tmp_path_factory.mktemp("recorded") / "data"))


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(dreams, "BLOCK", 2)
    return save_world(tmp_path / "world")


def test_killed_inside_a_block_it_ends_alike(tmp_path: Path, cache: FrameCache, world: Path) -> None:
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    dream(cache, world, whole, NUMBERS)

    def stop(finished: int, total: int) -> None:
        if finished == 4:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        dream(cache, world, killed, NUMBERS, stop)
    staging = killed.with_name("killed.staging")
    (staging / "episode_000001.parquet").unlink()
    with pytest.raises(ReverieError, match="episodes: it has 5, asked for 4"):
        dream(cache, world, killed, NUMBERS[:4])
    with pytest.raises(ReverieError, match="world: it has"):
        dream(cache, save_world(tmp_path / "other", seed=1), killed, NUMBERS)
    dream(cache, world, killed, NUMBERS)
    for one, two in zip(open_dataset(whole), open_dataset(killed), strict=True):
        assert one.provenance["original"] == two.provenance["original"]
        for name, value in one.observations.arrays().items():
            np.testing.assert_array_equal(value, two.observations.arrays()[name], err_msg=name)
    assert not staging.exists()


def test_again_it_does_nothing_and_another_is_refused(
    tmp_path: Path, cache: FrameCache, world: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    dream(cache, world, tmp_path / "data", NUMBERS[:2])
    monkeypatch.setattr(EpisodeStager, "stage", lambda *_: pytest.fail("dreamt again"))
    assert dream(cache, world, tmp_path / "data", NUMBERS[:2]) == tmp_path / "data"
    with pytest.raises(ReverieError, match="numbers: it has"):
        dream(cache, world, tmp_path / "data", NUMBERS[2:4])


def test_only_what_is_labelled_is_dreamt(cache: FrameCache) -> None:
    labels = [True, None, False, None, False, True]
    episodes = [replace(e, success=label) for e, label in zip(cache.episodes, labels, strict=True)]
    assert spread(replace(cache, episodes=episodes), 6) == [0, 2, 4, 5]
    with pytest.raises(ReverieError, match="no labelled episode"):
        dream(cache, Path("nowhere"), Path("nowhere"), [])


def test_a_dream_of_what_is_held_out_is_held_out(tmp_path: Path, cache: FrameCache, world: Path) -> None:
    held_out = held_out_episodes(cache, 0.5)
    assert 0 < held_out.sum() < len(held_out)
    dreamt = open_cache(dream(cache, world, tmp_path / "data", NUMBERS))
    np.testing.assert_array_equal(held_out_episodes(dreamt, 0.5), held_out[NUMBERS])
    anonymous = replace(cache, episodes=[replace(e, scene=None) for e in cache.episodes])
    again = open_cache(dream(anonymous, world, tmp_path / "again", NUMBERS))
    np.testing.assert_array_equal(held_out_episodes(again, 0.5), held_out_episodes(anonymous, 0.5)[NUMBERS])
