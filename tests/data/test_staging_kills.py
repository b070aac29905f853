"""Collection killed at any moment, and run again, gives what it would have given."""

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from reverie.core import ReverieError
from reverie.data import EpisodeStager, compact, is_dataset, open_dataset, staging_folder

N = 12

COLLECT = """
import sys, numpy as np
from dataclasses import replace
from reverie.core.fakes import tiny_episode
from reverie.data import EpisodeStager
stager = EpisodeStager(sys.argv[1])
base = tiny_episode(20)
for i in stager.missing(int(sys.argv[2])):
    images = {c: np.random.default_rng(i).integers(0, 256, v.shape, dtype=np.uint8) for c, v in base.observations.images.items()}
    stager.stage(i, replace(base, observations=replace(base.observations, images=images), instruction=f"go {i % 3}"))
    print(i, flush=True)
"""

COMPACT = """
import sys, time
from reverie.data import compact, staging_folder
def progress(finished, total):
    print(finished, flush=True)
    time.sleep(0.02)
compact(staging_folder(sys.argv[1]), sys.argv[1], progress=progress)
"""


def start(code: str, *arguments: object) -> subprocess.Popen:
    command = [sys.executable, "-c", code, *(str(a) for a in arguments)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def kill_after_line(process: subprocess.Popen, lines: int, seconds: float = 0.0) -> None:
    for _ in range(lines):
        assert process.stdout.readline(), "the process ended before it could be killed"
    time.sleep(seconds)
    process.send_signal(signal.SIGKILL)
    process.communicate()


def run(code: str, *arguments: object) -> None:
    process = start(code, *arguments)
    process.communicate()
    assert process.returncode == 0


def contents(root: Path) -> dict[str, bytes]:
    return {str(p.relative_to(root)): p.read_bytes() for p in sorted(root.rglob("*")) if p.is_file()}


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    """The staged files and the data set of a run that nobody killed."""
    root = tmp_path_factory.mktemp("undisturbed") / "d"
    run(COLLECT, root, N)
    staged = contents(staging_folder(root))
    compact(staging_folder(root), root)
    return staged, contents(root)


@pytest.mark.parametrize(("lines", "seconds"), [(1, 0.0), (4, 0.004), (7, 0.009)])
def test_killed_while_staging(tmp_path, undisturbed, lines, seconds):
    root = tmp_path / "d"
    kill_after_line(start(COLLECT, root, N), lines, seconds)
    stager = EpisodeStager(root)
    assert lines <= len(stager.staged()) < N
    for index in stager.staged():
        name = f"episode_{index:06d}.parquet"
        assert (stager.folder / name).read_bytes() == undisturbed[0][name]
    run(COLLECT, root, N)
    compact(stager.folder, root)
    assert contents(root) == undisturbed[1]


@pytest.mark.parametrize("lines", [1, 6, N])
def test_killed_while_compacting(tmp_path, undisturbed, lines):
    root = tmp_path / "d"
    staging_folder(root).mkdir(parents=True)
    for name, content in undisturbed[0].items():
        (staging_folder(root) / name).write_bytes(content)
    kill_after_line(start(COMPACT, root), lines)
    assert not is_dataset(root)
    assert contents(staging_folder(root)) == undisturbed[0]
    compact(staging_folder(root), root)
    assert contents(root) == undisturbed[1]
    assert os.listdir(tmp_path) == ["d"]  # nothing of the killed process is left


def test_killed_between_the_rename_and_the_deletion(tmp_path, undisturbed):
    root = tmp_path / "d"
    run(COLLECT, root, N)
    shutil.copytree(staging_folder(root), tmp_path / "copy")
    compact(staging_folder(root), root)
    (tmp_path / "copy").rename(staging_folder(root))
    compact(staging_folder(root), root)
    assert contents(root) == undisturbed[1]
    assert not staging_folder(root).exists()


def test_many_processes_stage_at_once(tmp_path, undisturbed):
    root = tmp_path / "d"
    both = [start(COLLECT, root, N) for _ in range(2)]
    assert [p.communicate() and p.returncode for p in both] == [0, 0]
    assert contents(staging_folder(root)) == undisturbed[0]


def test_gaps_are_closed(tmp_path, make_episode):
    stager = EpisodeStager(tmp_path / "d")
    for index in (5, 2, 9):
        stager.stage(index, make_episode(index))
    assert stager.staged() == [2, 5, 9]
    assert stager.missing(6) == [0, 1, 3, 4]
    stager.discard(5)
    dataset = open_dataset(compact(stager.folder, tmp_path / "d"))
    assert [e.provenance["seed"] for e in dataset] == [2, 9]


def test_a_data_set_is_never_overwritten(tmp_path, make_episode):
    root = tmp_path / "d"
    stager = EpisodeStager(root)
    stager.stage(0, make_episode())
    compact(stager.folder, root)
    with pytest.raises(ReverieError, match="already holds a data set"):
        EpisodeStager(root)
    with pytest.raises(ReverieError, match="no staged episode"):
        compact(tmp_path / "nothing", tmp_path / "other")
    other = EpisodeStager(tmp_path / "other")
    for i in range(2):
        other.stage(i, make_episode(i))
    with pytest.raises(ReverieError, match="exists already"):
        compact(other.folder, root)
