"""Pace: steps at a rate, or as fast as they come, and how many a second there were."""

import time
from collections import deque
from collections.abc import Callable

OVER_S = 3.0
"""The rate is that of the last seconds."""
KEEPS_UP = 0.95


class Pace:
    """`wait` before each step, `stepped` after it. What is late is not caught up on: time in the world only gets slower."""

    def __init__(self, hz: float, clock: Callable[[], float] = time.monotonic) -> None:
        self.hz, self._clock = hz, clock
        self.restart()

    def restart(self) -> None:
        """Time has stood still: what was before does not count."""
        self._due, self._times = self._clock(), deque[float]()

    def wait(self) -> None:
        """Until the next step is due."""
        now = self._clock()
        self._times = self._times or deque([now])
        if now < self._due:
            time.sleep(self._due - now)
        self._due = max(self._due, now) + 1 / self.hz

    def stepped(self) -> None:
        now = self._clock()
        self._times.append(now)
        while now - self._times[0] > OVER_S and len(self._times) > 2:
            self._times.popleft()

    @property
    def rate(self) -> float | None:
        """Steps a second; None before a whole second of them."""
        if len(self._times) < 2 or (span := self._times[-1] - self._times[0]) < 1:
            return None
        return (len(self._times) - 1) / span

    @property
    def words(self) -> str:
        """For the person at the keys."""
        if (rate := self.rate) is None:
            return f"{self.hz:g} steps a second wanted"
        kept = "as wanted" if rate > KEEPS_UP * self.hz else "as fast as this machine can"
        return f"{rate:.1f} of {self.hz:g} steps a second, {kept}"
