"""The judge that asks a vision-language model, at an endpoint or in this process."""

from reverie.judges.vlm.judge import VlmConfig, VlmJudge
from reverie.judges.vlm.question import MalformedAnswer, Question, Speaker, Unreachable
from reverie.judges.vlm.spec import vlm_judge

__all__ = ["MalformedAnswer", "Question", "Speaker", "Unreachable", "VlmConfig", "VlmJudge", "vlm_judge"]
