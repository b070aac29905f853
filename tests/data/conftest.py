"""Episodes that use every part of the contract, and how two are compared."""

import os
from pathlib import Path

import numpy as np
import pytest

from reverie.core import (
    ActionSpec,
    CameraSpec,
    Episode,
    Event,
    ObjectPlacement,
    Observations,
    ObservationSpec,
    Scene,
)

ACTIONS = ActionSpec(
    names=("x", "y", "gripper"),
    units=("m", "m", "1"),
    modes=("delta", "delta", "absolute"),
    frame="base",
    rotation="none",
    gripper="closed0_open1",
    control_hz=10.0,
)


def build_episode(
    seed=0, n_actions=8, frame_every=2, size=16, n_objects=2, success=True, cameras=("top", "side"), depth=True
):
    rng = np.random.default_rng(seed)
    steps = np.arange(0, n_actions + 1, frame_every)
    n = len(steps)
    extras = {
        "object_poses": rng.normal(size=(n, n_objects, 7)).astype(np.float32),
        "contact": rng.random(n) > 0.5,
        "force_n": rng.normal(size=(n, 1)),
    }
    if depth:
        extras |= {f"depth.{c}": rng.integers(0, 65536, (n, size, size), dtype=np.uint16) for c in cameras}
    return Episode(
        observations=Observations(
            images={c: rng.integers(0, 256, (n, size, size, 3), dtype=np.uint8) for c in cameras},
            time_s=steps / 10.0,
            instructions=("put the red brick in the bowl",) * n,
            commanded=rng.normal(size=(n, 3)).astype(np.float32),
            measured=rng.normal(size=(n, 3)).astype(np.float32),
            extras=extras,
        ),
        frame_steps=steps,
        actions=rng.normal(size=(n_actions, 3)).astype(np.float32),
        observation_spec=ObservationSpec(
            cameras=tuple(CameraSpec(c, size, size) for c in cameras),
            commanded=("x", "y", "gripper"),
            measured=("x", "y", "gripper"),
            extras=tuple(extras),
            frame_every=frame_every,
        ),
        action_spec=ACTIONS,
        instruction=f"put the red brick in the bowl, {seed % 2}",
        success=success,
        success_time_s=0.3 if success else None,
        scene=Scene(
            f"put/{seed}", "put", "go", (ObjectPlacement("a", "brick", "red", 0.1, 0.2, 0.3),), look={"table": [1, 2]}
        ),
        events=(Event("touch", 0.25, {"object": "a"}),),
        provenance={"source": "expert", "split": "train" if seed % 2 else "val", "seed": seed},
    )


def check_same(found, wanted):
    """Everything of two episodes is equal, dtypes and the order of cameras included."""
    a, b = found.observations.arrays(), wanted.observations.arrays()
    assert list(found.observations.images) == list(wanted.observations.images)
    assert a.keys() == b.keys()
    for name in b:
        assert a[name].dtype == b[name].dtype, name
        np.testing.assert_array_equal(a[name], b[name], err_msg=name)
    assert found.actions.dtype == np.float32
    np.testing.assert_array_equal(found.actions, wanted.actions)
    np.testing.assert_array_equal(found.frame_steps, wanted.frame_steps)
    assert found.observations.instructions == wanted.observations.instructions
    for name in (
        "observation_spec",
        "action_spec",
        "instruction",
        "success",
        "success_time_s",
        "scene",
        "events",
        "provenance",
    ):
        assert getattr(found, name) == getattr(wanted, name), name


@pytest.fixture(scope="session")
def make_episode():
    return build_episode


@pytest.fixture(scope="session")
def assert_same_episode():
    return check_same


@pytest.fixture(scope="session")
def shared_data():
    """The folder of real samples, which lies beside the repository."""
    shared = Path(os.environ.get("REVERIE_SHARED", Path(__file__).resolve().parents[3] / "shared"))
    if not (shared / "data").is_dir():
        pytest.skip(f"no real samples at {shared / 'data'} (set REVERIE_SHARED)")
    return shared / "data"
