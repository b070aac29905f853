"""A worker that dies costs only time. Random kills of workers and drivers are in tests/bench/test_kills.py."""

from runs import run

from reverie.trials import TRIALS


def test_the_blocks_of_a_worker_that_dies_are_done_by_another(tmp_path, monkeypatch):
    monkeypatch.setenv("REVERIE_TEST_MARKER", str(tmp_path / "died"))
    mortal, plain = ("python:mortal:make",), ("fake:RandomPolicy?name=mortal",)
    run(tmp_path / "deaths", 2, policies=mortal)
    assert (tmp_path / "died").exists()
    run(tmp_path / "plain", policies=plain)
    left, right = ({t.key: t.actions_digest for t in TRIALS.read(tmp_path / n)} for n in ("deaths", "plain"))
    assert left == right
