"""Collection: what is written, and that a kill at any moment costs nothing but time."""

import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from tiny import save_policy

from reverie.cli.main import main
from reverie.collection import CollectConfig, behaviours, collect
from reverie.collection.behaviours import MIXES, pick
from reverie.collection.blocks import Forecast
from reverie.collection.collect import BLOCK, Collector
from reverie.collection.labelled import Labelled
from reverie.core import ActionChunk, Memory, Observations, ReverieError
from reverie.data import EpisodeStager, open_cache, open_dataset
from reverie.data.staging import staged_episodes, staged_path, staging_folder
from reverie.policies.catalog import load_policy
from reverie.rollouts import rollout
from reverie.scenes.tasks import draw_scene
from reverie.sim import PhysicsWorld
from reverie.sim.script import INTENTION, Script, ScriptConfig
from reverie.training.selection import rows_of

SMALL = CollectConfig(episodes=6, mix="mixed", seconds=1.0)


def _assert_same(left: Path, right: Path) -> None:
    a, b = open_dataset(left), open_dataset(right)
    assert len(a) == len(b)
    for one, two in zip(a, b, strict=True):
        np.testing.assert_array_equal(one.actions, two.actions)
        assert one.scene == two.scene
        assert one.provenance["source"] == two.provenance["source"]
        for name, value in one.observations.arrays().items():
            np.testing.assert_array_equal(value, two.observations.arrays()[name], err_msg=name)


def test_every_frame_has_what_training_needs(tmp_path: Path) -> None:
    collect(SMALL, tmp_path / "data")
    episode = open_dataset(tmp_path / "data").episode(0)
    extras = episode.observations.extras
    assert {"object_poses", "camera_matrices", "progress", "success", "depth.front", "joint_actions"} <= set(extras)
    assert episode.n_frames == 6
    assert episode.n_steps == 10
    assert extras["joint_actions"].shape == (6, 2, 8)


def test_recordings_say_what_the_expert_intended(tmp_path: Path) -> None:
    collect(replace(SMALL, mix="expert,clean_expert,play", episodes=12, seconds=2.0), tmp_path / "data")
    off = {}
    for episode in open_dataset(tmp_path / "data"):
        source, intended = episode.provenance["source"], episode.observations.extras["intended"]
        assert intended.shape == (episode.n_frames, INTENTION, 7)
        if source == "play":
            assert np.isnan(intended).all()
            continue
        assert np.isnan(intended[-1]).all()  # nobody asked after the last step
        assert np.isfinite(intended[:-1]).all()
        executed = episode.actions[episode.frame_steps[:-1]]
        off[source] = max(off.get(source, 0.0), float(np.abs(executed - intended[:-1, 0]).max()))
    assert off["clean_expert"] < 1e-6
    assert off["expert"] > 0.005


def test_the_expert_goes_on_from_every_state_and_labels_a_policy(tmp_path: Path) -> None:
    """Without memory it succeeds as well; what it says beside a policy is imitated although the policy fails."""

    class Forgetful(Labelled):
        def infer(
            self, observations: Observations, memory: Memory | None, seeds: Sequence[int]
        ) -> tuple[ActionChunk, None]:
            chunk, _ = super().infer(observations, memory, seeds)
            assert chunk.intended is not None
            return replace(chunk, values=chunk.intended[:, :4]), None

    policy = load_policy(save_policy(tmp_path / "policy"))
    scenes = [draw_scene(task, "train", i) for task in ("put", "move_beside") for i in range(2)]
    tried = rollout(Forgetful(policy), PhysicsWorld(), scenes, [1, 2, 3, 4], 80)
    assert all(e.success for e in tried)
    collect(replace(SMALL, mix=f"labelled:{tmp_path / 'policy'}", episodes=2, seconds=2.0), tmp_path / "data")
    cache = open_cache(tmp_path / "data")
    assert not any(e.success for e in cache.episodes)
    rows = rows_of(cache, [0, 1], ("expert",), 1.0, 0.0)
    assert rows.imitated.sum() == 10  # of 20 frames: a look every second one
    assert np.isfinite(cache.frames["intended"][rows.frames[rows.imitated]]).all()


def test_saying_what_is_intended_changes_nothing() -> None:
    scenes = [draw_scene("put", "train", i) for i in range(2)]
    told, silent = (rollout(Script(ScriptConfig(intention=n)), PhysicsWorld(), scenes, [1, 2], 12) for n in (6, 0))
    for one, two in zip(told, silent, strict=True):
        np.testing.assert_array_equal(one.actions, two.actions)
        assert set(one.observations.extras) - set(two.observations.extras) == {"intended"}


def test_the_number_of_an_episode_decides_it(tmp_path: Path) -> None:
    collect(SMALL, tmp_path / "whole")
    collect(replace(SMALL, episodes=3), tmp_path / "half")
    whole, half = open_dataset(tmp_path / "whole"), open_dataset(tmp_path / "half")
    for i in range(3):
        np.testing.assert_array_equal(whole.episode(i).actions, half.episode(i).actions)


