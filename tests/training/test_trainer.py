"""The loop: resumes to the same bits, survives a kill, stops on NaN, and averages as written."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import save as save_bytes
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from torch import Tensor, nn

from reverie.checkpoints import load, weights_hash
from reverie.core import ReverieError
from reverie.nn.metrics import Batch, Mean, Metrics
from reverie.training import journal
from reverie.training.averaging import Average
from reverie.training.behaviour_cloning import Demonstrations
from reverie.training.config import TrainerConfig
from reverie.training.journal import FILE as METRICS
from reverie.training.optimisation import learning_rate
from reverie.training.rehearsal import check_disk, disk_gb
from reverie.training.state import FILE as STATE
from reverie.training.state import _read
from reverie.training.trainer import Trainer, discard

from .tiny import train


class Line(nn.Module):
    """y = a x + noise, fitted by least squares; `blow_up_at` makes the loss NaN at that step."""

    def __init__(self, blow_up_at: int = -1) -> None:
        super().__init__()
        self.a, self.calls, self.blow_up_at = nn.Parameter(torch.zeros(1, 1)), 0, blow_up_at

    def compute_loss(self, batch: Batch) -> tuple[Tensor, Metrics]:
        x = batch["x"]
        loss = ((self.a * x - 3 * x + 0.1 * torch.randn_like(x)) ** 2).mean()
        if self.training:
            self.calls += 1
            loss = loss * (float("nan") if self.calls == self.blow_up_at else 1)
        return loss, {"error": Mean((self.a - 3).abs().sum(), torch.ones(()))}


class Numbers:
    fingerprint = "numbers"

    def batch(self, step: int, size: int, rows: slice = slice(None)) -> Batch:
        return {"x": torch.randn(size, 1, generator=torch.Generator().manual_seed(step))[rows]}

    def validation(self) -> dict[str, list[Batch]]:
        return {"held_out": [self.batch(10_000, 16)]}


def _trainer(out: Path, model: nn.Module | None = None, **changes: object) -> Trainer:
    config = TrainerConfig(samples=64, batch_size=4, learning_rate=0.3, warmup_samples=8, precision="float32", weight_decay=0.0, ema=0.5)  # fmt: skip
    config = replace(config, state_every=8, validate_every=32, log_every=8, **changes)  # type: ignore[arg-type]
    return Trainer(model or Line(), Numbers(), config, out, lambda *_: None, quiet=True)


def _lines(out: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in (out / METRICS).read_text().splitlines()]


def test_it_learns_and_says_so(tmp_path: Path) -> None:
    found = _trainer(tmp_path).run()
    assert found["held_out/error"] < 0.5
    lines = _lines(tmp_path)
    assert [line["samples"] for line in lines if line["phase"] == "validation"] == [32, 64]
    assert {"loss", "gradient_norm", "seconds"} <= lines[0].keys()


def stopping_at(last: int, batch: Callable[..., Batch]) -> Callable[..., Batch]:
    def stopping(self: Demonstrations, step: int, size: int, rows: slice) -> Batch:
        if step == last:
            raise KeyboardInterrupt
        return batch(self, step, size, rows)

    return stopping


def test_two_steps_and_two_more_are_four(tmp_path: Path) -> None:
    whole, halves = tmp_path / "whole", tmp_path / "halves"
    train(whole, 32, state_every=8)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Demonstrations, "batch", stopping_at(2, Demonstrations.batch))
        with pytest.raises(KeyboardInterrupt):
            train(halves, 32, state_every=8)
    train(halves, 32, state_every=8)
    assert weights_hash(load(halves).weights) == weights_hash(load(whole).weights)


def test_resumed_equals_uninterrupted(tmp_path: Path) -> None:
    whole, parts = (
        _trainer(tmp_path / "whole"),
        _trainer(tmp_path / "parts", Line(blow_up_at=3 + 11)),
    )  # three calls are rehearsal
    whole.run()
    with pytest.raises(ReverieError, match="the loss is nan at sample 40"):
        parts.run()
    resumed = _trainer(tmp_path / "parts")
    resumed.run()
    assert torch.equal(resumed.model.a, whole.model.a)  # type: ignore[arg-type]
    assert torch.equal(resumed.average.weights["a"], whole.average.weights["a"])
    (saved, _), (expected, _) = (_read(tmp_path / name / STATE) for name in ("parts", "whole"))
    assert saved.keys() == expected.keys()
    assert all(torch.equal(saved[k], expected[k]) for k in expected)
    strip = [{k: v for k, v in line.items() if k != "seconds"} for line in _lines(tmp_path / "parts")]
    assert strip == [{k: v for k, v in line.items() if k != "seconds"} for line in _lines(tmp_path / "whole")]


def test_a_killed_training_ends_where_an_uninterrupted_one_does(tmp_path: Path) -> None:
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    train(whole)
    command = [sys.executable, "-m", "tests.training.tiny", str(killed)]
    child = subprocess.Popen(command, env=os.environ | {"OMP_NUM_THREADS": "1"}, cwd=Path(__file__).parents[2])
    for _ in range(1200):  # until some steps are saved; the first state is written before the first step
        saved = _read(killed / STATE)[1]["progress"]["step"] if (killed / STATE).exists() else 0
        if saved or child.poll() is not None:
            break
        time.sleep(0.05)
    child.send_signal(signal.SIGKILL)
    child.wait()
    train(killed)
    assert weights_hash(load(killed).weights) == weights_hash(load(whole).weights)


def test_a_finished_training_stays_as_it_is_and_one_killed_before_its_checkpoint_gets_the_same(tmp_path: Path) -> None:
    measured = train(tmp_path, 64, validate_every=32)
    assert measured
    before = (tmp_path / "checkpoint.json").read_bytes()
    assert train(tmp_path, 64, validate_every=32) == measured
    assert (tmp_path / "checkpoint.json").read_bytes() == before
    assert _unexported(tmp_path) == measured
    assert load(tmp_path).receipt["measured"] == measured


def _unexported(out: Path) -> dict[str, float]:
    """As if killed after the last state and before the checkpoint."""
    tensors, described = _read(out / STATE)
    described["progress"]["exported"] = False
    (out / STATE).write_bytes(save_bytes(tensors, metadata={"training": json.dumps(described)}))
    (out / "checkpoint.json").unlink()
    return train(out, 64, validate_every=32)


def test_pieces_of_a_batch_give_its_gradient(tmp_path: Path) -> None:
    class Quiet(Line):
        def compute_loss(self, batch: Batch) -> tuple[Tensor, Metrics]:
            return ((self.a * batch["x"] - 3 * batch["x"]) ** 2).mean(), {}

    whole, pieces = _trainer(tmp_path / "a", Quiet()), _trainer(tmp_path / "b", Quiet(), micro_batches=2)
    whole.run()
    pieces.run()
    torch.testing.assert_close(whole.model.a, pieces.model.a)


def test_other_settings_are_not_mixed(tmp_path: Path) -> None:
    _trainer(tmp_path).run()
    trainer = _trainer(tmp_path)
    changed = replace(trainer, config=replace(trainer.config, learning_rate=0.1))
    with pytest.raises(ReverieError, match=r"learning_rate: was 0\.3, is 0\.1"):
        changed.run()
    discard(tmp_path)
    assert not list(tmp_path.iterdir())


def test_settings_that_are_new_do_not_stop_an_old_training(tmp_path: Path) -> None:
    _trainer(tmp_path).run()
    tensors, described = _read(tmp_path / STATE)
    for name in ("sharding", "tensorboard"):
        del described["config"][name]
    for name in ("trains", "processes", "success"):
        del described["progress"][name]
    (tmp_path / STATE).write_bytes(save_bytes(tensors, metadata={"training": json.dumps(described)}))
    before = (tmp_path / METRICS).read_text()
    _trainer(tmp_path).run()
    assert (tmp_path / METRICS).read_text() == before


class Restless(nn.Module):
    """Running means and dropout: what a rehearsal could leave traces in."""

    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.Sequential(nn.Linear(1, 4), nn.BatchNorm1d(4), nn.Dropout(0.5), nn.Linear(4, 1))

    def compute_loss(self, batch: Batch) -> tuple[Tensor, Metrics]:
        return (self.layers(batch["x"]) - batch["x"]).square().mean(), {}


def test_a_rehearsal_changes_nothing(tmp_path: Path) -> None:
    model = Restless()
    before = {k: v.clone() for k, v in model.state_dict().items()}
    trainer = replace(_trainer(tmp_path, model), config=replace(_trainer(tmp_path).config, precision="auto", weight_decay=0.1))  # fmt: skip
    trainer._prepare()
    assert trainer.estimate is not None
    assert set(trainer.estimate.step_seconds) == {"float32", "bfloat16"}
    assert 0.01 < trainer.estimate.memory_gb < 4
    assert not trainer.optimizer.state
    for name, value in model.state_dict().items():
        assert torch.equal(value, before[name])
        assert torch.equal(trainer.average.weights[name], before[name])


def test_frozen_modules_keep_their_running_means(tmp_path: Path) -> None:
    model = Restless()
    model.layers[1].requires_grad_(False)
    _trainer(tmp_path, model).run()
    assert model.layers[1].running_mean.tolist() == [0, 0, 0, 0]  # type: ignore[union-attr, operator]
    assert model.layers[0].weight.grad is None


def test_a_disk_that_is_too_small_is_told_before(tmp_path: Path) -> None:
    with pytest.raises(ReverieError, match="free some, write fewer checkpoints"):
        check_disk(tmp_path, 1e6)
    config = TrainerConfig(samples=1000, batch_size=10, checkpoint_every=100)
    due = sum(config.due(s, 100) for s in range(1, config.n_steps + 1))
    assert config.times_due(100) == due == 10
    assert disk_gb(config, 10**8, 10**7) == pytest.approx(11 * 0.1 + 2 * 0.13)
    for interval in (0, 7, 70, 130, 990, 5000):
        assert config.times_due(interval) == sum(config.due(s, interval) for s in range(1, config.n_steps + 1))


def test_memory_and_disk_are_about_what_was_told(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "tests.training.big", str(tmp_path)]
    found = json.loads(subprocess.check_output(command, env=os.environ | {"OMP_NUM_THREADS": "1"}, cwd=Path(__file__).parents[2]))  # fmt: skip
    assert 0.9 < found["memory"] / found["memory_taken"] < 1.25
    assert 1.0 < found["disk"] / found["disk_taken"] < 1.9  # while a state is replaced there are two


def test_a_person_is_told_what_it_takes_and_how_far_it_is(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(journal, "EVERY_S", -1.0)
    replace(_trainer(tmp_path), quiet=False).run()
    told = " ".join(capsys.readouterr().err.split())
    for part in ("1 weights train, 64 samples in float32", "GB of memory", "GB on disk", "samples/s", "left", "loss"):
        assert part in told
    assert told.count(" taken, ") == 8 + 2  # every logged interval, and two validations


def _scalars(out: Path) -> dict[str, list[tuple[int, float]]]:
    events = EventAccumulator(str(out / "tensorboard"))
    events.Reload()
    return {tag: [(e.step, e.value) for e in events.Scalars(tag)] for tag in events.Tags()["scalars"]}


def test_tensorboard_shows_every_line_once_also_after_a_kill(tmp_path: Path) -> None:
    with pytest.raises(ReverieError, match="loss is nan"):  # as good as a kill: some steps after the last state
        _trainer(tmp_path, Line(blow_up_at=3 + 12)).run()
    _trainer(tmp_path).run()
    expected: dict[str, list[tuple[int, float]]] = {}
    for line in _lines(tmp_path):
        for name, value in line.items():
            if name not in ("step", "samples", "phase", "seconds"):
                expected.setdefault(f"{line['phase']}/{name}", []).append((line["samples"], pytest.approx(value)))  # type: ignore[arg-type]
    assert _scalars(tmp_path) == expected
    assert len(expected["training/loss"]) == 8
    _trainer(tmp_path / "without", tensorboard=False).run()
    assert not (tmp_path / "without" / "tensorboard").exists()


def test_a_damaged_state_is_named(tmp_path: Path) -> None:
    _trainer(tmp_path).run()
    (tmp_path / STATE).write_bytes((tmp_path / STATE).read_bytes()[:40])
    with pytest.raises(ReverieError, match="cannot be read"):
        _trainer(tmp_path).run()


def test_numbered_checkpoints(tmp_path: Path) -> None:
    train(tmp_path, 64, checkpoint_every=32)
    found = {p.name: load(p).receipt["samples"] for p in sorted(tmp_path.glob("samples-*"))}
    assert found == {"samples-00000032": 32, "samples-00000064": 64}
    assert load(tmp_path / "samples-00000032").name == f"{tmp_path.name}-0k"


def test_the_rate_rises_then_falls() -> None:
    config = TrainerConfig(samples=3200, batch_size=32, warmup_samples=320, final_rate=0.1)
    rates = [learning_rate(config, s) for s in range(config.n_steps)]
    assert max(rates) == rates[10] == pytest.approx(config.learning_rate, rel=1e-2)
    assert rates[0] == pytest.approx(config.learning_rate / 10)
    assert rates[-1] == pytest.approx(0.1 * config.learning_rate, rel=0.02)
    assert rates[10:] == sorted(rates[10:], reverse=True)


def test_the_average_follows_its_formula() -> None:
    model = nn.Linear(1, 1, bias=False)
    nn.init.zeros_(model.weight)
    average = Average(model, 0.998)
    nn.init.ones_(model.weight)
    average.update(model)
    assert average.weights["weight"].item() == pytest.approx(0.9)
    with average.applied(model):
        assert model.weight.item() == pytest.approx(0.9)
    assert model.weight.item() == 1
