"""A data set in memory for tests: coloured squares on a flat table, a hand that fetches the named one. No physics."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from reverie.core import ActionSpec, CameraSpec, ObjectPlacement, ObservationSpec, Scene, content_hash, generator
from reverie.data.cache import FrameCache
from reverie.data.episode_info import EpisodeInfo
from reverie.scenes.assets import COLORS

SIZE, N_STEPS, EVERY, STEP_M = 32, 40, 2, 0.05
ACTION_SPEC = ActionSpec(
    ("dx", "dy", "dz", "droll", "dpitch", "dyaw", "gripper"),
    ("m",) * 3 + ("rad",) * 3 + ("1",),
    ("delta",) * 6 + ("absolute",),
    "base",
    "rpy",
    "closed0_open1",
    10.0,
)
STATE_NAMES = ("x", "y", "z", "qw", "qx", "qy", "qz", "opening", "q1")
OBSERVATION_SPEC = ObservationSpec(
    (CameraSpec("top", SIZE, SIZE), CameraSpec("turned", SIZE, SIZE)),
    STATE_NAMES,
    extras=("object_poses", "camera_matrices"),
    frame_every=EVERY,
)
_SCALE = SIZE - 1.0
MATRICES = np.array(
    [
        [[_SCALE, 0, 0, 0], [0, _SCALE, 0, 0], [0, 0, 0, 1]],
        [[0, _SCALE, 0, 0], [_SCALE, 0, 0, 0], [0, 0, 0, 1]],
    ],
    dtype=np.float32,
)
"""The table is the unit square; `top` sees (x, y), `turned` sees (y, x)."""


def fake_scene(index: int) -> Scene:
    """Three cubes and two boxes of different colours, none near another."""
    rng = generator("fake table", index)
    colors = [str(c) for c in rng.permutation(list(COLORS))[:5]]
    while True:
        at = rng.uniform(0.12, 0.88, (5, 2))
        if min(np.linalg.norm(a - b) for i, a in enumerate(at) for b in at[:i]) > 0.22:
            break
    objects = tuple(
        ObjectPlacement(
            f"thing_{i}", "cube" if i < 3 else "box", colors[i], float(at[i, 0]), float(at[i, 1]), 0.0, i >= 3
        )
        for i in range(5)
    )
    sentence = f"Put the {objects[0].label} in the {objects[3].label}"
    return Scene(f"fake/{index}", "put", sentence, objects, objects[0].name, objects[3].name, "in")


def fake_cache(n_episodes: int, positions: bool = True, n_failed: int = 0) -> FrameCache:
    """`positions` False: neither poses nor camera matrices nor scenes, as with real robots. The last `n_failed`
    episodes have wrong actions and are marked as failed."""
    scenes = [fake_scene(i) for i in range(n_episodes)]
    played = [_play(s, failed=i >= n_episodes - n_failed) for i, s in enumerate(scenes)]
    n_frames, images = N_STEPS // EVERY + 1, [_pictures(s, *p[:2]) for s, p in zip(scenes, played, strict=True)]
    poses = np.concatenate([p[1] for p in played]).astype(np.float32)  # [F, 5, 7]
    frames: dict[str, NDArray[np.float32]] = {"commanded": np.concatenate([p[0] for p in played]).astype(np.float32)}
    frames["time_s"] = np.tile(np.arange(n_frames) * EVERY / 10.0, n_episodes)
    if positions:
        frames |= {"object_poses": poses, "camera_matrices": np.tile(MATRICES, (len(poses), 1, 1, 1))}
    episodes = [
        EpisodeInfo(
            s.instruction,
            n_frames,
            N_STEPS,
            i < n_episodes - n_failed,
            None,
            s if positions else None,
            {"source": "expert"},
        )
        for i, s in enumerate(scenes)
    ]
    return FrameCache(
        path=Path(f"fake-{content_hash([n_episodes, positions, n_failed])}"),
        images={"top": np.concatenate(images), "turned": np.concatenate(images).swapaxes(1, 2)},
        frames=frames,
        frame_steps=np.tile(np.arange(n_frames, dtype=np.int64) * EVERY, n_episodes),
        actions=np.concatenate([p[2] for p in played]).astype(np.float32),
        frame_offsets=np.arange(n_episodes + 1, dtype=np.int64) * n_frames,
        action_offsets=np.arange(n_episodes + 1, dtype=np.int64) * N_STEPS,
        episodes=episodes,
        observation_spec=OBSERVATION_SPEC,
        action_spec=ACTION_SPEC,
    )


def _play(scene: Scene, failed: bool) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """States [F, 9], poses [F, 5, 7], actions [N, 7]: to the target, close, to the reference, open."""
    things = np.array([(o.x, o.y) for o in scene.objects])
    at, opening, held, fetched = np.array([0.5, 0.5]), 1.0, False, False
    states, poses, actions = [], [], []
    for step in range(N_STEPS + 1):
        if step % EVERY == 0:
            states.append([*at, 0.1, 1, 0, 0, 0, opening, 0.0])
            flat = np.column_stack([things, np.zeros(5), np.ones(5), np.zeros((5, 3))])
            poses.append(flat)
        if step == N_STEPS:
            break
        goal = things[0] if not (held or fetched) else things[3]
        delta = np.clip(goal - at, -STEP_M, STEP_M) * (-1 if failed else 1)
        there = bool(np.linalg.norm(goal - at) < 1e-6)
        fetched, held = fetched or (held and there), (held or there) and not (fetched or (held and there))
        opening = 0.0 if held else 1.0
        at = at + delta
        if held:
            things[0] = at
        actions.append([*delta, 0, 0, 0, 0, opening])
    return np.array(states), np.array(poses), np.array(actions)


def _pictures(scene: Scene, states: NDArray[np.float64], poses: NDArray[np.float64]) -> NDArray[np.uint8]:
    """[F, S, S, 3]: boxes, cubes on them, and a small grey hand."""
    v, u = np.mgrid[:SIZE, :SIZE] / _SCALE
    pictures = np.full((len(states), SIZE, SIZE, 3), 60, np.uint8)
    for i in (3, 4, 0, 1, 2):
        half = 0.1 if i >= 3 else 0.06
        near = (np.abs(u - poses[:, i, 0, None, None]) < half) & (np.abs(v - poses[:, i, 1, None, None]) < half)
        pictures[near] = (np.array(COLORS[scene.objects[i].color]) * 255).astype(np.uint8)
    hand = np.hypot(u - states[:, 0, None, None], v - states[:, 1, None, None]) < 0.04
    pictures[hand] = 200
    return pictures
