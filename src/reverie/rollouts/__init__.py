"""The loop: a policy in a world gives episodes, and the wrappers that change how chunks are executed."""

from reverie.rollouts.as_gymnasium import as_gymnasium
from reverie.rollouts.as_recorded import AsRecorded
from reverie.rollouts.chunked import Chunked
from reverie.rollouts.delayed import Delayed
from reverie.rollouts.ensembled import Ensembled
from reverie.rollouts.from_gymnasium import from_gymnasium
from reverie.rollouts.opened import open_policy
from reverie.rollouts.overlapped import Overlapped
from reverie.rollouts.recorded import Recorded
from reverie.rollouts.rollout import executed_actions, rollout
from reverie.rollouts.seeds import RowSeeds

__all__ = [
    "AsRecorded",
    "Chunked",
    "Delayed",
    "Ensembled",
    "Overlapped",
    "Recorded",
    "RowSeeds",
    "as_gymnasium",
    "executed_actions",
    "from_gymnasium",
    "open_policy",
    "rollout",
]
