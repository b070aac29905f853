"""A run exported as a table comes back as the same records; hostile values included."""

from dataclasses import replace

import pytest

from reverie.core import ReverieError, Trial, TrialKey, Verdict
from reverie.trials import Journal, Receipt, Records, TrialVerdict, export
from reverie.trials.export import read_export

RECEIPT = Receipt({"torch": "2", "packages": {"numpy": "2.1"}, "block_size": 8})
TRACEBACK = 'Traceback:\n  File "a,b.py", line 3\n"ValueError": ä; \'quoted\'\r\n'
PLAIN = Trial(TrialKey("act", "physics", "put/test/0"), "put it, in", 80, RECEIPT.id, "d1", "clips/a.mp4", seconds=1 / 3, info={"block": "b/0", "row": 1})  # fmt: skip
TRIALS = [
    PLAIN,
    replace(PLAIN, key=TrialKey("act", "physics", "put/test/1", "light-1a", 3), clip=None, instruction=""),
    Trial(TrialKey("rt1", "physics", "put/test/0"), "x", 0, RECEIPT.id, error=TRACEBACK),
    Trial(TrialKey("rt1", "physics", "put/test/1"), "x", 0, "unknown", refused="too far, it says"),
]
VERDICTS = [
    TrialVerdict(TRIALS[0].key, Verdict("physics", "1", True, 0.1 + 0.2, 1.0, 1.0, ("dropped", "hit,hand"))),
    TrialVerdict(TRIALS[0].key, Verdict("frames", "3", None, reason="blurred; cannot say")),
    TrialVerdict(TRIALS[1].key, Verdict("physics", "1", False, probability=1e-17)),
]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("run")
    with Journal(folder) as journal:
        journal.add(TRIALS, VERDICTS, [RECEIPT])
    return folder


@pytest.mark.parametrize("ending", ["parquet", "csv"])
def test_nothing_is_lost(folder, tmp_path, ending):
    path = tmp_path / f"trials.{ending}"
    assert export(folder, path) == 5
    found = list(read_export(path))
    assert list(dict.fromkeys(t.key for t, *_ in found)) == [t.key for t in TRIALS]
    assert all(t == TRIALS[[x.key for x in TRIALS].index(t.key)] for t, *_ in found)
    assert [v for _, v, _ in found if v is not None] == VERDICTS
    assert [r for *_, r in found if r is not None] == [RECEIPT]


def test_another_ending_is_refused(folder, tmp_path):
    with pytest.raises(ReverieError, match=r"ends in '.xlsx', expected one of .parquet, .csv"):
        export(folder, tmp_path / "trials.xlsx")


def test_records_are_found_by_key(folder):
    with Records(folder) as records:
        assert records.trial(TRIALS[1].key) == TRIALS[1]
        assert records.trial(TrialKey("nobody", "physics", "put/test/0")) is None
        assert records.verdicts(TRIALS[0].key) == [v.verdict for v in VERDICTS[:2]]
        assert [(t, len(v)) for t, v in records] == list(zip(TRIALS, (2, 1, 0, 0), strict=True))
