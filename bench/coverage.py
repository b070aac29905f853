"""Do intervals cover as often as they say, and do tests err as rarely as they say? Every interval and test of `reverie.stats`.

    python bench/coverage.py [--repetitions 20000] [--processes 2] [--rows wilson jeffreys]

Binomial intervals, sequences and tests of counts by exact enumeration, the others by simulation, each repetition with
parameters drawn from the range that its row states, or every point of it with all repetitions. A row that does not hold is
written like the others.
"""

import gc
import math
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import tyro

import coverage_calibration as calibration
import coverage_exact as exact
import coverage_simulated as simulated
from coverage_found import Found
from record import write
from reverie.core import ReverieError, unknown_name
from reverie.core.processes import in_processes
from reverie.stats import (
    bootstrap_mean,
    bootstrap_median,
    clopper_pearson,
    clustered_accuracy,
    exact_mcnemar,
    jeffreys,
    kappa,
    wilson,
)

LEVEL, ALPHA = 0.95, 0.05
POINT = 0.01


@dataclass(frozen=True)
class Rule:
    """What is promised of a rate, and whether it was kept."""

    says: str
    holds: Callable[[Found], bool]


NEVER_BELOW = Rule("covers at least 95 % everywhere", lambda f: f.lowest >= LEVEL - 1e-9)
ON_AVERAGE = Rule("covers 95 % within a point, averaged over the range", lambda f: abs(f.mean - LEVEL) <= POINT)
NOT_SHORT = Rule("covers 94 % or more, averaged over the range", lambda f: f.mean >= LEVEL - POINT)
AT_MOST = Rule("errs in at most 5 %", lambda f: (f.highest if f.n is None else f.lowest) <= ALPHA + 1e-9)
"""Simulated: not shown to err more often, its interval reaches 5 %."""
ONE_LIMIT = Rule(
    "the pessimistic limit is wrong in at most 5 %; both limits together fall short of 95 %, as trial noise lowers r and "
    "raises MMRV: the optimistic one is not to be quoted",
    AT_MOST.holds,
)
AT_EVERY_POINT = Rule(
    "covers at least 95 % at every point, as far as so many repetitions tell",
    lambda f: f.lowest >= LEVEL - 4 * math.sqrt(LEVEL * ALPHA / (f.n or 1)),
)
EXCESS = Rule(
    "covers at least 1 - alpha, as far as so many repetitions tell; numbers are what it covers beyond that",
    lambda f: f.lowest >= -4 * math.sqrt(0.16 / (f.n or 1)),
)
SHORT = Rule(
    "known to fall short, here to say by how much: below 94 % at its worst", lambda f: f.lowest < LEVEL - POINT
)


@dataclass(frozen=True)
class Row:
    """One interval or test: its rule, the range that it was tried in, how it is measured with so many repetitions."""

    rule: Rule
    range: str
    measure: Callable[[int], Found]


