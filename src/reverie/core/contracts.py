"""The contracts of World and Policy as checks that anyone runs on their own: `check_world(world, scenes)`,
`check_policy(policy, observations)`. A broken contract raises ReverieError and says which one.

They compare results, never internals, and know nothing about particular worlds or policies.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from reverie.core.errors import ReverieError
from reverie.core.observations import Observations, concat_time, stack_time
from reverie.core.policy import Memory, Policy
from reverie.core.scene import Scene
from reverie.core.seeding import generator
from reverie.core.specs import ActionSpec, ObservationSpec
from reverie.core.world import Event, World

Events = tuple[tuple[Event, ...], ...]


def _require(holds: bool, message: str) -> None:
    if not holds:
        raise ReverieError(f"contract broken: {message}")


def example_actions(spec: ActionSpec, rows: int, n_steps: int, seed: int = 0) -> NDArray[np.float32]:
    """Smooth actions [B, T, A] within the bounds (a tenth around their middle where there are none)."""
    low = np.array(spec.low if spec.low is not None else (-0.1,) * spec.action_dim)
    high = np.array(spec.high if spec.high is not None else (0.1,) * spec.action_dim)
    draws = generator("example actions", seed).uniform(0, 1, (rows, 1 + n_steps // 4, spec.action_dim))
    return np.asarray(low + (high - low) * np.repeat(draws, 4, axis=1)[:, :n_steps], dtype=np.float32)


def _play(world: World, scenes: Sequence[Scene], seeds: Sequence[int], actions: NDArray[np.float32], block: int) -> tuple[Observations, NDArray[np.int64], Events]:  # fmt: skip
    """Reset and apply [B, T, A] in pieces of `block` steps; returns frames [B, F, ...], their steps, events by row."""
    pieces, steps = [stack_time([world.reset(scenes, seeds)])], [np.zeros(1, dtype=np.int64)]
    events: list[list[Event]] = [[] for _ in scenes]
    for start in range(0, actions.shape[1], block):
        transition = world.step(actions[:, start : start + block])
        pieces.append(transition.observations)
        steps.append(transition.frame_steps)
        _require(
            transition.valid.shape == (len(scenes), len(transition.frame_steps)),
            f"valid has shape {transition.valid.shape}, expected one flag per row and frame",
        )
        for row, new in zip(events, transition.events, strict=True):
            row.extend(new)
    return concat_time(pieces), np.concatenate(steps), tuple(tuple(e) for e in events)


def _require_same(a: Observations, b: Observations, atol: float, what: str) -> None:
    left, right = a.arrays(), b.arrays()
    _require(left.keys() == right.keys(), f"{what}: {sorted(left)} against {sorted(right)}")
    for name, value in left.items():
        other = right[name]
        _require(value.shape == other.shape, f"{what}: {name} has shape {value.shape} against {other.shape}")
        largest = np.abs(value.astype(np.float64) - other.astype(np.float64)).max(initial=0)
        allowed = atol * 255 if value.dtype == np.uint8 else atol
        _require(bool(largest <= allowed), f"{what}: {name} differs by up to {largest:.3g}, allowed {allowed:.3g}")


def check_observations(observations: Observations, spec: ObservationSpec, rows: int) -> None:
    """Every array that the spec names is there, with the shape it says, and one instruction a row."""
    _require(len(observations.instructions) == rows, f"{len(observations.instructions)} instructions for {rows} rows")
    _require(observations.time_s.shape[0] == rows, f"time_s has shape {observations.time_s.shape} for {rows} rows")
    for camera in spec.cameras:
        shape = observations.images[camera.name].shape if camera.name in observations.images else None
        expected = (*observations.time_s.shape, camera.height, camera.width, 3)
        _require(shape == expected, f"image {camera.name!r} has shape {shape}, expected {expected}")
    for part in ("commanded", "measured"):
        value, names = getattr(observations, part), getattr(spec, part)
        width = 0 if value is None else value.shape[-1]
        _require(width == len(names), f"{part} state has {width} numbers, the spec names {len(names)}")
    missing = [n for n in spec.extras if n not in observations.extras]
    _require(not missing, f"extras {missing} are in the spec and not in the observations")


def _check_clock(world: World, observations: Observations, steps: NDArray[np.int64], n_steps: int) -> None:
    every = world.observation_spec.frame_every
    expected = np.arange(0, n_steps + 1, every)
    _require(np.array_equal(steps, expected), f"frames after steps {steps}, expected {expected}")
    times = np.broadcast_to(steps / world.action_spec.control_hz, observations.time_s.shape)
    _require(np.allclose(observations.time_s, times), f"time_s is {observations.time_s[0]}, expected {times[0]}")


def _check_success(observations: Observations) -> None:
    success = observations.extras.get("success")
    if success is not None:
        _require(not success[:, 0].any(), "success is already true at reset")
        _require(bool((np.diff(success.astype(np.int8), axis=1) >= 0).all()), "success is not latched: it went back")


def check_world(
    world: World, scenes: Sequence[Scene], *, n_steps: int = 12, atol: float = 0.0, actions: NDArray[np.float32] | None = None
) -> None:  # fmt: skip
    """The contracts of World: shapes, clock, T at once = T times 1, rows independent, seeds alone decide, success latched.

    `atol` is the allowed difference (images: times 255); a world that computes in float32 batches needs a little.
    """
    rows, seeds = len(scenes), [101 + i for i in range(len(scenes))]
    commands = example_actions(world.action_spec, rows, n_steps) if actions is None else actions
    check_observations(world.reset(scenes, seeds), world.observation_spec, rows)
    whole, steps, events = _play(world, scenes, seeds, commands, n_steps)
    check_observations(whole, world.observation_spec, rows)
    _check_clock(world, whole, steps, n_steps)
    _check_success(whole)
    for block, what in ((n_steps, "the same seeds again"), (1, "T at once = T times 1"), (5, "steps in fives")):
        again, again_steps, again_events = _play(world, scenes, seeds, commands, block)
        _require(np.array_equal(steps, again_steps), f"{what}: frames after steps {again_steps}, expected {steps}")
        _require_same(whole, again, atol, what)
        _require(events == again_events, f"{what}: events {again_events}, expected {events}")
    for row in range(rows):
        alone, _, _ = _play(world, scenes[row : row + 1], seeds[row : row + 1], commands[row : row + 1], n_steps)
        _require_same(whole[row : row + 1], alone, atol, f"row {row} alone")


def _rows(memory: Memory | None, index: NDArray[np.int64]) -> Memory | None:
    return None if memory is None else {k: v[index] for k, v in memory.items()}


def check_memory(memory: Memory | None, rows: int) -> None:
    """Every array of a memory has one row per trial."""
    for name, value in (memory or {}).items():
        _require(value.shape[:1] == (rows,), f"memory {name!r} has shape {value.shape}, expected {rows} rows first")


def check_policy(policy: Policy, observations: Observations, *, atol: float = 1e-4) -> None:
    """The contracts of Policy on windows [B, n_obs_steps, ...] that hold what its spec asks for, B >= 2.

    Same seeds same actions, nothing hidden between calls, memory row-indexed, rows independent of their neighbours.
    """
    rows = len(observations.instructions)
    seeds = [7 * i + 3 for i in range(rows)]
    check_observations(observations, policy.observation_spec, rows)
    first, memory = policy.infer(observations, None, seeds)
    _require(first.spec == policy.action_spec, "the chunk's spec is not the policy's action_spec")
    length = first.values.shape[1]
    _require(1 <= policy.n_action_steps <= length, f"n_action_steps is {policy.n_action_steps}, the chunk has {length}")
    second, later = policy.infer(observations, memory, [s + 1 for s in seeds])
    for index in (np.arange(rows), np.arange(rows)[::-1].copy(), *np.arange(rows)[:, None]):
        what = f"rows {index.tolist()} asked apart"
        some, chosen = observations[index], [seeds[i] for i in index]
        chunk, new = policy.infer(some, None, chosen)
        check_memory(new, len(index))
        _require_close(chunk.values, first.values[index], atol, what)
        chunk, new = policy.infer(some, _rows(memory, index), [s + 1 for s in chosen])
        _require_close(chunk.values, second.values[index], atol, f"{what}, second call")
        _require_close_memory(new, _rows(later, index), atol, f"{what}, memory")


def _require_close(a: NDArray[np.float32], b: NDArray[np.float32], atol: float, what: str) -> None:
    largest = np.abs(a - b).max(initial=0) if a.shape == b.shape else np.inf
    _require(bool(largest <= atol), f"{what}: actions differ by up to {largest:.3g}, allowed {atol:.3g}")


def _require_close_memory(a: Memory | None, b: Memory | None, atol: float, what: str) -> None:
    left, right = a or {}, b or {}
    _require(left.keys() == right.keys(), f"{what}: {sorted(left)} against {sorted(right)}")
    for name in left:
        same = np.allclose(left[name], right[name], rtol=1e-4, atol=atol, equal_nan=True)
        _require(same, f"{what}: {name!r} differs")
