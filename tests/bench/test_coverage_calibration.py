"""Every row of the coverage bench runs, small, and the published PPI++ is seen to fall short where ours does not."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "bench"))
from coverage_calibration import ROWS


@pytest.mark.parametrize("name", [n for n in ROWS if not n.startswith(("ppi_betting", "rate_bootstrap"))])
def test_rows_run(name):
    found = ROWS[name].measure(200)
    assert found.lowest <= found.mean <= found.highest
    assert found.n == 200
    assert len(found.parts) >= 6


def test_padding_is_what_makes_few_pairs_cover():
    assert ROWS["ppi_10"].measure(2_000).lowest > 0.94
    assert ROWS["ppi_unpadded_10"].measure(2_000).lowest < 0.5


def test_noise_attenuates_a_correlation():
    assert ROWS["fisher_20_trials"].measure(1_000).lowest < 0.5
