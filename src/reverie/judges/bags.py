"""Learning from episode labels alone: an episode is a bag of frames (multiple-instance learning).

A failed episode has no successful frame; a successful one has at least one, and its last frames as a rule. The bag's
probability is the noisy-or of its frames' (Maron & Lozano-Perez 1998, "A Framework for Multiple-Instance Learning",
section 2): 1 - prod(1 - p).
"""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor


@dataclass(frozen=True)
class BagWeights:
    """last: the last frame of a successful episode is positive; first: the first frame of any is negative."""

    last: float = 1.0
    first: float = 0.3
    progress: float = 0.3


def noisy_or_loss(logits: Tensor, label: Tensor) -> Tensor:
    """Frame logits [B, K] and bag labels [B] in {0, 1} -> loss [B], in nats per bag.

    log(1 - p_bag) = -sum softplus(z). A failure's loss is divided by K so that both labels weigh alike.
    """
    log_none = -F.softplus(logits).sum(-1)  # [B], <= 0
    positive = -torch.log(-torch.expm1(log_none.clamp_max(-1e-6)))
    return torch.where(label > 0.5, positive, -log_none / logits.shape[-1])


def bag_loss(logits: Tensor, label: Tensor, weights: BagWeights) -> Tensor:
    """logits [B, 1 + K], the first frame first and the latest last -> mean loss."""
    last = F.softplus(-logits[:, -1]) * (label > 0.5)
    first = F.softplus(logits[:, 0])
    return (noisy_or_loss(logits[:, 1:], label) + weights.last * last + weights.first * first).mean()


def progress_loss(progress: Tensor, logits: Tensor, label: Tensor, share: Tensor) -> Tensor:
    """Progress [B, K] of successful episodes: the share [B, K] of the episode's time that has passed, until the judge
    itself sees success, then 1. Failures teach nothing here: how far they came is not known."""
    target = torch.where(logits.detach() > 0, torch.ones_like(share), share)
    counted = (label > 0.5)[:, None].expand_as(share).to(progress.dtype)
    return ((progress - target).abs() * counted).sum() / counted.sum().clamp_min(1)
