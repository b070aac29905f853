"""The frame cache holds what the episodes hold, is built once, and survives kills."""

import os
import signal
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest

from reverie.core import ReverieError
from reverie.data import open_cache, open_dataset, write_dataset


@pytest.fixture
def root(tmp_path, make_episode):
    return write_dataset(
        tmp_path / "d", [make_episode(i, n_actions=8 + i, success=s) for i, s in enumerate([True, None, False])]
    )


def check_cache(cache, root):
    dataset = open_dataset(root)
    assert cache.frame_offsets.tolist() == np.cumsum([0, *(e.n_frames for e in dataset)]).tolist()
    assert cache.action_offsets.tolist() == np.cumsum([0, *(e.n_steps for e in dataset)]).tolist()
    for e, episode in enumerate(dataset):
        rows = slice(cache.frame_offsets[e], cache.frame_offsets[e + 1])
        seen = episode.observations
        for camera, images in seen.images.items():
            np.testing.assert_array_equal(cache.images[camera][rows], images)
        wanted = {"time_s": seen.time_s, "commanded": seen.commanded, "measured": seen.measured, **seen.extras}
        for name, values in wanted.items():
            if not name.startswith("depth."):
                np.testing.assert_array_equal(cache.frames[name][rows], values)
        np.testing.assert_array_equal(cache.frame_steps[rows], episode.frame_steps)
        np.testing.assert_array_equal(
            cache.actions[cache.action_offsets[e] : cache.action_offsets[e + 1]], episode.actions
        )
        info = cache.episodes[e]
        assert (info.instruction, info.success, info.success_time_s) == (
            episode.instruction,
            episode.success,
            episode.success_time_s,
        )
        assert (info.scene, info.provenance, info.split) == (
            episode.scene,
            episode.provenance,
            episode.provenance["split"],
        )
    assert (cache.observation_spec, cache.action_spec) == (dataset.observation_spec, dataset.action_spec)


def test_it_holds_the_episodes(root):
    seen = []
    cache = open_cache(root, progress=lambda *counts: seen.append(counts))
    check_cache(cache, root)
    assert seen == [(1, 3), (2, 3), (3, 3)]
    assert isinstance(cache.images["top"], np.memmap)
    assert not any(name.startswith("depth.") for name in cache.frames)
    again = open_cache(root, progress=lambda *counts: pytest.fail("it was built again"))
    check_cache(again, root)


def test_depth_on_request(root):
    cache = open_cache(root, depth=True)
    depth = open_dataset(root).episode(0).observations.extras["depth.top"]
    np.testing.assert_array_equal(cache.frames["depth.top"][: len(depth)], depth)


def test_two_processes_build_the_same(root, tmp_path):
    one, two = open_cache(root), open_cache(root, tmp_path / "elsewhere", processes=2)
    check_cache(two, root)
    names = sorted(p.name for p in one.path.iterdir())
    assert names == sorted(p.name for p in two.path.iterdir())
    assert all((one.path / n).read_bytes() == (two.path / n).read_bytes() for n in names)


def test_scenes_with_fewer_objects_are_filled_with_nan(tmp_path, make_episode):
    root = write_dataset(tmp_path / "d", [make_episode(i, n_objects=n) for i, n in enumerate([2, 0, 4])])
    poses = open_cache(root).frames["object_poses"]
    assert poses.shape == (15, 4, 7)
    for e, n in enumerate([2, 0, 4]):
        of_episode = poses[5 * e : 5 * e + 5]
        assert np.isfinite(of_episode[:, :n]).all()
        assert np.isnan(of_episode[:, n:]).all()


def test_no_object_and_no_action_at_all(tmp_path, make_episode):
    root = write_dataset(tmp_path / "d", [make_episode(i, n_objects=0, n_actions=0) for i in range(2)])
    cache = open_cache(root)
    assert cache.frames["object_poses"].shape == (2, 0, 7)
    assert cache.actions.shape == (0, 3)


def test_other_content_is_another_cache(root, tmp_path, make_episode):
    first = open_cache(root, tmp_path / "c").path
    copy = open_dataset(root)
    other = write_dataset(
        tmp_path / "e", [replace(copy.episode(0), actions=-copy.episode(0).actions), copy.episode(1), copy.episode(2)]
    )
    assert open_cache(other, tmp_path / "c").path != first


def test_a_name_that_the_cache_keeps_is_refused(tmp_path, make_episode):
    episode = make_episode()
    episode.observations.extras["measured"] = episode.observations.extras.pop("contact")
    with pytest.raises(ReverieError, match="extras named"):
        open_cache(write_dataset(tmp_path / "d", [episode]))


BUILD = """
import sys, time
from reverie.data import open_cache
open_cache(sys.argv[1], progress=lambda *c: (print(c, flush=True), time.sleep(0.2)))
"""


def test_killed_while_building(root):
    process = subprocess.Popen([sys.executable, "-c", BUILD, str(root)], stdout=subprocess.PIPE, text=True)
    assert process.stdout.readline()
    process.send_signal(signal.SIGKILL)
    process.communicate()
    assert [n for n in os.listdir(f"{root}.cache") if not n.startswith(".")] == []
    cache = open_cache(root)
    check_cache(cache, root)
    assert os.listdir(f"{root}.cache") == [cache.path.name]
