"""A worker that dies costs only time. Random kills of workers and drivers are in tests/bench/test_kills.py."""

from runs import request, run

from reverie.core.processes import Lost
from reverie.evaluation import evaluate, make_plan
from reverie.evaluation.engine import ThisProcess
from reverie.trials import TRIALS, differences


def test_the_blocks_of_a_worker_that_dies_are_done_by_another(tmp_path, monkeypatch):
    monkeypatch.setenv("REVERIE_TEST_MARKER", str(tmp_path / "died"))
    mortal, plain = ("python:mortal:make",), ("fake:RandomPolicy?name=mortal",)
    run(tmp_path / "deaths", 2, policies=mortal)
    assert (tmp_path / "died").exists()
    run(tmp_path / "plain", policies=plain)
    left, right = ({t.key: t.actions_digest for t in TRIALS.read(tmp_path / n)} for n in ("deaths", "plain"))
    assert left == right


class Forgetful(ThisProcess):
    """An engine of its own: everything is lost the first time, once its files are written."""

    capacity = 3

    def __init__(self, plan, folder):
        super().__init__(plan, folder)
        self.seen = set()

    def wait(self):
        reports = super().wait()
        fresh = {r.number for r in reports} - self.seen
        self.seen |= fresh
        return [Lost(tuple(fresh))] if fresh else reports


def test_another_engine_is_one_class(tmp_path):
    run(tmp_path / "plain")
    evaluate(make_plan(request()), tmp_path / "forgetful", engine=Forgetful)
    assert differences(tmp_path / "plain", tmp_path / "forgetful") == []
