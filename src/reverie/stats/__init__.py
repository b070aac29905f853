"""Intervals, tests and rankings: pure functions on arrays, no files, no policies, no worlds.

Every result carries its n and its method; what cannot be computed is absent with a reason, never 0, 1 or nan.
"""

from reverie.stats.agreement import (
    Agreement,
    accuracy,
    accuracy_beats_majority,
    agreement,
    clustered_accuracy,
    kappa,
    majority_accuracy,
)
from reverie.stats.correlation import (
    CORRELATIONS,
    CorrelationKind,
    DropOneRange,
    correlation,
    drop_one_range,
    permutation_p,
)
from reverie.stats.intervals import clopper_pearson, wilson
from reverie.stats.means import bootstrap_mean, bootstrap_median, mean_above_zero
from reverie.stats.noise import expected_from_noise, mmrv_from_noise, simulate_rates
from reverie.stats.paired import PairedTable, exact_mcnemar, paired_difference, paired_table
from reverie.stats.pvalues import Alternative, PValue, holm
from reverie.stats.ranking import (
    BIAS,
    REGRET,
    SIMPLER,
    TOP_ONE,
    Choice,
    MmrvConvention,
    bias,
    choice,
    mmrv,
    mmrv_statistic,
)
from reverie.stats.resampling import Resampling, Statistic, trial_bootstrap
from reverie.stats.unpaired import boschloo, unpaired_difference

__all__ = [
    "BIAS",
    "CORRELATIONS",
    "REGRET",
    "SIMPLER",
    "TOP_ONE",
    "Agreement",
    "Alternative",
    "Choice",
    "CorrelationKind",
    "DropOneRange",
    "MmrvConvention",
    "PValue",
    "PairedTable",
    "Resampling",
    "Statistic",
    "accuracy",
    "accuracy_beats_majority",
    "agreement",
    "bias",
    "bootstrap_mean",
    "bootstrap_median",
    "boschloo",
    "choice",
    "clopper_pearson",
    "clustered_accuracy",
    "correlation",
    "drop_one_range",
    "exact_mcnemar",
    "expected_from_noise",
    "holm",
    "kappa",
    "majority_accuracy",
    "mean_above_zero",
    "mmrv",
    "mmrv_from_noise",
    "mmrv_statistic",
    "paired_difference",
    "paired_table",
    "permutation_p",
    "simulate_rates",
    "trial_bootstrap",
    "unpaired_difference",
    "wilson",
]
