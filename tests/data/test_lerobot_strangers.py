"""Data sets that others wrote: LeRobotDataset v3.0 and v2.1, built here by hand from the format's description."""

import io
import json
from dataclasses import replace

import av
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image

from reverie.core import ActionSpec, CameraSpec, ObservationSpec, ReverieError
from reverie.data import open_cache, open_dataset
from reverie.data.importers import import_dataset

LENGTHS = (5, 7, 4)
ANSWERS = {
    "names": ["joint", "grip"],
    "units": ["rad", "1"],
    "modes": ["delta", "absolute"],
    "frame": "joint",
    "rotation": "none",
    "gripper": "closed0_open1",
}
TOLD = ActionSpec.from_dict({**ANSWERS, "control_hz": 20.0})
INDEX = {
    n: {"dtype": d, "shape": [1], "names": None}
    for n, d in [
        ("timestamp", "float32"),
        *((n, "int64") for n in ("frame_index", "episode_index", "index", "task_index")),
    ]
}
CAMERA = {"shape": [48, 64, 3], "names": ["height", "width", "channels"]}
FEATURES = {
    "observation.images.cam_high": {"dtype": "video", **CAMERA, "info": {"video.fps": 20}},
    "observation.image": {"dtype": "image", "shape": [3, 8, 12], "names": ["channels", "height", "width"]},
    "observation.state": {"dtype": "float32", "shape": [3], "names": {"motors": ["shoulder", "elbow", "gripper"]}},
    "observation.effort": {"dtype": "float32", "shape": [2, 2], "names": None},
    "action": {"dtype": "float32", "shape": [2], "names": None},
    "next.success": {"dtype": "bool", "shape": [1], "names": None},
    **INDEX,
}


def shade(episode, frame):
    return 20 + 60 * episode + 6 * frame


def png(value):
    buffer = io.BytesIO()
    Image.fromarray(np.full((8, 12, 3), value, np.uint8)).save(buffer, "PNG")
    return {"bytes": buffer.getvalue(), "path": "frame.png"}


def write_video(path, episodes):
    path.parent.mkdir(parents=True, exist_ok=True)
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=20, options={"crf": "5", "g": "4"})
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        for e in episodes:
            for f in range(LENGTHS[e]):
                image = np.full((48, 64, 3), shade(e, f), np.uint8)
                container.mux(stream.encode(av.VideoFrame.from_ndarray(image, format="rgb24")))
        container.mux(stream.encode(None))


def rows(episodes, start):
    """Columns of some episodes, one row per frame."""
    found = {name: [] for name in FEATURES if FEATURES[name]["dtype"] != "video"}
    for e in episodes:
        for f in range(LENGTHS[e]):
            found["observation.image"].append(png(shade(e, f)))
            found["observation.state"].append([e, f, 0.5])
            found["observation.effort"].append([[e, f], [1.0, 2.0]])
            found["action"].append([e / 10, f / 10])
            found["next.success"].append(e == 1 and f == LENGTHS[e] - 1)
            for name, value in zip(INDEX, (f / 20, f, e, start, e % 2), strict=True):
                found[name].append(value)
            start += 1
    types = {
        "observation.state": pa.list_(pa.float32(), 3),
        "action": pa.list_(pa.float32(), 2),
        "observation.effort": pa.list_(pa.list_(pa.float32())),
        "timestamp": pa.float32(),
    }
    return pa.table({k: pa.array(v, types.get(k)) for k, v in found.items()})


def info_of(version, data_path, video_path, features=FEATURES):
    return {
        "codebase_version": version,
        "fps": 20,
        "robot_type": "aloha",
        "total_episodes": 3,
        "total_frames": sum(LENGTHS),
        "total_tasks": 2,
        "chunks_size": 1000,
        "data_path": data_path,
        "video_path": video_path,
        "features": features,
        "unknown_key": 1,
    }


