"""What the bench says of neighbours in the ranking: exact McNemar by scene, Holm over these pairs and no others."""

import sys
from itertools import pairwise
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "bench"))
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "evaluation"))
from runs import RECORDED, TRUE, reach, run

from policies import neighbouring
from reverie.evaluation.outcomes import View, read_outcomes
from reverie.evaluation.rates import rates, scored
from reverie.stats import exact_mcnemar, holm, paired_difference, paired_table


def test_neighbours_are_tested_by_scene_and_corrected_among_themselves(tmp_path):
    run(tmp_path, policies=tuple(reach(s) for s in (0.9, 0.6, 0.3, 0.0)), worlds=(TRUE,), judges=(RECORDED,), scenes=("fake:16",), n_steps=24, block_size=16)  # fmt: skip
    table, view = read_outcomes(tmp_path), View("true", "recorded")
    asked = ["reach0.9", "reach0.6", "reach0.0"]
    found = neighbouring(table, view, asked)
    ranked = [r.policy for r in rates(table) if r.view == view and r.policy in asked]
    pairs = list(pairwise(ranked))
    cells = {p: [scored(table.outcomes[view][p])[c] for c in table.outcomes[view][p]] for p in asked}
    tables = [paired_table(cells[a], cells[b]) for a, b in pairs]
    p = [exact_mcnemar(t).value for t in tables]
    assert [f"{a} - {b}" for a, b in pairs] == list(found["adjacent"])
    assert [row["p"] for row in found["adjacent"].values()] == p
    assert [row["p_holm"] for row in found["adjacent"].values()] == pytest.approx(holm(p))
    assert [r["difference"]["value"] for r in found["adjacent"].values()] == [paired_difference(t).value for t in tables]  # fmt: skip
    assert found["largest_p_of_adjacent"]["value"] == pytest.approx(max(holm(p)))
