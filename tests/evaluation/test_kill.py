"""kill -9 at random moments, then the same command: the journals of an uninterrupted run."""

import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from runs import run

from reverie.trials import TRIALS, differences

CODE = """
import sys
sys.path.insert(0, {here!r})
from pathlib import Path
from runs import run, reach
if __name__ == "__main__":
    print("begun", flush=True)
    run(Path({folder!r}), {processes}, **{changes!r})
"""
CHANGES = {"scenes": ("fake:30",), "n_steps": 30}


def start(folder, processes):
    code = CODE.format(here=str(Path(__file__).parent), folder=str(folder), processes=processes, changes=CHANGES)
    process = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE)
    assert process.stdout.readline() == b"begun\n"
    return process


def n_lines(folder):
    path = folder / "trials.jsonl"
    return path.read_bytes().count(b"\n") if path.exists() else 0


def kill_after(process, folder, new_lines, seconds):
    """SIGKILL a little after the journal has grown; whether it was still at work."""
    wanted = n_lines(folder) + new_lines
    while n_lines(folder) < wanted and process.poll() is None:
        time.sleep(0.002)
    time.sleep(seconds)
    process.send_signal(signal.SIGKILL)
    process.stdout.close()
    return process.wait() != 0


@pytest.mark.parametrize(("processes", "kills"), [(1, 6), (2, 3)])
def test_killed_runs_finish_as_if_nothing_had_happened(tmp_path, processes, kills):
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    run(whole, **CHANGES)
    draw = random.Random(processes)
    at_work, left = 0, set()
    for _ in range(kills):
        at_work += kill_after(start(killed, processes), killed, draw.randrange(0, 20), draw.uniform(0, 0.03))
        left.add(n_lines(killed))
    assert at_work > 1
    assert len(left) > 1, f"kills did not fall at different moments: {left}"
    run(killed, **CHANGES)
    assert differences(whole, killed) == []
    clips = [p for p in killed.rglob("*.mp4") if not p.name.startswith(".")]
    assert len(clips) == len(list(TRIALS.read(killed)))


def test_the_blocks_of_a_worker_that_dies_are_done_by_another(tmp_path, monkeypatch):
    monkeypatch.setenv("REVERIE_TEST_MARKER", str(tmp_path / "died"))
    mortal, plain = ("python:mortal:make",), ("fake:RandomPolicy?name=mortal",)
    run(tmp_path / "deaths", 2, policies=mortal)
    assert (tmp_path / "died").exists()
    run(tmp_path / "plain", policies=plain)
    left, right = ({t.key: t.actions_digest for t in TRIALS.read(tmp_path / n)} for n in ("deaths", "plain"))
    assert left == right
