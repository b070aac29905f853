"""`reverie label DATA --by NAME`: people label success and its moment in recorded episodes, by keyboard in a local page.

    reverie label data/mine --by anna
    reverie data show data/mine
    reverie train judge --data data/mine --out checkpoints/judge

Labels lie in the data set's meta/ folder; the recording is not changed. The same command goes on where it stopped.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import tyro

from reverie.annotation import Labelling, Session
from reverie.cli.pages import until_finished
from reverie.data import open_dataset
from reverie.data.labels import recover_labels
from reverie.judges.human import name_of
from reverie.trials.journal import lock


@dataclass(frozen=True)
class Options:
    """Ends when everything is labelled, or with Ctrl-C."""

    root: tyro.conf.Positional[Path]
    """The data set's folder (LeRobotDataset, ours or a stranger's)."""
    by: str
    """Who labels."""
    what: Literal["unlabelled", "all"] = "unlabelled"
    """Episodes without a label, or all (the new label then counts)."""
    port: int = 0
    """Of the local page; 0 takes a free one."""


def main(arguments: Sequence[str]) -> int:
    options = tyro.cli(Options, args=list(arguments), prog="reverie label", description=__doc__)
    name_of(options.by)
    open_dataset(options.root)  # an error where this is no data set, before a lock is put there
    with lock(options.root):
        recover_labels(options.root)
        labelling = Labelling(open_dataset(options.root), options.by, options.what)
        until_finished({options.by: Session(labelling)}, options.port)
    print("\n".join(labelling.closing()) if not labelling.n_items else options.root)
    return 0
