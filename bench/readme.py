"""Write measured numbers into README.md and docs/measured.md: every `<!-- bench:NAME:PATH -->...<!-- /bench -->` is filled from results.

NAME is a file of bench/results, PATH a dotted path to an entry of its values. A missing result reads "not measured".

    python bench/readme.py [--check]
"""

import json
import re
import sys
from functools import cache
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
PAGES = ("README.md", "docs/measured.md")
FORMS = {"percent": (100, 0, "%"), "tenths": (100, 1, "%"), "mm": (1000, 0, "mm")}
"""How a rate, and metres, are shown: scale, digits, unit."""
MARK = re.compile(
    r"(<!-- bench:(?P<name>[\w-]+):(?P<path>[^ ]+?)(?P<form>\|\w+)? -->)(?P<old>.*?)(<!-- /bench -->)", re.DOTALL
)


@cache
def results(name: str) -> dict[str, Any] | None:
    path = ROOT / "bench" / "results" / f"{name}.json"
    return json.loads(path.read_text())["values"] if path.exists() else None


def entry(name: str, path: str) -> Any:
    value: Any = results(name)
    for part in path.split("."):
        value = value.get(part) if isinstance(value, dict) else None
    return value


def text(value: Any, form: str) -> str:
    """`percent` for rates, `mm` for metres, `p` for p-values, `range` for two limits; otherwise the value with its unit, or a name. Intervals, n
    and what was abstained from come along where they were measured."""
    if isinstance(value, str):
        return value
    if not isinstance(value, dict):
        value = {"value": value}
    if value.get("low" if form == "range" else "value") is None:
        return "not measured"
    if form == "range":
        return f"{_figure(value['low'], 2)} to {_figure(value['high'], 2)}"
    if form == "p":
        return "< 0.001" if value["value"] < 0.001 else f"{value['value']:.3f}"
    if form == "percent" and round(value["value"] * 100) in (0, 100) and value["value"] not in (0, 1):
        form = "tenths"  # 199 of 200 is not all
    scale, digits, unit = FORMS.get(form, (1, 2, value.get("unit")))
    shown = _figure(value["value"] * scale, digits) + (f" {unit}" if unit else "")
    if value.get("low") is not None and value.get("high") is not None:
        shown += f" [{_figure(value['low'] * scale, digits)}, {_figure(value['high'] * scale, digits)}]"
    shown += f", n = {value['n']}" if value.get("n") else ""
    return shown + (f" ({value['abstained']} abstained)" if value.get("abstained") else "")


def _figure(value: float, digits: int) -> str:
    return f"{value:,.0f}" if digits == 0 or abs(value) >= 100 else f"{value:.{digits}f}"


def filled(page: str) -> str:
    def fill(match: re.Match[str]) -> str:
        value = text(entry(match["name"], match["path"]), (match["form"] or "|plain")[1:])
        return f"{match[1]}{value}<!-- /bench -->"

    return MARK.sub(fill, page)


def main() -> int:
    stale = [page for page in PAGES if filled((ROOT / page).read_text()) != (ROOT / page).read_text()]
    if "--check" in sys.argv:
        for page in stale:
            print(f"{page} differs from bench/results: run `make readme`", file=sys.stderr)
        return int(bool(stale))
    for page in stale:
        (ROOT / page).write_text(filled((ROOT / page).read_text()))
    return 0


if __name__ == "__main__":
    sys.exit(main())
