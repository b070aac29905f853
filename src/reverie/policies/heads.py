"""Action heads: from one vector per control step to a chunk of normalised actions. Three ways to say what is likely.

`l1` says the median: one answer. `flow` and `tokens` say a distribution and draw from it: where demonstrations differ (left
or right of an obstacle), they choose; a mean would hit it. All numbers are normalised actions; grippers are openings in (0, 1).
"""

from dataclasses import dataclass
from functools import partial
from typing import Any, Literal, Protocol, cast

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from reverie.actions.uniform_bins import UniformBins
from reverie.nn.blocks import Transformer, learned
from reverie.nn.flow import noised, sample_euler, training_times
from reverie.nn.metrics import Batch, Mean, Metrics, joined, mean_of
from reverie.nn.time_embedding import sincos
from reverie.policies.chunks import Scaling, absolute, bounds, gripper_mask
from reverie.policies.encoders import GroundedEncoder, TowerEncoder
from reverie.policies.learned import PolicyShapes


@dataclass(frozen=True)
class HeadConfig:
    """gripper_weight: of the gripper's cross-entropy (l1). squared_below: errors under this many standard deviations count
    squared (l1; 0: none do). n_bins, temperature: tokens; temperature 0 takes the likeliest.
    depth, flow_steps, draws: flow; blocks across the chunk, Euler steps, and how often time and noise are drawn for each
    observation in training (more cost the head only)."""

    kind: Literal["l1", "flow", "tokens"] = "l1"
    gripper_weight: float = 0.3
    squared_below: float = 1.0
    n_bins: int = 256
    temperature: float = 0.0
    depth: int = 2
    flow_steps: int = 10
    draws: int = 4


class ActionHead(Protocol):
    """hidden [B, H, d], actions [B, H, A], valid [B, H] (which actions exist and are worth imitating)."""

    def loss(self, hidden: Tensor, actions: Tensor, valid: Tensor) -> tuple[Tensor, Metrics]: ...

    def sample(self, hidden: Tensor, seeds: list[int]) -> Tensor: ...


class HeadedPolicy(nn.Module):
    """A policy whose `forward(batch)` gives what its `head` reads, and what its `encoder` saw."""

    encoder: GroundedEncoder | TowerEncoder
    head: ActionHead

    def compute_loss(self, batch: Batch) -> tuple[Tensor, Metrics]:
        """The head's loss and the encoder's own. batch: actions [B, H, A] and action_valid [B, H] beside what `forward`
        needs."""
        found, encoded = self(batch)
        loss, metrics = self.head.loss(found, batch["actions"], batch["action_valid"])
        auxiliary, more = self.encoder.auxiliary_loss(encoded, batch)
        return loss + auxiliary, metrics | more

    def predict(self, batch: Batch, seeds: list[int]) -> Tensor:
        """Normalised actions [B, H, A]."""
        return self.head.sample(self(batch)[0], seeds)


def build_head(config: HeadConfig, shapes: PolicyShapes, dim: int, horizon: int) -> ActionHead:
    head: ActionHead = HEADS[config.kind](config, shapes, dim, horizon)
    return head


class L1Head(nn.Module):
    """The median: L1 on all actions (`chunks.absolute`); the gripper's number is a logit with a cross-entropy beside it."""

    def __init__(self, config: HeadConfig, shapes: PolicyShapes, dim: int, horizon: int) -> None:
        super().__init__()
        self.config = config
        self.out = nn.Linear(dim, shapes.action_dim)
        self.register_buffer("is_gripper", gripper_mask(shapes), persistent=False)

    def loss(self, hidden: Tensor, actions: Tensor, valid: Tensor) -> tuple[Tensor, Metrics]:
        predicted = self.out(hidden).float()
        valid = valid[..., None].expand_as(predicted)
        gripper = cast(Tensor, self.is_gripper).expand_as(predicted)
        values = self._values(predicted)
        l1 = mean_of(absolute(values, actions, self.config.squared_below), valid)
        bce = F.binary_cross_entropy_with_logits(predicted, actions.clamp(0, 1), reduction="none")
        closing = mean_of(bce, valid & gripper)
        off = mean_of((values.detach() - actions).abs(), valid)
        return l1.value + self.config.gripper_weight * closing.value, {
            "regressed": l1,
            "actions": off,
            "gripper": closing,
        }

    def sample(self, hidden: Tensor, seeds: list[int]) -> Tensor:
        return self._values(self.out(hidden).float())

    def _values(self, predicted: Tensor) -> Tensor:
        """Gripper logits to openings in (0, 1)."""
        return torch.where(cast(Tensor, self.is_gripper), predicted.sigmoid(), predicted)


class SquaredError(nn.Module):
    """Mean squared error of actions that are predicted as they are: says the mean, and has no weights (`bc`, `simple_vla`)."""

    def __init__(self, shapes: PolicyShapes) -> None:
        super().__init__()
        self.register_buffer("is_gripper", gripper_mask(shapes), persistent=False)

    def loss(self, predicted: Tensor, actions: Tensor, valid: Tensor) -> tuple[Tensor, Metrics]:
        valid = valid[..., None].expand_as(predicted)
        squared = mean_of((predicted - actions) ** 2, valid)
        off = mean_of((predicted.detach() - actions).abs(), valid)
        return squared.value, {"squared": squared, "actions": off}

    def sample(self, predicted: Tensor, seeds: list[int]) -> Tensor:
        return torch.where(cast(Tensor, self.is_gripper), predicted.clamp(0, 1), predicted)


