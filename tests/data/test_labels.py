"""Labels that people give afterwards: durable, beside the recording, seen by every reader."""

from dataclasses import replace

import pytest

from reverie.core import ReverieError
from reverie.core.fakes import tiny_episode
from reverie.data import open_cache, open_dataset, write_dataset
from reverie.data.importers import import_dataset
from reverie.data.labels import FILE, Label, append_label, read_labels, recover_labels
from reverie.data.recorded import RecordedWorld, recorded_scenes
from reverie.data.summary import describe


@pytest.fixture
def logs(tmp_path):
    """Three episodes of five frames; the last one says itself that it failed."""
    unknown = replace(tiny_episode(5), success=None, success_time_s=None)
    failed = replace(tiny_episode(5), success=False, success_time_s=None)
    return write_dataset(tmp_path / "logs", [unknown, unknown, failed])


def test_a_label_is_seen_by_every_reader_and_the_recording_is_not_touched(logs):
    before = {p: p.read_bytes() for p in logs.rglob("*") if p.is_file()}
    append_label(logs, Label(0, 5, True, 0.6, "anna"))
    append_label(logs, Label(1, 5, False, None, "anna"))
    assert {p: p.read_bytes() for p in logs.rglob("*") if p.is_file() and p.name != "reverie_labels.jsonl"} == before
    dataset = open_dataset(logs)
    for i, (success, time_s) in enumerate(((True, 0.6), (False, None), (False, None))):
        for seen in (dataset.episode(i), dataset.episode_info(i)):
            assert (seen.success, seen.success_time_s) == (success, time_s)
    assert dataset.episode(0).provenance["labelled_by"] == "anna"
    assert "labelled_by" not in dataset.episode(2).provenance
    summary = describe(dataset)
    assert (summary.n_success, summary.n_failure, summary.n_unlabelled) == (1, 2, 0)
    assert summary.labelled_by == (("anna", 2),)
    cache = open_cache(logs)
    assert [e.success for e in cache.episodes] == [True, False, False]
    world = RecordedWorld(cache)
    world.reset(recorded_scenes(cache, [0]), [0])
    events = world.step(cache.actions[None, :8]).events[0]
    assert [(e.name, e.time_s) for e in events] == [("success", 0.6)]


def test_the_last_label_counts_and_what_was_made_of_the_data_knows(logs):
    first = open_cache(logs)
    append_label(logs, Label(2, 5, True, None, "ben"))
    second = open_cache(logs)
    append_label(logs, Label(2, 5, None, None, "ben"))
    third = open_cache(logs)
    assert [c.episodes[2].success for c in (first, second, third)] == [False, True, None]
    assert len({c.path.name for c in (first, second, third)}) == 3


def test_labels_travel_with_an_import(logs, tmp_path):
    append_label(logs, Label(0, 5, True, 0.6, "anna"))
    copy = open_dataset(import_dataset("lerobot", logs, tmp_path / "copy"))
    assert (copy.episode(0).success, copy.episode(0).success_time_s) == (True, 0.6)
    assert copy.episode(0).provenance["labelled_by"] == "anna"


def test_a_kill_costs_at_most_the_last_line_and_other_damage_is_named(logs):
    for i in (0, 1):
        append_label(logs, Label(i, 5, True, None, "anna"))
    path = logs / FILE
    whole = path.read_bytes()
    path.write_bytes(whole[:-7])
    assert set(read_labels(logs)) == {0}
    assert "incomplete" in recover_labels(logs)
    append_label(logs, Label(1, 5, False, None, "anna"))
    assert read_labels(logs)[1].success is False
    path.write_bytes(b"x" + whole)
    with pytest.raises(ReverieError, match="line 1"):
        open_dataset(logs)


def test_labels_of_another_data_set_are_refused(logs):
    append_label(logs, Label(0, 6, True, None, "anna"))
    with pytest.raises(ReverieError, match="6 frames, but it has 5"):
        open_dataset(logs).episode_info(0)
