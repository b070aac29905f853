"""A judge's errors as counts: measured without the episode that is called, and kept with the checkpoint."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

from reverie.checkpoints import load, save
from reverie.judges import HoldRule, load_judge
from reverie.judges.build import build_network
from reverie.judges.errors import GENERATED, RECORDED, JudgeErrors, cross_fitted, errors_of
from reverie.judges.frames import FrameJudge, frame_judge_checkpoint
from reverie.judges.network import FrameJudgeConfig
from reverie.nn.grounding import GroundingConfig
from reverie.nn.text_config import TextConfig


def test_counts_by_hand() -> None:
    found = errors_of([True, True, False, False, False], [True, False, False, True, False])
    assert found == JudgeErrors(1, 2, 2, 3)


def test_kinds_are_apart_and_a_separable_judge_is_right() -> None:
    truths = [i % 2 == 0 for i in range(40)]
    scores = [3.0 if t else -3.0 for t in truths]
    generated = [i >= 30 for i in range(40)]
    scores[30:] = [-s for s in scores[30:]]  # on generated frames it is always wrong
    found = cross_fitted(HoldRule(), scores, truths, generated)
    assert found[RECORDED] == JudgeErrors(15, 15, 15, 15)
    assert found[GENERATED] == JudgeErrors(0, 5, 0, 5)
    assert set(cross_fitted(HoldRule(), scores[:30], truths[:30], generated[:30])) == {RECORDED}


def test_what_is_called_does_not_choose_its_own_threshold() -> None:
    """Scores that say nothing look better than chance where the threshold was fitted on them, and not across folds."""
    rng = np.random.default_rng(0)
    right = []
    for _ in range(60):
        truths = rng.permutation([True, False] * 6).tolist()
        found = cross_fitted(HoldRule(), rng.normal(size=12).tolist(), truths, [False] * 12)[RECORDED]
        right.append((found.true_positives + found.true_negatives) / 12)
    assert np.mean(right) < 0.53


def test_errors_are_kept_with_the_checkpoint_and_are_no_part_of_the_version(tmp_path: Path) -> None:
    torch.manual_seed(0)
    grounding = GroundingConfig(TextConfig("words"), text_width=32, text_depth=1, width=16, deep_width=16, hidden=32)
    network = build_network(FrameJudgeConfig(grounding, (32, 32), hidden=16), ("top",), None)
    judge = FrameJudge(network, held_out_errors={GENERATED: JudgeErrors(28, 35, 30, 45)})
    save(tmp_path / "judge", frame_judge_checkpoint(judge, {"seed": 1}))
    again = load_judge(tmp_path / "judge")
    assert isinstance(again, FrameJudge)
    assert again.held_out_errors == judge.held_out_errors
    assert again.version == replace(judge, held_out_errors={}).version
    assert again.about["held_out_errors"]["generated"]["true_positives"] == 28
    assert load(tmp_path / "judge").receipt["seed"] == 1
