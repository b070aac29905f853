"""What edits call unseen is in no training data: by the tables, by what the splits draw, and by the data of shipped checkpoints."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from reverie.evaluation.loaders import SHIPPED
from reverie.scenes.assets import COLORS, CONTAINERS, OBJECTS, TABLE_COLORS, UNSEEN_COLORS, UNSEEN_OBJECTS
from reverie.scenes.instructions import TEMPLATES
from reverie.scenes.surroundings import CLOTHS, LIGHTS, PLUSHIES
from reverie.scenes.tasks import TASKS, draw_scene
from reverie.training.receipts import lineage

NEW = {*UNSEEN_OBJECTS, *UNSEEN_COLORS, *PLUSHIES, *CLOTHS, *LIGHTS}
DATA: Mapping[str, Mapping[str, list[str]]] = json.loads((Path(__file__).parent / "data_of_shipped.json").read_text())
"""What `training.receipts.shown` says of the data sets that older receipts name by content alone."""


def names_shown(receipt: Mapping[str, Any]) -> Iterator[Mapping[str, list[str]]]:
    if "shown" in receipt:
        yield receipt["shown"]
    else:
        yield from (DATA[data] for data in receipt.get("data", ()))


def test_tables_share_no_name() -> None:
    assert not NEW & {*OBJECTS, *CONTAINERS, *COLORS, *TABLE_COLORS}


@pytest.mark.parametrize("split", ["train", "validation"])
def test_no_split_that_is_trained_on_draws_them(split: str) -> None:
    scenes = [draw_scene(task, split, i) for task in TASKS for i in range(200)]
    assert not NEW & {name for s in scenes for o in s.objects for name in (o.kind, o.color)}
    assert all(set(s.look) == {"table"} and s.look["table"] in TABLE_COLORS for s in scenes)
    assert not any(s.distractors or s.hidden or s.edits for s in scenes)


def test_no_training_sentence_names_them() -> None:
    words = {w for templates in TEMPLATES.values() for t in templates for w in t.lower().split()}
    assert not words & {n for n in NEW if "_" not in n}


@pytest.mark.parametrize("checkpoint", sorted(SHIPPED.glob("*/*/checkpoint.json")), ids=lambda p: p.parent.name)
def test_shipped_checkpoints_have_not_seen_them(checkpoint: Path) -> None:
    """Policies, video world, judges and backbone, with their parents."""
    shown = [s for r in lineage(json.loads(checkpoint.read_text())["receipt"]) for s in names_shown(r)]
    assert shown
    for names in shown:
        assert not NEW & {*names["kinds"], *names["colors"], *names["tables"]}
        assert not names["edits"]
        assert set(names["kinds"]) <= {*OBJECTS, *CONTAINERS}
