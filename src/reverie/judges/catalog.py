"""The table of judges: built in by name, learned by the folder of their checkpoint."""

from collections.abc import Callable, Mapping
from pathlib import Path

from reverie.checkpoints import Checkpoint, load
from reverie.core import Judge, ReverieError, unknown_name
from reverie.judges import frames, pose_only
from reverie.judges.label import LabelJudge
from reverie.judges.physics import PhysicsJudge

BUILT_IN: Mapping[str, Callable[[], Judge]] = {"physics": PhysicsJudge, "label": LabelJudge}
LEARNED: Mapping[str, Callable[[Checkpoint, Path | str], Judge]] = {
    frames.FAMILY: frames.frame_judge_from,
    pose_only.FAMILY: pose_only.pose_judge_from,
}


def load_judge(spec: Path | str) -> Judge:
    """A name of the table, or a checkpoint's folder. Errors: ReverieError for neither, or a checkpoint of something else."""
    if str(spec) in BUILT_IN:
        return BUILT_IN[str(spec)]()
    if not Path(spec).exists():
        raise ReverieError(
            f"no judge at {spec}: give the folder of a judge's checkpoint; built in: {', '.join(sorted(BUILT_IN))}"
        )
    checkpoint = load(spec).expect("judge", spec)
    if checkpoint.family not in LEARNED:
        raise unknown_name(f"judge family in {spec}", checkpoint.family, list(LEARNED))
    return LEARNED[checkpoint.family](checkpoint, spec)
