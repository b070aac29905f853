"""A batch cut into pieces has the gradient of the whole, whatever is valid in which piece."""

from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from reverie.nn.metrics import Batch, Metrics, mean_of, values
from reverie.policies.vla import VLA
from reverie.training.behaviour_cloning import CloningConfig
from reverie.training.config import TrainerConfig
from reverie.training.fakes import fake_cache
from reverie.training.fit import prepare_data
from reverie.training.objective import LossModule, Objective
from reverie.training.team import Team

from .team_runs import Masked, Rows, lines, run, weights
from .tiny import TINY


def _gradients(model: nn.Module, batch: Batch, micro_batches: int) -> tuple[dict[str, Tensor], dict[str, float]]:
    model.zero_grad(set_to_none=True)
    module = LossModule(model)
    found = Objective(module, module, Team(), micro_batches).backward(batch, "float32", lambda piece: piece)
    return {n: p.grad.clone() for n, p in model.named_parameters() if p.grad is not None}, values(found)


def _same(a: tuple[dict[str, Tensor], dict[str, float]], b: tuple[dict[str, Tensor], dict[str, float]]) -> None:
    assert a[0].keys() == b[0].keys()
    for name, gradient in a[0].items():
        torch.testing.assert_close(gradient, b[0][name], rtol=1e-4, atol=1e-6)
    assert a[1] == pytest.approx(b[1], rel=1e-5, abs=1e-6)


@pytest.mark.parametrize("micro_batches", [2, 4, 8])
def test_means_over_what_is_valid_are_joined_exactly(micro_batches: int) -> None:
    model, batch = Masked(), Rows().batch(3, 8)
    assert 0 < batch["valid"].sum() < 8
    _same(_gradients(model, batch, 1), _gradients(model, batch, micro_batches))


def test_a_batch_in_which_nothing_is_valid() -> None:
    model, batch = Masked(), Rows().batch(3, 8)
    batch["valid"][:] = False
    _same(_gradients(model, batch, 1), _gradients(model, batch, 4))
    batch["valid"][0] = True  # in one of the pieces only
    _same(_gradients(model, batch, 1), _gradients(model, batch, 4))


def test_a_policy_with_grounding_too() -> None:
    cache = fake_cache(12)
    prepared = prepare_data(cache, CloningConfig(counterfactual=0.6), TrainerConfig(), TINY)
    torch.manual_seed(0)
    model, batch = VLA(TINY, prepared.shapes), prepared.source.batch(0, 16)
    counts = [batch["action_valid"][i : i + 4].sum().item() for i in range(0, 16, 4)]
    assert len(set(counts)) > 1
    _same(_gradients(model, batch, 1), _gradients(model, batch, 4))


def test_weighted_means_below_one() -> None:
    class Weighted(nn.Linear):
        def compute_loss(self, batch: Batch) -> tuple[Tensor, Metrics]:
            mean = mean_of((self(batch["x"])[:, 0]).square(), batch["weight"])
            return mean.value, {"weighted": mean}

    batch = {"x": torch.randn(4, 2), "weight": torch.tensor([0.1, 0.0, 0.2, 0.4])}
    model = Weighted(2, 1)
    _same(_gradients(model, batch, 1), _gradients(model, batch, 2))


def test_a_training_in_pieces_ends_at_the_same_weights(tmp_path: Path) -> None:
    run(tmp_path / "whole")
    run(tmp_path / "pieces", micro_batches=4)
    whole = weights(tmp_path / "whole")
    for name, value in weights(tmp_path / "pieces").items():
        torch.testing.assert_close(value, whole[name], rtol=2e-6, atol=2e-6)
    losses = [[line["loss"] for line in lines(tmp_path / n) if "loss" in line] for n in ("whole", "pieces")]
    assert losses[0] == pytest.approx(losses[1], abs=2e-5)
