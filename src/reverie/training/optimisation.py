"""The learning rate at a step, and which weights decay."""

import math
from typing import Any

from torch import nn

from reverie.training.config import TrainerConfig


def learning_rate(config: TrainerConfig, step: int) -> float:
    """Linear warm-up, then a half cosine down to `final_rate` of the peak (Loshchilov & Hutter 2017, equation 5)."""
    warmup = min(config.steps(config.warmup_samples), config.n_steps // 2)
    if step < warmup:
        return config.learning_rate * (step + 1) / warmup
    passed = (step - warmup) / max(1, config.n_steps - warmup)
    return config.learning_rate * (config.final_rate + (1 - config.final_rate) * (1 + math.cos(math.pi * passed)) / 2)


def decayed(model: nn.Module, weight_decay: float) -> list[dict[str, Any]]:
    """Matrices and kernels decay; biases, norms and embeddings of one axis do not."""
    trained = [p for p in model.parameters() if p.requires_grad]
    return [
        {"params": [p for p in trained if p.ndim > 1], "weight_decay": weight_decay},
        {"params": [p for p in trained if p.ndim <= 1], "weight_decay": 0.0},
    ]
