"""What benchmarks may write: no rate over the trials that happened to finish."""

import sys
from pathlib import Path

import pytest

from reverie.core import ReverieError
from reverie.evaluation.outcomes import View
from reverie.evaluation.rates import Rate
from reverie.stats import wilson

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "bench"))
from record import rated


def found(left_out):
    return Rate(View("physics", "physics"), "vla", wilson(9, 10), left_out, {}, {})


def test_a_rate_with_errors_is_not_written() -> None:
    with pytest.raises(ReverieError, match="'error': 2"):
        rated(found({"error": 2}))


def test_abstentions_are_written_beside_the_rate() -> None:
    assert rated(found({"abstained": 3}))["abstained"] == 3
    assert rated(found({}))["abstained"] == 0
    assert rated(found({}))["n"] == 10