def write_v30(root, features=FEATURES):
    """All episodes in one row group and one video, as LeRobot may write them."""
    (root / "meta/episodes/chunk-000").mkdir(parents=True)
    (root / "data/chunk-000").mkdir(parents=True)
    info = info_of(
        "v3.0",
        "data/chunk-{chunk_index:03d}/file-{file_index:03d}.parquet",
        "videos/{video_key}/chunk-{chunk_index:03d}/file-{file_index:03d}.mp4",
        features,
    )
    (root / "meta/info.json").write_text(json.dumps(info))
    pq.write_table(
        rows(range(3), 0).select([k for k in features if features[k]["dtype"] != "video"]),
        root / "data/chunk-000/file-000.parquet",
    )
    pd.DataFrame({"task_index": [0, 1]}, index=["fold the towel", "close the lid"]).to_parquet(
        root / "meta/tasks.parquet"
    )
    write_video(root / "videos/observation.images.cam_high/chunk-000/file-000.mp4", range(3))
    ends = np.cumsum(LENGTHS)
    table = {
        "episode_index": [0, 1, 2],
        "tasks": [["fold the towel"], ["close the lid"], ["fold the towel"]],
        "length": list(LENGTHS),
        "dataset_from_index": list(ends - LENGTHS),
        "dataset_to_index": list(ends),
        "videos/observation.images.cam_high/from_timestamp": list((ends - LENGTHS) / 20),
        "videos/observation.images.cam_high/to_timestamp": list(ends / 20),
        "stats/action/mean": [[0.0, 0.0]] * 3,
    }
    table |= {
        f"{p}/{k}_index": [0] * 3
        for p in ("data", "meta/episodes", "videos/observation.images.cam_high")
        for k in ("chunk", "file")
    }
    pq.write_table(pa.table(table), root / "meta/episodes/chunk-000/file-000.parquet")
    return root


def write_v21(root):
    (root / "meta").mkdir(parents=True)
    info = info_of(
        "v2.1",
        "data/chunk-{episode_chunk:03d}/episode_{episode_index:06d}.parquet",
        "videos/chunk-{episode_chunk:03d}/{video_key}/episode_{episode_index:06d}.mp4",
    )
    (root / "meta/info.json").write_text(json.dumps(info))
    tasks = ["fold the towel", "close the lid"]
    (root / "meta/tasks.jsonl").write_text(
        "\n".join(json.dumps({"task_index": i, "task": t}) for i, t in enumerate(tasks))
    )
    lines = [json.dumps({"episode_index": e, "tasks": [tasks[e % 2]], "length": LENGTHS[e]}) for e in range(3)]
    (root / "meta/episodes.jsonl").write_text("\n".join(lines) + "\n")
    (root / "data/chunk-000").mkdir(parents=True)
    for e in range(3):
        pq.write_table(rows([e], sum(LENGTHS[:e])), root / f"data/chunk-000/episode_{e:06d}.parquet")
        write_video(root / f"videos/chunk-000/observation.images.cam_high/episode_{e:06d}.mp4", [e])
    return root


@pytest.mark.parametrize("write", [write_v30, write_v21])
def test_everything_is_read(tmp_path, write):
    dataset = open_dataset(write(tmp_path / "d"))
    assert dataset.specs_deduced
    assert dataset.observation_spec == ObservationSpec(
        cameras=(CameraSpec("cam_high", 48, 64), CameraSpec("image", 8, 12)),
        measured=("shoulder", "elbow", "gripper"),
        extras=("effort",),
    )
    assert dataset.action_spec.names == ("action_0", "action_1")
    assert dataset.action_spec.control_hz == 20
    for e in (2, 0, 1):
        episode = dataset.episode(e)
        assert episode.n_frames == episode.n_steps == LENGTHS[e]
        assert episode.instruction == ["fold the towel", "close the lid"][e % 2]
        assert episode.success is (e == 1)
        for f in range(LENGTHS[e]):
            assert (
                episode.observations.images["image"][f].max()
                == episode.observations.images["image"][f].min()
                == shade(e, f)
            )
            assert abs(episode.observations.images["cam_high"][f].astype(int) - shade(e, f)).max() <= 4
            assert episode.observations.measured[f].tolist() == [e, f, 0.5]
            assert episode.observations.extras["effort"][f, 0].tolist() == [e, f]
            assert episode.actions[f] == pytest.approx([e / 10, f / 10])
        np.testing.assert_allclose(episode.observations.time_s, np.arange(LENGTHS[e]) / 20, atol=1e-6)
        assert dataset.episode_info(e).success == episode.success


