"""The grounded backbone of a policy as a measuring device: where does it see the named things in these frames?"""

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray

from reverie.core import Episode, ReverieError
from reverie.policies.learned import LearnedPolicy, observation_batch, to_tensors


@torch.inference_mode()
def named_positions(policy: LearnedPolicy, episode: Episode, frames: Sequence[int]) -> NDArray[np.float32]:
    """Positions [frames, 2, 3] in metres of the named object and the named reference, from single frames of an episode.

    Raises ReverieError for a policy whose network grounds nothing.
    """
    if not hasattr(policy.model, "backbone"):
        raise ReverieError(f"policy {policy.name!r} has no grounded backbone: nothing says where it sees things")
    seen = episode.observations[np.asarray(frames)]
    asked = [episode.instruction] * len(frames)
    selected = seen.select(policy.observation_spec, episode.observation_spec).map(lambda v: v[:, None], tuple(asked))
    batch = policy.transforms.apply(observation_batch(selected, policy.observation_spec))
    _, found = policy.model(to_tensors(batch))
    return np.asarray(found.positions_m.float().numpy())
