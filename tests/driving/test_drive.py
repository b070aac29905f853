"""Drives without a browser: from what a page sends to episodes on disk, and the verb's errors."""

import threading
import time
from contextlib import contextmanager
from dataclasses import replace

import numpy as np
import pytest

from reverie.cli.dream import open_world
from reverie.cli.main import main
from reverie.collection import CollectConfig, collect
from reverie.core import ReverieError
from reverie.core.fakes import FakeWorld, fake_scenes, tiny_episode
from reverie.data import open_cache, open_dataset, write_dataset
from reverie.driving import drive as driving
from reverie.driving.drive import Drive, DriveConfig
from reverie.driving.shelf import Shelf
from reverie.driving.take import Take
from reverie.evaluation.resolve import load_scenes
from reverie.pages import serving
from reverie.scenes.tasks import draw_scene
from reverie.sim import PhysicsWorld
from reverie.training.config import TrainerConfig
from reverie.training.dreaming import DreamingConfig
from reverie.training.fit import check_same_specs, fit_policy
from reverie.training.fit_world import WorldTraining, fit_world
from reverie.world_model.checkpoint import load_world
from reverie.world_model.network import UNetConfig
from tests.collection.tiny import save_world
from tests.training.tiny import recipe

FAST = DriveConfig(speed=1.0, time_scale=5.0)


@contextmanager
def driven(shelf=None, config=FAST, world=None):
    drive = Drive(world or FakeWorld(), fake_scenes(2), shelf, config)
    person = threading.Thread(target=drive.run)
    person.start()
    try:
        yield drive
    finally:
        drive.post(["press"], {"key": "q"})
        person.join(20)
    assert not person.is_alive()


def wait(drive, is_so):
    until = time.monotonic() + 20
    while not is_so(state := drive.get(["state"])):
        assert time.monotonic() < until, state
        time.sleep(0.01)
    return state


def test_time_begins_with_a_key_and_stands_still_when_paused_or_alone(monkeypatch):
    monkeypatch.setattr(driving, "AWAY_S", 0.3)
    with driven() as drive:
        time.sleep(0.2)
        assert drive.get(["state"])["time_s"] == 0
        drive.post(["hold"], {"keys": ["ArrowRight", "x"]})
        drive.get(["state"])
        wait(drive, lambda s: s["time_s"] > 0.5 and s["picture"] > 2)
        drive.post(["hold"], {"keys": []})
        drive.post(["press"], {"key": "p"})
        still = wait(drive, lambda s: s["state"] == "waiting")["time_s"]
        time.sleep(0.2)
        assert drive.get(["state"])["time_s"] == still
        drive.post(["press"], {"key": "p"})
        wait(drive, lambda s: s["state"] == "running" and s["time_s"] > still)
        time.sleep(0.8)  # no page asks
        alone = drive._shown["time_s"]
        time.sleep(0.2)
        assert drive._shown["time_s"] == alone


def test_what_was_driven_is_saved_as_it_was_shown(tmp_path):
    shelf = Shelf(tmp_path / "data", FakeWorld())
    with driven(shelf) as drive:
        drive.post(["press"], {"key": "Enter"})
        wait(drive, lambda s: "nothing was driven yet" in s["message"])
        for way in ("ArrowRight", "ArrowDown"):
            drive.post(["hold"], {"keys": [way]})
            wait(drive, lambda s: s["time_s"] >= 1)
            drive.post(["hold"], {"keys": []})
            if way == "ArrowDown":
                drive.post(["press"], {"key": " "})
                wait(drive, lambda s: s["gripper"] == "closed")
            drive.post(["press"], {"key": "Enter"})
            wait(drive, lambda s: "Saved as episode" in s["message"])
    found = list(open_dataset(shelf.finish()))
    assert [e.scene.id for e in found] == ["reach/test/0", "reach/test/1"]
    for episode, axis in zip(found, (1, 0), strict=True):
        assert episode.provenance["source"] == "person"
        assert (episode.provenance["world"], episode.provenance["split"]) == ("fake", "test")
        assert (episode.observation_spec, episode.action_spec) == (
            FakeWorld().observation_spec,
            FakeWorld().action_spec,
        )
        path = episode.observations.commanded[:, axis]
        assert path[-1] > path[0]
        assert episode.frame_steps[-1] == episode.n_steps
        world = FakeWorld()  # the same commands in the same scene show the same
        first = world.reset([episode.scene], [0])
        shown = world.step(episode.actions[None]).observations
        np.testing.assert_array_equal(episode.observations.images["front"][0], first.images["front"][0])
        np.testing.assert_array_equal(episode.observations.images["front"][1:], shown.images["front"][0])
    assert found[1].actions[-1, 2] == 0


