"""The words of Reverie (see the design): values and protocols, numpy only."""

from reverie.core.episode import Episode
from reverie.core.errors import ReverieError, SpecMismatch, unknown_name
from reverie.core.estimate import Estimate
from reverie.core.judge import Documented, Judge, Unheard, Verdict
from reverie.core.observations import Observations, concat_rows, concat_time, stack_time
from reverie.core.policy import INTENDED, ActionChunk, Memory, Policy
from reverie.core.scene import Distractor, Edit, Goal, ObjectPlacement, Scene
from reverie.core.seeding import content_hash, generator, seed_for
from reverie.core.specs import ActionSpec, CameraSpec, ObservationSpec, check_compatible
from reverie.core.trial import Outcome, Trial, TrialKey, outcome_of, outcome_said
from reverie.core.world import Event, Transition, World

__all__ = [
    "INTENDED",
    "ActionChunk",
    "ActionSpec",
    "CameraSpec",
    "Distractor",
    "Documented",
    "Edit",
    "Episode",
    "Estimate",
    "Event",
    "Goal",
    "Judge",
    "Memory",
    "ObjectPlacement",
    "ObservationSpec",
    "Observations",
    "Outcome",
    "Policy",
    "ReverieError",
    "Scene",
    "SpecMismatch",
    "Transition",
    "Trial",
    "TrialKey",
    "Unheard",
    "Verdict",
    "World",
    "check_compatible",
    "concat_rows",
    "concat_time",
    "content_hash",
    "generator",
    "outcome_of",
    "outcome_said",
    "seed_for",
    "stack_time",
    "unknown_name",
]
