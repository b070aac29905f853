"""Chunks of actions as generative models want them, and how a diffusion over them is trained and drawn from.

Noise is centred at 0 with unit variance, so numbers must be about that too: openings go from (0, 1) to (-1, 1); for a
diffusion that clips its estimates, every number goes from the range of the training actions to (-1, 1). And how far off a
regressed chunk is.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from reverie.nn.diffusion import sample_ddim, sample_ddpm, squared_cosine
from reverie.nn.metrics import Mean, joined, mean_of
from reverie.policies.learned import PolicyShapes

Denoiser = Callable[[Tensor, Tensor], Tensor]
"""(noisy [B, H, A], steps [B]) -> noise [B, H, A]."""


def gripper_mask(shapes: PolicyShapes) -> Tensor:
    """[A] bool: which actions are an opening in (0, 1)."""
    mask = torch.zeros(shapes.action_dim, dtype=torch.bool)
    mask[list(shapes.gripper)] = True
    return mask


def bounds(shapes: PolicyShapes) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Between which values normalised training actions lay; where nobody measured, 4 standard deviations."""
    openings = set(shapes.gripper)
    low = shapes.action_low or tuple(0.0 if i in openings else -4.0 for i in range(shapes.action_dim))
    high = shapes.action_high or tuple(1.0 if i in openings else 4.0 for i in range(shapes.action_dim))
    return low, high


class Scaling(nn.Module):
    """Normalised actions to a generative model's numbers (`into`) and back (`out`), which stay inside the bounds."""

    center: Tensor
    reach: Tensor
    limit: Tensor

    def __init__(self, shapes: PolicyShapes, kind: Literal["openings", "range"]) -> None:
        super().__init__()
        low, high = (torch.tensor(b) for b in bounds(shapes))
        touched = gripper_mask(shapes) if kind == "openings" else torch.ones(shapes.action_dim, dtype=torch.bool)
        half = (high - low).clamp_min(1e-3) / 2
        self.register_buffer("center", torch.where(touched, (low + high) / 2, 0.0), persistent=False)
        self.register_buffer("reach", torch.where(touched, half, 1.0), persistent=False)
        self.register_buffer("limit", torch.where(touched, 1.0, torch.inf), persistent=False)

    def into(self, actions: Tensor) -> Tensor:
        return (actions - self.center) / self.reach

    def out(self, numbers: Tensor) -> Tensor:
        return numbers.clamp(-self.limit, self.limit) * self.reach + self.center


@dataclass(frozen=True)
class DiffusionConfig:
    """steps: of the noise schedule (squared cosine); n_samples: of them are taken when sampling, by DDIM, or all by DDPM;
    clip: where estimates of the clean chunk are held; draws: of step and noise for each observation in training (1 in the
    papers; more cost the denoiser only, and what is seen is paid for once)."""

    steps: int = 100
    sampler: Literal["ddpm", "ddim"] = "ddim"
    n_samples: int = 10
    clip: float = 1.0
    draws: int = 1


@dataclass(frozen=True)
class Diffusion:
    """What a denoiser is trained on, and how chunks are drawn with it. Noise is what is predicted."""

    config: DiffusionConfig

    def loss(self, denoiser: Denoiser, chunk: Tensor, valid: Tensor) -> Mean:
        """Mean squared error of the noise at a random step (Ho et al. 2020, equation 14), over actions [B, H] that are valid."""
        return joined([self._drawn(denoiser, chunk, valid) for _ in range(self.config.draws)])

    def _drawn(self, denoiser: Denoiser, chunk: Tensor, valid: Tensor) -> Mean:
        steps = torch.randint(self.config.steps, (len(chunk),), device=chunk.device)
        noise = torch.randn_like(chunk)
        noisy = squared_cosine(self.config.steps, self.config.clip).add_noise(chunk, noise, steps)
        squared = (denoiser(noisy, steps).float() - noise) ** 2
        return mean_of(squared, valid[..., None].expand_as(squared))

    def sample(self, denoiser: Denoiser, shape: tuple[int, int], seeds: list[int], device: torch.device) -> Tensor:
        """[B, H, A] from noise that each row's seed draws."""
        schedule = squared_cosine(self.config.steps, self.config.clip)
        if self.config.sampler == "ddpm":
            return sample_ddpm(denoiser, shape, seeds, schedule, device)
        return sample_ddim(denoiser, shape, seeds, schedule, self.config.n_samples, device)


def absolute(predicted: Tensor, actions: Tensor, squared_below: float) -> Tensor:
    """Absolute errors of normalised actions; those under `squared_below` count squared (Huber 1964; 0: none do).

    Where a number is nearly always 0 (a hand is turned in two frames of forty), plain L1 stays at 0: any attempt costs more in
    the many frames than it gains in the few. Near 0 a squared error asks for nothing, and leaves room to learn when to move.
    """
    if not squared_below:
        return (predicted - actions).abs()
    return F.smooth_l1_loss(predicted, actions, reduction="none", beta=squared_below)
