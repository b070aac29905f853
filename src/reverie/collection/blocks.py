"""Blocks: the episodes of a data set to be in groups fixed by their numbers, staged and then compacted.

Floating point depends on what else is in a batch, and closed loops amplify it. So a block in which an episode is missing
is computed as if all of them were, and a killed collection ends like one that nobody killed.
"""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from reverie.data import EpisodeStager, compact

Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class Forecast:
    """What the first block tells of the rest: episodes to come, seconds that they take, bytes of all that is staged."""

    episodes: int
    seconds: float
    n_bytes: float

    def __str__(self) -> str:
        took = f"{self.seconds:.0f} s" if self.seconds < 90 else f"{self.seconds / 60:.0f} min"
        return (
            f"{self.episodes} more episodes: about {took}; about {self.n_bytes / 1e6:.0f} MB staged, and as much again "
            "while the data set is built"
        )


Announce = Callable[[Forecast], None]


def unfinished(stager: EpisodeStager, n_episodes: int, size: int) -> list[range]:
    """Blocks of `size` numbers in which one is not staged; the last block may be shorter."""
    missing = set(stager.missing(n_episodes))
    blocks = (range(first, min(first + size, n_episodes)) for first in range(0, n_episodes, size))
    return [block for block in blocks if not missing.isdisjoint(block)]


def stage_and_compact(
    stager: EpisodeStager,
    n_episodes: int,
    work: Iterator[int],
    seconds_left: Callable[[float], float],
    progress: Progress | None = None,
    announce: Announce | None = None,
) -> Path:
    """Run `work`, which yields how many episodes each block staged, then build the data set of exactly n_episodes.

    seconds_left: seconds of the first block -> of all that follow.
    """
    left, started = len(stager.missing(n_episodes)), time.perf_counter()
    for number, count in enumerate(work):
        left -= count
        if announce and number == 0 and left:
            seconds = seconds_left(time.perf_counter() - started)
            announce(Forecast(left, seconds, stager.n_bytes() / (n_episodes - left) * n_episodes))
        if progress:
            progress(n_episodes - left, n_episodes)
    return compact(stager.folder, stager.root, n_episodes=n_episodes)
