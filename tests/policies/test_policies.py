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
SHAPES = PolicyShapes(("a", "b"), 2, (1,), GroundingShapes(2, 32, 48, 3), (-3.0, 0.0), (3.0, 1.0))


def _policy(family: str) -> LearnedPolicy:
    from dataclasses import asdict

    config: Any = LEARNED[family].tiny
    torch.manual_seed(0)
    model = LEARNED[family].build(config, SHAPES)
    transforms = Pipeline(
        (LowerText(), ImagesToFloat(), NormalizeState((0.0,) * 3, (1.0,) * 3), NormalizeActions((0.0, 0.0), (0.1, 1.0)))
    )
    spec = replace(SPEC, n_obs_steps=config.n_obs_steps, obs_stride=config.obs_stride)
    return LearnedPolicy("p", model, spec, ACTIONS, transforms, config.n_action_steps, asdict(config), family)


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
        policy = _policy(family)
        check_policy(policy, _observations(3, policy.observation_spec.n_obs_steps))

    def test_a_checkpoint_acts_the_same(self, family: str, tmp_path: Path) -> None:
        policy = _policy(family)
        save(tmp_path / "p", policy_checkpoint(policy, SHAPES, {"samples": 1}))
        found = load_policy(tmp_path / "p")
        observations = _observations(2, policy.observation_spec.n_obs_steps)
        first, second = (p.infer(observations, None, [1, 2])[0].values for p in (policy, found))
        np.testing.assert_array_equal(first, second)
        assert found.fingerprint == policy.fingerprint
        assert (found.observation_spec, found.action_spec) == (policy.observation_spec, policy.action_spec)

    def test_the_fingerprint_follows_weights_and_transforms(self, family: str) -> None:
        policy = _policy(family)
        other = replace(policy, transforms=Pipeline(policy.transforms.transforms[:-1]))
        with torch.no_grad():
            next(policy.model.parameters()).add_(1e-3)
        moved = replace(policy)
        assert len({policy.fingerprint, other.fingerprint, moved.fingerprint}) == 3

    def test_the_instruction_reaches_the_actions(self, family: str) -> None:
        policy = _policy(family)
        observations = _observations(2, policy.observation_spec.n_obs_steps)
        other = replace(observations, instructions=("go left", "go right"))
        a, b = (policy.infer(o, None, [1, 2])[0].values for o in (observations, other))
        assert np.abs(a - b).max() > 1e-6

    def test_grippers_stay_between_closed_and_open(self, family: str) -> None:
        policy = _policy(family)
        chunk, _ = policy.infer(_observations(2, policy.observation_spec.n_obs_steps), None, [1, 2])
        assert ((chunk.values[..., 1] >= 0) & (chunk.values[..., 1] <= 1)).all()

    def test_the_loss_reaches_every_weight(self, family: str) -> None:
        model = _policy(family).model
        loss, _ = model.train().compute_loss(_batch(model.config, 4, SHAPES))
        loss.backward()
        assert torch.isfinite(loss)
        unmoved = [n for n, p in model.named_parameters() if p.grad is None]
        assert not [n for n in unmoved if not n.startswith(UNTOLD)], unmoved

    def test_paper_size_on_the_meta_device(self, family: str) -> None:
        paper = LEARNED[family].paper
        with torch.device("meta"):
            model: Any = LEARNED[family].build(paper.config, paper.shapes)
            loss, _ = model.compute_loss(_batch(paper.config, 2, paper.shapes))
        assert loss.shape == ()
        millions = sum(p.numel() for p in model.parameters()) / 1e6
        if paper.published is not None and not paper.difference:
            assert millions == pytest.approx(paper.published, rel=0.02)


UNTOLD = (
    *("encoder.backbone.absent", "encoder.backbone.locate"),  # reached by the grounding losses only
    *("decoder.layers.2.experts.0.", "decoder.norms.0."),  # of a prefix's last layer, keys and values are read
    "encoder.words",  # RT-1 reads the instruction only through what it does to the images
)


def _batch(config: Any, rows: int, shapes: PolicyShapes) -> dict[str, Any]:
    """Numbers of the right shapes, on the device that is the default."""
    g, to = shapes.grounding, config.n_obs_steps
    images = {f"images.{c}": torch.rand(rows, to, g.height, g.width, 3) * 2 - 1 for c in shapes.cameras}
    slots, unknown = 2, torch.zeros(rows, 2, dtype=torch.bool)
    seen = torch.zeros(rows, g.n_views, slots, dtype=torch.bool)
    return {
        **images,
        "state": torch.rand(rows, to, g.state_dim),
        "instructions": ["put the red cube in the bowl", "move it beside the can"] * (rows // 2),
        "actions": torch.rand(rows, config.horizon, shapes.action_dim),
        "action_valid": torch.ones(rows, config.horizon, dtype=torch.bool),
        "slot_points": torch.zeros(rows, g.n_views, slots, 2),
        "slot_inside": seen,
        "slot_mapped": seen,
        "slot_positions_m": torch.zeros(rows, slots, 3),
        "slot_known": unknown,
        "slot_yaws": torch.zeros(rows, slots, 2),
        "slot_turned": unknown,
        "far": unknown[:, 0],
    }


def _saved(folder: Path) -> Path:
    policy = _policy("vla")
    save(folder, policy_checkpoint(policy, SHAPES, {}))
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
    policy = _policy("vla")
    save(tmp_path, policy_checkpoint(policy, SHAPES, {}), "float16")
    observations = _observations(2, 1)
    a, b = (p.infer(observations, None, [1, 2])[0].values for p in (policy, load_policy(tmp_path)))
    np.testing.assert_allclose(a, b, atol=5e-3)
