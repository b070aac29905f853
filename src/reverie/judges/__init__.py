"""Judges: episode in, verdict out. By physics, by frames, and by poses alone as the control."""

from reverie.judges.catalog import load_judge
from reverie.judges.frames import FrameJudge
from reverie.judges.holding import HoldRule
from reverie.judges.physics import PhysicsJudge
from reverie.judges.pose_only import PoseJudge
from reverie.judges.report import Confusion, auc, confusion, confusion_by, corrected

__all__ = [
    "Confusion",
    "FrameJudge",
    "HoldRule",
    "PhysicsJudge",
    "PoseJudge",
    "auc",
    "confusion",
    "confusion_by",
    "corrected",
    "load_judge",
]
