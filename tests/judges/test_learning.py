"""The parts of learning from bags: the noisy-or, the look at pixels, what the frame judge may and may not see."""

import numpy as np
import pytest
import torch

from reverie.judges.bags import BagWeights, bag_loss, noisy_or_loss, progress_loss
from reverie.judges.corruption import Corruption, corrupt
from reverie.judges.looking import peak_points, windows
from reverie.nn.heatmaps import cell_centers


def test_noisy_or_is_the_probability_that_any_frame_shows_success() -> None:
    logits = torch.tensor([[-1.0, 0.5, 2.0], [-3.0, -2.0, -4.0]], dtype=torch.float64)
    any_frame = 1 - (1 - logits.sigmoid()).prod(-1)
    ones, zeros = torch.ones(2), torch.zeros(2)
    torch.testing.assert_close(noisy_or_loss(logits, ones), -any_frame.log())
    torch.testing.assert_close(noisy_or_loss(logits, zeros), -(1 - any_frame).log() / 3)


def test_noisy_or_stays_finite() -> None:
    logits = torch.tensor([[-60.0, -60.0], [60.0, 60.0]], requires_grad=True)
    for label in (torch.ones(2), torch.zeros(2)):
        loss = noisy_or_loss(logits, label).sum()
        assert torch.isfinite(loss)
        (gradient,) = torch.autograd.grad(loss, logits)
        assert torch.isfinite(gradient).all()


def test_a_success_seen_at_the_end_costs_least() -> None:
    late = torch.tensor([[-5.0, -5.0, -5.0, 5.0]])
    early = torch.tensor([[-5.0, 5.0, -5.0, -5.0]])
    never = torch.full((1, 4), -5.0)
    success, failure = torch.ones(1), torch.zeros(1)
    costs = [float(bag_loss(x, success, BagWeights())) for x in (late, early, never)]
    assert costs == sorted(costs)
    assert float(bag_loss(never, failure, BagWeights())) < 0.1 < float(bag_loss(early, failure, BagWeights()))


def test_progress_is_taught_by_time_until_success_and_not_by_failures() -> None:
    share, logits = torch.tensor([[0.0, 0.4, 0.6]]), torch.tensor([[-1.0, -1.0, 1.0]])
    assert float(progress_loss(torch.tensor([[0.0, 0.4, 1.0]]), logits, torch.ones(1), share)) == 0
    assert float(progress_loss(torch.zeros(1, 3), logits, torch.zeros(1), share)) == 0


def test_window_is_centred_on_the_point() -> None:
    images = torch.zeros(1, 1, 16, 16, 1)
    images[0, 0, 10, 5] = 1.0
    points = torch.tensor([[[[5.5 / 16, 10.5 / 16], [0.5, 0.5]]]])
    cut = windows(images, points, 5)
    assert cut.shape == (2, 1, 5, 5)
    expected = torch.zeros(5, 5)
    expected[2, 2] = 1.0
    torch.testing.assert_close(cut[0, 0], expected)


def test_window_beyond_the_border_is_empty() -> None:
    cut = windows(torch.ones(1, 1, 16, 16, 1), torch.tensor([[[[0.5 / 16, 0.5 / 16]]]]), 5)
    assert cut[0, 0, :2].sum() == 0
    assert cut[0, 0, 2:, 2:].min() == pytest.approx(1.0)


def test_the_peak_does_not_lie_between_two_peaks() -> None:
    centers = cell_centers(8, 8)
    maps = torch.zeros(1, 65)
    maps[0, 9], maps[0, 54] = 9.0, 8.0  # two cells far apart
    torch.testing.assert_close(peak_points(maps, centers, (8, 8))[0], centers[9], atol=0.01, rtol=0)


def test_corruption_changes_some_rows_and_keeps_the_range() -> None:
    torch.manual_seed(0)
    batch = {"images.front": torch.rand(8, 2, 16, 16, 3) * 2 - 1, "label": torch.ones(8)}
    out = corrupt(batch, Corruption(share=0.5, coarsest_px=8))
    changed = (out["images.front"] != batch["images.front"]).flatten(1).any(1)
    assert 0 < int(changed.sum()) < 8
    assert float(out["images.front"].abs().max()) <= 1
    assert out["label"] is batch["label"]
    same = corrupt(batch, Corruption(share=0.0))
    np.testing.assert_array_equal(same["images.front"], batch["images.front"])
