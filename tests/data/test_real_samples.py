"""The importers, proven on real robot data: Bridge (RLDS) and two layouts of DROID."""

import json
import shutil
from collections import Counter

import numpy as np
import pytest

from reverie.core import ReverieError
from reverie.data import open_dataset
from reverie.data.droid import read_droid
from reverie.data.importers import IMPORTERS, import_dataset
from reverie.data.rlds import read_rlds


@pytest.fixture(scope="module")
def bridge(shared_data):
    return list(read_rlds(shared_data / "bridge_rlds/1.0.0"))


@pytest.fixture(scope="module")
def new_setup(shared_data):
    return list(read_droid(shared_data / "droid/droid_new_setup"))


def test_bridge_episodes(bridge):
    assert [(e.n_frames, e.n_steps) for e in bridge] == [(10, 10)] * 25
    assert sorted(Counter(e.instruction for e in bridge).values()) == [5, 6, 6, 8]
    assert {e.success for e in bridge} == {None}  # not labelled, so not failures
    assert {e.observation_spec.camera_names for e in bridge} == {("image_0", "image_1", "image_2")}  # image_3 is black
    assert bridge[0].action_spec.control_hz == 5
    assert bridge[0].provenance["horizon_s"] == 2.0


def test_bridge_actions_have_the_documented_statistics(bridge):
    actions = np.concatenate([e.actions for e in bridge])
    np.testing.assert_allclose(
        actions.mean(axis=0), [0.0016, -0.0010, -0.0029, -0.0099, -0.0048, -0.0053, 0.739], atol=6e-4
    )
    np.testing.assert_allclose(actions.std(axis=0), [0.0057, 0.0056, 0.0083, 0.0363, 0.0288, 0.0363, 0.434], atol=6e-4)


def test_bridge_actions_move_the_state_as_the_spec_says(bridge):
    """Deltas in the frame and units of the state: the slope of measured on commanded motion is near 1, its sign right."""
    moved = np.concatenate([np.diff(e.observations.measured, axis=0)[:, :6] for e in bridge])
    asked = np.concatenate([e.actions[:-1, :6] for e in bridge])
    for i in range(6):
        assert np.corrcoef(moved[:, i], asked[:, i])[0, 1] > 0.7
        assert 0.6 < np.polyfit(asked[:, i], moved[:, i], 1)[0] < 1.1


def test_bridge_truncated(shared_data, tmp_path):
    src = shutil.copytree(shared_data / "bridge_rlds/1.0.0", tmp_path / "1.0.0", copy_function=shutil.copyfile)
    src.chmod(0o755)
    path = next(src.glob("*.tfrecord-*"))
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])
    with pytest.raises(ReverieError, match=f"{path.name}, record .*truncated"):
        list(read_rlds(src))


def test_an_rlds_data_set_without_a_known_convention(shared_data, tmp_path):
    src = tmp_path / "1.0.0"
    src.mkdir()
    shutil.copyfile(shared_data / "bridge_rlds/1.0.0/features.json", src / "features.json")
    (src / "dataset_info.json").write_text(json.dumps({"name": "bridge_datazet", "splits": []}))
    with pytest.raises(ReverieError, match=r"unknown RLDS data set .*did you mean 'bridge_dataset'"):
        read_rlds(src)


def test_droid_new_setup(new_setup):
    assert len(new_setup) == 13
    for e in new_setup:
        assert e.n_frames == e.n_steps + 1
        assert e.success is True
        np.testing.assert_array_equal(e.actions, e.observations.measured[1:])  # action t is the state at t + 1
        assert (e.action_spec.control_hz, e.observation_spec.frame_every) == (5, 1)
        assert e.action_spec.gripper == "closed0_open1"
        assert e.actions[:, 6].min() >= 0
        assert e.observations.measured[0, 6] > 0.99  # every take begins with an open gripper


def test_droid_new_setup_holds_second_takes_out(new_setup):
    by_split = {s: [e.instruction for e in new_setup if e.provenance["split"] == s] for s in ("train", "val")}
    assert len(by_split["val"]) == 6
    assert set(by_split["val"]) < set(by_split["train"])
    assert len(set(by_split["train"])) == len(by_split["train"]) == 7


def test_droid_subset(shared_data):
    episodes = read_droid(shared_data / "droid/droid_subset")
    first = next(episodes)
    assert (first.n_frames, first.n_steps) == (56, 167)
    np.testing.assert_array_equal(first.frame_steps, np.arange(56) * 3)
    assert (first.action_spec.control_hz, first.observation_spec.frame_every) == (15, 3)
    assert (first.instruction, first.success) == ("", True)
    assert "split" not in first.provenance
    # it holds something in the middle: closed is low, and the commanded opening is below the measured one
    commanded, measured = first.observations.commanded[:, 6], first.observations.measured[:, 6]
    assert measured[40] == pytest.approx(1 - 0.6476, abs=1e-3)
    assert commanded[40] == pytest.approx(1 - 0.8797, abs=5e-3)
    np.testing.assert_array_equal(first.observations.commanded[1:], first.actions[first.frame_steps[1:] - 1])


def test_droid_subset_at_the_rate_of_its_videos(shared_data):
    native, slow = (next(iter(read_droid(shared_data / "droid/droid_subset", hz))) for hz in (15, 5))
    assert (slow.n_frames, slow.n_steps, slow.observation_spec.frame_every) == (56, 55, 1)
    np.testing.assert_array_equal(slow.observations.commanded, native.observations.commanded)
    np.testing.assert_array_equal(slow.actions, native.observations.commanded[1:])


def test_droid_truncated_video(shared_data, tmp_path):
    src = tmp_path / "droid_new_setup"
    for name in ("annotation/val/0006.json", *(f"videos/val/0006/{c}.mp4" for c in range(3))):
        (src / name).parent.mkdir(parents=True, exist_ok=True)
        content = (shared_data / "droid/droid_new_setup" / name).read_bytes()
        (src / name).write_bytes(content[: len(content) // 2] if name.endswith("1.mp4") else content)
    with pytest.raises(ReverieError, match=r"0006/1.mp4: found .*truncated"):
        list(read_droid(src))
    with pytest.raises(ReverieError, match="expected 5 "):
        read_droid(src, 15)


def test_import_and_read_back(shared_data, tmp_path, assert_same_episode, bridge):
    import_dataset("rlds", shared_data / "bridge_rlds", tmp_path / "bridge")
    dataset = open_dataset(tmp_path / "bridge")
    assert dataset.info.robot_type == "bridge_dataset"
    for found, wanted in zip(dataset, bridge, strict=True):
        assert_same_episode(found, wanted)
    again = import_dataset("lerobot", tmp_path / "bridge", tmp_path / "copy")
    assert_same_episode(open_dataset(again).episode(3), bridge[3])


def test_unknown_importer(tmp_path):
    with pytest.raises(ReverieError, match="unknown importer 'rdls'; did you mean 'rlds'"):
        import_dataset("rdls", tmp_path, tmp_path / "out")


@pytest.mark.parametrize("name", sorted(IMPORTERS))
def test_an_empty_folder_is_no_data_set(name, tmp_path):
    with pytest.raises(ReverieError, match="found no"):
        import_dataset(name, tmp_path, tmp_path / "out")
