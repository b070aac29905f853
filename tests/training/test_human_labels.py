"""From logs that nobody labelled, through the labelling page's own calls, to a judge that learned from the labels."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from reverie.annotation import Labelling, Session
from reverie.core import ReverieError
from reverie.data import open_cache, open_dataset, write_dataset
from reverie.data.recordings import recorded_episodes
from reverie.judges import confusion
from reverie.judges.build import build_network
from reverie.judges.network import FrameJudgeConfig
from reverie.nn.grounding import GroundingConfig
from reverie.nn.text_config import TextConfig
from reverie.training.config import TrainerConfig
from reverie.training.fakes import fake_cache
from reverie.training.fit_judge import FrameJudgeRecipe, PoseJudgeRecipe, fit_frame_judge, fit_pose_judge
from reverie.training.judging import BagConfig, Bags

N, FAILED = 24, 10
GROUNDING = GroundingConfig(TextConfig("words"), text_width=32, text_depth=1, width=16, deep_width=16, hidden=32)
NETWORK = FrameJudgeConfig(GROUNDING, image_size=(32, 32), window_px=8, look_width=16, hidden=32, freeze=False)


def trainer(samples: int) -> TrainerConfig:
    return TrainerConfig(
        samples,
        16,
        learning_rate=2e-3,
        warmup_samples=32,
        precision="float32",
        validate_every=0,
        state_every=0,
        ema=0.98,
    )


@pytest.fixture(scope="module")
def logs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Successes first, then failures; the data set says nothing of either."""
    cache = fake_cache(N, n_failed=FAILED)
    episodes = [replace(e, success=None, success_time_s=None) for e in recorded_episodes(cache)]
    root = write_dataset(tmp_path_factory.mktemp("logs") / "mine", episodes)
    assert [e.success for e in open_cache(root).episodes] == [None] * N
    session = Session(Labelling(open_dataset(root), "anna"))
    for item in range(N):
        done = item < N - FAILED
        session.choose(item, {"success": done, "frame": 14 if done else None})
        session.next(item)
    return root


def test_judges_learn_from_what_a_person_labelled(logs: Path, tmp_path: Path) -> None:
    cache = open_cache(logs)
    assert [e.success for e in cache.episodes] == [i < N - FAILED for i in range(N)]
    judge = fit_pose_judge([cache], PoseJudgeRecipe(trainer=trainer(1_600)), tmp_path / "poses", quiet=True)
    found = confusion(judge.judge(recorded_episodes(cache)), [e.success for e in cache.episodes])
    assert found.accuracy.value is not None
    assert found.accuracy.value > 0.8
    frames = FrameJudgeRecipe(NETWORK, BagConfig(validation_fraction=0.2), trainer(32))
    assert fit_frame_judge([cache], frames, tmp_path / "frames", quiet=True).judge(recorded_episodes(cache, [0]))


def test_without_labels_there_is_nothing_to_learn_from() -> None:
    cache = fake_cache(6)
    bare = [replace(e, success=None) for e in cache.episodes]
    shapes = build_network(NETWORK, ("top", "turned"), None).shapes
    assert Bags([cache], BagConfig(), shapes, 0).entries
    with pytest.raises(ReverieError, match="reverie label"):
        Bags([replace(cache, episodes=bare)], BagConfig(), shapes, 0)


def test_what_a_log_shows_long_after_the_marked_moment_is_not_called_a_success(logs: Path) -> None:
    cache = open_cache(logs)
    source = Bags([cache], BagConfig(), build_network(NETWORK, ("top", "turned"), None).shapes, 0)
    rng = np.random.default_rng(0)
    success = next(e for e in source.entries if e.label)
    failure = next(e for e in source.entries if not e.label and not e.swapped)
    for entry, last in ((success, 14 + source.config.last_frames - 1), (failure, 20)):
        drawn = np.stack([source._frames(entry, rng) for _ in range(50)]) - cache.frame_offsets[entry.episode]
        assert drawn.max() == last
        assert (np.diff(drawn, axis=1) >= 0).all()
    shares = torch.cat([source.batch(i, 32)["share"] for i in range(5)])
    assert float(shares.max()) == 1
    assert float(shares.min()) == 0
