"""Frames of logged episodes, what was done from there on, and what a policy answers when it is shown them, as they are or
changed."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from reverie.core import Episode, Observations, Policy
from reverie.evaluation.open_loop import shown_at

Array = NDArray[np.float64]
Change = Callable[[Observations], Observations]


@dataclass(frozen=True)
class Asked:
    """Frames [R] of one episode, at each of which an action was recorded."""

    episode: Episode
    frames: NDArray[np.int64]

    def recorded(self, horizon: int) -> Array:
        """[R, horizon, A]: what was done from each frame on; nan past the end."""
        steps = self.episode.frame_steps[self.frames][:, None] + np.arange(horizon)
        found = self.episode.actions[np.minimum(steps, self.episode.n_steps - 1)].astype(np.float64)
        found[steps >= self.episode.n_steps] = np.nan
        return np.asarray(found)

    def answer(self, policy: Policy, change: Change | None = None, instruction: str | None = None) -> Array:
        """[R, T, A], each frame alone, with a seed of its own, the same every time."""
        seen = shown_at(policy, self.episode, self.frames)
        if instruction is not None:
            seen = replace(seen, instructions=(instruction,) * len(self.frames))
        chunk, _ = policy.infer(change(seen) if change else seen, None, [int(f) for f in self.frames])
        return chunk.values.astype(np.float64)


def spread(episodes: Sequence[Episode], n_frames: int) -> list[Asked]:
    """Of every episode up to n_frames frames, evenly spread, from the first to the last with an action."""
    asked = []
    for episode in episodes:
        there = np.flatnonzero(episode.frame_steps < episode.n_steps)
        chosen = np.unique(np.linspace(0, len(there) - 1, min(n_frames, len(there))).round().astype(np.int64))
        asked.append(Asked(episode, there[chosen]))
    return asked


def squared(difference: Array, weight: Array) -> float:
    """Mean over what was recorded of the weighted sum of squares over dimensions: [R, T, A] -> one number."""
    total = (difference**2 * weight).sum(-1)
    return float(np.nanmean(total)) if np.isfinite(total).any() else float("nan")
