"""Observation windows: what a policy is shown of the frames so far. Only `rollouts` builds them.

Knows ObservationSpec's n_obs_steps, obs_stride and padding; knows nothing about worlds or actions.
"""

from collections.abc import Sequence

from reverie.core import Observations, ObservationSpec, stack_time


def window_indices(n_frames: int, spec: ObservationSpec) -> list[int]:
    """Which of n_frames frames a policy sees, oldest first, the newest last; the first is repeated before the start."""
    newest = n_frames - 1
    return [max(newest - back * spec.obs_stride, 0) for back in reversed(range(spec.n_obs_steps))]


def window(frames: Sequence[Observations], wanted: ObservationSpec, offered: ObservationSpec) -> Observations:
    """Frames [B, ...] so far -> [B, n_obs_steps, ...], holding only what `wanted` asks of what `offered` shows."""
    chosen = [frames[i].select(wanted, offered) for i in window_indices(len(frames), wanted)]
    return stack_time(chosen)
