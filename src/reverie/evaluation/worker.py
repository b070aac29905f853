"""Worker: computes blocks, one after the other, in this process or in one of several.

It holds one policy and one world at a time. Clips and episodes are on disk before it returns; the journal is written by
the one process that started it.
"""

import hashlib
import time
from dataclasses import dataclass, field
from pathlib import Path

from reverie.core import Episode, Judge, Policy, ReverieError, Trial, TrialKey, Verdict, World
from reverie.evaluation.attempts import Outcomes, Refused, attempt_asked, run_policy, run_replay
from reverie.evaluation.blocks import UNEDITED, Block, slug
from reverie.evaluation.clips import tile, write_clip
from reverie.evaluation.plan import Entry, Plan
from reverie.evaluation.receipts import Specs, judge_receipts, limit_threads, receipt_of
from reverie.evaluation.resolve import load_judge, load_policy, load_world
from reverie.evaluation.storage import read_actions, store
from reverie.trials import Receipt, TrialVerdict


@dataclass(frozen=True)
class BlockResult:
    """What goes into the journal for one block."""

    block_id: str
    trials: list[Trial]
    verdicts: list[TrialVerdict]
    receipts: list[Receipt]


@dataclass
class Bench:
    """The loaded policy, world and judges of one process."""

    plan: Plan
    folder: Path
    _policy: tuple[Entry, Policy] | None = None
    _world: tuple[Entry, World] | None = None
    _judges: list[Judge] = field(default_factory=list)

    def run(self, block: Block) -> BlockResult:
        """Roll out, store, judge: in this order, so that a line in the journal finds its files in place."""
        started = time.monotonic()
        self._judges = self._judges or [load_judge(j.spec) for j in self.plan.judges]
        outcomes = self._outcomes(block)
        episodes = [o if isinstance(o, Episode) else None for o in outcomes]
        store(self.folder, block.id, episodes)
        clips = [self._clip(k, e) for k, e in zip(block.keys, episodes, strict=True)]
        verdicts = self._verdicts(block, episodes)
        receipt = receipt_of(self.plan, block, self._specs(block))
        seconds = round((time.monotonic() - started) / len(outcomes), 3)
        trials = [_trial(block, row, o, clips[row], receipt, seconds) for row, o in enumerate(outcomes)]
        return BlockResult(block.id, trials, verdicts, [receipt, *judge_receipts(self._judges)])

    def close(self) -> None:
        if self._world:
            self._world[1].close()

    def _outcomes(self, block: Block) -> Outcomes:
        world = self._load_world(block.world)
        rows = list(zip(block.keys, block.scenes, strict=True))
        if block.replays:
            run = run_replay(read_actions(self.folder, block.replays), world, block)
        else:
            run = run_policy(self._load_policy(block.policy), world, block)
        limit_threads(self.plan.threads)  # only now: loading may have brought torch in
        return attempt_asked(run, rows, world.observation_spec)

    def _specs(self, block: Block) -> Specs:
        loaded = {"world": self._load_world(block.world)} | (
            {} if block.replays else {"policy": self._load_policy(block.policy)}
        )
        return {who: (x.observation_spec, x.action_spec) for who, x in loaded.items()}

    def _verdicts(self, block: Block, episodes: list[Episode | None]) -> list[TrialVerdict]:
        return [v for judge in self._judges for v in judged(judge, list(block.keys), episodes)]

    def _clip(self, key: TrialKey, episode: Episode | None) -> str | None:
        if episode is None or not self.plan.keep_video or not episode.observation_spec.cameras:
            return None
        edit = "" if key.edit == UNEDITED else f".{slug(key.edit)}"
        name = f"clips/{slug(key.world)}/{slug(key.policy)}/{slug(key.scene)}{edit}.{key.replicate}.mp4"
        frames_hz = episode.action_spec.control_hz / episode.observation_spec.frame_every
        write_clip(self.folder / name, tile(episode.observations.images, episode.observation_spec), frames_hz)
        return name

    def _load_world(self, entry: Entry) -> World:
        if self._world is None or self._world[0] != entry:
            self.close()
            self._world = None
            self._world = (entry, load_world(entry.spec))
            _check_unchanged(entry, self._world[1])
        return self._world[1]

    def _load_policy(self, entry: Entry) -> Policy:
        if self._policy is None or self._policy[0] != entry:
            self._policy = None  # let the old one go before the new one comes
            self._policy = (entry, load_policy(entry.spec))
            _check_unchanged(entry, self._policy[1])
        return self._policy[1]


def _check_unchanged(entry: Entry, loaded: Policy | World) -> None:
    if (loaded.name, loaded.fingerprint) != (entry.name, entry.fingerprint):
        raise ReverieError(
            f"{entry.spec}: is now {loaded.name!r} ({loaded.fingerprint}), the plan has {entry.name!r} "
            f"({entry.fingerprint}); it changed since the run began: restore it, or evaluate into a new folder"
        )


def judged(judge: Judge, keys: list[TrialKey], episodes: list[Episode | None]) -> list[TrialVerdict]:
    """The verdicts of one judge on the rows that have an episode; where it could not be heard there is none, and `reverie
    judge` asks again."""
    there = [(k, e) for k, e in zip(keys, episodes, strict=True) if e is not None]
    said = judge.judge([e for _, e in there]) if there else []
    return [TrialVerdict(key, v) for (key, _), v in zip(there, said, strict=True) if isinstance(v, Verdict)]


def _trial(
    block: Block, row: int, outcome: Episode | str | Refused, clip: str | None, receipt: Receipt, seconds: float
) -> Trial:
    key, info = block.keys[row], {"block": block.id, "row": row, "scene": block.scenes[row].hash}
    if isinstance(outcome, str):
        return Trial(key, block.scenes[row].instruction, 0, receipt.id, error=outcome, seconds=seconds, info=info)
    if isinstance(outcome, Refused):
        return Trial(key, block.scenes[row].instruction, 0, receipt.id, refused=outcome.reason, info=info)
    digest = hashlib.blake2b(outcome.actions.tobytes(), digest_size=8).hexdigest()
    return Trial(key, outcome.instruction, outcome.n_steps, receipt.id, digest, clip, seconds=seconds, info=info)


_bench: list[Bench] = []


def start_process(plan: Plan, folder: Path) -> None:
    """One bench in every worker process."""
    limit_threads(plan.threads)
    _bench.append(Bench(plan, folder))


def run_in_process(block: Block) -> BlockResult:
    return _bench[0].run(block)