def test_a_killed_session_goes_on_with_what_was_saved(tmp_path):
    world, episode = FakeWorld(), tiny_episode()
    Shelf(tmp_path / "data", world).save(episode)
    with pytest.raises(ReverieError, match="another request"):
        Shelf(tmp_path / "data", FakeWorld(noise=0.1))
    again = Shelf(tmp_path / "data", world)
    assert (again.n_saved, again.save(episode)) == (1, 1)
    assert len(open_dataset(again.finish())) == 2


def test_nothing_saved_leaves_nothing(tmp_path):
    assert Shelf(tmp_path / "data", FakeWorld()).finish() is None
    assert list(tmp_path.iterdir()) == []


def test_a_drive_has_an_end(tmp_path):
    with driven(config=replace(FAST, limit_s=0.6)) as drive:
        drive.post(["hold"], {"keys": ["ArrowRight"]})
        assert "6 steps" in wait(drive, lambda s: s["state"] == "over")["message"]
        drive.post(["press"], {"key": "Enter"})
        wait(drive, lambda s: "--out" in s["message"])
        drive.post(["hold"], {"keys": []})
        drive.post(["press"], {"key": "n"})
        assert wait(drive, lambda s: s["time_s"] == 0)["place"] == "scene 2 of 2"


@pytest.mark.parametrize(("rest", "value"), [(["hold"], {}), (["hold"], {"keys": [1]}), (["press"], {"key": "z"}), (["press"], {})])  # fmt: skip
def test_what_no_page_sends_is_refused(rest, value):
    with driven() as drive, pytest.raises(ReverieError, match="found"):
        drive.post(rest, value)


def take(world, scene, keys=("ArrowDown", "s"), n_steps=11):
    driven = Take(world, scene, speed=0.5)
    for _ in range(n_steps):
        driven.step(keys)
    return driven


def test_episodes_of_physics_and_of_a_video_world_train_like_collected_ones(tmp_path):
    """The same specs as collected data, and a policy learns from them."""
    scene = draw_scene("put", "train", 3)
    collected = open_cache(collect(CollectConfig(1, mix="expert", seconds=0.4), tmp_path / "collected"))
    dreamt = load_world(save_world(tmp_path / "world")).world(PhysicsWorld())
    for name, world in (("physics", PhysicsWorld(depth=True)), ("video", dreamt)):
        driven = take(world, scene)
        assert len(driven.lines) >= 3
        root = write_dataset(tmp_path / name, [driven.episode()] * 2, robot_type="panda")
        assert main(["data", "show", str(root)]) == 0
        cache = open_cache(root)
        check_same_specs(collected, cache)
        assert cache.episodes[0].n_actions == 10
        assert cache.episodes[0].success is (False if name == "physics" else None)
        if name == "physics":
            assert cache.observation_spec == collected.observation_spec
    learning = recipe(16, state_every=0)
    learning = replace(learning, cloning=replace(learning.cloning, sources=("person",)))
    assert fit_policy(cache, learning, tmp_path / "policy", quiet=True) is not None


def test_a_video_world_of_logs_is_driven_from_its_first_frames(tmp_path):
    """No physics anywhere: a world of a robot that is known by its commands alone."""
    takes = [replace(tiny_episode(6), scene=None) for _ in range(2)]
    root = write_dataset(tmp_path / "logs", takes)
    small = UNetConfig(channels=(8, 16, 16, 16), condition_dim=16, n_heads=2)
    trainer = TrainerConfig(
        samples=4, batch_size=2, precision="float32", state_every=0, validate_every=0, warmup_samples=2
    )
    fit_world(open_cache(root), tmp_path / "world", WorldTraining(trainer, DreamingConfig(length=2), small), quiet=True)
    world, scenes = open_world(str(tmp_path / "world"), f"recorded:{root}"), load_scenes(f"recorded:{root}")
    driven = take(world, scenes[1], ("ArrowRight",), 6)
    np.testing.assert_array_equal(
        driven.episode().observations.images["front"][0], takes[1].observations.images["front"][0]
    )
    assert (driven.episode().n_steps, driven.episode().n_frames) == (6, 4)


def test_errors_of_the_verb(tmp_path, capsys):
    world = "fake:FakeWorld"
    assert main(["dream", "nowhere"]) == 2
    assert "unknown world 'nowhere'" in capsys.readouterr().err
    assert main(["dream", world, "--scenes", "fake:1", "--speed", "2"]) == 2
    assert "speed is 2" in capsys.readouterr().err
    other = write_dataset(tmp_path / "other", [tiny_episode()])
    assert main(["dream", world, "--scenes", "fake:1", "--out", str(other)]) == 2
    assert "already holds a data set" in capsys.readouterr().err
    with serving({}) as url:
        port = url.rpartition(":")[2]
        out = tmp_path / "new"
        assert main(["dream", world, "--scenes", "fake:1", "--out", str(out), "--port", port]) == 2
    assert f"--port {port}" in capsys.readouterr().err
    assert sorted(p.name for p in tmp_path.iterdir()) == ["other"]
