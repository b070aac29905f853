"""The pool of collection and evaluation: it leaves nobody behind, and a dead worker costs only time."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import sleepers

from reverie.core import ReverieError
from reverie.core.processes import in_processes

GENEROUS_S = 60


def wait_until(condition, what: str) -> None:
    deadline = time.time() + GENEROUS_S
    while not condition():
        assert time.time() < deadline, f"waited {GENEROUS_S} s until {what}"
        time.sleep(0.05)


def workers(folder: Path) -> set[int]:
    return {int(path.suffix[1:]) for path in folder.iterdir()}


def is_alive(pid: int) -> bool:
    """A zombie that nobody waits for counts as gone."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


@pytest.fixture
def at_work(tmp_path):
    """Two workers in the middle of their jobs, in a process group of their own."""
    command = [sys.executable, sleepers.__file__, str(tmp_path)]
    process = subprocess.Popen(command, start_new_session=True, stderr=subprocess.PIPE, text=True)
    wait_until(lambda: len(workers(tmp_path)) == 2, "both workers have begun")
    yield process
    process.kill()
    process.communicate()


@pytest.mark.skipif(not Path("/proc").is_dir(), reason="reads /proc")
def test_workers_end_with_a_killed_parent(at_work, tmp_path):
    pids = workers(tmp_path)
    at_work.send_signal(signal.SIGKILL)
    wait_until(lambda: not any(map(is_alive, pids)), "the workers are gone")
    assert workers(tmp_path) == pids


def test_ctrl_c_ends_everything_at_once_and_quietly(at_work, tmp_path):
    os.killpg(at_work.pid, signal.SIGINT)
    _, said = at_work.communicate(timeout=GENEROUS_S / 2)  # the jobs sleep longer
    assert at_work.returncode == 130
    assert said == ""
    assert not any(map(is_alive, workers(tmp_path)))


def test_the_jobs_of_a_dead_worker_are_given_out_again(tmp_path):
    assert sorted(in_processes(2, sleepers.die_once, range(8), sleepers.start, tmp_path)) == list(range(8))
    assert (tmp_path / "died").exists()


def test_workers_that_always_die_are_one_clear_error(tmp_path, monkeypatch):
    monkeypatch.setattr("reverie.core.processes.MAX_DEATHS", 1)
    with pytest.raises(ReverieError, match="workers died 2 times"):
        list(in_processes(1, sleepers.die, range(2), sleepers.start, tmp_path))


def test_an_error_of_a_job_does_not_wait_for_the_others(tmp_path):
    began = time.time()
    with pytest.raises(ValueError, match="job 0 is bad"):
        list(in_processes(2, sleepers.fail, range(4), sleepers.start, tmp_path))
    assert time.time() - began < 50  # the others sleep for 60 s