PAIRS = "rates .1 to .95, phi 0 to .9, 200 unlabelled, predictions 15 points too low"
JUDGE = "30 to 100 labelled of each kind, sensitivity and specificity .75 to .98"
RATES = "n = 5, 10, 20, 50, 100, 200; p from .0005 to .9995"
ROWS: Mapping[str, Row] = {
    "clopper_pearson": Row(NEVER_BELOW, RATES, partial(exact.binomial, clopper_pearson)),
    "wilson": Row(ON_AVERAGE, RATES, partial(exact.binomial, wilson)),
    "jeffreys": Row(ON_AVERAGE, RATES, partial(exact.binomial, jeffreys)),
    "confidence_sequence": Row(NEVER_BELOW, "looked at after each of 300 trials; p from .005 to .995", exact.sequence),
    "paired_difference": Row(NOT_SHORT, "10, 25, 50 pairs; each kind of discordant pairs .05 to .45", exact.paired),
    "paired_difference_sequence": Row(NEVER_BELOW, "looked at after each of 60 pairs; discordant .05 to .45", exact.paired_sequence),
    "unpaired_difference": Row(NOT_SHORT, "10, 20, 50 trials each; rates .05 to .95", exact.unpaired),
    "unpaired_difference_sequence": Row(NEVER_BELOW, "looked at after each of 30 trials of both; rates .05 to .95", exact.unpaired_sequence),
    "fisher_z_pearson": Row(NOT_SHORT, "normal, 5 to 20 policies, rho -.9 to .95", partial(simulated.correlations, "pearson")),
    "fisher_z_spearman": Row(NOT_SHORT, "normal, 5 to 20 policies, rho -.9 to .95", partial(simulated.correlations, "spearman")),
    "fisher_z_kendall": Row(NOT_SHORT, "normal, 8 to 20 policies, tau -.7 to .7", partial(simulated.correlations, "kendall")),
    "bias": Row(NOT_SHORT, "normal differences of 4 to 12 policies", simulated.mean_bias),
    "bootstrap_mean": Row(NOT_SHORT, "8 to 50 normal units", partial(simulated.bootstraps, bootstrap_mean, "normal", 8, 0.0)),
    "bootstrap_mean_skewed": Row(NOT_SHORT, "20 to 50 exponential units", partial(simulated.bootstraps, bootstrap_mean, "exponential", 20, 1.0)),
    "bootstrap_median": Row(NOT_SHORT, "10 to 50 exponential units", partial(simulated.bootstraps, bootstrap_median, "exponential", 10, math.log(2))),
    "trial_bootstrap_pearson": Row(ONE_LIMIT, "6 to 10 policies, 20 to 100 trials a side, true r .4 to .9", partial(simulated.trials, "pearson")),
    "trial_bootstrap_mmrv": Row(ONE_LIMIT, "6 to 10 policies, 20 to 100 trials a side, true r .4 to .9", partial(simulated.trials, "mmrv")),
    "clustered_accuracy": Row(NOT_SHORT, "10 to 30 policies of 20 episodes, accuracy .6 to .9 and .1 sd between them", partial(simulated.calls, clustered_accuracy)),
    "kappa": Row(NOT_SHORT, "50 to 200 episodes, accuracy .6 to .9, base rate .2 to .8", partial(simulated.calls, kappa)),
    "bradley_terry": Row(NOT_SHORT, "3 to 6 policies, 30 to 100 scenes of sd 1, strengths -1.5 to 1.5", simulated.strengths),
    "exact_mcnemar": Row(AT_MOST, "5 to 100 pairs, discordant .05 to 1", partial(exact.mcnemar, exact_mcnemar)),
    "boschloo": Row(AT_MOST, "5, 9, 13 trials each, common rate .01 to .99", exact.boschloo_size),
    "sequential_paired": Row(AT_MOST, "looked at after each of 1,000 pairs, all discordant (the worst case)", exact.sequential_paired_size),
    "sequential_unpaired": Row(AT_MOST, "looked at after each of 300 trials of both, common rate .05 to .95", simulated.sequential_unpaired_size),
    "permutation_p": Row(AT_MOST, "4 to 6 policies, normal, independent", simulated.permutation_size),
    "holm": Row(AT_MOST, "any false separation among 4 equal policies on 20 to 60 scenes, exact McNemar", simulated.holm_size),
    "accuracy_beats_majority": Row(AT_MOST, "30 to 120 episodes, as accurate as the majority class, base rate .5 to .8", simulated.majority_size),
    **{f"ppi_{n}": Row(NOT_SHORT, f"{n} pairs; {PAIRS}", partial(calibration.ppi, calibration.padded, n)) for n in (10, 20, 30, 50, 100)},
    **{f"ppi_unpadded_{n}": Row(SHORT, f"as published; {n} pairs; {PAIRS}", partial(calibration.ppi, calibration.unpadded, n)) for n in (10, 30)},
    **{f"clopper_pearson_{n}": Row(AT_EVERY_POINT, f"{n} real trials alone; {PAIRS}", partial(calibration.ppi, calibration.exact_alone, n)) for n in (10, 20)},
    **{f"ppi_betting_{n}": Row(AT_EVERY_POINT, f"{n} pairs; {PAIRS}", partial(calibration.ppi, calibration.betting, n)) for n in (10, 20)},
    "corrected_rate": Row(NOT_SHORT, "rates .1 to .9; 50 and 200 judged; 20 and 50 labelled of each kind", calibration.judged),
    "corrected_difference": Row(NOT_SHORT, f"40 to 150 pairs; {JUDGE}", calibration.judged_differences),
    "corrected_bias": Row(NOT_SHORT, f"4 to 12 policies of 60 trials a side, off by -.1 to .1; {JUDGE}", calibration.judged_biases),
    "conformal": Row(EXCESS, "n 19 to 200, alpha .05 to .2", calibration.conformal),
    "fisher_20_trials": Row(SHORT, "noise attenuates r: 5 to 15 policies of 20 trials a side", partial(calibration.fisher_under_noise, 20)),
    "fisher_200_trials": Row(NOT_SHORT, "5 to 15 policies of 200 trials a side", partial(calibration.fisher_under_noise, 200)),
    "rate_bootstrap_pearson": Row(SHORT, "near a perfect r: 8 policies of 40 trials a side", partial(calibration.bootstrap_of_rates, "pearson")),
}  # fmt: skip
"""Add a line: its rule, its range in words, and a function of the number of repetitions that gives a Found."""


@dataclass(frozen=True)
class Options:
    repetitions: int = 20_000
    processes: int = 2
    rows: tuple[str, ...] = ()
    """These only; nothing is written then."""


def measured(job: tuple[str, int]) -> tuple[str, dict[str, Any]]:
    name, repetitions = job
    row, start = ROWS[name], time.perf_counter()
    found = row.measure(repetitions)
    holds = row.rule.holds(found)
    about = {"rule": row.rule.says, "range": row.range, "holds": holds, "seconds": time.perf_counter() - start}
    return name, found.to_dict() | about


def prepared() -> None:
    """statsmodels collects garbage at every correction of p-values: what was imported need not be looked through."""
    gc.freeze()


def main() -> int:
    options = tyro.cli(Options)
    if strange := [r for r in options.rows if r not in ROWS]:
        raise unknown_name("row", strange[0], list(ROWS))
    jobs = [(name, options.repetitions) for name in options.rows or ROWS]
    found = {}
    for name, values in in_processes(options.processes, measured, jobs, prepared):
        found[name] = values
        print(told(name, values), file=sys.stderr, flush=True)
    if not options.rows:
        write("coverage", {name: found[name] for name in ROWS})
    return 0


def told(name: str, values: Mapping[str, Any]) -> str:
    verdict = "holds" if values["holds"] else "DOES NOT HOLD"
    spread = f"{values['lowest']:.4f} to {values['highest']:.4f}"
    return f"{name:<30} {values['value']:.4f} ({spread}) {verdict}: {values['rule']}; {values['seconds']:.0f} s"


if __name__ == "__main__":
    try:
        sys.exit(main())
    except ReverieError as error:
        sys.exit(str(error))
