"""Scripts that err in one way each are told apart by what physics recorded; what no world recorded is not guessed."""

import numpy as np
import pytest
from runs import RECORDED, TRUE, reach, run

from reverie.core.fakes import fake_scenes
from reverie.evaluation import Request, evaluate, make_plan
from reverie.evaluation.failure_modes import failure_modes, mode_of
from reverie.evaluation.outcomes import View, read_outcomes

EXPECTED = {
    "nothing": "no motion",
    "script:missed_grasp": "missed grasp",
    "script:drop": "dropped",
    "script:wrong_object": "wrong object",
    "script:wrong_place": "wrong place",
    "script:late": "timed out",
}


def test_every_way_to_err_is_found(tmp_path):
    request = Request(tuple(EXPECTED), ("physics",), ("test:2",), ("physics",), block_size=2)
    plan = make_plan(request)
    evaluate(plan, tmp_path)
    table = read_outcomes(tmp_path)
    found = failure_modes(tmp_path, table, View("physics", "physics"))
    expected = {entry.name: EXPECTED[entry.spec] for entry in plan.policies}
    assert {p.policy: set(p.counts) for p in found.policies} == {name: {mode} for name, mode in expected.items()}
    assert all(p.untold == 0 and p.n_failed == sum(p.counts.values()) > 0 for p in found.policies)
    assert set(found.examples) == set(EXPECTED.values())
    assert all(mode == expected[key.policy] for mode, key in found.examples.items())


def test_a_world_that_records_no_grasps_tells_only_who_stood_still(tmp_path):
    still = "fake:ConstantPolicy?name=still&action=(0.0,0.0,1.0)"
    run(tmp_path, policies=(still, reach(0.0)), worlds=(TRUE,), truth=None, judges=(RECORDED,))
    table = read_outcomes(tmp_path)
    found = {p.policy: p for p in failure_modes(tmp_path, table, View("true", "recorded")).policies}
    assert found["still"].counts == {"no motion": 5}
    assert found["reach0.0"].counts == {}
    assert found["reach0.0"].untold == found["reach0.0"].n_failed > 0


def stored(events, opening=1.0, end_s=8.0):
    """A row as it is stored: a hand that moves, and these events."""
    commanded = np.array([[0.0, 0, 0, 1.0], [0.3, 0, 0, opening]], np.float32)
    about = {
        "observation_spec": {"commanded": ["x", "y", "z", "opening"], "extras": ["held"]},
        "scene": fake_scenes(1)[0].to_dict() | {"target": "cup"},
        "events": events,
    }
    return {"commanded": commanded, "time_s": np.array([0.0, end_s])}, about


@pytest.mark.parametrize(("events", "mode"), [
    ([], "timed out"),
    ([["first_contact", 1.0, {"object": "box"}]], "timed out"),
    ([["lifted", 2.0, {"object": "box"}]], "wrong object"),
    ([["lifted", 2.0, {"object": "box"}], ["released", 3.0, {"object": "box"}], ["lifted", 4.0, {"object": "cup"}], ["dropped", 5.0, {"object": "cup"}]], "dropped"),
    ([["lifted", 2.0, {"object": "cup"}]], "timed out"),
    ([["lifted", 2.0, {"object": "cup"}], ["released", 4.0, {"object": "cup"}]], "wrong place"),
    ([["lifted", 2.0, {"object": "cup"}], ["released", 7.8, {"object": "cup"}]], "timed out"),
])  # fmt: skip
def test_the_last_thing_that_happened_decides(events, mode):
    assert mode_of(stored(events)) == mode
    assert mode_of(stored([], opening=0.1)) == "missed grasp"
