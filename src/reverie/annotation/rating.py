"""Rating the clips of a run: blind, in an order of one's own that a stored seed decides; each answer becomes a verdict.

Policies, worlds and scenes are not shown. A sample is drawn by the seed alone, so two raters get the same trials, each in
another order: their agreement can be measured, and the order explains none of it.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from reverie.annotation.worklist import Answer, Clip
from reverie.core import ReverieError, Trial, seed_for
from reverie.core.files import write_text
from reverie.core.tiling import tile
from reverie.evaluation.storage import read_episodes
from reverie.judges.human import QUESTION, about, human_verdict, name_of, version
from reverie.judges.rubric import LEVELS
from reverie.trials import RECEIPTS, TRIALS, VERDICTS, Journal, Receipt, TrialVerdict

FILE = "rating.json"


@dataclass
class Rating:
    """One rater's Worklist over `trials`, which have clips; `journal` is that of their run."""

    journal: Journal
    rater: str
    trials: dict[str, Trial]
    seed: int

    @property
    def title(self) -> str:
        return "Rating clips"

    @property
    def question(self) -> str:
        return QUESTION

    @property
    def levels(self) -> tuple[str, ...]:
        return LEVELS[:-1]

    @property
    def n_items(self) -> int:
        return len(self.trials)

    def open_items(self) -> list[str]:
        judge = (name_of(self.rater), version())
        left = [i for i, t in self.trials.items() if not self.journal.has_key(VERDICTS, (t.key, *judge))]
        return sorted(left, key=lambda i: seed_for("rating", self.seed, self.rater, i))

    def clip(self, item: str) -> Clip:
        trial = self.trials[item]
        rows = {int(trial.info["row"]): trial.clip}
        (episode,) = read_episodes(self.journal.folder, str(trial.info["block"]), rows)
        frames = tile(episode.observations.images, episode.observation_spec)
        return Clip(episode.instruction, tuple(float(t) for t in episode.observations.time_s), frames)

    def write(self, item: str, answer: Answer, clip: Clip) -> None:
        time_s = None if answer.frame is None else clip.times_s[answer.frame]
        verdict = human_verdict(self.rater, answer.success, time_s, answer.level)
        receipt = Receipt({"judge": {"name": verdict.judge, "version": verdict.judge_version, **about()}})
        missing = [] if self.journal.has(RECEIPTS, receipt) else [receipt]
        self.journal.add([], [TrialVerdict(self.trials[item].key, verdict)], missing)

    def closing(self) -> list[str]:
        return [f"All {self.n_items} clips are rated. Thank you: this page can be closed."]


def rating_of(journal: Journal, raters: Sequence[str], sample: int | None = None, worlds: Sequence[str] = (), seed: int | None = None) -> list[Rating]:  # fmt: skip
    """A Worklist for each rater, over all trials with a clip, those of `worlds`, or a random sample of these.

    Errors: ReverieError where no such trial has a clip, for names that are none, or another seed than the stored one.
    """
    if not raters or len(set(raters)) < len(raters):
        raise ReverieError(f"raters {list(raters)}: give at least one name, and each once")
    for rater in raters:
        name_of(rater)
    kept = [t for t in TRIALS.read(journal.folder) if t.clip and (not worlds or t.key.world in worlds)]
    if not kept:
        where = f" in {', '.join(worlds)}" if worlds else ""
        raise ReverieError(f"{journal.folder}: no trial{where} has a clip; evaluate without --discard-video")
    settled = _settled_seed(journal.folder, seed)
    drawn = sorted(kept, key=lambda t: seed_for("rating", settled, t.key.id))[:sample]
    return [Rating(journal, rater, {t.key.id: t for t in drawn}, settled) for rater in raters]


def _settled_seed(folder: Path, asked: int | None) -> int:
    """The stored one; the first call stores what it was given, or 0."""
    path = folder / FILE
    if not path.exists():
        write_text(path, json.dumps({"v": 1, "seed": asked or 0}) + "\n")
    stored: Any = json.loads(path.read_text())
    if asked is not None and stored["seed"] != asked:
        raise ReverieError(
            f"{path}: the ratings of this run began with seed {stored['seed']}, found {asked}: leave it out"
        )
    return int(stored["seed"])
