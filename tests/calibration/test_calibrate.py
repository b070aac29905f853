"""`reverie data calibrate` on episodes of the tabletop, whose cameras are known: from joints, clicks and a robot's file alone."""

import json
import pickle
from dataclasses import replace

import numpy as np
import pytest

from reverie.calibration.calibration import MATRICES
from reverie.cli.main import main
from reverie.collection import CollectConfig, collect
from reverie.core import Episode
from reverie.data import open_cache, open_dataset, write_dataset
from reverie.data.calibration import FILE
from reverie.data.clicks import spread_frames
from reverie.embodiments import panda
from reverie.embodiments.cameras import project
from reverie.report.overlay import overlay
from tests.calibration.arms import write_mjcf, write_urdf

STILL = ("front", "side", "top")
JOINTS = tuple(f"q{i}" for i in range(1, 8))
THEORY_PX = np.sqrt(2 * 7 / 24) * 12**-0.5
"""Of reprojection after twelve clicks on whole pixels, see test_fitting.py."""


def stranger(episode: Episode) -> Episode:
    """What a real robot's log has: pictures, joints and a pose, no calibration."""
    spec = replace(episode.observation_spec, extras=())
    return replace(episode, observations=replace(episode.observations, extras={}), observation_spec=spec, scene=None)


@pytest.fixture(scope="module")
def played(tmp_path_factory):
    """Episodes with the truth."""
    root = tmp_path_factory.mktemp("played") / "data"
    return list(open_dataset(collect(CollectConfig(4, mix="play", seconds=6, depth=False), root)))


@pytest.fixture(scope="module")
def clicks(played):
    """Twelve whole pixels a camera, of frames that are spread over the joints."""
    found = []
    order = spread_frames([e.observations.measured[:, 8:].astype(float) for e in played], 48)
    for camera in STILL:
        mine = [(e, f, seen) for e, f in order if (seen := true_pixel(played[e], f, camera)) is not None][:12]
        found += [{"camera": camera, "episode": e, "frame": f, "u": int(u), "v": int(v)} for e, f, (u, v) in mine]
    return found


def true_pixel(episode, frame, camera):
    index = list(episode.observations.images).index(camera)
    matrix = episode.observations.extras[MATRICES][frame, index].astype(float)
    pixel, _ = project(matrix, episode.observations.measured[frame, :3].astype(float))
    return pixel.round() if ((pixel > 0) & (pixel < 63)).all() else None


@pytest.fixture
def logs(played, tmp_path):
    return write_dataset(tmp_path / "logs", [stranger(e) for e in played], robot_type="arm")


def written(path, clicks, **more):
    path.write_text(json.dumps({"v": 1, "clicks": clicks, **more}))
    return path


def calibrate(root, robot, link, clicks, *more):
    return main(["data", "calibrate", str(root), "--robot", str(robot), "--link", link, "--clicks", str(clicks), *more])


@pytest.mark.parametrize(("write", "link"), [(write_mjcf, "tcp"), (write_urdf, "tip")])
def test_cameras_are_found_and_kept(logs, played, clicks, tmp_path, capsys, write, link):
    robot = write(tmp_path / ("arm.urdf" if write is write_urdf else "arm.xml"))
    plain = open_cache(logs).path
    assert calibrate(logs, robot, link, written(tmp_path / "clicks.json", clicks), "--joints", *JOINTS) == 0
    said = capsys.readouterr().out
    assert "n = 12" in said
    assert "not clicked: wrist" in said
    assert (tmp_path / "clicks.png").stat().st_size > 10_000
    dataset = pickle.loads(pickle.dumps(open_dataset(logs)))
    errors = {camera: [] for camera in STILL}
    for episode, truth in zip(dataset, played, strict=True):
        found, told = episode.observations.extras[MATRICES], truth.observations.extras[MATRICES]
        assert found.shape == told.shape
        assert np.isnan(found[:, 3]).all()
        for i, camera in enumerate(STILL):
            hands = truth.observations.measured[:, :3].astype(float)
            seen, _ = project(found[:, i].astype(float), hands)
            wanted, _ = project(told[:, i].astype(float), hands)
            inside = ((wanted > 0) & (wanted < 63)).all(1)
            errors[camera] += np.linalg.norm(seen - wanted, axis=1)[inside].tolist()
    for camera, found in errors.items():
        assert np.sqrt(np.mean(np.square(found))) < 2 * THEORY_PX, camera
    stored = {c["name"]: c for c in json.loads((logs / FILE).read_text())["cameras"]}
    for camera in panda.CAMERAS[:3]:
        place = np.array(stored[camera.name]["pose"])[:3, 3]
        known_m = stored[camera.name]["about"]["position_sd_m"]
        assert np.linalg.norm(place - camera.position) < 3 * known_m < 0.3
    drawn = overlay(dataset.episode(0))  # the report's lines, where the hand was told to be
    assert drawn is not None
    assert sum(map(len, drawn)) > 0
    again = open_cache(logs)
    assert again.path != plain
    assert again.frames[MATRICES].shape[1:] == (4, 3, 4)


