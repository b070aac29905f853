"""What a data set to be will look like as a whole: read off the headers of its staged episodes, before any data moves.

Episodes of one data set share specs and features. Only extras of floats may differ in shape (scenes with other numbers
of objects): their columns take the largest shape and NaN fills the rest.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from reverie.core import ReverieError
from reverie.data.columns import INDEX_FEATURES
from reverie.data.features import Feature, feature_of
from reverie.data.layout import EXTRAS
from reverie.data.staging import StagedHeader, read_header, staged_episodes, staged_path

Progress = Callable[[int, int], None]
"""Called with (episodes finished, episodes in all)."""


@dataclass
class Plan:
    """`extras`: name -> [dtype, largest shape]. `ragged`: columns whose shape differs between episodes."""

    indices: list[int]
    features: dict[str, Feature]
    specs: Mapping[str, Any]
    robot_type: str
    extras: dict[str, tuple[str, tuple[int, ...]]]
    ragged: set[str] = field(default_factory=set)
    tasks: dict[str, int] = field(default_factory=dict)

    @property
    def video_keys(self) -> list[str]:
        """Features whose frames go into video files."""
        return [k for k, f in self.features.items() if f.dtype == "video"]


def plan_of(staging: Path) -> Plan:
    """Of the episodes in a staging folder. Errors: ReverieError for none, or for episodes that do not go together."""
    indices = staged_episodes(staging)
    if not indices:
        raise ReverieError(f"{staging}: found no staged episode (episode_000000.parquet ...); collect some first")
    first_path = staged_path(staging, indices[0])
    first = read_header(first_path)
    plan = Plan(indices, _fixed(first), first.specs, first.robot_type, dict(first.record.extras))
    for index in indices:
        path = staged_path(staging, index)
        header = read_header(path)
        _check_same(plan, header, path, first_path)
        plan.tasks.setdefault(header.record.instruction, len(plan.tasks))
        _widen(plan, header, path, first_path)
    plan.features |= {EXTRAS + k: f for k, f in _extra_features(plan).items()} | INDEX_FEATURES
    return plan


def _fixed(header: StagedHeader) -> dict[str, Feature]:
    return {k: f for k, f in header.features.items() if f.is_picture or not k.startswith(EXTRAS)}


def _check_same(plan: Plan, header: StagedHeader, path: Path, first: Path) -> None:
    pairs = [("features", plan.features, _fixed(header)), ("specs", plan.specs, header.specs)]
    for what, wanted, found in pairs:
        wrong = [k for k in {**wanted, **found} if wanted.get(k) != found.get(k)]
        if wrong:
            listed = "; ".join(f"{k}: {found.get(k)} against {wanted.get(k)}" for k in wrong)
            raise ReverieError(
                f"{path}: its {what} differ from those of {first.name} ({listed}); episodes of one data set must agree: "
                "delete the odd ones, or write them to a data set of their own"
            )


def _widen(plan: Plan, header: StagedHeader, path: Path, first: Path) -> None:
    extras = header.record.extras
    if extras.keys() != plan.extras.keys():
        odd = sorted(extras.keys() ^ plan.extras.keys())
        raise ReverieError(
            f"{path}: extras {odd} are in this episode or in {first.name}, not in both; record them in all"
        )
    for name, (dtype, shape) in extras.items():
        wide_dtype, wide = plan.extras[name]
        if (dtype, shape) == (wide_dtype, wide):
            continue
        if dtype != wide_dtype or np.dtype(dtype).kind != "f" or len(shape) != len(wide):
            raise ReverieError(
                f"{path}: extra {name!r} is {dtype} {list(shape)} a frame, in {first.name} it is {wide_dtype} {list(wide)}; "
                "only floats of as many axes may differ in shape: pad it to one shape before it is written"
            )
        plan.extras[name] = (dtype, tuple(max(a, b) for a, b in zip(shape, wide, strict=True)))
        plan.ragged.add(EXTRAS + name)


def _extra_features(plan: Plan) -> dict[str, Feature]:
    """Extras without a number in any episode have no column: the record keeps their dtype and shape."""
    stored = {k: s for k, s in plan.extras.items() if EXTRAS + k not in plan.features and 0 not in s[1]}
    return {k: feature_of(np.empty((0, *shape), dtype=dtype)) for k, (dtype, shape) in stored.items()}
