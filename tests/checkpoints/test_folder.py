"""Checkpoints: what is written is read, and every damage is one clear error."""

import json
from pathlib import Path

import pytest
import torch

from reverie.checkpoints import Checkpoint, load, machine_receipt, save, weights_hash
from reverie.core import ReverieError

WEIGHTS = {"a.weight": torch.randn(3, 4), "n": torch.tensor([5])}


def _save(path: Path, precision: str = "float32") -> Checkpoint:
    checkpoint = Checkpoint(
        "policy", "vla", "mine", {"dim": 3}, WEIGHTS, {"n": 1}, transforms=({"name": "lower_text"},)
    )
    save(path, checkpoint, precision)  # type: ignore[arg-type]
    return checkpoint


def test_round_trip(tmp_path: Path) -> None:
    saved = _save(tmp_path)
    found = load(tmp_path)
    assert weights_hash(found.weights) == weights_hash(saved.weights)
    assert (found.kind, found.family, found.config, found.transforms) == ("policy", "vla", {"dim": 3}, saved.transforms)
    assert {p.name for p in tmp_path.iterdir()} == {"weights.safetensors", "checkpoint.json"}


def test_half_precision_is_half_the_file_and_close(tmp_path: Path) -> None:
    _save(tmp_path, "float16")
    found = load(tmp_path)
    assert found.weights["a.weight"].dtype == torch.float32
    assert found.weights["n"].dtype == torch.int64
    torch.testing.assert_close(found.weights["a.weight"], WEIGHTS["a.weight"], atol=2e-3, rtol=2e-3)


def test_saving_again_replaces(tmp_path: Path) -> None:
    _save(tmp_path)
    save(tmp_path, Checkpoint("world", "w", "other", {}, {"b": torch.ones(2)}))
    assert load(tmp_path).kind == "world"


def _truncate(folder: Path) -> None:
    file = folder / "weights.safetensors"
    file.write_bytes(file.read_bytes()[:-5])


def _foreign(folder: Path) -> None:
    _save(folder / "other", "float16")
    (folder / "weights.safetensors").write_bytes((folder / "other" / "weights.safetensors").read_bytes())


def _edit(folder: Path, **changes: object) -> None:
    file = folder / "checkpoint.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | changes))


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda f: (f / "weights.safetensors").unlink(), "missing"),
        (lambda f: (f / "checkpoint.json").unlink(), "no checkpoint at"),
        (_truncate, "truncated"),
        (_foreign, "not the file that"),
        (lambda f: (f / "checkpoint.json").write_text('{"kind": "pol'), "not valid JSON"),
        (lambda f: _edit(f, format=99), "format 1"),
        (lambda f: _edit(f, colour="red"), "colour"),
        (lambda f: _edit(f, action_spec={"rate": 1}), "checkpoint.json, action_spec: 'rate'"),
        (
            lambda f: _edit(f, observation_spec={"frame_every": 2}),
            "checkpoint.json, observation_spec: found no cameras",
        ),
        (lambda f: _edit(f, transforms=["x"]), r"checkpoint.json, transforms: found \['x'\]"),
        (lambda f: _edit(f, config=[]), r"checkpoint.json, config: found \[\]"),
    ],
)
def test_damage_is_named(tmp_path: Path, damage: object, message: str) -> None:
    _save(tmp_path)
    damage(tmp_path)  # type: ignore[operator]
    with pytest.raises(ReverieError, match=message):
        load(tmp_path)


def test_nothing_there_and_wrong_kind(tmp_path: Path) -> None:
    with pytest.raises(ReverieError, match="no checkpoint at"):
        load(tmp_path / "nowhere")
    _save(tmp_path)
    with pytest.raises(ReverieError, match=r"kind 'policy', expected 'world'"):
        load(tmp_path).expect("world", tmp_path)


def test_the_hash_follows_values_names_and_shapes() -> None:
    a = torch.arange(6.0)
    hashes = {weights_hash(w) for w in ({"x": a}, {"y": a}, {"x": a.view(2, 3)}, {"x": a + 1})}
    assert len(hashes) == 4


def test_a_receipt_says_what_ran() -> None:
    receipt = machine_receipt()
    assert receipt["matmul_gflops"] > 1
    assert receipt["threads"] == torch.get_num_threads()
    json.dumps(receipt)
