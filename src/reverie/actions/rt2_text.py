"""RT-2's text: "terminate dx dy dz drx dry drz gripper" as whole numbers, for example "0 128 91 241 5 101 127 200".

Zitkovich et al. 2023 (RT-2, section 3.2): RT-1's 256 bins, written as integers with a space between. The first says whether
the episode ends (1) and is no part of the action: it is written from, and read into, an array of its own. (The example
in the paper has seven numbers for these eight fields.) A chunk of several steps, which RT-2 has not, is written with ";"
between them.

A generated string may be anything: it is read strictly (as many numbers as there should be, plain decimals in
range, single spaces, nothing else), and a row that is not of this form fails. Values outside the bounds are clipped.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from reverie.actions import checks
from reverie.actions.codec import Array, CodecSpec, Decoded, Tokens
from reverie.actions.uniform_bins import Decoding, UniformBins
from reverie.core import ReverieError

STEP = ";"
_NUMBER = re.compile("0|[1-9][0-9]*")


@dataclass(frozen=True)
class RT2Text:
    """`grid` says which integer stands for which value; codes are a list of B strings of `horizon` steps each."""

    grid: UniformBins
    horizon: int = 1
    name: ClassVar[str] = "rt2_text"

    def __post_init__(self) -> None:
        checks.count("horizon", self.horizon)
        if not isinstance(self.grid, UniformBins):
            raise ReverieError(f"grid is {self.grid!r}, expected {UniformBins.name}")

    @classmethod
    def fit(cls, actions: NDArray[np.floating], bins: int = 256, decoding: Decoding = "centres") -> Self:
        """For chunks as long as those of [N, T, A], with the bounds of `UniformBins.fit`."""
        values = checks.training_chunks(actions)
        return cls(UniformBins.fit(values, bins, decoding), values.shape[1])

    @property
    def spec(self) -> CodecSpec:
        a = len(self.grid.low)
        return CodecSpec("text", a, self.grid.bins, self.horizon * (1 + a), self.horizon)

    def encode(self, actions: NDArray[np.floating], terminate: NDArray[np.bool_] | None = None) -> list[str]:
        """[B, T, A], and whether the episode ends with a step, bool [B, T] (never unless given)."""
        tokens = self.grid.encode(checks.chunks(actions, len(self.grid.low), self.horizon))
        ends = np.zeros(tokens.shape[:2], np.bool_) if terminate is None else np.asarray(terminate)
        if ends.shape != tokens.shape[:2] or ends.dtype != np.bool_:
            raise ReverieError(f"terminate is {ends.dtype} {list(ends.shape)}, expected bool {list(tokens.shape[:2])}")
        fields = np.concatenate([ends[..., None], tokens], axis=-1)  # [B, T, 1 + A]
        return [STEP.join(" ".join(map(str, step)) for step in row) for row in fields.tolist()]

    def decode(self, codes: Sequence[str]) -> Array:
        return self.decode_rows(codes).strict()

    def decode_rows(self, codes: Sequence[str]) -> Decoded:
        return self.read(codes)[0]

    def read(self, codes: Sequence[str]) -> tuple[Decoded, NDArray[np.bool_]]:
        """The actions, and `terminate` bool [B, T] (False in rows that fail)."""
        if isinstance(codes, str) or not all(isinstance(text, str) for text in codes):
            raise ReverieError("codes must be a list of strings, one a row")
        fields = np.zeros((len(codes), self.horizon, 1 + len(self.grid.low)), np.int64)
        failures: dict[int, str] = {}
        for row, text in enumerate(codes):
            problem, found = self._parse(text)
            if problem:
                failures[row] = f"{problem}, in {text[:80]!r}"
            else:
                fields[row] = found
        actions = self.grid.decode(fields[..., 1:])
        actions[list(failures)] = np.nan
        return Decoded(actions, failures), fields[..., 0] == 1

    def _parse(self, text: str) -> tuple[str, Tokens]:
        """What is wrong ("" if nothing), and the integers [T, 1 + A]."""
        steps, width, none = text.split(STEP), 1 + len(self.grid.low), np.zeros((0, 0), np.int64)
        if len(steps) != self.horizon:
            return f"found {len(steps)} steps, expected {self.horizon}", none
        words = [step.split(" ") for step in steps]
        for step in words:
            if len(step) != width:
                return f"found {len(step)} fields, expected terminate and {width - 1} actions", none
            for i, word in enumerate(step):
                largest = self.grid.bins - 1 if i else 1
                if not _NUMBER.fullmatch(word) or len(word) > 6 or int(word) > largest:
                    return f"found {word[:20]!r} as {f'action {i}' if i else 'terminate'}, expected 0..{largest}", none
        return "", np.array(words, dtype=np.int64)

    def clipped(self, actions: NDArray[np.floating]) -> NDArray[np.bool_]:
        return self.grid.clipped(checks.chunks(actions, len(self.grid.low), self.horizon))

    def to_dict(self) -> dict[str, Any]:
        return {"name": self.name, "grid": self.grid.to_dict(), "horizon": self.horizon}

    @classmethod
    def from_dict(cls, value: Any, where: str = "codec") -> Self:
        read = checks.entries(cls, value, where)
        grid = UniformBins.from_dict(read["grid"], f"{where}, grid")
        return checks.build(cls, read | {"grid": grid}, where)  # type: ignore[no-any-return]
