"""Which seed goes where in a rollout. Randomness is an argument: see `core.seeding`."""

from collections.abc import Sequence
from dataclasses import dataclass

from reverie.core import TrialKey, seed_for


@dataclass(frozen=True)
class RowSeeds:
    """`scene` goes to World.reset, the same in every world; `policy` to every call of the policy."""

    scene: int
    policy: int

    @classmethod
    def of(cls, key: TrialKey | int) -> "RowSeeds":
        """From a trial's key, or from one number for runs that are no trials."""
        if isinstance(key, TrialKey):
            return cls(key.scene_seed, key.policy_seed)
        return cls(key, seed_for("policy", key))


def call_seeds(rows: Sequence[RowSeeds], step: int) -> list[int]:
    """One seed per row for the policy call at control step `step`."""
    return [seed_for(row.policy, "call", step) for row in rows]
