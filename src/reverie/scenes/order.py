"""In which order the goals of a scene were reached, each held for a while: what a world remembers from step to step."""

from collections.abc import Sequence
from dataclasses import dataclass, field


@dataclass
class Order:
    """`hold` steps reach a goal. n_reached: how many were, one after the other; later ones may have come undone since.
    `broken` once a goal was held before its turn, for good."""

    n_goals: int
    hold: int
    n_reached: int = 0
    broken: bool = False
    held_for: list[int] = field(default_factory=list)

    def step(self, now: Sequence[bool]) -> bool:
        """One control step, with what holds now, [goals]; returns whether all of them are held, reached in their order."""
        before = self.held_for or [0] * self.n_goals
        self.held_for = [n + 1 if held else 0 for n, held in zip(before, now, strict=True)]
        while self.n_reached < self.n_goals and self.held_for[self.n_reached] >= self.hold:
            self.n_reached += 1
        self.broken |= any(n >= self.hold for n in self.held_for[self.n_reached + 1 :])
        return not self.broken and self.n_reached == self.n_goals and min(self.held_for) >= self.hold

    @property
    def current(self) -> int:
        """Place of the goal whose turn it is; of the last one when all were reached."""
        return min(self.n_reached, self.n_goals - 1)
