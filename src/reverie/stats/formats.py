"""How numbers are written: always with interval and n, and "not measured" where there is none, never 0."""

from collections.abc import Mapping

from reverie.core.estimate import Estimate
from reverie.stats.correlation import DropOneRange
from reverie.stats.pvalues import PValue

ABSENT = "not measured"


def percent(estimate: Estimate) -> str:
    """A rate as "71 % [53, 84]"."""
    if estimate.value is None:
        return ABSENT
    interval = (
        "" if estimate.low is None or estimate.high is None else f" [{_points(estimate.low)}, {_points(estimate.high)}]"
    )
    return f"{_points(estimate.value)} %{interval}"


def plain_percent(estimate: Estimate) -> str:
    """A rate as "71 %", where its interval stands elsewhere on the page."""
    return ABSENT if estimate.value is None else f"{_points(estimate.value)} %"


def points(estimate: Estimate) -> str:
    """A difference of rates: "12 points [4, 20]"."""
    text = percent(estimate)
    return text if text == ABSENT else text.replace(" %", " points", 1)


def _points(value: float) -> str:
    return f"{round(100 * value)}"


def number(estimate: Estimate, digits: int = 2) -> str:
    """A number as "0.91 [0.62, 0.98]"."""
    if estimate.value is None:
        return ABSENT
    interval = (
        ""
        if estimate.low is None or estimate.high is None
        else f" [{estimate.low:.{digits}f}, {estimate.high:.{digits}f}]"
    )
    return f"{estimate.value:.{digits}f}{interval}"


def drop_one(found: DropOneRange) -> str:
    """A range as "0.80 to 0.95"."""
    return ABSENT if found.low is None or found.high is None else f"{found.low:.2f} to {found.high:.2f}"


def p_value(p: PValue | float | None) -> str:
    value = p.value if isinstance(p, PValue) else p
    if value is None:
        return ABSENT
    return "p < 0.001" if value < 0.001 else f"p = {value:.3f}"


def counts(found: Mapping[str, int]) -> str:
    """Counts as "2 error, 1 abstained"; "none" where nothing was left out."""
    return ", ".join(f"{n} {name.replace('_', ' ')}" for name, n in found.items()) or "none"
