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
from reverie.stats.calibration import MAPS, HeldOut, MapKind, affine_map, held_out, isotonic_map
from reverie.stats.conformal import ConformalThreshold, conformal_rank, conformal_threshold
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
from reverie.stats.judge_error import corrected_rate, corrected_rate_sequence
from reverie.stats.judged_difference import (
    corrected_bias,
    corrected_difference,
    corrected_difference_sequence,
    youden_index,
)
from reverie.stats.letters import compact_letters
from reverie.stats.means import bootstrap_mean, bootstrap_median, mean_above_zero
from reverie.stats.more_trials import Precision, allocate, trials_for
from reverie.stats.noise import expected_from_noise, mmrv_from_noise, simulate_rates
from reverie.stats.paired import PairedTable, exact_mcnemar, paired_difference, paired_table
from reverie.stats.power import paired_power, paired_sample_size, unpaired_power, unpaired_sample_size
from reverie.stats.prediction_powered import (
    MIN_PAIRS,
    PredictionPowered,
    betting_interval,
    ppi_limits,
    prediction_powered,
    real_alone,
)
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
from reverie.stats.resampling import Resampling, Statistic, rate_bootstrap, trial_bootstrap
from reverie.stats.sequences import confidence_sequence, paired_difference_sequence, unpaired_difference_sequence
from reverie.stats.unpaired import boschloo, unpaired_difference

__all__ = [
    "BIAS",
    "CORRELATIONS",
    "MAPS",
    "MIN_PAIRS",
    "REGRET",
    "SIMPLER",
    "TOP_ONE",
    "Agreement",
    "Alternative",
    "Choice",
    "ConformalThreshold",
    "CorrelationKind",
    "DropOneRange",
    "HeldOut",
    "MapKind",
    "MmrvConvention",
    "PValue",
    "PairedTable",
    "Precision",
    "PredictionPowered",
    "Resampling",
    "Statistic",
    "accuracy",
    "accuracy_beats_majority",
    "affine_map",
    "agreement",
    "allocate",
    "betting_interval",
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
    "conformal_rank",
    "conformal_threshold",
    "corrected_bias",
    "corrected_difference",
    "corrected_difference_sequence",
    "corrected_rate",
    "corrected_rate_sequence",
    "correlation",
    "drop_one_range",
    "exact_mcnemar",
    "expected_from_noise",
    "held_out",
    "holm",
    "isotonic_map",
    "jeffreys",
    "kappa",
    "majority_accuracy",
    "mean_above_zero",
    "mmrv",
    "mmrv_from_noise",
    "mmrv_statistic",
    "paired_difference",
    "paired_difference_sequence",
    "paired_power",
    "paired_sample_size",
    "paired_table",
    "permutation_p",
    "ppi_limits",
    "prediction_powered",
    "rate_bootstrap",
    "real_alone",
    "sequential_paired",
    "sequential_unpaired",
    "simulate_rates",
    "trial_bootstrap",
    "trials_for",
    "unpaired_difference",
    "unpaired_difference_sequence",
    "unpaired_power",
    "unpaired_sample_size",
    "wilson",
    "youden_index",
]
