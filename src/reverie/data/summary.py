"""DatasetSummary: what is in a data set, as numbers. It reads every row but decodes no picture."""

from collections import Counter
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from reverie.core import ActionSpec, Episode, ObservationSpec
from reverie.data.labels import LABELLED_BY
from reverie.data.lerobot_reader import Dataset
from reverie.data.plan import Progress


@dataclass(frozen=True)
class DimensionRange:
    """The range of one number over all rows. `constant`: it never changes, so nothing can be learnt from it.

    wraps: an angle jumps by more than pi from one row to the next, so its mean and differences mean nothing: use another
    representation of rotation.
    """

    name: str
    unit: str
    low: float
    high: float
    mean: float
    std: float
    wraps: bool

    @property
    def constant(self) -> bool:
        """Whether it never changes: nothing can be learned from it, or a sensor is dead."""
        return self.low == self.high


@dataclass(frozen=True)
class DatasetSummary:
    """instructions, splits, sources and people who labelled: [text, number of episodes], most frequent first.

    ranges: "action", "commanded", "measured" -> one range per number; a part that is absent has none.
    """

    root: str
    n_episodes: int
    n_frames: int
    n_actions: int
    steps_min: int
    steps_median: float
    steps_max: int
    hours: float
    instructions: tuple[tuple[str, int], ...]
    n_success: int
    n_failure: int
    n_unlabelled: int
    sources: tuple[tuple[str, int], ...]
    splits: tuple[tuple[str, int], ...]
    labelled_by: tuple[tuple[str, int], ...]
    ranges: dict[str, tuple[DimensionRange, ...]]
    observation_spec: ObservationSpec
    action_spec: ActionSpec
    specs_deduced: bool


def describe(dataset: Dataset, progress: Progress | None = None) -> DatasetSummary:
    """Reads the numbers of every episode, no pictures. progress: called with (episodes read, all)."""
    collected: dict[str, list[NDArray[np.float32]]] = {"action": [], "commanded": [], "measured": []}
    instructions, sources, splits, outcomes = Counter[str](), Counter[str](), Counter[str](), Counter[bool | None]()
    people = Counter[str]()
    lengths, n_frames = [], 0
    for index in range(len(dataset)):
        episode = dataset.episode(index, images=False, depth=False)
        instructions[episode.instruction] += 1
        sources[str(episode.provenance.get("source", "unknown"))] += 1
        splits[str(episode.provenance.get("split", "none"))] += 1
        outcomes[episode.success] += 1
        people.update(str(v) for k, v in episode.provenance.items() if k == LABELLED_BY)
        lengths.append(episode.n_steps)
        n_frames += episode.n_frames
        for part, values in _parts(episode).items():
            collected[part].append(values)
        if progress:
            progress(index + 1, len(dataset))
    return DatasetSummary(
        root=str(dataset.root),
        n_episodes=len(dataset),
        n_frames=n_frames,
        n_actions=sum(lengths),
        steps_min=min(lengths, default=0),
        steps_median=float(np.median(lengths)) if lengths else 0.0,
        steps_max=max(lengths, default=0),
        hours=sum(lengths) / dataset.action_spec.control_hz / 3600,
        instructions=tuple(instructions.most_common()),
        n_success=outcomes[True],
        n_failure=outcomes[False],
        n_unlabelled=outcomes[None],
        sources=tuple(sources.most_common()),
        splits=tuple(splits.most_common()),
        labelled_by=tuple(people.most_common()),
        ranges={part: _ranges(dataset, part, values) for part, values in collected.items() if values},
        observation_spec=dataset.observation_spec,
        action_spec=dataset.action_spec,
        specs_deduced=dataset.specs_deduced,
    )


def _parts(episode: Episode) -> dict[str, NDArray[np.float32]]:
    seen = episode.observations
    found = {"action": episode.actions, "commanded": seen.commanded, "measured": seen.measured}
    return {part: values for part, values in found.items() if values is not None and len(values)}


def _ranges(dataset: Dataset, part: str, pieces: list[NDArray[np.float32]]) -> tuple[DimensionRange, ...]:
    values = np.concatenate(pieces).astype(np.float64)
    jumps = np.any([(np.abs(np.diff(p, axis=0)) > np.pi).any(axis=0) for p in pieces], axis=0)
    spec = dataset.action_spec
    names = spec.names if part == "action" else getattr(dataset.observation_spec, part)
    names = names or tuple(f"{part}_{i}" for i in range(values.shape[1]))
    units = dict(zip(spec.names, spec.units, strict=True))
    return tuple(
        DimensionRange(
            name=name,
            unit=units.get(name, ""),
            low=float(column.min()),
            high=float(column.max()),
            mean=float(column.mean()),
            std=float(column.std()),
            wraps=units.get(name) == "rad" and bool(jump),
        )
        for name, column, jump in zip(names, values.T, jumps, strict=True)
    )
