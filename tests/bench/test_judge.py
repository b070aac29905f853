"""What the shipped judge gets wrong is what was measured, and goes into no checkpoint of other weights."""

import json
import shutil
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "bench"))
from judge import RESULTS, counts, put_into
from reverie.checkpoints import load, weights_hash
from reverie.core import ReverieError
from reverie.evaluation.loaders import shipped
from reverie.judges import load_judge
from reverie.judges.errors import ERRORS

RECORD = json.loads((RESULTS / "judge.json").read_text())


def test_the_shipped_receipt_holds_what_was_measured():
    found = load(shipped("judges/frames")).receipt
    assert found[ERRORS] == {kind: errors.to_dict() for kind, errors in counts(RECORD["values"]).items()}
    assert RECORD["receipt"]["commit"] in found[f"{ERRORS}_from"]
    n = RECORD["values"]["frames_generated"]["accuracy"]["n"]
    assert sum(found[ERRORS]["generated"][name] for name in ("n_successes", "n_failures")) == n


def test_errors_go_into_the_weights_that_were_measured_and_into_no_others(tmp_path):
    folder = tmp_path / "judge"
    shutil.copytree(shipped("judges/frames"), folder)
    before, weights = load(folder), (folder / "weights.safetensors").read_bytes()
    hashed = weights_hash(before.weights)
    wrong = {"value": 0.6, "n": 30}
    measured = RECORD["values"] | {"frames_weights": hashed}
    measured["frames_real"] = measured["frames_real"] | {"sensitivity": wrong}
    for values, said in ((RECORD["values"] | {"frames_weights": "0" * 16}, "0" * 16), ({}, "not recorded")):
        with pytest.raises(ReverieError, match=f"its weights are {hashed}, those that were measured are {said}"):
            put_into(folder, RECORD | {"values": values})
    assert load(folder).receipt == before.receipt
    put_into(folder, RECORD | {"values": measured})
    after = load(folder)
    assert (folder / "weights.safetensors").read_bytes() == weights
    assert after.receipt[ERRORS]["recorded"]["true_positives"] == 18
    assert {k: v for k, v in after.receipt.items() if k != ERRORS} == {k: v for k, v in before.receipt.items() if k != ERRORS}  # fmt: skip
    assert load_judge(folder).held_out_errors["recorded"].n_successes == 30
    assert load_judge(folder).version == load_judge(shipped("judges/frames")).version
