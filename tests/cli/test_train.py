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


@pytest.fixture(scope="module")
def two(data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A whole training of two processes, which also looks at its success on the way."""
    out = tmp_path_factory.mktemp("two") / "whole"
    training = _in_processes(_arguments(data, out, 64, *LOOKS.split()))
    told, log = training.communicate()
    assert training.returncode == 0, log
    assert told.split() == [str(out)]
    assert log.count("weights train") == 1  # one of the two speaks
    assert "in each of 2 processes" in " ".join(log.split())
    return out


@pytest.mark.slow
def test_two_processes_train_what_one_does(data: Path, two: Path, tmp_path: Path) -> None:
    assert main(_arguments(data, tmp_path / "one", 64, "--threads", "1", *LOOKS.split())) == 0
    ours, theirs = load(tmp_path / "one"), load(two)
    flat = [torch.cat([c.weights[k].flatten().float() for k in sorted(ours.weights)]) for c in (ours, theirs)]
    assert (flat[0] - flat[1]).norm() < 1e-4 * flat[0].norm()
    assert theirs.receipt["processes"] == 2
    assert ours.receipt["success"]["n"] == theirs.receipt["success"]["n"] == 12
    assert ours.receipt["measured"] == pytest.approx(theirs.receipt["measured"], rel=1e-3, abs=1e-4)
    for a, b in zip(_lines(tmp_path / "one", "training"), _lines(two, "training"), strict=True):
        assert a["loss"] == pytest.approx(b["loss"], rel=1e-5)


def _in_processes(arguments: list[str]) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "reverie.cli.main", *arguments, "--processes", "2"]
    pipe = subprocess.PIPE
    return subprocess.Popen(command, env=os.environ | {"OMP_NUM_THREADS": "1"}, stdout=pipe, stderr=pipe, text=True)


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
    parent.communicate()
    assert not psutil.wait_procs(team, timeout=20)[1]  # none is left to write beside the next command
    assert not (out / "checkpoint.json").exists()


@pytest.mark.slow
def test_a_killed_team_goes_on_to_the_same_bits(data: Path, two: Path, tmp_path: Path) -> None:
    killed = _arguments(data, tmp_path / "killed", 64, *LOOKS.split())
    _killed_on_the_way(killed, tmp_path / "killed")
    again = _in_processes(killed)
    log = again.communicate()[1]
    assert again.returncode == 0, log
    assert weights_hash(load(tmp_path / "killed").weights) == weights_hash(load(two).weights)


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
