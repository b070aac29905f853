"""A receipt says which code computed a result, and nothing that changes from one start of a run to the next."""

import numpy as np
from runs import request, run

from reverie.core import ObservationSpec
from reverie.core.fakes import FakeWorld, fake_scenes
from reverie.core.source import commit
from reverie.evaluation import make_plan
from reverie.evaluation.blocks import blocks_of
from reverie.evaluation.receipts import receipt_of
from reverie.trials import RECEIPTS, TRIALS


def test_a_receipt_holds_the_commit_and_is_the_same_again():
    plan = make_plan(request())
    block = next(blocks_of(plan))
    world = FakeWorld()
    specs = {"world": (world.observation_spec, world.action_spec)}
    receipt = receipt_of(plan, block, specs)
    assert receipt.content["commit"] == commit()
    assert "scipy" in receipt.content["packages"]
    assert receipt.id == receipt_of(plan, block, specs).id


def test_every_trial_leads_to_all_that_decided_it(tmp_path):
    run(tmp_path)
    receipts, scenes = {r.id: r.content for r in RECEIPTS.read(tmp_path)}, {s.id: s for s in fake_scenes(5)}
    for trial in TRIALS.read(tmp_path):
        content = receipts[trial.receipt]
        assert (content["policy"]["name"], content["arm"]) == (trial.key.policy, trial.key.world)
        assert content["policy"]["fingerprint"]
        assert content["world"]["fingerprint"]
        assert content["packages"]["numpy"] == np.__version__
        assert {"device", "machine", "python", "threads", "block_size"} <= content.keys()
        world = FakeWorld() if trial.key.world == "true" else FakeWorld(measures=False)
        assert ObservationSpec.from_dict(content["specs"]["world"]["observation"]) == world.observation_spec
        assert ("policy" in content["specs"]) != trial.key.world.endswith("+replay")
        assert trial.info["scene"] == scenes[trial.key.scene].hash
        assert trial.seconds > 0
