"""Cells: what is known of every (scene, edit, replicate) of a plan, one byte each, read like a dictionary.

Of a hundred thousand trials, dictionaries take a hundred megabytes; these take a tenth of one.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

from reverie.evaluation.blocks import edit_of
from reverie.evaluation.plan import Plan

Cell = tuple[str, str, int]
Mask = NDArray[np.bool_]
Value = TypeVar("Value")
Other = TypeVar("Other")


@dataclass(frozen=True)
class Grid:
    """The cells of a plan in order: scene after scene (with its edit), again in every replicate. N = scenes x replicates."""

    scenes: tuple[tuple[str, str], ...]
    replicates: int

    @classmethod
    def of(cls, plan: Plan) -> "Grid":
        return cls(tuple((s.id, edit_of(s)) for s in plan.scenes), plan.replicates)

    @cached_property
    def _numbers(self) -> Mapping[tuple[str, str], int]:
        return {scene: i for i, scene in enumerate(self.scenes)}

    def __len__(self) -> int:
        return len(self.scenes) * self.replicates

    def index(self, cell: Cell) -> int | None:
        """Place of a cell; None for one that the plan does not have."""
        number = self._numbers.get(cell[:2])
        return number + cell[2] * len(self.scenes) if number is not None and 0 <= cell[2] < self.replicates else None

    def cell(self, index: int) -> Cell:
        replicate, number = divmod(index, len(self.scenes))
        return (*self.scenes[number], replicate)

    def mask(self, fits: Callable[[str, str], bool]) -> Mask:
        """[N]: cells whose scene and edit fit."""
        return np.tile(np.array([fits(*s) for s in self.scenes], dtype=np.bool_), self.replicates)


class Column(Mapping[Cell, Value], Generic[Value]):
    """Cells with a value, in the grid's order. codes uint8 [N]: 0 no value, else a place in `values`, from 1."""

    def __init__(self, grid: Grid, codes: NDArray[np.uint8], values: Sequence[Value]) -> None:
        self.grid, self.codes, self._values = grid, codes, tuple(values)

    @property
    def there(self) -> Mask:
        """[N]: which cells have a value."""
        return np.asarray(self.codes > 0)

    def __len__(self) -> int:
        return int(np.count_nonzero(self.codes))

    def __iter__(self) -> Iterator[Cell]:
        return (self.grid.cell(int(i)) for i in np.flatnonzero(self.codes))

    def __getitem__(self, cell: Cell) -> Value:
        index = self.grid.index(cell)
        if index is None or not self.codes[index]:
            raise KeyError(cell)
        value: Value = self._values[int(self.codes[index]) - 1]
        return value

    def array(self, mask: Mask) -> NDArray[Any]:
        """[M]: the values of the cells of `mask` [N], all of which have one."""
        return np.asarray(np.array(self._values)[self.codes[mask].astype(np.int64) - 1])

    def kept(self, mask: Mask) -> "Column[Value]":
        """Without the cells where `mask` [N] is False."""
        return Column(self.grid, np.where(mask, self.codes, 0).astype(np.uint8), self._values)

    def part(self, grid: Grid, mask: Mask) -> "Column[Value]":
        """Only the cells of `mask` [N], which are those of `grid`."""
        return Column(grid, self.codes[mask], self._values)

    def renamed(self, names: Mapping[Value, Other]) -> "Column[Other]":
        """Every value by another name; cells whose value has none are left out."""
        values = list(dict.fromkeys(names.values()))
        codes = np.array([0, *(values.index(names[v]) + 1 if v in names else 0 for v in self._values)], np.uint8)
        return Column(self.grid, codes[self.codes], values)

    def renumbered(self, grid: Grid) -> "Column[Value]":
        """The same values where a grid as long calls the cells by other names."""
        return Column(grid, self.codes, self._values)
