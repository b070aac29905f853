"""Trial: what happened, under a key that says what was asked. Its verdicts are separate records."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any

from reverie.core.judge import Verdict
from reverie.core.seeding import seed_for


class Outcome(StrEnum):
    """Only SUCCESS and FAILURE count in a rate; the others are printed beside it."""

    SUCCESS = "success"
    FAILURE = "failure"
    REFUSED = "refused"
    ERROR = "error"
    NOT_SCORED = "not_scored"
    ABSTAINED = "abstained"


@dataclass(frozen=True, order=True)
class TrialKey:
    """policy x world x scene x edit x replicate."""

    policy: str
    world: str
    scene: str
    edit: str = "none"
    replicate: int = 0

    @property
    def scene_seed(self) -> int:
        """For physics and what the scene leaves to chance: the same for all policies and worlds."""
        return seed_for("scene", self.scene, self.replicate)

    @property
    def policy_seed(self) -> int:
        """For the policy's noise: the same in all worlds."""
        return seed_for("policy", self.scene, self.replicate, self.policy)

    @property
    def id(self) -> str:
        """The five parts as one string, unique in a run."""
        return f"{self.policy}|{self.world}|{self.scene}|{self.edit}|{self.replicate}"


@dataclass(frozen=True)
class Trial:
    """One line of `trials.jsonl`. `error` holds a traceback: a crash is never a failure of the policy.

    `actions_digest` is a hash of the executed actions, by which two runs are compared; `clip` is the video's path
    relative to the run's folder; `receipt` names a record of versions, hashes, specs, device and block size. `info` says
    where it ran (`block`, `row`) and carries the hash of the scene's values (`scene`).
    """

    key: TrialKey
    instruction: str
    n_steps: int
    receipt: str
    actions_digest: str = ""
    clip: str | None = None
    error: str | None = None
    refused: str | None = None
    seconds: float | None = None
    info: Mapping[str, Any] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """The fields by name, ready for JSON."""
        return asdict(self)

    @classmethod
    def from_dict(cls, value: dict[str, Any]) -> "Trial":
        """What `to_dict` gave, or JSON made of it."""
        return cls(**{**value, "key": TrialKey(**value["key"])})


def outcome_of(trial: Trial, verdict: Verdict | None) -> Outcome:
    """The outcome of a trial in the eyes of one judge; no verdict means not scored."""
    if trial.error is not None:
        return Outcome.ERROR
    if trial.refused is not None:
        return Outcome.REFUSED
    return Outcome.NOT_SCORED if verdict is None else outcome_said(verdict)


def outcome_said(verdict: Verdict) -> Outcome:
    """The outcome in a judge's words."""
    if verdict.success is None:
        return Outcome.ABSTAINED
    return Outcome.SUCCESS if verdict.success else Outcome.FAILURE
