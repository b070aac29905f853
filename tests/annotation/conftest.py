"""A small run with clips, and a data set of the same toy episodes that nobody has labelled."""

from dataclasses import replace
from pathlib import Path

import pytest

from reverie.core.fakes import tiny_episode
from reverie.data import write_dataset
from reverie.evaluation import Request, evaluate, make_plan

TRUE, DREAM = "fake:FakeWorld?name=physics_x&noise=0.01", "fake:FakeWorld?name=dream_x&noise=0.02&measures=False"


@pytest.fixture(scope="session")
def finished_run(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("runs") / "first"
    request = Request(
        policies=("fake:ReachPolicy?skill=0.9&name=reach_good", "fake:ReachPolicy?skill=0.3&name=reach_bad"),
        worlds=(TRUE, DREAM),
        scenes=("fake:2",),
        judges=("fake:FakeJudge", "fake:RecordedOutcomeJudge"),
        truth=(TRUE, "fake:RecordedOutcomeJudge"),
        n_steps=12,
        block_size=4,
    )
    evaluate(make_plan(request), folder)
    return folder


@pytest.fixture
def run_folder(finished_run, tmp_path) -> Path:
    """A copy that a test may write to."""
    import shutil

    return Path(shutil.copytree(finished_run, tmp_path / "run"))


@pytest.fixture
def unlabelled(tmp_path) -> Path:
    """Four episodes, the last with an outcome of its own."""
    episodes = [replace(tiny_episode(5), success=None, success_time_s=None) for _ in range(3)]
    return write_dataset(tmp_path / "logs", [*episodes, replace(tiny_episode(5), success=False, success_time_s=None)])
