"""Small runs over fakes that several tests share."""

from pathlib import Path

from reverie.evaluation import Request, evaluate, make_plan

TRUE, DREAM = "fake:FakeWorld?name=true&noise=0.01", "fake:FakeWorld?name=dream&noise=0.02&measures=False"
FRAMES, RECORDED = "fake:FakeJudge", "fake:RecordedOutcomeJudge"


def reach(skill: float) -> str:
    return f"fake:ReachPolicy?skill={skill}&name=reach{skill}"


def request(**changes) -> Request:
    fields = {
        "policies": (reach(0.9), reach(0.3)),
        "worlds": (TRUE, DREAM),
        "scenes": ("fake:5",),
        "judges": (FRAMES, RECORDED),
        "truth": (TRUE, RECORDED),
        "n_steps": 20,
        "block_size": 3,
    }
    return Request(**{**fields, **changes})


def run(folder: Path, processes: int = 1, **changes):
    return evaluate(make_plan(request(**changes)), folder, processes)
