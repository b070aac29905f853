"""What was asked of a data set lies in it: the same may be asked again, another request is told what differs."""

import pytest

from reverie.core import ReverieError
from reverie.data import EpisodeStager, compact, is_finished, open_dataset, staging_folder, write_dataset
from reverie.data.importers import import_dataset
from reverie.data.request import differences

ASKED = {"episodes": 2, "tasks": ("put",), "mix": {"expert": 0.5, "play": 0.5}}


def test_differences_are_listed_entry_by_entry():
    assert differences(ASKED, ASKED) == []
    assert differences(ASKED, {**ASKED, "episodes": 3, "depth": True}) == [
        "depth: it has None, asked for True",
        "episodes: it has 2, asked for 3",
    ]
    assert differences(ASKED, {**ASKED, "mix": {"expert": 1, "play": 0.5}}) == ["mix.expert: it has 0.5, asked for 1"]
    assert differences(ASKED, {**ASKED, "mix": {"drop": 1}}) == ["mix: it has expert, play, asked for drop"]
    assert len(differences({"numbers": list(range(1000))}, {"numbers": []})[0]) < 150


def test_the_request_goes_from_the_staged_episodes_into_the_data_set(tmp_path, make_episode):
    root = tmp_path / "d"
    assert not is_finished(root, ASKED)
    stager = EpisodeStager(root, request=ASKED)
    stager.stage(0, make_episode(0))
    EpisodeStager(root, request=ASKED).stage(1, make_episode(1))
    with pytest.raises(ReverieError, match="episodes: it has 2, asked for 1"):
        EpisodeStager(root, request={**ASKED, "episodes": 1})
    compact(stager.folder, root, n_episodes=2)
    assert is_finished(root, ASKED)
    with pytest.raises(ReverieError, match="tasks: it has"):
        is_finished(root, {**ASKED, "tasks": ()})


@pytest.mark.parametrize(("staged", "found"), [((0,), "1 missing"), ((0, 1, 2), "2 not asked for")])
def test_exactly_the_episodes_that_were_asked_for(tmp_path, make_episode, staged, found):
    stager = EpisodeStager(tmp_path / "d", request=ASKED)
    for index in staged:
        stager.stage(index, make_episode(index))
    with pytest.raises(ReverieError, match=found):
        compact(stager.folder, tmp_path / "d", n_episodes=2)


def test_episodes_of_another_request_do_not_pass_for_a_finished_one(tmp_path, make_episode):
    for asked in ({"a": 1}, {"a": 2}):
        stager = EpisodeStager(tmp_path / str(asked["a"]), request=asked)
        stager.stage(0, make_episode())
    compact(staging_folder(tmp_path / "1"), tmp_path / "1")
    with pytest.raises(ReverieError, match="exists already"):
        compact(stager.folder, tmp_path / "1")


def test_the_same_content_whoever_asked(tmp_path, make_episode):
    roots = [write_dataset(tmp_path / str(i), [make_episode()], request={"i": i}) for i in range(2)]
    assert len({open_dataset(root).content_hash for root in roots}) == 1


def test_an_import_may_be_repeated_but_not_from_elsewhere(tmp_path, make_episode):
    first, other = (write_dataset(tmp_path / name, [make_episode()]) for name in ("first", "other"))
    out = import_dataset("lerobot", first, tmp_path / "out")
    before = {p: p.stat().st_mtime_ns for p in out.rglob("*")}
    assert import_dataset("lerobot", first, out) == out
    assert {p: p.stat().st_mtime_ns for p in out.rglob("*")} == before
    with pytest.raises(ReverieError, match="source: it has"):
        import_dataset("lerobot", other, out)
    with pytest.raises(ReverieError, match="format: it has 'lerobot', asked for 'rlds'"):
        import_dataset("rlds", first, out)
