"""The sentences of a data set through a frozen encoder, once, kept beside the frame cache."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from reverie.nn.text import FrozenSentences
from reverie.training.journal import Screen
from reverie.training.team import first_one_first


def prepare(model: Any, sentences: Iterable[str], folder: Path | None, quiet: bool) -> None:
    """Fill the table of every frozen encoder in `model`; `folder` keeps it for the next training (None: nowhere)."""
    with first_one_first():
        for encoder in (m for m in model.modules() if isinstance(m, FrozenSentences)):
            wanted = set(sentences)
            if folder is not None:
                encoder.read(folder)
            missing = wanted - encoder.known
            if len(missing) > 500 and not quiet:
                Screen(1, 0).say(
                    f"encoding {len(missing):,} sentences, about {0.006 * len(missing):.0f} s, once a data set"
                )
            encoder.prepare(missing)
            if missing and folder is not None:
                encoder.write(folder)
