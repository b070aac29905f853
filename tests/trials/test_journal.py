"""The journal survives kills, finds damage, never repeats a record."""

import json
import subprocess
import sys
from dataclasses import replace

import pytest

from reverie.core import ReverieError, Trial, TrialKey, Verdict
from reverie.trials import RECEIPTS, TRIALS, VERDICTS, Journal, Receipt, TrialVerdict, differences


def trial(i, **changes):
    return replace(Trial(TrialKey("act", "physics", f"put/test/{i}"), "put it in", 80, "r1", seconds=1.5), **changes)


def verdict(i, judge="physics", success=True):
    return TrialVerdict(trial(i).key, Verdict(judge, "1", success, 2.5 if success else None, harm=("drop",)))


RECEIPT = Receipt({"torch": "2", "block_size": 8})


def write(folder, numbers, **changes):
    with Journal(folder) as journal:
        journal.add([trial(i, **changes) for i in numbers], [verdict(i) for i in numbers], [RECEIPT])
    return folder


def test_what_is_written_is_read(tmp_path):
    write(tmp_path, range(3))
    assert list(TRIALS.read(tmp_path)) == [trial(i) for i in range(3)]
    assert list(VERDICTS.read(tmp_path)) == [verdict(i) for i in range(3)]
    assert [r.id for r in RECEIPTS.read(tmp_path)] == [RECEIPT.id]
    assert json.loads((tmp_path / "trials.jsonl").read_text().splitlines()[0])["v"] == 1


@pytest.mark.parametrize("cut", [1, 20, 150])
def test_a_truncated_last_line_is_dropped_with_a_note(tmp_path, cut):
    path = write(tmp_path, range(3)) / "trials.jsonl"
    path.write_bytes(path.read_bytes()[:-cut])
    assert len(list(TRIALS.read(tmp_path))) == 2
    with Journal(tmp_path) as journal:
        assert journal.n_trials == 2
        assert "incomplete last line" in journal.notes[0]
        journal.add_missing([trial(i) for i in range(3)], [verdict(i) for i in range(3)], [RECEIPT])
    assert list(TRIALS.read(tmp_path)) == [trial(i) for i in range(3)]
    assert len(list(VERDICTS.read(tmp_path))) == 3


def test_damage_in_the_middle_names_file_and_line(tmp_path):
    path = write(tmp_path, range(3)) / "trials.jsonl"
    damaged = path.read_text().splitlines(keepends=True)
    damaged[1] = damaged[1][:30] + "\n"
    path.write_text("".join(damaged))
    with pytest.raises(ReverieError, match=r"trials\.jsonl, line 2: not JSON"):
        Journal(tmp_path)


def test_another_version_is_refused(tmp_path):
    path = write(tmp_path, range(1)) / "trials.jsonl"
    path.write_text(path.read_text().replace('"v":1', '"v":7'))
    with pytest.raises(ReverieError, match="line 1: record version is 7, expected 1"):
        list(TRIALS.read(tmp_path))


def test_a_strange_record_names_its_line(tmp_path):
    write(tmp_path, range(1))
    path = tmp_path / "verdicts.jsonl"
    path.write_text(path.read_text() + '{"v":1,"key":{"policy":"a"}}\n')
    with pytest.raises(ReverieError, match=r"verdicts\.jsonl, line 2"):
        list(VERDICTS.read(tmp_path))


def test_duplicates_are_refused_when_written_and_read_once(tmp_path):
    write(tmp_path, [0, 1])
    with Journal(tmp_path) as journal, pytest.raises(ReverieError, match="recorded already"):
        journal.add([trial(1)], [], [])
    with Journal(tmp_path / "twice") as journal, pytest.raises(ReverieError, match="recorded already"):
        journal.add([trial(1), trial(1)], [], [])
    path = tmp_path / "trials.jsonl"
    lines = path.read_text().splitlines(keepends=True)
    path.write_text("".join([*lines, lines[0].replace("1.5", "9.5")]))
    assert len(list(TRIALS.read(tmp_path))) == 2
    path.write_text("".join([*lines, lines[0].replace("put it in", "put it on")]))
    with pytest.raises(ReverieError, match="lines 1 and 3: two different records"):
        list(TRIALS.read(tmp_path))


def test_nan_is_refused(tmp_path):
    with Journal(tmp_path) as journal, pytest.raises(ValueError, match="JSON"):
        journal.add([trial(0, info={"x": float("nan")})], [], [])


def test_runs_compare_without_timings_and_order(tmp_path):
    a, b = write(tmp_path / "a", [0, 1, 2]), write(tmp_path / "b", [2, 0, 1], seconds=7.0)
    assert differences(a, b) == []
    c = write(tmp_path / "c", [0, 1], actions_digest="other")
    found = differences(a, c)
    assert any("put/test/2" in d and "only in" in d for d in found)
    assert any("differs in actions_digest" in d for d in found)


def test_one_writer_at_a_time_even_after_a_kill(tmp_path):
    code = (
        "import sys, time; from pathlib import Path; from reverie.trials import Journal\n"
        f"j = Journal(Path({str(tmp_path)!r})); print('open', flush=True); time.sleep(60)"
    )
    other = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE)
    assert other.stdout.readline() == b"open\n"
    with pytest.raises(ReverieError, match="another process is writing"):
        Journal(tmp_path)
    other.kill()
    other.wait()
    other.stdout.close()
    with Journal(tmp_path) as journal:
        assert journal.n_trials == 0
