"""Transforms of instructions."""

from dataclasses import dataclass
from typing import ClassVar

from reverie.transforms.batch import Batch


@dataclass(frozen=True)
class LowerText:
    """One spelling: lower case, single spaces, no blanks or full stops at the ends."""

    name: ClassVar[str] = "lower_text"

    def apply(self, batch: Batch) -> Batch:
        return batch | {"instructions": [self.spell(s) for s in batch["instructions"]]}

    def invert(self, batch: Batch) -> Batch:
        return batch

    def spell(self, instruction: str) -> str:
        return " ".join(instruction.lower().split()).strip(" .")
