"""Samplers with a denoiser that is known exactly: data from one Gaussian, or one point."""

from math import cos, pi

import pytest
import torch
from torch import Tensor

from reverie.nn.diffusion import Denoiser, Schedule, sample_ddim, sample_ddpm, squared_cosine
from reverie.nn.noise import RowNoise

MEAN, STD = 0.3, 0.2
SEEDS = list(range(2000))


def _exact(schedule: Schedule, mean: float = MEAN, std: float = STD) -> Denoiser:
    """E[noise | x_t] for data from N(mean, std^2)."""
    kept = torch.tensor(schedule.alpha_bar)

    def denoise(x: Tensor, steps: Tensor) -> Tensor:
        k = kept[steps].view(-1, *[1] * (x.dim() - 1))
        away = x - k.sqrt() * mean
        return (1 - k).sqrt() * away / (k * std**2 + 1 - k)

    return denoise


def test_the_schedule_is_the_squared_cosine() -> None:
    found = squared_cosine(100).alpha_bar

    def signal(t: float) -> float:
        return cos((t + 0.008) / 1.008 * pi / 2) ** 2

    assert found[49] == pytest.approx(signal(0.5) / signal(0.0))
    assert found[0] == pytest.approx(signal(0.01) / signal(0.0))
    assert found[99] == pytest.approx(found[98] * 0.001)  # beta of the last step is cut at 0.999
    assert list(found) == sorted(found, reverse=True)


def test_noise_is_added_in_the_schedules_proportion() -> None:
    schedule, x = squared_cosine(100), torch.full((3, 5000), 0.7)
    noised = schedule.add_noise(
        x, torch.randn(3, 5000, generator=torch.Generator().manual_seed(0)), torch.tensor([0, 49, 99])
    )
    for row, step in zip(noised, (0, 49, 99), strict=True):
        kept = schedule.alpha_bar[step]
        assert row.mean().item() == pytest.approx(0.7 * kept**0.5, abs=0.05)
        assert row.std().item() == pytest.approx((1 - kept) ** 0.5, rel=0.05)
    noise = torch.randn(3, 5)
    torch.testing.assert_close(
        schedule.clean(schedule.add_noise(x[:, :5], noise, torch.full((3,), 40)), noise, 40), x[:, :5]
    )


def test_ancestral_sampling_has_the_mean_and_spread_of_its_equations() -> None:
    """With the smaller of the two variances of Ho et al. (section 3.2), 100 steps fall 8 % short of the data's spread."""
    schedule = squared_cosine(100)
    found = sample_ddpm(_exact(schedule), (2,), SEEDS, schedule)
    expected = _ancestral_std(schedule.alpha_bar)
    torch.testing.assert_close(found.mean(0), torch.full((2,), MEAN), atol=0.01, rtol=0)
    torch.testing.assert_close(found.std(0), torch.full((2,), expected), atol=0, rtol=0.04)
    assert expected == pytest.approx(STD, rel=0.1)
    assert _ancestral_std(squared_cosine(1000).alpha_bar) == pytest.approx(STD, rel=0.02)
    assert torch.corrcoef(found.T)[0, 1].abs() < 0.05


def _ancestral_std(alpha_bar: tuple[float, ...]) -> float:
    """Equations 6 and 7 with the exact estimate of x_0, which is linear in x_t: the variance of x_0, step by step."""
    variance = 1.0
    for before, kept in reversed(list(zip((1.0, *alpha_bar[:-1]), alpha_bar, strict=True))):
        beta = 1 - kept / before
        gain = STD**2 * kept**0.5 / (kept * STD**2 + 1 - kept)
        slope = before**0.5 * beta / (1 - kept) * gain + (1 - beta) ** 0.5 * (1 - before) / (1 - kept)
        variance = slope**2 * variance + (1 - before) / (1 - kept) * beta
    return variance**0.5


def test_deterministic_sampling_stretches_the_noise_onto_the_data() -> None:
    schedule = squared_cosine(1000)
    found = sample_ddim(_exact(schedule), (2,), SEEDS[:50], schedule, 1000)
    torch.testing.assert_close(found, MEAN + STD * RowNoise(SEEDS[:50]).draw(2), atol=0.01, rtol=0)
    fewer = sample_ddim(_exact(schedule), (2,), SEEDS, schedule, 50)
    torch.testing.assert_close(fewer.mean(0), torch.full((2,), MEAN), atol=0.01, rtol=0)
    torch.testing.assert_close(fewer.std(0), torch.full((2,), STD), atol=0.02, rtol=0)


@pytest.mark.parametrize("n_steps", [1, 7, 100])
def test_one_point_is_found_in_any_number_of_steps(n_steps: int) -> None:
    schedule = squared_cosine(100, clip=None)
    exact, wanted = _exact(schedule, 0.6, 0.0), torch.full((3, 4, 2), 0.6)
    torch.testing.assert_close(sample_ddim(exact, (4, 2), [1, 2, 3], schedule, n_steps), wanted, atol=1e-3, rtol=0)
    torch.testing.assert_close(sample_ddpm(exact, (4, 2), [1, 2, 3], schedule), wanted, atol=1e-3, rtol=0)


def test_estimates_are_clipped() -> None:
    schedule = squared_cosine(100)
    assert sample_ddpm(_exact(schedule, 3.0, 0.0), (2,), [1, 2], schedule).max() <= 1.0
    wider = squared_cosine(100, clip=5.0)
    torch.testing.assert_close(
        sample_ddpm(_exact(wider, 3.0, 0.0), (2,), [1], wider), torch.full((1, 2), 3.0), atol=1e-2, rtol=0
    )


def test_a_row_does_not_depend_on_its_batch() -> None:
    schedule = squared_cosine(20)
    exact = _exact(schedule)
    for one, many in (
        (sample_ddpm(exact, (3, 2), [8], schedule), sample_ddpm(exact, (3, 2), [4, 8, 8], schedule)),
        (sample_ddim(exact, (3, 2), [8], schedule, 5), sample_ddim(exact, (3, 2), [4, 8, 8], schedule, 5)),
    ):
        torch.testing.assert_close(many[1:], one.expand(2, -1, -1), atol=0, rtol=0)
        assert not torch.equal(many[0], many[1])


def test_more_sampling_steps_than_training_steps_are_refused() -> None:
    with pytest.raises(ValueError, match="30 sampling steps of a schedule of 20"):
        sample_ddim(_exact(squared_cosine(20)), (1,), [0], squared_cosine(20), 30)
