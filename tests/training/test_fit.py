"""From data to a policy that can be loaded: with and without a pretrained backbone, with and without positions."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from reverie.checkpoints import load
from reverie.checkpoints.backbone import load_backbone
from reverie.cli.train import TRAINABLE, main
from reverie.core import Observations, ReverieError
from reverie.core.contracts import check_policy
from reverie.nn.grounding import GroundingBackbone, GroundingConfig, GroundingShapes
from reverie.nn.text_config import TextConfig
from reverie.policies import load_policy
from reverie.policies.encoders import EncoderConfig
from reverie.policies.vla import VLAConfig
from reverie.training.behaviour_cloning import CloningConfig
from reverie.training.config import TrainerConfig
from reverie.training.fakes import fake_cache
from reverie.training.fit import GroundingRecipe, PolicyRecipe, fit_grounding, fit_policy
from reverie.training.grounding import GroundingTask, adopt_backbone

from .tiny import TINY, recipe


def _observations(cache: object, rows: int) -> Observations:
    from reverie.data.cache import FrameCache

    assert isinstance(cache, FrameCache)
    frames = cache.frame_offsets[:rows][:, None]
    return Observations(
        images={c: np.ascontiguousarray(v[frames]) for c, v in cache.images.items()},
        time_s=cache.frames["time_s"][frames],
        instructions=tuple(e.instruction for e in cache.episodes[:rows]),
        commanded=cache.frames["commanded"][frames][..., :8],
    )


@pytest.mark.parametrize("positions", [True, False])
def test_a_trained_policy_keeps_the_contract(tmp_path: Path, positions: bool) -> None:
    cache = fake_cache(12, positions=positions)
    measured = fit_policy(cache, replace(recipe(64, validate_every=64), name="tiny"), tmp_path, quiet=True)
    assert ("held_out/target_error_m" in measured) == positions
    policy = load_policy(tmp_path)
    check_policy(policy, _observations(cache, 3))
    assert policy.observation_spec.commanded == cache.observation_spec.commanded[:8]
    receipt = load(tmp_path).receipt
    assert receipt["recipe"] == "tiny"
    assert receipt["data"] == [cache.path.name]
    assert receipt["samples"] == 64
    assert receipt["measured"] == measured


def test_several_data_sets_of_one_robot(tmp_path: Path) -> None:
    cache, more = fake_cache(8), fake_cache(4, positions=False)
    measured = fit_policy(cache, recipe(64, validate_every=64), tmp_path / "both", more=[more], quiet=True)
    assert {"main/held_out/actions", "more_0/held_out/actions"} <= measured.keys()
    assert load(tmp_path / "both").receipt["data"] == [cache.path.name, more.path.name]
    stranger = replace(more, action_spec=replace(more.action_spec, control_hz=5.0))
    with pytest.raises(ReverieError, match="other actions, cameras or state"):
        fit_policy(cache, recipe(64), tmp_path / "strange", more=[stranger], quiet=True)


def test_pretrain_then_fine_tune(tmp_path: Path) -> None:
    cache = fake_cache(12)
    trainer = recipe(64).trainer
    fit_grounding(
        cache,
        GroundingRecipe(GroundingTask(TINY.encoder.grounding), trainer=trainer),
        tmp_path / "backbone",
        quiet=True,
    )
    frozen = replace(recipe(64), backbone=tmp_path / "backbone", freeze=("encoder.backbone",))
    fit_policy(cache, frozen, tmp_path / "policy", quiet=True)
    before, after = load(tmp_path / "backbone"), load(tmp_path / "policy")
    assert before.kind == "grounding"
    for name, value in load_backbone(tmp_path / "backbone").weights.items():
        torch.testing.assert_close(after.weights[f"encoder.backbone.{name}"], value)


def test_a_backbone_sees_through_other_cameras(tmp_path: Path) -> None:
    task = GroundingTask(TINY.encoder.grounding)
    fit_grounding(fake_cache(6), GroundingRecipe(task, trainer=recipe(16).trainer), tmp_path, quiet=True)
    other = GroundingBackbone(TINY.encoder.grounding, GroundingShapes(3, 32, 64, 7))
    skipped = adopt_backbone(other, tmp_path, (("front",), ("x",)))
    assert {"view", "place", "locate.into.weight"} <= set(skipped)
    assert torch.equal(other.fine.conv.weight, load(tmp_path).weights["backbone.fine.conv.weight"])
    wide = GroundingBackbone(replace(TINY.encoder.grounding, width=24), GroundingShapes(3, 32, 64, 7))
    with pytest.raises(ReverieError, match="another configuration"):
        adopt_backbone(wide, tmp_path, (("front",), ("x",)))


def test_a_backbone_keeps_the_units_it_was_trained_in(tmp_path: Path) -> None:
    task = GroundingTask(TINY.encoder.grounding)
    cache = fake_cache(6)
    fit_grounding(cache, GroundingRecipe(task, trainer=recipe(16).trainer), tmp_path / "backbone", quiet=True)
    moved = replace(cache, frames={**cache.frames, "commanded": cache.frames["commanded"] + 0.3})
    frozen = replace(recipe(32), backbone=tmp_path / "backbone", freeze=("encoder.backbone",))
    fit_policy(moved, frozen, tmp_path / "policy", quiet=True)
    before, after = load(tmp_path / "backbone"), load(tmp_path / "policy")
    (units,) = (t for t in before.transforms if t["name"] == "normalize_state")
    assert units in after.transforms
    assert before.shapes["grounding"] == after.shapes["grounding"]
    further = {**cache.frames, "commanded": cache.frames["commanded"] - 0.2}
    tuned = replace(recipe(32), start=tmp_path / "policy", freeze=("encoder.backbone",))
    fit_policy(replace(cache, frames=further), tuned, tmp_path / "tuned", quiet=True)
    assert units in load(tmp_path / "tuned").transforms


def test_a_backbone_of_other_cameras_cannot_stay_as_it_is(tmp_path: Path) -> None:
    task = GroundingTask(TINY.encoder.grounding)
    cache = fake_cache(6)
    fit_grounding(cache, GroundingRecipe(task, trainer=recipe(16).trainer), tmp_path / "backbone", quiet=True)
    one = replace(recipe(32).cloning, cameras=cache.observation_spec.camera_names[:1])
    frozen = replace(recipe(32), backbone=tmp_path / "backbone", freeze=("encoder.backbone",), cloning=one)
    with pytest.raises(ReverieError, match="trained with other cameras"):
        fit_policy(cache, frozen, tmp_path / "policy", quiet=True)
    fit_policy(cache, replace(frozen, freeze=()), tmp_path / "policy", quiet=True)


def test_grounding_needs_positions(tmp_path: Path) -> None:
    with pytest.raises(ReverieError, match="object positions"):
        fit_grounding(fake_cache(4, positions=False), GroundingRecipe(), tmp_path, quiet=True)


def test_pictures_of_any_size(tmp_path: Path) -> None:
    smaller = replace(recipe(16), cloning=CloningConfig(image_size=(24, 40), cameras=("turned",)))
    fit_policy(fake_cache(6), smaller, tmp_path, quiet=True)
    policy = load_policy(tmp_path)
    assert [(c.name, c.height, c.width) for c in policy.observation_spec.cameras] == [("turned", 32, 32)]


def test_the_command_line_names_what_it_knows(capsys: pytest.CaptureFixture[str]) -> None:
    main([])
    assert "vla" in capsys.readouterr().out
    assert {"vla", "grounding"} <= TRAINABLE.keys()
    with pytest.raises(ReverieError, match="'vla'"):
        main(["vlaa"])


@pytest.mark.slow
def test_it_learns_to_look_for_what_is_named(tmp_path: Path) -> None:
    model = VLAConfig(encoder=EncoderConfig(grounding=GroundingConfig(TextConfig("words"))))
    trainer = TrainerConfig(samples=8_000, warmup_samples=800, validate_every=8_000)
    many = CloningConfig(validation_fraction=0.15)  # among few, another row's sentence is often one's own
    recipe = PolicyRecipe(model=model, trainer=trainer, cloning=many)
    found = fit_policy(fake_cache(220), recipe, tmp_path, quiet=True)
    assert found["held_out/target_error_far_m"] < 0.06  # of a table of one metre
    assert found["shuffled/actions"] > 1.6 * found["held_out/actions"]
