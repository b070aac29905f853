"""The judge that is a person: its name, the question that was asked, and what an answer is as a verdict.

The version is that of the question: who is asked something else is another judge.
"""

import re
from collections.abc import Mapping
from typing import Any

from reverie.core import ReverieError, Verdict, content_hash
from reverie.judges.rubric import DONE, LEVELS, progress_of

QUESTION = (
    "Did the robot do what it was told, so that at some moment the right object was where it belongs, let go of and at rest? "
    "Pictures may be blurred or distorted: judge what they show. If they do not let you tell, say so."
)
PREFIX = "human:"


def name_of(rater: str) -> str:
    """Errors: ReverieError for a name that is none."""
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,39}", rater):
        raise ReverieError(
            f"rater {rater!r}: expected a name of letters, digits, '.', '_' and '-', beginning with a letter or digit"
        )
    return PREFIX + rater


def about() -> Mapping[str, Any]:
    """For the receipt."""
    return {"kind": "person", "question": QUESTION, "levels": LEVELS}


def version() -> str:
    return content_hash(about())[:12]


def human_verdict(rater: str, success: bool | None, success_time_s: float | None, level: int | None) -> Verdict:
    """level: how far an attempt came that did not succeed, None where that was not said."""
    reached = DONE if success else level
    return Verdict(
        name_of(rater),
        version(),
        success,
        success_time_s=success_time_s,
        progress=None if reached is None else progress_of(reached),
        reason="" if success is not None else "the rater cannot tell",
    )