def test_families_are_collected_by_name_each_for_as_long_as_it_takes(tmp_path: Path) -> None:
    tasks = ("close_laptop", "a_then_b", "stack")
    collect(CollectConfig(3, tasks=tasks, mix="clean_expert", depth=False), tmp_path / "data")
    cache = open_cache(tmp_path / "data")
    drawn = [draw_scene(task, "train", 0) for task in tasks]
    assert [e.scene for e in cache.episodes] == drawn
    assert [e.scene.hash for e in cache.episodes if e.scene] == [s.hash for s in drawn]
    assert np.diff(cache.action_offsets).tolist() == [80, 160, 80]
    assert all(e.success for e in cache.episodes)
    assert cache.frames["goals"].shape[1:] == (2, 3)


N = 12
SHORT = replace(SMALL, episodes=N, seconds=0.5)
COLLECT = """
import sys, time
from reverie.cli.main import main
from reverie.data import compaction
add = compaction._Build.add
def slowly(*arguments):
    time.sleep(0.1)
    return add(*arguments)
compaction._Build.add = slowly
if __name__ == "__main__":
    sys.exit(main(["collect", *sys.argv[1:]]))
"""


def _options(out: Path, mix: str, processes: int = 1) -> list[str]:
    given = {"--episodes": N, "--mix": mix, "--seconds": 0.5, "--processes": processes, "--out": out}
    return [str(part) for pair in given.items() for part in pair]


def _kill_when(ready: Callable[[], bool], out: Path, mix: str, processes: int) -> None:
    (out.parent / "program").mkdir()
    program, said = out.parent / "program/collect.py", out.parent / "program/said"
    program.write_text(COLLECT)
    with said.open("w") as file:
        command = [sys.executable, str(program), *_options(out, mix, processes)]
        process = subprocess.Popen(command, stderr=file, stdout=file)
    deadline = time.time() + 120
    while time.time() < deadline and process.poll() is None and not ready():
        time.sleep(0.01)
    assert process.poll() is None, f"it ended before it could be killed: {said.read_text()}"
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert not out.exists()


