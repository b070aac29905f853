"""VlmJudge: asks a model several times about a few pictures of each episode, and counts the votes.

It knows no network and no weights: a Speaker does. A bare model of this kind is the weakest of judges on generated
video; `reverie judges RUN` says how far it agrees with the others.
"""

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field
from functools import cached_property
from typing import Any

from reverie.core import Episode, ReverieError, Unheard, Verdict, content_hash, seed_for
from reverie.core.source import source_hash
from reverie.judges.rubric import LEVELS
from reverie.judges.vlm.answers import Vote, parse, verdict_of
from reverie.judges.vlm.question import PROMPT, MalformedAnswer, Question, Speaker, Unreachable, question_of

CODE = ("reverie.judges.rubric", "reverie.judges.vlm", "reverie.core.tiling")


@dataclass(frozen=True)
class VlmConfig:
    """votes: how often each episode is asked about. frames: pictures of an episode. least_px: their shorter side."""

    votes: int = 3
    frames: int = 8
    least_px: int = 224

    def __post_init__(self) -> None:
        for name, least in (("votes", 1), ("frames", 2), ("least_px", 1)):
            if getattr(self, name) < least:
                raise ReverieError(f"{name}: found {getattr(self, name)}, expected at least {least}")


@dataclass
class VlmJudge:
    speaker: Speaker
    config: VlmConfig = field(default_factory=VlmConfig)
    name: str = field(init=False)

    def __post_init__(self) -> None:
        self.name = f"vlm:{self.speaker.name}"

    @cached_property
    def version(self) -> str:
        """Changes with the prompt, the model as it was asked for, the sampling and the code."""
        made = {"speaker": dict(self.speaker.about), "config": asdict(self.config), "prompt": content_hash(PROMPT)}
        return content_hash({**made, "levels": LEVELS, "source": source_hash(*CODE)})[:12]

    @property
    def about(self) -> Mapping[str, Any]:
        return {"speaker": dict(self.speaker.about), "config": asdict(self.config), "prompt": PROMPT, "levels": LEVELS}

    def judge(self, episodes: Sequence[Episode]) -> list[Verdict | Unheard]:
        with ThreadPoolExecutor(self.speaker.parallel) as pool:
            pending = [self._asked(e, pool) for e in episodes]
            return [finish() for finish in pending]

    def _asked(self, episode: Episode, pool: ThreadPoolExecutor) -> Callable[[], Verdict | Unheard]:
        reason = unreadable(episode)
        if reason:
            return lambda: Verdict(self.name, self.version, None, reason=reason)
        question = question_of(episode, self.config.frames, self.config.least_px)
        seeds = [seed_for("vlm", episode.instruction, n) >> 32 for n in range(self.config.votes)]
        votes = [pool.submit(self._vote, question, seed) for seed in seeds]
        return lambda: self._counted([v.result() for v in votes], question)

    def _vote(self, question: Question, seed: int) -> Vote | str | Unheard:
        """A vote, why it cannot be read, or that there was no answer."""
        try:
            return parse(self.speaker.say(question, seed), len(question.times_s))
        except MalformedAnswer as error:
            return str(error)
        except Unreachable as error:
            return Unheard(str(error))

    def _counted(self, votes: Sequence[Vote | str | Unheard], question: Question) -> Verdict | Unheard:
        """One missing answer leaves the whole question for later: a verdict is on all votes, or on none."""
        for vote in votes:
            if isinstance(vote, Unheard):
                return vote
        heard = [v for v in votes if not isinstance(v, Unheard)]
        return verdict_of((self.name, self.version), heard, question.times_s)


def unreadable(episode: Episode) -> str:
    """Why this episode cannot be shown; empty where it can."""
    missing = [c for c in episode.observation_spec.camera_names if c not in episode.observations.images]
    if missing or not episode.observation_spec.cameras:
        return f"no pictures of cameras {missing} were kept" if missing else "the episode has no camera"
    return "" if episode.instruction.strip() else "the episode has no instruction"
