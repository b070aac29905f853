"""The contract over every learned policy of the catalog, and their checkpoints."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from reverie.checkpoints import Checkpoint, load, save
from reverie.core import ActionSpec, CameraSpec, Observations, ObservationSpec, ReverieError
from reverie.core.contracts import check_policy
from reverie.nn.grounding import GroundingShapes
from reverie.policies import LEARNED, LearnedPolicy, PolicyShapes, load_policy
from reverie.policies.learned import policy_checkpoint
from reverie.transforms import ImagesToFloat, LowerText, NormalizeActions, NormalizeState, Pipeline

SPEC = ObservationSpec((CameraSpec("a", 32, 48), CameraSpec("b", 32, 48)), ("x", "y", "opening"), frame_every=2)
ACTIONS = ActionSpec(("dx", "gripper"), ("m", "1"), ("delta", "absolute"), "base", "none", "closed0_open1", 10.0)
SHAPES = PolicyShapes(("a", "b"), 2, (1,), GroundingShapes(2, 32, 48, 3))


def _policy(family: str) -> tuple[LearnedPolicy, PolicyShapes]:
    from dataclasses import asdict

    config: Any = LEARNED[family].tiny
    n = config.n_obs_steps
    shapes = replace(SHAPES, grounding=replace(SHAPES.grounding, n_views=2 * n, state_dim=3 * n))
    torch.manual_seed(0)
    model = LEARNED[family].build(config, shapes)
    transforms = Pipeline(
        (LowerText(), ImagesToFloat(), NormalizeState((0.0,) * 3, (1.0,) * 3), NormalizeActions((0.0, 0.0), (0.1, 1.0)))
    )
    spec = replace(SPEC, n_obs_steps=n, obs_stride=config.obs_stride)
    policy = LearnedPolicy("p", model, spec, ACTIONS, transforms, config.n_action_steps, asdict(config), family)
    return policy, shapes


def _observations(rows: int, n_obs_steps: int) -> Observations:
    rng = np.random.default_rng(0)
    lead = (rows, n_obs_steps)
    return Observations(
        images={c: rng.integers(0, 256, (*lead, 32, 48, 3)).astype(np.uint8) for c in "ab"},
        time_s=np.zeros(lead),
        instructions=tuple(["Put the red brick in the bowl", "move it", "lift the can"][i % 3] for i in range(rows)),
        commanded=rng.normal(size=(*lead, 3)).astype(np.float32),
    )


@pytest.mark.parametrize("family", sorted(LEARNED))
class TestEveryPolicy:
    def test_contract(self, family: str) -> None:
        policy, _ = _policy(family)
        check_policy(policy, _observations(3, policy.observation_spec.n_obs_steps))

    def test_a_checkpoint_acts_the_same(self, family: str, tmp_path: Path) -> None:
        policy, shapes = _policy(family)
        save(tmp_path / "p", policy_checkpoint(policy, shapes, {"samples": 1}))
        found = load_policy(tmp_path / "p")
        observations = _observations(2, policy.observation_spec.n_obs_steps)
        first, second = (p.infer(observations, None, [1, 2])[0].values for p in (policy, found))
        np.testing.assert_array_equal(first, second)
        assert found.fingerprint == policy.fingerprint
        assert (found.observation_spec, found.action_spec) == (policy.observation_spec, policy.action_spec)

    def test_the_fingerprint_follows_weights_and_transforms(self, family: str) -> None:
        policy, _ = _policy(family)
        other = replace(policy, transforms=Pipeline(policy.transforms.transforms[:-1]))
        with torch.no_grad():
            next(policy.model.parameters()).add_(1e-3)
        moved = replace(policy)
        assert len({policy.fingerprint, other.fingerprint, moved.fingerprint}) == 3

    def test_the_instruction_reaches_the_actions(self, family: str) -> None:
        policy, _ = _policy(family)
        observations = _observations(2, policy.observation_spec.n_obs_steps)
        other = replace(observations, instructions=("go left", "go right"))
        a, b = (policy.infer(o, None, [1, 2])[0].values for o in (observations, other))
        assert np.abs(a - b).max() > 1e-6

    def test_grippers_stay_between_closed_and_open(self, family: str) -> None:
        policy, _ = _policy(family)
        chunk, _ = policy.infer(_observations(2, policy.observation_spec.n_obs_steps), None, [1, 2])
        assert ((chunk.values[..., 1] >= 0) & (chunk.values[..., 1] <= 1)).all()

    def test_paper_size_on_the_meta_device(self, family: str) -> None:
        config = LEARNED[family].paper
        n = config.n_obs_steps
        size = replace(SHAPES.grounding, height=224, width=224, n_views=2 * n, state_dim=3 * n)
        with torch.device("meta"):
            model = LEARNED[family].build(config, replace(SHAPES, grounding=size))
        assert sum(p.numel() for p in model.parameters()) > 1e8


def _saved(folder: Path) -> Path:
    policy, shapes = _policy("vla")
    save(folder, policy_checkpoint(policy, shapes, {}))
    return folder


def test_clear_errors(tmp_path: Path) -> None:
    with pytest.raises(ReverieError, match="no policy at"):
        load_policy(tmp_path / "none")
    checkpoint = load(_saved(tmp_path / "p"))
    for change, message in (
        ({"family": "vlla"}, "'vla'"),
        ({"kind": "world"}, "expected 'policy'"),
        ({"config": {**checkpoint.config, "dim": 64}}, "do not fit its configuration"),
        ({"config": {**checkpoint.config, "width_of_it": 64}}, "width_of_it"),
    ):
        save(tmp_path / "q", Checkpoint(**{**checkpoint.__dict__, **change}))
        with pytest.raises(ReverieError, match=message):
            load_policy(tmp_path / "q")


def test_half_precision_weights_act_alike(tmp_path: Path) -> None:
    policy, shapes = _policy("vla")
    save(tmp_path, policy_checkpoint(policy, shapes, {}), "float16")
    observations = _observations(2, 1)
    a, b = (p.infer(observations, None, [1, 2])[0].values for p in (policy, load_policy(tmp_path)))
    np.testing.assert_allclose(a, b, atol=5e-3)
