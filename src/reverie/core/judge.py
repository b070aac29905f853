"""Judge: an episode goes in, a verdict comes out; a judge may abstain."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Protocol

from reverie.core.episode import Episode


@dataclass(frozen=True)
class Verdict:
    """What one judge says of one episode. `success` None means that the judge abstains, with `reason`.

    progress is in [0, 1] or None; harm lists events beside success, so that "successful but unsafe" exists.
    scored False: the judge answered, but nothing that can be read: neither a failure nor an abstention.
    """

    judge: str
    judge_version: str
    success: bool | None
    success_time_s: float | None = None
    probability: float | None = None
    progress: float | None = None
    harm: tuple[str, ...] = ()
    reason: str = ""
    scored: bool = True

    def __post_init__(self) -> None:
        if not self.scored and self.success is not None:
            raise ValueError(f"success: found {self.success} in a verdict that is not scored, expected None")

    def to_dict(self) -> dict[str, Any]:
        """The fields by name, ready for JSON."""
        return asdict(self)

    @classmethod
    def from_dict(cls, value: dict[str, Any]) -> "Verdict":
        """What `to_dict` gave."""
        return cls(**{**value, "harm": tuple(value.get("harm", ()))})


class Judge(Protocol):
    """`name` goes into records; `version` changes whenever its verdicts may change."""

    name: str

    @property
    def version(self) -> str:
        """Of the rule or the weights."""
        ...

    def judge(self, episodes: Sequence[Episode]) -> list[Verdict]:
        """One verdict per episode, in order; what a judge cannot judge it abstains from, with a reason."""
        ...
