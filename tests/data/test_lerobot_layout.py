"""What is written is a LeRobotDataset v3.0 for readers that know nothing of us: the files as the format describes them."""

import json

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from reverie.data import EpisodeStager, compact, open_dataset, write_dataset
from reverie.data.pixels import decode_rgb


@pytest.fixture(scope="module")
def written(tmp_path_factory, make_episode):
    episodes = [make_episode(i, n_actions=8 + i, success=s) for i, s in enumerate([True, False, None])]
    return write_dataset(tmp_path_factory.mktemp("layout") / "d", episodes, robot_type="panda"), episodes


def test_info(written):
    info = json.loads((written[0] / "meta/info.json").read_text())
    assert (info["codebase_version"], info["fps"], info["robot_type"]) == ("v3.0", 10, "panda")
    assert (info["total_episodes"], info["total_frames"], info["total_tasks"]) == (3, 9 + 10 + 11, 2)
    assert info["splits"] == {"train": "0:3"}
    assert info["video_path"] is None
    assert info["features"]["observation.images.top"]["shape"] == [16, 16, 3]
    assert info["features"]["observation.extras.depth.top"]["info"]["is_depth_map"] is True
    assert set(info) - {"reverie"} == {
        *("codebase_version", "fps", "robot_type", "total_episodes", "total_frames", "total_tasks", "chunks_size"),
        *("data_files_size_in_mb", "video_files_size_in_mb", "data_path", "video_path", "splits", "features"),
    }


def test_data_columns_are_the_features_with_their_types(written):
    info = json.loads((written[0] / "meta/info.json").read_text())
    file = pq.ParquetFile(written[0] / "data/chunk-000/file-000.parquet")
    assert set(file.schema_arrow.names) == set(info["features"])
    assert file.num_row_groups == 3
    schema = file.schema_arrow
    assert schema.field("action").type == pa.list_(pa.float32(), 3)
    assert schema.field("timestamp").type == pa.float32()
    assert schema.field("observation.extras.object_poses").type == pa.list_(pa.list_(pa.float32()))
    assert schema.field("observation.images.top").type == pa.struct([("bytes", pa.binary()), ("path", pa.string())])
    known = json.loads(schema.metadata[b"huggingface"])["info"]["features"]
    assert known["observation.images.top"] == {"_type": "Image"}
    assert known["observation.extras.object_poses"] == {"shape": [2, 7], "dtype": "float32", "_type": "Array2D"}


