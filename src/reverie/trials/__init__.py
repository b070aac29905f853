"""The journal: what happened in a run, as append-only lines that survive a kill."""

from reverie.trials.compare import differences
from reverie.trials.export import export
from reverie.trials.index import Records
from reverie.trials.journal import Journal
from reverie.trials.records import RECEIPTS, TRIALS, VERDICTS, Receipt, TrialVerdict

__all__ = ["RECEIPTS", "TRIALS", "VERDICTS", "Journal", "Receipt", "Records", "TrialVerdict", "differences", "export"]
