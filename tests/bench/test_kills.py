"""The experiment of `bench/kills.py` with a few kills: drivers and workers, and nothing is lost, repeated or different."""

import sys
from dataclasses import replace
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "bench"))
from kills import FAKES, described, experiment

SEED = 0


def test_killed_runs_end_as_if_nothing_had_happened(tmp_path):
    found = experiment(replace(FAKES, scenes=("fake:20",)), 5, SEED, 0.03, tmp_path)
    assert found.victims.total() == 5
    assert len(found.victims) == 2, "drivers and workers were to be killed"
    assert (found.differing, found.repeated, found.files) == (0, 0, 0)
    assert described(found)["runs"]["value"] == found.runs >= 1
