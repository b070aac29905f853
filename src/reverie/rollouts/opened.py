"""A policy as its checkpoint says that it is to be executed: ACT's chunks are averaged over time."""

from pathlib import Path

from reverie.core import Policy
from reverie.policies.catalog import load_policy
from reverie.policies.learned import LearnedPolicy
from reverie.rollouts.ensembled import Ensembled


def open_policy(path: Path | str, name: str | None = None) -> Policy:
    """A checkpoint folder, or the name of a built-in policy. `name` replaces the checkpoint's own."""
    policy = load_policy(path, name)
    m = policy.config.get("ensemble_m") if isinstance(policy, LearnedPolicy) else None
    if m is None:
        return policy
    wrapped = Ensembled(policy, float(m))
    wrapped.name = policy.name  # how it is executed belongs to the family, not to who evaluates it
    return wrapped
