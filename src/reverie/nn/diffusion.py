"""Denoising diffusion of action chunks: Ho et al. 2020 ("DDPM"), Song et al. 2021 ("DDIM"), with the squared-cosine
schedule of Nichol & Dhariwal 2021 and the noise as what is predicted.

x_t = sqrt(alpha_bar_t) x_0 + sqrt(1 - alpha_bar_t) noise, for steps t = 0 (little noise) to T - 1 (almost only noise).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import cos, pi

import torch
from torch import Tensor

from reverie.nn.noise import RowNoise

Denoiser = Callable[[Tensor, Tensor], Tensor]
"""(x_t [B, ...], steps [B]) -> the noise in x_t [B, ...]."""


@dataclass(frozen=True)
class Schedule:
    """alpha_bar per step, decreasing. `clip`: estimates of x_0 are held in (-clip, clip) while sampling; None: not."""

    alpha_bar: tuple[float, ...]
    clip: float | None = 1.0

    def add_noise(self, x: Tensor, noise: Tensor, steps: Tensor) -> Tensor:
        """q(x_t | x_0), Ho et al. equation 4; x and noise [B, ...], steps [B] whole numbers."""
        kept = torch.tensor(self.alpha_bar, device=x.device, dtype=torch.float32)[steps]
        kept = kept.view(-1, *[1] * (x.dim() - 1))
        return kept.sqrt() * x + (1 - kept).sqrt() * noise

    def clean(self, x: Tensor, noise: Tensor, step: int) -> Tensor:
        """The estimate of x_0 that x_t and the noise in it mean (equation 15), clipped."""
        kept = self.alpha_bar[step]
        estimate: Tensor = (x - (1 - kept) ** 0.5 * noise) / kept**0.5
        return estimate if self.clip is None else estimate.clamp(-self.clip, self.clip)


def squared_cosine(n_steps: int = 100, clip: float | None = 1.0, offset: float = 0.008) -> Schedule:
    """Nichol & Dhariwal equation 17, with beta of one step at most 0.999."""

    def signal(t: float) -> float:
        return cos((t + offset) / (1 + offset) * pi / 2) ** 2

    alpha_bar, kept = [], 1.0
    for i in range(n_steps):
        kept *= 1 - min(1 - signal((i + 1) / n_steps) / signal(i / n_steps), 0.999)
        alpha_bar.append(kept)
    return Schedule(tuple(alpha_bar), clip)


def sample_ddpm(
    denoiser: Denoiser,
    shape: Sequence[int],
    seeds: Sequence[int],
    schedule: Schedule,
    device: torch.device | str = "cpu",
) -> Tensor:
    """Ancestral sampling, Ho et al. algorithm 2 with the posterior of equations 6 and 7: -> [B, *shape], B = len(seeds)."""
    noise = RowNoise(seeds, device)
    x = noise.draw(*shape)
    for step in reversed(range(len(schedule.alpha_bar))):
        kept, kept_before = schedule.alpha_bar[step], schedule.alpha_bar[step - 1] if step else 1.0
        alpha = kept / kept_before
        clean = schedule.clean(x, denoiser(x, _steps(x, step)), step)
        mean = kept_before**0.5 * (1 - alpha) * clean + alpha**0.5 * (1 - kept_before) * x
        x = mean / (1 - kept)
        if step:
            x = x + ((1 - kept_before) / (1 - kept) * (1 - alpha)) ** 0.5 * noise.draw(*shape)
    return x


def sample_ddim(
    denoiser: Denoiser,
    shape: Sequence[int],
    seeds: Sequence[int],
    schedule: Schedule,
    n_steps: int,
    device: torch.device | str = "cpu",
) -> Tensor:
    """Song et al. equation 12 with sigma = 0, on `n_steps` of the schedule's T steps, evenly from 0: -> [B, *shape].

    As in the public code of Diffusion Policy: the last step goes to alpha_bar = 1, and clipping x_0 leaves the noise.
    """
    if not 1 <= n_steps <= len(schedule.alpha_bar):
        raise ValueError(f"{n_steps} sampling steps of a schedule of {len(schedule.alpha_bar)}")
    x, stride = RowNoise(seeds, device).draw(*shape), len(schedule.alpha_bar) // n_steps
    for step in reversed(range(0, n_steps * stride, stride)):
        kept_before = schedule.alpha_bar[step - stride] if step else 1.0
        noise = denoiser(x, _steps(x, step))
        x = kept_before**0.5 * schedule.clean(x, noise, step) + (1 - kept_before) ** 0.5 * noise
    return x


def _steps(x: Tensor, step: int) -> Tensor:
    return torch.full((x.shape[0],), step, device=x.device)
