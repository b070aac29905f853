"""Flow matching of action chunks (Lipman et al. 2023) in pi0's convention (Black et al. 2024, its public code): time 1 is
noise and time 0 is data, x_t = t noise + (1 - t) actions, and the network learns the velocity noise - actions.
(The paper itself counts time the other way round.)
"""

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from reverie.nn.noise import RowNoise

Velocity = Callable[[Tensor, Tensor], Tensor]
"""(x_t [B, ...], t [B] in (0, 1]) -> velocity [B, ...]."""


def training_times(n: int, device: torch.device | str | None = None) -> Tensor:
    """t [n] ~ 0.999 Beta(1.5, 1) + 0.001: noisy times are trained more often. Beta(a, 1) is u^(1/a) for uniform u."""
    return 0.999 * torch.rand(n, device=device) ** (1 / 1.5) + 0.001


def noised(actions: Tensor, noise: Tensor, t: Tensor) -> tuple[Tensor, Tensor]:
    """actions and noise [B, ...], t [B] -> x_t and the velocity to learn."""
    t = t.view(-1, *[1] * (actions.dim() - 1))
    return t * noise + (1 - t) * actions, noise - actions


def sample_euler(
    velocity: Velocity,
    shape: Sequence[int],
    seeds: Sequence[int],
    n_steps: int = 10,
    device: torch.device | str = "cpu",
) -> Tensor:
    """x moves by -velocity / n_steps from noise at t = 1 to actions at t = 0: -> [B, *shape], B = len(seeds)."""
    x = RowNoise(seeds, device).draw(*shape)
    for i in range(n_steps):
        t = torch.full((x.shape[0],), 1 - i / n_steps, device=x.device)
        x = x - velocity(x, t) / n_steps
    return x
