"""Observations: what policies see, as a struct of arrays."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from reverie.core.errors import ReverieError
from reverie.core.specs import ObservationSpec


@dataclass(frozen=True)
class Observations:
    """Arrays with leading `[B]`, `[B, T]`, or `[F]` for the frames of one episode.

    images: camera -> uint8 [..., H, W, 3]. commanded: float32 [..., Dc], target pose and opening, exact in every world.
    measured: float32 [..., Dm], from physics or a robot, None where a world has none. instructions: one string a row.
    time_s: float64 [...], seconds since reset. extras: other modalities by name (depth, touch, object poses, ...).
    """

    images: Mapping[str, NDArray[np.uint8]]
    time_s: NDArray[np.float64]
    instructions: tuple[str, ...] = ()
    commanded: NDArray[np.float32] | None = None
    measured: NDArray[np.float32] | None = None
    extras: Mapping[str, NDArray[Any]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        lead = self.time_s.shape
        for name, value in self.arrays().items():
            if value.shape[: len(lead)] != lead:
                raise ReverieError(
                    f"observation {name!r} has shape {value.shape}, its leading part must be {lead} as time_s"
                )
        for camera, image in self.images.items():
            if image.dtype != np.uint8 or image.ndim != len(lead) + 3 or image.shape[-1] != 3:
                raise ReverieError(
                    f"image {camera!r} is {image.dtype} {image.shape}, expected uint8 {(*lead, 'H', 'W', 3)}"
                )
        for name in ("commanded", "measured"):
            value = getattr(self, name)
            if value is not None and not np.isfinite(value).all():
                raise ReverieError(f"{name} state has a value that is not finite: {value[~np.isfinite(value)][:3]}")

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Every array under a flat name: `images.<camera>`, `commanded`, `measured`, `time_s`, `extras.<name>`."""
        flat: dict[str, NDArray[Any]] = {f"images.{k}": v for k, v in self.images.items()}
        for name in ("commanded", "measured", "time_s"):
            if getattr(self, name) is not None:
                flat[name] = getattr(self, name)
        return flat | {f"extras.{k}": v for k, v in self.extras.items()}

    def __getitem__(self, index: Any) -> "Observations":
        """Index every array alike. Instructions follow the index of the first axis where there is one per row: an
        integer leaves one row, [...] instead of [B, ...], and its one instruction."""
        rows = index[0] if isinstance(index, tuple) else index
        instructions = self.instructions
        if len(instructions) == self.time_s.shape[0]:
            chosen = np.asarray(instructions, dtype=object)[rows]
            instructions = tuple(chosen) if isinstance(chosen, np.ndarray) else (chosen,)
        return self.map(lambda v: v[index], instructions)

    def map(self, function: Any, instructions: tuple[str, ...] | None = None) -> "Observations":
        """Apply `function` to every array."""
        new = {k: function(v) for k, v in self.arrays().items()}
        return Observations(
            images={k: new[f"images.{k}"] for k in self.images},
            time_s=new["time_s"],
            instructions=self.instructions if instructions is None else instructions,
            commanded=new.get("commanded"),
            measured=new.get("measured"),
            extras={k: new[f"extras.{k}"] for k in self.extras},
        )

    def select(self, spec: ObservationSpec, offered: ObservationSpec) -> "Observations":
        """Only what `spec` asks for, out of what a world with spec `offered` shows: a policy sees nothing else."""

        def parts(value: NDArray[np.float32] | None, want: tuple[str, ...], have: tuple[str, ...]) -> Any:
            if value is None or not want:
                return None
            return value if want == have else value[..., [have.index(n) for n in want]]

        return Observations(
            images={c: self.images[c] for c in spec.camera_names},
            time_s=self.time_s,
            instructions=self.instructions,
            commanded=parts(self.commanded, spec.commanded, offered.commanded),
            measured=parts(self.measured, spec.measured, offered.measured),
            extras={k: self.extras[k] for k in spec.extras},
        )


def _join(items: Sequence[Observations], join: Any, instructions: tuple[str, ...]) -> Observations:
    flat = [o.arrays() for o in items]
    if any(f.keys() != flat[0].keys() for f in flat):
        raise ReverieError(f"observations differ in what they hold: {sorted(flat[0])} against {sorted(flat[-1])}")
    new = {k: join([f[k] for f in flat]) for k in flat[0]}
    first = items[0]
    return Observations(
        images={k: new[f"images.{k}"] for k in first.images},
        time_s=new["time_s"],
        instructions=instructions,
        commanded=new.get("commanded"),
        measured=new.get("measured"),
        extras={k: new[f"extras.{k}"] for k in first.extras},
    )


def stack_time(items: Sequence[Observations]) -> Observations:
    """T observations of [B, ...] -> one of [B, T, ...]."""
    return _join(items, lambda v: np.stack(v, axis=1), items[0].instructions)


def concat_time(items: Sequence[Observations]) -> Observations:
    """Pieces of [B, T_i, ...] -> one of [B, sum T_i, ...]."""
    return _join(items, lambda v: np.concatenate(v, axis=1), items[0].instructions)


def concat_rows(items: Sequence[Observations]) -> Observations:
    """Pieces of [B_i, ...] -> one of [sum B_i, ...]."""
    return _join(items, lambda v: np.concatenate(v, axis=0), tuple(s for o in items for s in o.instructions))
