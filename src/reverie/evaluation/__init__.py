"""Evaluation: plans become trials, trials become verdicts, records become estimates."""

from reverie.evaluation.evaluate import Finished, evaluate
from reverie.evaluation.plan import Plan, read_plan
from reverie.evaluation.planning import Request, make_plan

__all__ = ["Finished", "Plan", "Request", "evaluate", "make_plan", "read_plan"]