def test_absent_success_stays_unknown(tmp_path):
    features = {k: v for k, v in FEATURES.items() if k != "next.success"}
    dataset = open_dataset(write_v30(tmp_path / "d", features))
    assert [e.success for e in dataset] == [None] * 3
    assert dataset.episode_info(0).success is None


def specs_file(path, **answers):
    path.write_text(json.dumps({"action_spec": {**ANSWERS, **answers}}))
    return path


@pytest.mark.parametrize("write", [write_v30, write_v21])
def test_guesses_are_not_imported(tmp_path, write):
    with pytest.raises(
        ReverieError, match=r"guesses would pass for facts; give --specs FILE.*\"units\": \[\"\?\", \"\?\"\]"
    ):
        import_dataset("lerobot", write(tmp_path / "d"), tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_what_a_person_says_becomes_the_data_sets_own(tmp_path):
    import_dataset("lerobot", write_v30(tmp_path / "d"), tmp_path / "out", specs=specs_file(tmp_path / "s.json"))
    dataset = open_dataset(tmp_path / "out")
    assert not dataset.specs_deduced
    assert dataset.action_spec == TOLD
    assert dataset.observation_spec.camera_names == ("cam_high", "image")
    assert dataset.episode(1).success is True


@pytest.mark.parametrize(
    ("answers", "message"),
    [
        ({"modes": ["?", "?"]}, "s.json, action_spec: ActionSpec.modes is '\\?'"),
        ({"units": ["rad", "?"]}, "s.json, action_spec: units are .* expected one each"),
        ({"names": ["a"], "units": ["rad"], "modes": ["delta"]}, "1 numbers at 20 Hz, but info.json .* 2 at 20 Hz"),
        ({"control_hz": 10}, "2 numbers at 10 Hz"),
        ({"grip": "none"}, "'grip'; did you mean 'gripper'"),
    ],
)
def test_answers_that_cannot_be_are_refused(tmp_path, answers, message):
    with pytest.raises(ReverieError, match=message):
        import_dataset(
            "lerobot", write_v30(tmp_path / "d"), tmp_path / "out", specs=specs_file(tmp_path / "s.json", **answers)
        )


def test_a_specs_file_is_one(tmp_path):
    write_v30(tmp_path / "d")
    (tmp_path / "s.json").write_text("[]")
    with pytest.raises(ReverieError, match=r"s.json: found \[\], expected"):
        import_dataset("lerobot", tmp_path / "d", tmp_path / "out", specs=tmp_path / "s.json")
    with pytest.raises(ReverieError, match=r"no.json: found no such file"):
        import_dataset("lerobot", tmp_path / "d", tmp_path / "out", specs=tmp_path / "no.json")
    with pytest.raises(ReverieError, match="leave --specs out"):
        import_dataset("droid", tmp_path / "d", tmp_path / "out", specs=tmp_path / "s.json")


def test_true_specs_replace_the_deduced_ones(tmp_path):
    write_v30(tmp_path / "d")
    deduced = open_dataset(tmp_path / "d")
    dataset = open_dataset(tmp_path / "d", specs=(replace(deduced.observation_spec, extras=()), TOLD))
    assert not dataset.specs_deduced
    assert dataset.episode(0).action_spec == TOLD


def test_a_strangers_frames_can_be_cached(tmp_path):
    guesses = open_dataset(write_v30(tmp_path / "d"))
    with pytest.raises(ReverieError, match="nothing in it says what its actions mean"):
        open_cache(tmp_path / "d")
    cache = open_cache(tmp_path / "d", specs=(guesses.observation_spec, TOLD))
    assert cache.images["cam_high"].shape == (sum(LENGTHS), 48, 64, 3)
    assert cache.frame_offsets.tolist() == cache.action_offsets.tolist() == [0, 5, 12, 16]
    assert [e.success for e in cache.episodes] == [False, True, False]
