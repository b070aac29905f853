"""An episode that is written comes back exactly, whatever it holds."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from reverie.core import CameraSpec, Event, Observations, ObservationSpec, ReverieError, Scene
from reverie.core.fakes import tiny_episode
from reverie.data import EpisodeStager, compact, open_dataset, write_dataset
from reverie.data.video import VideoOptions


def test_three_episodes_come_back(tmp_path, make_episode, assert_same_episode):
    episodes = [make_episode(i, n_actions=8 + i, success=s) for i, s in enumerate([True, False, None])]
    dataset = open_dataset(write_dataset(tmp_path / "d", episodes, robot_type="panda"))
    assert len(dataset) == 3
    assert dataset.info.robot_type == "panda"
    assert not dataset.specs_deduced
    for found, wanted in zip(dataset, episodes, strict=True):
        assert_same_episode(found, wanted)


def test_the_fake_worlds_episode(tmp_path, assert_same_episode):
    wanted = tiny_episode()
    assert_same_episode(open_dataset(write_dataset(tmp_path / "d", [wanted])).episode(0), wanted)


def test_without_images_only_the_pictures_are_left_out(tmp_path, make_episode):
    wanted = make_episode()
    found = open_dataset(write_dataset(tmp_path / "d", [wanted])).episode(0, images=False, depth=False)
    assert not found.observations.images
    assert set(found.observations.extras) == {"object_poses", "contact", "force_n"}
    np.testing.assert_array_equal(found.observations.measured, wanted.observations.measured)


def test_other_numbers_of_objects_come_back(tmp_path, make_episode, assert_same_episode):
    episodes = [make_episode(i, n_objects=n) for i, n in enumerate([2, 0, 4])]
    for found, wanted in zip(open_dataset(write_dataset(tmp_path / "d", episodes)), episodes, strict=True):
        assert_same_episode(found, wanted)


def test_frames_may_begin_late_and_actions_may_be_absent(tmp_path, make_episode, assert_same_episode):
    whole = make_episode(n_actions=9)
    late = replace(whole, frame_steps=np.array([2, 3, 5, 8, 9]))
    still = replace(make_episode(n_actions=0), success=None, success_time_s=None)
    dataset = open_dataset(write_dataset(tmp_path / "d", [late, still]))
    assert_same_episode(dataset.episode(0), late)
    assert_same_episode(dataset.episode(1), still)


_DTYPES = ["float16", "float32", "float64", "int8", "uint8", "int16", "uint16", "int32", "int64", "uint64", "bool"]


@st.composite
def episodes(draw, make_episode):
    n_frames = draw(st.integers(1, 4))
    steps = np.cumsum([draw(st.integers(0, 2)), *(draw(st.integers(1, 3)) for _ in range(n_frames - 1))])
    base = make_episode(n_actions=int(steps[-1]) + draw(st.integers(0, 2)), frame_every=1)
    extras = {
        name: draw(
            hnp.arrays(
                draw(st.sampled_from(_DTYPES)), (n_frames, *draw(hnp.array_shapes(min_dims=0, max_dims=5, max_side=3)))
            )
        )
        for name in draw(st.lists(st.sampled_from(["a", "b.c", "depth.top", "time"]), unique=True))
    }
    cameras = {
        c: (draw(st.integers(1, 5)), draw(st.integers(1, 5))) for c in draw(st.sets(st.sampled_from(["l", "r"])))
    }
    text = draw(st.text(max_size=8))
    return replace(
        base,
        observations=Observations(
            images={c: draw(hnp.arrays(np.uint8, (n_frames, *size, 3))) for c, size in cameras.items()},
            time_s=draw(hnp.arrays(np.float64, n_frames, elements=st.floats(allow_nan=False))),
            instructions=draw(st.sampled_from([(), (text,) * n_frames, ("x", *(text,) * (n_frames - 1))])),
            commanded=draw(st.sampled_from([None, base.observations.commanded[:n_frames]])),
            measured=draw(st.sampled_from([None, base.observations.measured[:n_frames]])),
            extras=extras,
        ),
        frame_steps=steps,
        observation_spec=ObservationSpec(
            tuple(CameraSpec(c, *size) for c, size in cameras.items()), extras=tuple(extras)
        ),
        instruction=text,
        success=draw(st.sampled_from([True, False, None])),
        success_time_s=draw(st.sampled_from([None, 0.1 + 0.2])),
        scene=draw(st.sampled_from([None, Scene("s", "t", text)])),
        events=tuple(Event(n, 0.5) for n in draw(st.lists(st.text(max_size=3), max_size=2))),
        provenance=draw(
            st.dictionaries(st.text(max_size=3), st.none() | st.integers() | st.text(max_size=3), max_size=2)
        ),
    )


@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_any_episode_comes_back(tmp_path_factory, make_episode, assert_same_episode, data):
    wanted = data.draw(episodes(make_episode))
    found = open_dataset(write_dataset(tmp_path_factory.mktemp("any") / "d", [wanted])).episode(0)
    assert_same_episode(found, wanted)


@pytest.mark.parametrize("codec", ["libx264", "libsvtav1"])
def test_videos_of_several_episodes_in_one_file(tmp_path, make_episode, codec):
    """Smooth frames of 64 pixels: 40 dB with H.264 without chroma loss; AV1 here halves the chroma."""
    smooth = np.linspace(0, 200, 64 * 64 * 3).reshape(64, 64, 3)
    episodes = []
    for i in range(3):
        episode = make_episode(i, size=64, n_actions=9 + i, depth=False)
        images = {
            c: np.stack([np.roll(smooth, 5 * f + 3 * i, axis=0) for f in range(episode.n_frames)]).astype(np.uint8)
            for c in ("top", "side")
        }
        episodes.append(replace(episode, observations=replace(episode.observations, images=images)))
    dataset = open_dataset(write_dataset(tmp_path / "d", episodes, images="video", video=VideoOptions(codec)))
    assert dataset.info.features["observation.images.top"].dtype == "video"
    assert len(list((tmp_path / "d").rglob("*.mp4"))) == 2
    for i in (2, 0, 1):
        for camera, wanted in episodes[i].observations.images.items():
            error = dataset.episode(i).observations.images[camera].astype(float) - wanted
            decibel = 10 * np.log10(255**2 / (error**2).mean(axis=(1, 2, 3)))
            assert decibel.min() > (40 if codec == "libx264" else 25)


def without_extra(episode, name):
    extras = {k: v for k, v in episode.observations.extras.items() if k != name}
    return replace(episode, observations=replace(episode.observations, extras=extras))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda e: replace(e, action_spec=replace(e.action_spec, control_hz=5.0)), "specs differ.*control_hz"),
        (
            lambda e: replace(
                e,
                observations=replace(e.observations, measured=None),
                observation_spec=replace(e.observation_spec, measured=()),
            ),
            "observation.measured",
        ),
        (lambda e: without_extra(e, "contact"), "extras .'contact'. .*in both"),
        (
            lambda e: replace(
                e,
                observations=replace(
                    e.observations, extras=e.observations.extras | {"contact": np.zeros((5, 2), bool)}
                ),
            ),
            "'contact' is bool \\[2\\]",
        ),
    ],
)
def test_episodes_that_do_not_fit_together_are_named(tmp_path, make_episode, change, message):
    stager = EpisodeStager(tmp_path / "d")
    stager.stage(0, make_episode(0))
    stager.stage(7, change(make_episode(1)))
    with pytest.raises(ReverieError, match=f"episode_000007.*{message}"):
        compact(stager.folder, tmp_path / "d")
    assert stager.staged() == [0, 7]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            lambda e: replace(e, observation_spec=replace(e.observation_spec, commanded=("x",))),
            "commanded state: the spec names 1",
        ),
        (
            lambda e: replace(e, observation_spec=replace(e.observation_spec, cameras=(CameraSpec("top", 8, 8),))),
            "camera 'top': the spec says 8x8",
        ),
        (lambda e: replace(e, provenance={"path": object()}), "only JSON values"),
        (lambda e: replace(e, observations=replace(e.observations, extras={"a/b": np.zeros(5)})), "hold a '/'"),
        (
            lambda e: replace(e, observations=replace(e.observations, extras={"a": np.zeros((5, 1, 1, 1, 1, 1, 1))})),
            "more than 5 axes",
        ),
    ],
)
def test_what_cannot_be_stored_is_refused(tmp_path, make_episode, change, message):
    with pytest.raises(ReverieError, match=message):
        EpisodeStager(tmp_path / "d").stage(0, change(make_episode()))
