"""Do the rates of a table give the statistics that were published with them? Columns scope, statistic, value, source.

A scope is a task of the table, `policies` (each policy over all tasks), `cells`, or `mean over tasks`. Rates were rounded
for print: a statistic that some rates would give which round to those of the table is within rounding.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import product
from pathlib import Path
from typing import Any, Literal, get_args

import numpy as np

from reverie.core import ReverieError, unknown_name
from reverie.evaluation.rate_table import RateRow, read_lines
from reverie.evaluation.validity import by_policy
from reverie.stats import BIAS, CORRELATIONS, MmrvConvention
from reverie.stats.arguments import FloatArray
from reverie.stats.ranking import Gap, Ties

POLICIES, CELLS, MEAN = "policies", "cells", "mean over tasks"
NEAR = 0.005
"""Further off than rounding explains, but nothing hangs on it."""
DRAWS = 200
Verdict = Literal["reproduced", "within rounding", "nearly reproduced", "not reproduced", "undefined"]
Values = Callable[[FloatArray, FloatArray], FloatArray]  # [..., K], [..., K] -> [...]


@dataclass(frozen=True)
class Claim:
    """One published number. `step`: of its last printed digit."""

    scope: str
    statistic: str
    value: float
    step: float
    source: str


@dataclass(frozen=True)
class Checked:
    """What the table gives in place of a claim, and under which conventions (of MMRV) it is reproduced; the first
    convention is SIMPLER's, which `found` is of."""

    claim: Claim
    found: float | None
    verdict: Verdict
    reproduced_under: tuple[str, ...]

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)


def read_claims(path: Path, rows: Sequence[RateRow]) -> tuple[Claim, ...]:
    """Raises ReverieError naming the file and the line for a scope or statistic that there is none of."""
    known = [*dict.fromkeys(r.task for r in rows), POLICIES, CELLS, MEAN]
    found = []
    for line, fields in read_lines(path, ("scope", "statistic", "value"), ("scope", "statistic", "value", "source")):
        for name, value, names in (("scope", fields["scope"], known), ("statistic", fields["statistic"], _STATISTICS)):
            if value not in names:
                raise ReverieError(f"{path}, line {line}: {unknown_name(name, value, list(names))}")
        try:
            printed = float(fields["value"])
        except ValueError:
            raise ReverieError(f"{path}, line {line}: value is {fields['value']!r}, expected a number") from None
        step = 10.0 ** -len(fields["value"].partition(".")[2])
        found.append(Claim(fields["scope"], fields["statistic"], printed, step, fields.get("source", "")))
    return tuple(found)


def check(claims: Sequence[Claim], rows: Sequence[RateRow]) -> tuple[Checked, ...]:
    return tuple(_check(claim, rows) for claim in claims)


def _check(claim: Claim, rows: Sequence[RateRow]) -> Checked:
    readings = _STATISTICS[claim.statistic]
    found = {name: _values(claim.scope, values, rows) for name, values in readings.items()}
    first = next(iter(found.values()))
    if not np.isfinite(first[0]):
        return Checked(claim, None, "undefined", ())
    under = tuple(name for name, values in found.items() if _explains(values, claim))
    verdict: Verdict = "not reproduced"
    if abs(first[0] - claim.value) <= claim.step / 2 + 1e-9:
        verdict = "reproduced"
    elif next(iter(found)) in under:
        verdict = "within rounding"
    elif abs(first[0] - claim.value) <= NEAR:
        verdict = "nearly reproduced"
    return Checked(claim, float(first[0]), verdict, under)


def _explains(values: FloatArray, claim: Claim) -> bool:
    reach = claim.step / 2 + 1e-9
    return bool(np.nanmin(values) - reach <= claim.value <= np.nanmax(values) + reach)


def _values(scope: str, values: Values, rows: Sequence[RateRow]) -> FloatArray:
    """[1 + DRAWS]: of the rates as they stand, then of rates that would have been rounded to them."""
    if scope == MEAN:
        tasks = dict.fromkeys(row.task for row in rows)
        return np.asarray(np.mean([_values(task, values, rows) for task in tasks], axis=0))
    if scope == POLICIES:
        kept, _, shares = by_policy(rows)
    else:
        kept = [row for row in rows if scope in (CELLS, row.task)]
        shares = np.eye(len(kept))
    x, y = (_unrounded([getattr(r, side) for r in kept], rows) @ shares.T for side in ("predicted", "real"))
    if len(shares) < 2:
        return np.full(1 + DRAWS, np.nan)
    return values(np.round(x, 12), np.round(y, 12))


def _unrounded(rates: Sequence[float], rows: Sequence[RateRow]) -> FloatArray:
    """[1 + DRAWS, C]: equal rates stay equal, as the same number of trials would make them."""
    distinct, which = np.unique(np.asarray(rates, np.float64), return_inverse=True)
    rounding = max(row.rounding for row in rows)
    shifts = np.random.default_rng(0).uniform(-rounding, rounding, (DRAWS, len(distinct)))
    moved = np.clip(distinct + np.concatenate([np.zeros((1, len(distinct))), shifts]), 0, 1)
    return np.asarray(moved[:, which])


def _mmrv_readings() -> Mapping[str, Values]:
    conventions = (MmrvConvention(ties, gap) for gap, ties in product(get_args(Gap), get_args(Ties)))
    return {c.name: c.values for c in conventions}


_STATISTICS: Mapping[str, Mapping[str, Values]] = {
    **{kind: {statistic.name: statistic.values} for kind, statistic in CORRELATIONS.items()},
    "bias": {BIAS.name: BIAS.values},
    "mmrv": _mmrv_readings(),
}
