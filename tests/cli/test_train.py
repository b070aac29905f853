"""`reverie train` as a user types it: options of every kind, two processes, a kill on the way."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest
import torch

from reverie.checkpoints import load, weights_hash
from reverie.cli.main import main
from reverie.collection import CollectConfig, collect

NETWORK = "--model.dim 32 --model.depth 1 --model.n-heads 2 --model.encoder.grounding.text.encoder words --model.encoder.grounding.width 16 --model.encoder.grounding.deep-width 16 --model.encoder.grounding.hidden 32"  # fmt: skip
LOOKS = "--success.every 32 --success.scenes 12 --success.steps 4 --validate-every 32 --cloning.paraphrase 0.5 --cloning.augmentation.shift-px 3 --cloning.augmentation.noise 5"  # fmt: skip
LORA = "--freeze all --lora.rank 2 --lora.targets trunk.* --cloning.normalisation quantiles --no-tensorboard"
LENGTH = "--batch-size 8 --precision float32 --state-every 16 --warmup-samples 16 --log-every 16"


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("physics") / "data"
    collect(CollectConfig(4, tasks=("put",), seconds=6.0, depth=False), out)
    return out


def _arguments(data: Path, out: Path, samples: int, *more: str) -> list[str]:
    given = ["train", "vla", "--data", str(data), "--out", str(out), "--samples", str(samples)]
    return [*given, *NETWORK.split(), *LENGTH.split(), *more]


def _lines(out: Path, phase: str) -> list[dict[str, float]]:
    lines = [json.loads(line) for line in (out / "metrics.jsonl").read_text().splitlines()]
    return [line for line in lines if line["phase"] == phase]


@pytest.mark.slow
def test_two_processes_train_what_one_does(data: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    looks = LOOKS.split()
    assert main(_arguments(data, tmp_path / "one", 64, "--threads", "1", *looks)) == 0
    capfd.readouterr()
    assert main(_arguments(data, tmp_path / "two", 64, "--processes", "2", *looks)) == 0
    told, log = capfd.readouterr()
    assert told.split() == [str(tmp_path / "two")]
    assert log.count("weights train") == 1  # one of the two speaks
    assert "in each of 2 processes" in " ".join(log.split())
    one, two = load(tmp_path / "one"), load(tmp_path / "two")
    flat = [torch.cat([c.weights[k].flatten().float() for k in sorted(one.weights)]) for c in (one, two)]
    assert (flat[0] - flat[1]).norm() < 1e-4 * flat[0].norm()
    assert two.receipt["processes"] == 2
    assert one.receipt["success"]["n"] == two.receipt["success"]["n"] == 12
    assert one.receipt["measured"] == pytest.approx(two.receipt["measured"], rel=1e-3, abs=1e-4)
    for a, b in zip(_lines(tmp_path / "one", "training"), _lines(tmp_path / "two", "training"), strict=True):
        assert a["loss"] == pytest.approx(b["loss"], rel=1e-5)


def _in_processes(arguments: list[str]) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "reverie.cli.main", *arguments, "--processes", "2"]
    return subprocess.Popen(command, env=os.environ | {"OMP_NUM_THREADS": "1"}, stderr=subprocess.DEVNULL)


def _killed_on_the_way(arguments: list[str], out: Path) -> None:
    """The process that was started, and with it those that it started."""
    parent = _in_processes(arguments)
    lines = out / "metrics.jsonl"
    for _ in range(1200):
        if (lines.exists() and lines.read_text().count("\n") > 1) or parent.poll() is not None:
            break
        time.sleep(0.1)
    team = psutil.Process(parent.pid).children(recursive=True)
    parent.send_signal(signal.SIGKILL)
    parent.wait()
    assert not psutil.wait_procs(team, timeout=20)[1]  # none is left to write beside the next command
    assert not (out / "checkpoint.json").exists()


@pytest.mark.slow
def test_a_killed_team_goes_on_to_the_same_bits(data: Path, tmp_path: Path) -> None:
    assert main(_arguments(data, tmp_path / "whole", 128, "--processes", "2", "--validate-every", "0")) == 0
    killed = _arguments(data, tmp_path / "killed", 128, "--validate-every", "0")
    _killed_on_the_way(killed, tmp_path / "killed")
    assert _in_processes(killed).wait() == 0
    hashes = {weights_hash(load(tmp_path / n).weights) for n in ("whole", "killed")}
    assert len(hashes) == 1


def test_adapters_from_the_command_line(data: Path, tmp_path: Path) -> None:
    assert main(_arguments(data, tmp_path / "start", 16, "--threads", "1")) == 0
    lora = LORA.split()
    tuned = _arguments(data, tmp_path / "tuned", 16, "--threads", "1", "--start", str(tmp_path / "start"), *lora)
    assert main(tuned) == 0
    before, after = load(tmp_path / "start").weights, load(tmp_path / "tuned").weights
    changed = {name for name, value in after.items() if not torch.equal(value, before[name])}
    assert changed
    assert all(name.startswith("trunk.") for name in changed)


def test_what_cannot_be_is_told(data: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    for more, expected in (
        (["--processes", "0"], "processes is 0"),
        (["--freeze", "bakcbone"], "has no module 'bakcbone'"),
        (["--lora.rank", "2", "--lora.targets", "nothing"], "fit no linear layer"),
        (["--micro-batches", "3"], "batch_size that micro_batches divides"),
    ):
        assert main(_arguments(data, tmp_path / "out", 16, "--threads", "1", *more)) == 2
        assert expected in " ".join(capfd.readouterr().err.split())
