"""The process whose memory `scale.py` reads: it imports nothing that the work does not need.

python bench/scale_side.py FOLDER TRIALS STEPS PROCESSES evaluate judge ...
"""

import json
import resource
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from reverie.core.fakes import RecordedOutcomeJudge
from reverie.evaluation import Request, evaluate, make_plan
from reverie.evaluation.blocks import n_planned
from reverie.evaluation.judging import judge_again
from reverie.evaluation.merging import merge
from reverie.evaluation.summary import summarise
from reverie.report import write_report
from reverie.trials import export

SKILLS = (0.95, 0.7, 0.5, 0.3, 0.0)
TRUE, DREAM = "fake:FakeWorld?name=true&noise=0.01", "fake:FakeWorld?name=dream&noise=0.02&measures=False"
SCENES, ARMS = 40, 3  # two worlds and the replay
MIB = 1024  # ru_maxrss is in KiB


def request(n_trials: int, n_steps: int) -> Request:
    replicates = -(-n_trials // (SCENES * ARMS * len(SKILLS)))
    return Request(
        policies=tuple(f"fake:ReachPolicy?skill={s}&name=reach{s}" for s in SKILLS),
        worlds=(TRUE, DREAM),
        scenes=(f"fake:{SCENES}",),
        judges=("fake:FakeJudge", "fake:RecordedOutcomeJudge"),
        n_steps=n_steps,
        truth=(TRUE, "fake:RecordedOutcomeJudge"),
        replicates=replicates,
        block_size=50,
        keep_video=False,
    )


def measured(folder: Path, n_trials: int, n_steps: int, processes: int, wanted: list[str]) -> dict[str, Any]:
    """What was asked for, one after the other: seconds, of them on a processor, and peak memory after each."""
    plan, run = make_plan(request(n_trials, n_steps)), folder / "run"
    steps: dict[str, Callable[[], object]] = {
        "evaluate": lambda: evaluate(plan, run, processes),
        "judge": lambda: judge_again(run, RecordedOutcomeJudge(name="again")),
        "summarise": lambda: summarise(run),
        "merge": lambda: merge([run, run], folder / "merged"),
        "export": lambda: export(run, run / "table.csv"),
        "report": lambda: write_report(run),
    }
    found: dict[str, Any] = {"trials": n_planned(plan)}
    for name in wanted:
        began, began_cpu = time.perf_counter(), time.process_time()
        steps[name]()
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / MIB
        spent = {"seconds": time.perf_counter() - began, "cpu_seconds": time.process_time() - began_cpu}
        found[name] = spent | {"peak_mib": peak}
    sizes = {p.name: p.stat().st_size / 1e6 for p in run.glob("*.*")}
    return found | {"worker_mib": resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / MIB, "megabytes": sizes}


if __name__ == "__main__":
    out, *numbers = sys.argv[1:5]
    print(json.dumps(measured(Path(out), *map(int, numbers), sys.argv[5:])))
