"""The README says what was measured, and nothing else."""

import importlib.util
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def _readme():
    spec = importlib.util.spec_from_file_location("readme", ROOT / "bench" / "readme.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_every_number_comes_from_its_result_file() -> None:
    for name in _readme().PAGES:
        page = (ROOT / name).read_text()
        assert _readme().filled(page) == page, f"{name}: run `make readme`"


def test_a_rate_is_shown_with_its_interval_and_n() -> None:
    shown = _readme().text({"value": 0.95, "low": 0.9, "high": 0.98, "n": 200}, "percent")
    assert shown == "95 % [90, 98], n = 200"
    assert _readme().text(None, "percent") == "not measured"
    assert _readme().text({"value": 0.0, "n": 38, "abstained": 2}, "percent") == "0 %, n = 38 (2 abstained)"


def test_names_ranges_and_p_values_are_shown_as_such() -> None:
    assert _readme().text("vla-d", "plain") == "vla-d"
    assert _readme().text({"low": 0.8, "high": 0.95, "n": 7}, "range") == "0.80 to 0.95"
    assert _readme().text({"low": None, "high": None, "n": 3}, "range") == "not measured"
    assert _readme().text(0.0004, "p") == "< 0.001"