def test_a_camera_that_was_not_clicked_again_stays(logs, clicks, tmp_path):
    robot = write_urdf(tmp_path / "arm.urdf")
    for name in ("front", "side"):
        mine = written(tmp_path / "clicks.json", [c for c in clicks if c["camera"] == name])
        assert calibrate(logs, robot, "tip", mine, "--joints", *JOINTS) == 0
    assert {c["name"] for c in json.loads((logs / FILE).read_text())["cameras"]} == {"front", "side"}


def test_what_is_wrong_is_said(logs, clicks, tmp_path, capsys):
    robot, good = write_urdf(tmp_path / "arm.urdf"), written(tmp_path / "clicks.json", clicks)

    def refused(*arguments):
        assert calibrate(*arguments) == 2
        return capsys.readouterr().err

    assert "no numbers joint1, joint2" in refused(logs, robot, "tip", good)
    assert "q1, q2" in refused(logs, robot, "tip", good)  # what there is
    assert "found 6" in refused(logs, robot, "tip", good, "--joints", *JOINTS[:6])
    assert "did you mean 'tip'" in refused(logs, robot, "tipp", good, "--joints", *JOINTS)
    assert "px off the best camera" in refused(logs, robot, "tip", good, "--joints", *reversed(JOINTS))
    few = written(tmp_path / "few.json", clicks[:4])
    assert "found 4 clicks, expected at least 6" in refused(logs, robot, "tip", few, "--joints", *JOINTS)
    one = written(tmp_path / "one.json", clicks[:1] * 12)
    assert "in one place" in refused(logs, robot, "tip", one, "--joints", *JOINTS)
    for entry, words in (({"u": 70}, "at (70"), ({"episode": 9}, "episode 9"), ({"camera": "rear"}, "rear"), ({"v": "x"}, "click 0")):  # fmt: skip
        odd = written(tmp_path / "odd.json", [{**clicks[0], **entry}])
        assert words in refused(logs, robot, "tip", odd, "--joints", *JOINTS)
    assert "found no such file" in refused(logs, robot, "tip", tmp_path / "none.json", "--joints", *JOINTS)
    wide = written(tmp_path / "wide.json", clicks, cameras={"front": {"focal_px": "90"}})
    assert "focal_px (> 0)" in refused(logs, robot, "tip", wide, "--joints", *JOINTS)
    strange = written(tmp_path / "strange.json", clicks, cameras={"front": {"focal": 90}})
    assert "focal_px" in refused(logs, robot, "tip", strange, "--joints", *JOINTS)
    assert not (logs / FILE).exists()


def test_joints_in_degrees_and_in_an_extra(played, clicks, tmp_path):
    """As arms log them that have no names: one table, in degrees."""

    def logged(episode):
        joints = np.rad2deg(episode.observations.measured[:, 8:]).astype(np.float32)
        plain = stranger(episode)
        spec = replace(plain.observation_spec, measured=(), extras=("arm",))
        return replace(plain, observations=replace(plain.observations, measured=None, extras={"arm": joints}), observation_spec=spec)  # fmt: skip

    root = write_dataset(tmp_path / "logs", [logged(e) for e in played])
    robot, good = write_mjcf(tmp_path / "arm.xml"), written(tmp_path / "clicks.json", clicks)
    assert calibrate(root, robot, "tcp", good, "--joints", "arm", "--degrees") == 0


def test_a_camera_on_the_hand_is_known_in_every_frame(logs, played, tmp_path, capsys):
    """It saw a spot on the table; its link's joints are read when the data are read."""
    spot, wrist, spots = np.array([0.45, 0.0, 0.0]), 3, []
    for e, episode in enumerate(played):
        pixels, depth = project(episode.observations.extras[MATRICES][:, wrist].astype(float), np.tile(spot, (episode.n_frames, 1)))  # fmt: skip
        inside = np.flatnonzero(((pixels > 0) & (pixels < 63)).all(1) & (depth > 0))
        spots += [{"camera": "wrist", "episode": e, "frame": int(f), "u": float(pixels[f, 0]), "v": float(pixels[f, 1])} for f in inside]  # fmt: skip
    mine = written(tmp_path / "clicks.json", spots[:: max(1, len(spots) // 16)], cameras={"wrist": {"on": "tip"}})
    assert calibrate(logs, write_urdf(tmp_path / "arm.urdf"), "tip", mine, "--joints", *JOINTS) == 0
    assert "the hand is tilted otherwise" in capsys.readouterr().out  # this hand turned about one axis only
    (stored,) = json.loads((logs / FILE).read_text())["cameras"]
    thing, errors = np.array(stored["about"]["seen_m"]), []
    for e, episode in enumerate(open_dataset(logs)):
        found = episode.observations.extras[MATRICES]
        assert np.isfinite(found[:, wrist]).all()
        assert np.isnan(found[:, :wrist]).all()
        seen, _ = project(found[:, wrist].astype(float), np.tile(thing, (episode.n_frames, 1)))
        errors += [
            np.hypot(seen[c["frame"], 0] - c["u"], seen[c["frame"], 1] - c["v"]) for c in spots if c["episode"] == e
        ]
    assert max(errors) < 0.6
