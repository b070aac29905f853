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
from reverie.stats.bradley_terry import bradley_terry
from reverie.stats.correlation import (
    CORRELATIONS,
    CorrelationKind,
    DropOneRange,
    correlation,
    drop_one_range,
    permutation_p,
)
from reverie.stats.e_values import sequential_paired, sequential_unpaired
from reverie.stats.intervals import clopper_pearson, jeffreys, wilson
from reverie.stats.letters import compact_letters
from reverie.stats.means import bootstrap_mean, bootstrap_median
from reverie.stats.noise import expected_from_noise, mmrv_from_noise, simulate_rates
from reverie.stats.paired import PairedTable, exact_mcnemar, paired_difference, paired_table
from reverie.stats.power import paired_power, paired_sample_size, unpaired_power, unpaired_sample_size
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
from reverie.stats.sequences import confidence_sequence, paired_difference_sequence, unpaired_difference_sequence
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
    "bradley_terry",
    "choice",
    "clopper_pearson",
    "clustered_accuracy",
    "compact_letters",
    "confidence_sequence",
    "correlation",
    "drop_one_range",
    "exact_mcnemar",
    "expected_from_noise",
    "holm",
    "jeffreys",
    "kappa",
    "majority_accuracy",
    "mmrv",
    "mmrv_from_noise",
    "mmrv_statistic",
    "paired_difference",
    "paired_difference_sequence",
    "paired_power",
    "paired_sample_size",
    "paired_table",
    "permutation_p",
    "sequential_paired",
    "sequential_unpaired",
    "simulate_rates",
    "trial_bootstrap",
    "unpaired_difference",
    "unpaired_difference_sequence",
    "unpaired_power",
    "unpaired_sample_size",
    "wilson",
]
