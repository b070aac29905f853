"""Fakes that tests need: a toy world, policies that behave and misbehave, judges, tiny scenes and episodes.

They keep every contract of the design exactly, unless a name says otherwise, and know nothing about robots.
"""

from reverie.core.fakes.judges import FakeJudge, RecordedOutcomeJudge
from reverie.core.fakes.policies import (
    ConstantPolicy,
    CrashingPolicy,
    NaNPolicy,
    RandomPolicy,
    ReachPolicy,
    RememberingPolicy,
    ScriptedPolicy,
)
from reverie.core.fakes.specs import ACTION_SPEC, OBSERVATION_SPEC, PIXEL_SPEC, STATE_NAMES, fake_scenes
from reverie.core.fakes.world import FakeWorld, tiny_episode

__all__ = [
    "ACTION_SPEC",
    "OBSERVATION_SPEC",
    "PIXEL_SPEC",
    "STATE_NAMES",
    "ConstantPolicy",
    "CrashingPolicy",
    "FakeJudge",
    "FakeWorld",
    "NaNPolicy",
    "RandomPolicy",
    "ReachPolicy",
    "RecordedOutcomeJudge",
    "RememberingPolicy",
    "ScriptedPolicy",
    "fake_scenes",
    "tiny_episode",
]
