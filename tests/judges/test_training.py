"""From a data set to a judge on disk and back, on a toy table."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from reverie.core import ReverieError
from reverie.data.recordings import recorded_episodes
from reverie.judges import FrameJudge, HoldRule, PoseJudge, confusion, load_judge
from reverie.judges.network import FrameJudgeConfig
from reverie.nn.grounding import GroundingConfig
from reverie.nn.text_config import TextConfig
from reverie.training.config import TrainerConfig
from reverie.training.fakes import fake_cache
from reverie.training.fit_judge import (
    FrameJudgeRecipe,
    PoseJudgeRecipe,
    fit_frame_judge,
    fit_pose_judge,
)
from reverie.training.judging import BagConfig, Bags, is_dreamt

GROUNDING = GroundingConfig(TextConfig("words"), text_width=32, text_depth=1, width=16, deep_width=16, hidden=32)
NETWORK = FrameJudgeConfig(GROUNDING, image_size=(32, 32), window_px=8, look_width=16, hidden=32, freeze=False)


def _trainer(samples: int, rate: float = 2e-3) -> TrainerConfig:
    return TrainerConfig(
        samples,
        16,
        learning_rate=rate,
        warmup_samples=32,
        precision="float32",
        validate_every=0,
        state_every=0,
        ema=0.98,
    )


@pytest.fixture(scope="module")
def judge(tmp_path_factory: pytest.TempPathFactory) -> tuple[FrameJudge, Path]:
    out = tmp_path_factory.mktemp("judge") / "frames"
    recipe = FrameJudgeRecipe(NETWORK, BagConfig(validation_fraction=0.2), _trainer(320))
    return fit_frame_judge([fake_cache(40, n_failed=15)], recipe, out, quiet=True), out


def test_a_saved_judge_says_the_same(judge: tuple[FrameJudge, Path]) -> None:
    trained, out = judge
    episodes = recorded_episodes(fake_cache(40, n_failed=15), range(4))
    again = load_judge(out)
    assert again.version == trained.version
    assert again.judge(episodes) == trained.judge(episodes)


def test_version_changes_with_the_rule_and_the_weights(judge: tuple[FrameJudge, Path]) -> None:
    trained, out = judge
    other = load_judge(out)
    assert isinstance(other, FrameJudge)
    assert replace(trained, rule=HoldRule(threshold=9.0)).version != trained.version
    with torch.no_grad():
        next(other.network.head.parameters()).add_(0.1)
    assert FrameJudge(other.network, other.rule).version != trained.version


def test_reads_frames_and_instruction_and_nothing_else(judge: tuple[FrameJudge, Path]) -> None:
    trained, _ = judge
    (episode,) = recorded_episodes(fake_cache(40, n_failed=15), [0])
    seen = episode.observations
    assert seen.commanded is not None
    blind = replace(seen, commanded=np.zeros_like(seen.commanded), extras={})
    logits = trained.read(episode).logits
    np.testing.assert_array_equal(
        trained.read(replace(episode, observations=blind, scene=None, success=None)).logits, logits
    )
    black = replace(seen, images={k: np.zeros_like(v) for k, v in seen.images.items()})
    assert np.abs(trained.read(replace(episode, observations=black)).logits - logits).max() > 1e-3
    assert np.abs(trained.read(replace(episode, instruction="put the lid on the pot")).logits - logits).max() > 1e-4


def test_abstains_with_a_reason(judge: tuple[FrameJudge, Path]) -> None:
    trained, _ = judge
    (episode,) = recorded_episodes(fake_cache(40, n_failed=15), [0])
    one_camera = replace(episode.observations, images={"top": episode.observations.images["top"]})
    short = replace(episode, observations=episode.observations[:3], frame_steps=episode.frame_steps[:3])
    silent = replace(episode, instruction=" ")
    verdicts = trained.judge([replace(episode, observations=one_camera), short, silent])
    assert [v.success for v in verdicts] == [None] * 3
    assert all(word in v.reason for word, v in zip(("turned", "frames", "instruction"), verdicts, strict=True))


def test_adaptation_goes_on_from_a_judge_with_generated_episodes(
    judge: tuple[FrameJudge, Path], tmp_path: Path
) -> None:
    recorded = fake_cache(20, n_failed=8)
    dreamt = [replace(e, provenance={**e.provenance, "world": "video:a"}) for e in recorded.episodes]
    generated = replace(recorded, path=Path("generated"), episodes=dreamt)
    assert [is_dreamt(e.episodes[0].provenance) for e in (recorded, generated)] == [False, True]
    recipe = FrameJudgeRecipe(NETWORK, BagConfig(validation_fraction=0.2), _trainer(32), start=judge[1])
    adapted = fit_frame_judge([recorded, generated], recipe, tmp_path / "adapted", quiet=True)
    assert adapted.version != judge[0].version
    source = Bags([recorded, generated], recipe.bags, adapted.network.shapes, 0)
    flags = torch.cat([source.batch(i, 32)["generated"] for i in range(20)])
    assert 0.4 < float(flags.mean()) < 0.6
    assert set(source.validation()) == {"recorded", "generated"}


@pytest.mark.parametrize("swaps", ["text", "scene"])
def test_bags_hold_what_they_say(swaps: str) -> None:
    cache = fake_cache(40, n_failed=15)
    config = BagConfig(swaps=swaps, n_frames=4)  # type: ignore[arg-type]
    source = Bags([cache], config, _shapes(), seed=3)
    batches = [source.batch(i, 32) for i in range(20)]
    label, swapped = (torch.cat([b[k] for b in batches]) for k in ("label", "swapped"))
    assert abs(float(label.mean()) - config.successes) < 0.06
    assert float((label * swapped).sum()) == 0
    assert abs(float(swapped.mean()) - (1 - config.successes - config.failures)) < 0.06
    assert batches[0]["images.top"].shape == (32, 5, 32, 32, 3)
    for batch in batches:
        assert (batch["share"][:, 0] == 0).all()
        assert (batch["share"].diff(dim=1) >= 0).all()
        assert (batch["share"][:, -1] >= 0.85).all()
    said = {i: e.instruction.lower() for i, e in enumerate(cache.episodes)}
    assert any(e.swapped for e in source.entries)
    assert all((said[e.episode] in e.instructions) == (not e.swapped) for e in source.entries)
    again = source.batch(7, 32)
    assert again["instructions"] == batches[7]["instructions"]
    torch.testing.assert_close(again["images.top"], batches[7]["images.top"])


def _shapes():  # type: ignore[no-untyped-def]
    from reverie.judges.build import build_network

    return build_network(NETWORK, ("top", "turned"), None).shapes


def test_pose_only_learns_from_poses_and_sees_no_images(tmp_path: Path) -> None:
    cache = fake_cache(60, n_failed=25)
    judge = fit_pose_judge([cache], PoseJudgeRecipe(trainer=_trainer(3_200)), tmp_path / "poses", quiet=True)
    verdicts = judge.judge(recorded_episodes(cache, range(60)))
    found = confusion(verdicts, [e.success for e in cache.episodes])
    assert found.sensitivity.value + found.specificity.value > 1.8
    (episode,) = recorded_episodes(cache, [0])
    blind = replace(episode, observations=replace(episode.observations, images={}, extras={}), instruction="")
    assert judge.judge([blind]) == [verdicts[0]]
    loaded = load_judge(tmp_path / "poses")
    assert isinstance(loaded, PoseJudge)
    assert loaded.judge([episode]) == [verdicts[0]]
    nothing = replace(episode, observations=replace(episode.observations, commanded=None))
    assert judge.judge([nothing])[0].success is None


def test_unknown_judges_are_named() -> None:
    with pytest.raises(ReverieError, match="physics"):
        load_judge("phisics")
