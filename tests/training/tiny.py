"""The smallest complete training, for tests that start, stop and resume one."""

import sys
from pathlib import Path

import torch

from reverie.nn.grounding import GroundingConfig
from reverie.nn.text_config import TextConfig
from reverie.policies.encoders import EncoderConfig
from reverie.policies.vla import VLAConfig
from reverie.training.config import TrainerConfig
from reverie.training.fakes import fake_cache
from reverie.training.fit import PolicyRecipe, fit_policy

TINY = VLAConfig(
    dim=32,
    depth=1,
    n_heads=2,
    hidden=32,
    encoder=EncoderConfig(
        grounding=GroundingConfig(TextConfig("words"), text_width=32, text_depth=1, width=16, deep_width=16, hidden=32)
    ),
)


def recipe(samples: int, **trainer: object) -> PolicyRecipe:
    given = {"batch_size": 8, "precision": "float32", "state_every": 16, "validate_every": 0, "warmup_samples": 16}
    return PolicyRecipe(model=TINY, trainer=TrainerConfig(samples=samples, **(given | trainer)))  # type: ignore[arg-type]


def train(out: Path, samples: int = 320, **trainer: object) -> dict[str, float]:
    torch.set_num_threads(1)
    return fit_policy(fake_cache(12), recipe(samples, **trainer), out, quiet=True)


if __name__ == "__main__":
    train(Path(sys.argv[1]))
