"""The README says what was measured, and nothing else."""

import importlib.util
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def _readme():
    spec = importlib.util.spec_from_file_location("readme", ROOT / "bench" / "readme.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_every_number_in_the_readme_comes_from_its_result_file() -> None:
    page = (ROOT / "README.md").read_text()
    assert _readme().filled(page) == page, "run `make readme`"


def test_a_rate_is_shown_with_its_interval_and_n() -> None:
    shown = _readme().text({"value": 0.95, "low": 0.9, "high": 0.98, "n": 200}, "percent")
    assert shown == "95 % [90, 98], n = 200"
    assert _readme().text(None, "percent") == "not measured"