class TokenHead(nn.Module):
    """One of `n_bins` for every number of every step, all at once (RT-1, Brohan et al. 2022, section 5.1: 256 uniform bins,
    cross-entropy). Bounds are those of the training actions. per_dimension: hidden has a vector for every number already,
    [B, H, A, d]."""

    def __init__(self, config: HeadConfig, shapes: PolicyShapes, dim: int, horizon: int, per_dimension: bool = False) -> None:  # fmt: skip
        super().__init__()
        self.config = config
        self.out = nn.Linear(dim, config.n_bins * (1 if per_dimension else shapes.action_dim))
        codec = UniformBins(*bounds(shapes), config.n_bins)
        every = np.repeat(np.arange(config.n_bins)[:, None, None], shapes.action_dim, axis=2)  # [n_bins, 1, A]
        self.register_buffer("values", torch.tensor(codec.decode(every)[:, 0].tolist()), persistent=False)

    def logits(self, hidden: Tensor) -> Tensor:
        """[B, H, A, n_bins]"""
        logits = cast(Tensor, self.out(hidden)).float()
        return logits.view(*hidden.shape[:2], -1, self.config.n_bins)

    def loss(self, hidden: Tensor, actions: Tensor, valid: Tensor) -> tuple[Tensor, Metrics]:
        logits = self.logits(hidden)
        off = actions[..., None] - cast(Tensor, self.values).T  # [B, H, A, n_bins]
        wanted = off.abs().argmin(-1)  # what the codec's `encode` says: the bin whose middle is nearest
        entropy = F.cross_entropy(logits.movedim(-1, 1), wanted, reduction="none")
        tokens = mean_of(entropy, valid[..., None].expand_as(entropy))
        with torch.no_grad():
            missed = (self._decoded(logits.argmax(-1)) - actions).abs()
        return tokens.value, {"tokens": tokens, "actions": mean_of(missed, valid[..., None].expand_as(missed))}

    def sample(self, hidden: Tensor, seeds: list[int]) -> Tensor:
        logits = self.logits(hidden)
        if not self.config.temperature:
            return self._decoded(logits.argmax(-1))
        uniform = torch.stack(
            [torch.rand(logits.shape[1:-1], generator=torch.Generator().manual_seed(s)) for s in seeds]
        )
        summed = (logits / self.config.temperature).softmax(-1).cumsum(-1)
        return self._decoded((summed < uniform.to(logits.device)[..., None]).sum(-1).clamp_max(self.config.n_bins - 1))

    def _decoded(self, tokens: Tensor) -> Tensor:
        """[B, H, A] -> the values [n_bins, A] that they stand for."""
        return cast(Tensor, self.values).gather(0, tokens.flatten(0, 1)).view(tokens.shape)


class FlowHead(nn.Module):
    """A velocity for the whole chunk by `depth` blocks across its steps, given one vector per step; Euler integration from
    noise (pi0, Black et al. 2024, section IV: time runs from 1, noise, to 0, actions)."""

    def __init__(self, config: HeadConfig, shapes: PolicyShapes, dim: int, horizon: int) -> None:
        super().__init__()
        self.config = config
        self.into, self.out = nn.Linear(shapes.action_dim, dim), nn.Linear(dim, shapes.action_dim)
        self.time = nn.Linear(dim, dim)
        self.order = learned(horizon, dim)
        self.trunk = Transformer(dim, config.depth, n_heads=max(1, dim // 32))
        self.scaling = Scaling(shapes, "openings")

    def loss(self, hidden: Tensor, actions: Tensor, valid: Tensor) -> tuple[Tensor, Metrics]:
        scaled = self.scaling.into(actions)
        flow = joined([self._drawn(hidden, scaled, valid) for _ in range(self.config.draws)])
        return flow.value, {"flow": flow}

    def _drawn(self, hidden: Tensor, actions: Tensor, valid: Tensor) -> Mean:
        times = training_times(len(actions), actions.device)
        at, wanted = noised(actions, torch.randn_like(actions), times)
        squared = (self._velocity(hidden, at, times) - wanted) ** 2
        return mean_of(squared, valid[..., None].expand_as(squared))

    def sample(self, hidden: Tensor, seeds: list[int]) -> Tensor:
        shape = hidden.shape[1], self.out.out_features
        found = sample_euler(partial(self._velocity, hidden), shape, seeds, self.config.flow_steps, hidden.device)
        return self.scaling.out(found)

    def _velocity(self, hidden: Tensor, at: Tensor, times: Tensor) -> Tensor:
        """[B, H, A]"""
        told = self.time(sincos(times, self.time.in_features, 4e-3, 4.0))[:, None]
        return cast(Tensor, self.out(self.trunk(hidden + self.order + self.into(at) + told))).float()


HEADS: dict[str, Any] = {"l1": L1Head, "tokens": TokenHead, "flow": FlowHead}
