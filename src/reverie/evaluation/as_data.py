"""The trials of a run as a data set: what one world showed and one judge said, for a judge to learn from, or as logs that
another run takes for its truth."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from reverie.core import Episode, ReverieError, Trial, TrialKey, Verdict
from reverie.data import is_finished, write_dataset
from reverie.evaluation.plan import read_plan
from reverie.evaluation.storage import read_episodes
from reverie.trials import TRIALS, VERDICTS


def write_trials(folder: Path, out: Path, world: str, judge: str) -> Path:
    """Write the trials of `world` (its name in keys) to a LeRobotDataset at `out`, in the order of the journal.

    The label of an episode is the verdict of `judge`; without one, or where it abstains, there is none. Trials that ended
    in an error are left out: nothing of them was kept. Errors: ReverieError for a run without such trials or their clips.
    """
    read_plan(folder)  # an error where this is no run
    trials = [t for t in TRIALS.read(folder) if t.key.world == world and t.error is None and t.refused is None]
    if not trials:
        raise ReverieError(
            f"{folder}: found no trial of a world named {world!r} to write; name one of the run's worlds"
        )
    verdicts = {v.key: v.verdict for v in VERDICTS.read(folder) if v.key.world == world and v.verdict.judge == judge}
    if not verdicts:
        raise ReverieError(f"{folder}: found no verdict of a judge named {judge!r} in world {world!r}; name one of its judges")  # fmt: skip
    request = {"made_by": "trials", "run": str(folder.resolve()), "world": world, "judge": judge, "trials": len(trials)}
    return (
        out if is_finished(out, request) else write_dataset(out, _episodes(folder, trials, verdicts), request=request)
    )


def _episodes(folder: Path, trials: list[Trial], verdicts: dict[TrialKey, Verdict]) -> Iterator[Episode]:
    for trial in trials:
        (episode,) = read_episodes(folder, str(trial.info["block"]), {int(trial.info["row"]): trial.clip})
        if episode.observation_spec.cameras and trial.clip is None:
            raise ReverieError(f"{folder}: no clip of {trial.key.id} was kept; evaluate without --discard-video")
        verdict = verdicts.get(trial.key)
        yield replace(
            episode,
            success=None if verdict is None else verdict.success,
            success_time_s=None if verdict is None else verdict.success_time_s,
            provenance={**episode.provenance, "policy": trial.key.policy, "source_id": trial.key.id},
        )