@pytest.fixture(scope="module")
def straight(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What nobody killed."""
    return collect(SHORT, tmp_path_factory.mktemp("straight") / "data")


@pytest.mark.parametrize(("processes", "staged"), [(1, 3), (2, BLOCK + 1)])
def test_killed_while_it_collects(tmp_path: Path, straight: Path, processes: int, staged: int) -> None:
    out = tmp_path / "data"
    _kill_when(lambda: len(staged_episodes(staging_folder(out))) >= staged, out, "mixed", processes)
    assert main(["collect", *_options(out, "mixed", processes)]) == 0
    _assert_same(out, straight)
    assert not staging_folder(out).exists()


def test_killed_while_it_compacts(tmp_path: Path, straight: Path) -> None:
    out = tmp_path / "data"
    _kill_when(lambda: any(tmp_path.glob(".data.*.part/data")), out, "mixed", 1)
    assert main(["collect", *_options(out, "mixed")]) == 0
    _assert_same(out, straight)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["data", "program"]


@pytest.mark.parametrize("half_deleted", [False, True])
def test_killed_after_the_rename(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, half_deleted: bool) -> None:
    """The data set is there and its staged episodes are too; or they were about to be deleted."""
    out = tmp_path / "data"
    with monkeypatch.context() as patch:
        patch.setattr("reverie.data.compaction.discard_folder", lambda folder: None)
        assert main(["collect", *_options(out, "expert")]) == 0
    gone = subprocess.run([sys.executable, "-c", "import os; print(os.getpid())"], capture_output=True, text=True)
    if half_deleted:
        left = f".{staging_folder(out).name}.{socket.gethostname()}-{gone.stdout.strip()}.part"
        staging_folder(out).rename(tmp_path / left)
    assert main(["collect", *_options(out, "expert")]) == 0
    assert [p.name for p in tmp_path.iterdir()] == ["data"]


def test_a_finished_collection_may_be_asked_for_again(straight: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = {p: p.stat().st_mtime_ns for p in straight.rglob("*")}
    assert main(["collect", *_options(straight, "mixed", 2)]) == 0
    assert capsys.readouterr().out.strip() == str(straight)
    assert {p: p.stat().st_mtime_ns for p in straight.rglob("*")} == before


OTHERS = [
    ("--episodes", "21", "episodes: it has 12, asked for 21"),
    ("--mix", "play", "mix: it has 'mixed', asked for 'play'"),
    ("--split", "test", "split: it has 'train', asked for 'test'"),
    ("--first", "50", "first: it has 0, asked for 50"),
    ("--seconds", "2", "seconds: it has 0.5, asked for 2.0"),
    ("--tasks", "put", "tasks: it has "),
]


@pytest.mark.parametrize(("option", "value", "said"), OTHERS)
def test_another_request_is_refused(
    straight: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], option: str, value: str, said: str
) -> None:
    """Where a data set is finished, and where one is begun."""
    out = tmp_path / "data"
    EpisodeStager(out, request=Collector(SHORT, out).request)
    for place in (straight, out):
        assert main(["collect", *_options(place, "mixed"), option, value]) == 2
        error = capsys.readouterr().err
        assert said in error
        assert str(place) in error


def test_episodes_of_an_unknown_request_are_refused_but_read(tmp_path: Path, straight: Path) -> None:
    shutil.copytree(straight, tmp_path / "old")
    (tmp_path / "old/request.json").unlink()
    with pytest.raises(ReverieError, match=r"without request\.json"):
        collect(SHORT, tmp_path / "old")
    assert len(open_cache(tmp_path / "old").episodes) == N
    shutil.copytree(tmp_path / "old", staging_folder(tmp_path / "new"))
    (staging_folder(tmp_path / "new") / "episode_000000.parquet").touch()
    with pytest.raises(ReverieError, match=r"without request\.json"):
        collect(SHORT, tmp_path / "new")


def test_a_place_that_is_taken_is_found_before_the_work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Collector, "run", lambda *_: pytest.fail("the work was begun"))
    (tmp_path / "file").touch()
    (tmp_path / "folder/inner").mkdir(parents=True)
    for place in ("file", "folder", "file/data"):
        with pytest.raises(ReverieError, match=place):
            collect(SMALL, tmp_path / place)
    monkeypatch.undo()
    (tmp_path / "empty").mkdir()
    collect(replace(SMALL, episodes=1), tmp_path / "empty")


def test_a_policy_killed_and_moved_ends_alike(tmp_path: Path) -> None:
    """The batch decides a policy's actions to the last bit, and its folder decides nothing."""
    policy, other, out = save_policy(tmp_path / "a"), save_policy(tmp_path / "b", seed=1), tmp_path / "data"
    mix = f"policy:{policy},policy:{other}"
    whole = collect(CollectConfig(N, mix=mix, seconds=0.5), tmp_path / "whole")
    _kill_when(lambda: len(staged_episodes(staging_folder(out))) > BLOCK, out, mix, 2)
    for staged in (1, 2, 7):  # as if the kill had fallen inside a block
        staged_path(staging_folder(out), staged).unlink(missing_ok=True)
    policy.rename(tmp_path / "moved")
    assert main(["collect", *_options(out, f"policy:{tmp_path / 'moved'},policy:{other}")]) == 0
    _assert_same(out, whole)
    sources = {e.provenance["source"] for e in open_dataset(out)}
    assert len(sources) == 2
    assert all(s.startswith("policy:tiny@") for s in sources)
    assert str(tmp_path) not in (out / "request.json").read_text()
    save_policy(tmp_path / "moved", seed=2)
    assert main(["collect", *_options(out, f"policy:{tmp_path / 'moved'},policy:{other}")]) == 2


def test_a_policy_is_opened_once_in_a_process(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder, opened = save_policy(tmp_path / "a"), []
    monkeypatch.setattr(behaviours, "open_policy", lambda path: opened.append(path) or load_policy(path))
    collect(CollectConfig(BLOCK + 1, mix=f"policy:{folder}", seconds=0.2), tmp_path / "data")
    assert opened == [str(folder)]


def test_the_first_block_tells_how_long_the_rest_will_take(tmp_path: Path) -> None:
    told: list[Forecast] = []
    collect(CollectConfig(2 * BLOCK, mix="expert", seconds=0.2), tmp_path / "data", announce=told.append)
    assert [t.episodes for t in told] == [BLOCK]
    assert told[0].seconds > 0
    assert told[0].n_bytes > 1e4
    assert "8 more episodes: about" in str(told[0])


def test_the_seeds_of_the_table_stay_what_they_were() -> None:
    """Data sets that exist were made with them."""
    mixed = Collector(CollectConfig(mix="mixed"), Path("nowhere"))
    found = {i: name for i in range(24) if (name := mixed.behaviour(i)) != "expert"}
    assert found == {
        5: "wrong_object",
        15: "near_miss",
        16: "wrong_place",
        17: "drop",
        18: "near_miss",
        20: "play",
        22: "wrong_object",
        23: "near_miss",
    }
    assert mixed.crew.key == "mixed"
    assert Collector(CollectConfig(mix="expert,drop"), Path("nowhere")).crew.key == "expert,drop"


def test_shares_add_up_and_unknown_names_are_refused() -> None:
    assert sum(MIXES["mixed"].values()) == pytest.approx(1)
    assert pick(MIXES["mixed"], 0.0) == "expert"
    assert pick(MIXES["mixed"], 1 - 1e-9) == "play"
    with pytest.raises(ReverieError, match="did you mean 'mixed'"):
        CollectConfig(mix="mixd")
    with pytest.raises(ReverieError, match="unknown task"):
        CollectConfig(tasks=("puts",))
    with pytest.raises(ReverieError, match="tasks is empty"):
        CollectConfig(tasks=())


@pytest.mark.parametrize("seconds", [0.0, -1.0, 0.01, float("nan"), float("inf")])
def test_an_episode_has_at_least_one_step(seconds: float) -> None:
    with pytest.raises(ReverieError, match="at least one step"):
        CollectConfig(seconds=seconds)


def test_no_process_is_none(tmp_path: Path) -> None:
    with pytest.raises(ReverieError, match="processes is 0"):
        collect(SMALL, tmp_path / "data", processes=0)
