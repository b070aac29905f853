"""Flow matching with a velocity that is known exactly: data from one Gaussian, or one point."""

import pytest
import torch
from torch import Tensor

from reverie.nn.flow import Velocity, noised, sample_euler, training_times
from reverie.nn.noise import RowNoise

MEAN, STD = 0.3, 0.2


def _exact(mean: float = MEAN, std: float = STD) -> Velocity:
    """E[noise - actions | x_t] for actions from N(mean, std^2)."""

    def velocity(x: Tensor, t: Tensor) -> Tensor:
        t = t.view(-1, *[1] * (x.dim() - 1))
        away = (x - (1 - t) * mean) / (t**2 + (1 - t) ** 2 * std**2)
        return t * away - (mean + (1 - t) * std**2 * away)

    return velocity


def test_many_steps_stretch_the_noise_onto_the_data() -> None:
    seeds = list(range(100))
    found = sample_euler(_exact(), (3,), seeds, n_steps=500)
    torch.testing.assert_close(found, MEAN + STD * RowNoise(seeds).draw(3), atol=0.01, rtol=0)


def test_ten_steps_have_the_mean_and_nearly_the_spread() -> None:
    found = sample_euler(_exact(), (3,), list(range(3000)))
    torch.testing.assert_close(found.mean(0), torch.full((3,), MEAN), atol=0.01, rtol=0)
    assert 0.7 * STD < found.std().item() < 1.1 * STD


@pytest.mark.parametrize("n_steps", [1, 3, 10])
def test_one_point_is_found_in_any_number_of_steps(n_steps: int) -> None:
    found = sample_euler(_exact(0.6, 0.0), (4, 2), [1, 2], n_steps)
    torch.testing.assert_close(found, torch.full((2, 4, 2), 0.6), atol=1e-5, rtol=0)


def test_the_velocity_leads_from_data_to_noise() -> None:
    actions, noise, t = torch.randn(3, 4, 2), torch.randn(3, 4, 2), torch.tensor([0.0, 0.4, 1.0])
    x, velocity = noised(actions, noise, t)
    torch.testing.assert_close(x[0], actions[0])
    torch.testing.assert_close(x[2], noise[2])
    torch.testing.assert_close(x - t[:, None, None] * velocity, actions)


def test_training_times_are_beta() -> None:
    torch.manual_seed(0)
    found, beta = training_times(200_000), torch.distributions.Beta(1.5, 1.0)
    unit = (found - 0.001) / 0.999
    assert unit.min() >= 0
    assert found.max() <= 1
    assert unit.mean().item() == pytest.approx(beta.mean.item(), abs=0.003)
    assert unit.var().item() == pytest.approx(beta.variance.item(), abs=0.002)
    drawn = beta.sample((200_000,))
    for q in (0.1, 0.5, 0.9):
        assert unit.quantile(q).item() == pytest.approx(drawn.quantile(q).item(), abs=0.01)


def test_a_row_does_not_depend_on_its_batch() -> None:
    one, many = sample_euler(_exact(), (3, 2), [8]), sample_euler(_exact(), (3, 2), [4, 8])
    torch.testing.assert_close(many[1:], one, atol=0, rtol=0)
