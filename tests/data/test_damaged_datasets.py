"""Damaged data sets give one error that names the file and says what to do, never a wrong episode."""

import json
import shutil

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from reverie.core import ReverieError
from reverie.data import EpisodeStager, open_cache, open_dataset, write_dataset

DATA = "data/chunk-000/file-000.parquet"
VIDEO = "videos/observation.images.top/chunk-000/file-000.mp4"


@pytest.fixture(scope="module")
def whole(tmp_path_factory, make_episode):
    root = tmp_path_factory.mktemp("whole") / "d"
    return write_dataset(root, [make_episode(i, size=32, n_actions=20) for i in range(3)], images="video")


@pytest.fixture
def root(tmp_path, whole):
    return shutil.copytree(whole, tmp_path / "d")


def read_all(root):
    return list(open_dataset(root))


def change_info(root, **values):
    path = root / "meta/info.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | values))


def flip_byte(path, share):
    content = bytearray(path.read_bytes())
    content[int(share * len(content))] ^= 0xFF
    path.write_bytes(bytes(content))


def truncate(path, share=0.5):
    path.write_bytes(path.read_bytes()[: int(share * path.stat().st_size)])


@pytest.mark.parametrize("name", [DATA, "meta/tasks.parquet", "meta/episodes/chunk-000/file-000.parquet"])
@pytest.mark.parametrize("share", [0.0, 0.5, 0.99])
def test_truncated_parquet(root, name, share):
    truncate(root / name, share)
    with pytest.raises(ReverieError, match=f"{name}: found .*truncated or damaged"):
        read_all(root)


@pytest.mark.parametrize("share", [0.0, 0.5, 0.95])
def test_truncated_video(root, share):
    truncate(root / VIDEO, share)
    with pytest.raises(ReverieError, match=f"{VIDEO}: found .*truncated"):
        read_all(root)


@pytest.mark.parametrize("name", [DATA, VIDEO, "meta/tasks.parquet", "meta/info.json"])
def test_missing_file(root, name):
    (root / name).unlink()
    with pytest.raises(ReverieError, match=f"{name}: found no such file"):
        read_all(root)


def test_missing_episode_metadata(root):
    shutil.rmtree(root / "meta/episodes")
    with pytest.raises(ReverieError, match="meta/episodes: found no parquet file"):
        open_dataset(root)


@pytest.mark.parametrize("share", [0.2, 0.4, 0.6])
def test_a_flipped_byte_is_found(root, share):
    """Page checksums see what Snappy and PNG may not."""
    flip_byte(root / DATA, share)
    with pytest.raises(ReverieError, match=r"file-000\.parquet"):
        read_all(root)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"codebase_version": "v1.6"}, "found codebase_version 'v1.6', expected 'v3.0'"),
        ({"fps": 0}, "found fps 0"),
        ({"total_episodes": 5}, "found total_episodes 5"),
        ({"fps": "10"}, "info.json: found fps '10'"),
        ({"total_episodes": "3"}, "found total_episodes '3'"),
        ({"features": []}, r"found features '\[\]'"),
        ({"features": {"action": {"shape": [3]}}}, "for feature 'action', expected its dtype"),
        ({"features": {"action": 3}}, "for feature 'action'"),
        ({"reverie": {"format": 99}}, "found reverie.format 99, expected 1"),
        ({"reverie": []}, "for reverie, expected an object"),
        ({"reverie": {"format": 1}}, "info.json, reverie.observation_spec: found None"),
    ],
)
def test_wrong_info(root, values, message):
    change_info(root, **values)
    with pytest.raises(ReverieError, match=message):
        open_dataset(root)


def test_wrong_specs(root):
    own = json.loads((root / "meta/info.json").read_text())["reverie"]
    change_info(root, reverie={**own, "action_spec": {**own["action_spec"], "control_rate": 3}})
    with pytest.raises(ReverieError, match=r"info.json, reverie.action_spec: 'control_rate'; did you mean"):
        open_dataset(root)


def test_numbers_that_are_not_finite(root):
    table = pq.read_table(root / DATA)
    actions = np.array(table["action"].to_pylist(), np.float32)
    actions[25, 2] = np.nan
    cells = pa.FixedSizeListArray.from_arrays(pa.array(actions.reshape(-1)), actions.shape[1])
    pq.write_table(table.set_column(table.schema.get_field_index("action"), "action", cells), root / DATA)
    assert open_dataset(root).episode(0).n_steps == 20
    with pytest.raises(ReverieError, match=f"{DATA}, episode 1: found nan in column 'action' .row 4, number 2"):
        open_dataset(root).episode(1)


def test_a_file_is_no_data_set(root):
    with pytest.raises(ReverieError, match="found no such file; give the folder that holds meta/"):
        open_dataset(root / "meta/info.json")
    (root / "meta/info.json").write_text("[]")
    with pytest.raises(ReverieError, match=r"info\.json: found a list, expected an object"):
        open_dataset(root)


def test_broken_info(root):
    truncate(root / "meta/info.json")
    with pytest.raises(ReverieError, match=r"info\.json: found broken JSON"):
        open_dataset(root)


def test_data_of_another_data_set(root, tmp_path, make_episode):
    other = write_dataset(tmp_path / "other", [make_episode(i, size=32, n_actions=9) for i in range(9)], images="video")
    shutil.copy(other / DATA, root / DATA)
    with pytest.raises(ReverieError, match=r"expected at least|differ"):
        read_all(root)


def test_a_column_of_another_shape(root):
    info = json.loads((root / "meta/info.json").read_text())
    info["features"]["action"]["shape"] = [7]
    change_info(root, features=info["features"])
    with pytest.raises(ReverieError, match=r"column 'action'.*expected shape \[7\]"):
        read_all(root)


def test_nothing_there(tmp_path, make_episode):
    with pytest.raises(ReverieError, match="give the folder that holds meta/"):
        open_dataset(tmp_path)
    EpisodeStager(tmp_path / "d").stage(0, make_episode())
    with pytest.raises(ReverieError, match="collection is unfinished"):
        open_dataset(tmp_path / "d")


def test_an_episode_that_is_not_there(root):
    with pytest.raises(ReverieError, match="asked for episode 3"):
        open_dataset(root).episode(3)


def test_a_damaged_data_set_gives_no_cache(root):
    truncate(root / VIDEO)
    with pytest.raises(ReverieError):
        open_cache(root)
    assert not list((root.parent / "d.cache").glob("*"))