def test_rows(written):
    root, episodes = written
    table = pq.read_table(root / "data/chunk-000/file-000.parquet")
    assert table["index"].to_pylist() == list(range(30))
    assert table["frame_index"].to_pylist() == [*range(9), *range(10), *range(11)]
    assert table["episode_index"].to_pylist() == [0] * 9 + [1] * 10 + [2] * 11
    np.testing.assert_allclose(table["timestamp"].to_numpy(), np.array(table["frame_index"]) / 10, atol=1e-6)
    assert table["frame_age"].to_pylist()[9:19] == [0, 1] * 5
    assert table["action_valid"].to_pylist()[:9] == [True] * 8 + [False]
    np.testing.assert_array_equal(np.array(table["action"].to_pylist()[7:9]), episodes[0].actions[[7, 7]])
    assert table["success"].to_pylist() == [0] * 3 + [1] * 6 + [0] * 10 + [-1] * 11  # from 0.3 s, never, unknown
    np.testing.assert_array_equal(table["observation.state"].to_pylist(), table["observation.measured"].to_pylist())
    cells = table["observation.images.top"].to_pylist()
    for row in range(9):
        shown = decode_rgb(cells[row]["bytes"], "")
        np.testing.assert_array_equal(shown, episodes[0].observations.images["top"][row // 2])


def test_tasks_are_a_pandas_frame_indexed_by_text(written):
    root, episodes = written
    tasks = pd.read_parquet(root / "meta/tasks.parquet")
    assert list(tasks.columns) == ["task_index"]
    table = pq.read_table(root / "data/chunk-000/file-000.parquet", columns=["task_index", "episode_index"]).to_pylist()
    for row in table:
        assert tasks.iloc[row["task_index"]].name == episodes[row["episode_index"]].instruction


def test_episodes_table(written):
    rows = pq.read_table(written[0] / "meta/episodes/chunk-000/file-000.parquet").to_pylist()
    assert [(r["dataset_from_index"], r["dataset_to_index"], r["length"]) for r in rows] == [
        (0, 9, 9),
        (9, 19, 10),
        (19, 30, 11),
    ]
    assert [r["tasks"] for r in rows] == [[e.instruction] for e in written[1]]
    assert {(r["data/chunk_index"], r["data/file_index"], r["meta/episodes/file_index"]) for r in rows} == {(0, 0, 0)}
    assert [r["reverie/success"] for r in rows] == [True, False, None]
    assert np.shape(rows[0]["stats/observation.images.top/mean"]) == (3, 1, 1)


def test_statistics_are_those_of_all_rows(written):
    root, episodes = written
    stats = json.loads((root / "meta/stats.json").read_text())
    actions = np.concatenate([e.actions for e in episodes]).astype(np.float64)
    found = {k: np.array(v) for k, v in stats["action"].items()}
    assert found["count"].tolist() == [len(actions)]
    np.testing.assert_allclose(found["mean"], actions.mean(axis=0))
    np.testing.assert_allclose(found["std"], actions.std(axis=0))
    np.testing.assert_allclose([found["min"], found["max"]], [actions.min(axis=0), actions.max(axis=0)])
    for name, q in (("q01", 0.01), ("q50", 0.5), ("q99", 0.99)):
        np.testing.assert_allclose(found[name], np.quantile(actions, q, axis=0))
    pixels = np.concatenate([e.observations.images["top"] for e in episodes]) / 255
    image = {k: np.array(v) for k, v in stats["observation.images.top"].items()}
    assert image["mean"].shape == (3, 1, 1)
    np.testing.assert_allclose(image["mean"][:, 0, 0], pixels.mean(axis=(0, 1, 2)))
    np.testing.assert_allclose(image["std"][:, 0, 0], pixels.std(axis=(0, 1, 2)))
    assert stats["observation.images.top"]["q50"][0][0][0] == pytest.approx(np.median(pixels[..., 0]), abs=1 / 255)


def test_numbers_that_are_not_finite_have_no_statistics(tmp_path, make_episode):
    episode = make_episode()
    episode.observations.extras["force_n"][1] = np.nan
    root = write_dataset(tmp_path / "d", [make_episode(1), episode, make_episode(2)])
    text = (root / "meta/stats.json").read_text()
    assert "NaN" not in text
    assert "observation.extras.force_n" not in json.loads(text)
    assert np.isnan(open_dataset(root).episode(1).observations.extras["force_n"][1]).all()


def test_files_are_of_bounded_size(tmp_path, make_episode, assert_same_episode):
    """Data roll over to new files, and chunks; every episode is still found."""
    stager = EpisodeStager(tmp_path / "d")
    episodes = [make_episode(i, size=64) for i in range(6)]
    for i, episode in enumerate(episodes):
        stager.stage(i, episode)
    size = stager.folder.joinpath("episode_000000.parquet").stat().st_size
    compact(stager.folder, tmp_path / "d", data_mb=2.5 * size / 1e6)
    files = sorted((tmp_path / "d/data").rglob("*.parquet"))
    assert len(files) >= 2
    assert max(f.stat().st_size for f in files) < 2.5 * size
    for found, wanted in zip(open_dataset(tmp_path / "d"), episodes, strict=True):
        assert_same_episode(found, wanted)


def test_repeated_frames_cost_no_space(tmp_path, make_episode):
    """Four rows show each frame, and the file is as large as with one."""
    sizes = []
    for every in (1, 4):
        episode = make_episode(n_actions=4 * every, frame_every=every, size=64)
        root = write_dataset(tmp_path / str(every), [episode])
        sizes.append((root / "data/chunk-000/file-000.parquet").stat().st_size)
    assert sizes[1] < 1.05 * sizes[0]
