"""Attention of every family: rows that sum to 1 and land on the right tokens, and nothing of it when nothing attends."""

from dataclasses import asdict, replace
from typing import Any

import numpy as np
import pytest
import torch

from reverie.core import ActionSpec, CameraSpec, Episode, Observations, ObservationSpec, ReverieError
from reverie.evaluation.attention import ROLLOUT, Look, difference, joint, look, rolled_out
from reverie.nn.grounding import SLOTS, GroundingShapes
from reverie.nn.resnet import ResNetConfig
from reverie.nn.text_config import TextConfig
from reverie.nn.vit import ViTConfig
from reverie.policies import LEARNED, LearnedPolicy, PolicyShapes
from reverie.policies.attention import ALL, LAYOUTS, Block, Layout, Part
from reverie.policies.encoders import EncoderConfig
from reverie.policies.towers import TowerConfig
from reverie.transforms import ImagesToFloat, LowerText, NormalizeActions, NormalizeState, Pipeline

SPEC = ObservationSpec((CameraSpec("a", 32, 48), CameraSpec("b", 32, 48)), ("x", "y", "opening"), frame_every=2)
ACTIONS = ActionSpec(("dx", "gripper"), ("m", "1"), ("delta", "absolute"), "base", "none", "closed0_open1", 10.0)
SHAPES = PolicyShapes(("a", "b"), 2, (1,), GroundingShapes(2, 32, 48, 3), (-3.0, 0.0), (3.0, 1.0))
WORDS = TextConfig("scratch", words_dim=32)
GROUNDED = replace(EncoderConfig(), grounding=replace(EncoderConfig().grounding, text=WORDS, width=16, deep_width=16))
SENTENCE = "Put the red brick in the bowl"
TRANSFORMS = Pipeline(
    (LowerText(), ImagesToFloat(), NormalizeState((0.0,) * 3, (1.0,) * 3), NormalizeActions((0.0, 0.0), (0.1, 1.0)))
)
ATTENDING = {
    **{family: (family, {}) for family in ("vla", "act", "rt1", "octo", "flow_vla")},
    "act, all layers": ("act", {"decoder_layers": 2, "layers_used": 2}),
    "octo, plain": ("octo", {"repeat_task_tokens": False, "state_token": False}),
    "vla, flow head": ("vla", {"head": replace(LEARNED["vla"].tiny.head, kind="flow", depth=1)}),
    "diffusion transformer": ("diffusion_policy", {"denoiser": "transformer"}),
}


def policy(family: str, encoder: EncoderConfig = GROUNDED, **values: Any) -> LearnedPolicy:
    config: Any = replace(LEARNED[family].tiny, encoder=encoder, **values)
    torch.manual_seed(0)
    model = LEARNED[family].build(config, SHAPES)
    spec = replace(SPEC, n_obs_steps=config.n_obs_steps, obs_stride=config.obs_stride)
    return LearnedPolicy("p", model, spec, ACTIONS, TRANSFORMS, config.n_action_steps, asdict(config), family)


def episode(n_frames: int = 4) -> Episode:
    rng = np.random.default_rng(0)
    seen = Observations(
        images={c: rng.integers(0, 256, (n_frames, 32, 48, 3)).astype(np.uint8) for c in "ab"},
        time_s=np.arange(n_frames) / 5,
        instructions=(SENTENCE,) * n_frames,
        commanded=rng.normal(size=(n_frames, 3)).astype(np.float32),
    )
    steps = 2 * np.arange(n_frames)
    return Episode(seen, steps, np.zeros((2 * n_frames, 2), np.float32), SPEC, ACTIONS, SENTENCE)


def looked(family: str, encoder: EncoderConfig = GROUNDED, **values: Any) -> Look:
    return look(policy(family, encoder, **values), episode(), 2, SENTENCE)


def test_every_family_has_its_line() -> None:
    assert LAYOUTS.keys() == LEARNED.keys()


@pytest.mark.parametrize("name", ATTENDING)
def test_all_attention_is_accounted_for(name: str) -> None:
    family, values = ATTENDING[name]
    found = looked(family, **values)
    assert [layer.name for layer in found.layers][-1] == ROLLOUT
    assert len(found.layers) > 1
    assert found.words == ("<target>", "<reference>", "<start>", *SENTENCE.lower().split())
    for layer in found.layers:
        assert sum(layer.shares.values()) == pytest.approx(1, abs=1e-5)
        assert layer.words.sum() == pytest.approx(layer.shares.get("word", 0), abs=1e-6)
        on_frames = layer.shares.get("image", 0) + layer.shares.get("frame", 0)
        assert layer.times.sum() == pytest.approx(on_frames, abs=1e-6)
        if layer.images is not None:
            assert layer.images.shape[1] == len(found.places)
            np.testing.assert_allclose(layer.images.sum(1), layer.times)


@pytest.mark.parametrize(("family", "values"), [("bc", {}), ("simple_vla", {}), ("diffusion_policy", {})])
def test_no_attention_leaves_the_heatmaps(family: str, values: dict[str, Any]) -> None:
    found = looked(family, **values)
    assert found.layers == ()
    assert found.found is not None
    assert found.found.maps.shape == (2, len(SLOTS), 8, 12)
    assert (found.found.maps.sum((2, 3)) <= 1).all()
    np.testing.assert_allclose(found.found.read.sum(1), 1)


def test_a_trunk_that_looks_at_one_token_is_seen_to_do_so() -> None:
    """Queries and keys are set by hand so that one image token gets all attention: it must be found, at its place."""
    chosen = policy("vla", depth=1)
    layer = chosen.model.trunk.blocks[0]
    wanted = 9  # of 2 views: 4 cells each, then the first view's target and reference
    hook = layer.norm_attention.register_forward_hook(
        lambda m, given, out: _marked(out, 10 + wanted)
    )  # after 10 queries
    with torch.no_grad():
        layer.attention.qkv.weight.zero_()
        layer.attention.qkv.bias.view(3, 4, 32)[0] = 1.0  # every query
        layer.attention.qkv.weight.view(3, 4, 32, 128)[1, :, :, 0] = 5.0  # keys: the first number of a token
    found = look(chosen, episode(), 0, SENTENCE)
    hook.remove()
    (only, _) = found.layers
    assert only.images is not None
    assert only.images[0, wanted] > 0.99
    assert (found.places[wanted].view, found.places[wanted].slot) == (0, "reference")


def _marked(x: torch.Tensor, at: int) -> torch.Tensor:
    """A first number that only one token has."""
    x = x.clone()
    x[:, :, 0] = 0.0
    x[:, at, 0] = 10.0
    return x


def test_places_cover_what_the_tokens_see() -> None:
    places = looked("vla").places
    cells, named = [p for p in places if p.slot is None], [p for p in places if p.slot]
    assert [(p.view, p.slot) for p in named] == [(v, s) for v in (0, 1) for s in SLOTS]
    assert sum((r - left) * (b - top) for left, top, r, b in (p.box for p in cells)) == pytest.approx(2)
    left, top, right, bottom = named[0].box
    assert ((right - left) * 48, (bottom - top) * 32) == pytest.approx((16, 16))


@pytest.mark.parametrize(
    "encoder",
    [
        EncoderConfig("resnet", text=WORDS, tower=TowerConfig(ResNetConfig(width=0.125))),
        EncoderConfig("vit", text=WORDS, tower=TowerConfig(vit=ViTConfig((32, 48), 8, 32, 1, 2, 64))),
    ],
)
def test_towers_have_grids_and_no_heatmaps(encoder: EncoderConfig) -> None:
    found = looked("vla", encoder)
    assert found.found is None
    assert found.words[0] == "<start>"
    assert found.layers[0].images is not None
    assert found.layers[0].images.shape == (1, len(found.places))
    assert sum((r - left) * (b - top) for left, top, r, b in (p.box for p in found.places)) == pytest.approx(2)


def test_rollout_against_a_hand_computed_one() -> None:
    """Two layers over two tokens: R = (A2 + I)/2 (A1 + I)/2."""
    a1, a2 = np.array([[0.5, 0.5], [0.0, 1.0]]), np.array([[0.0, 1.0], [1.0, 0.0]])
    np.testing.assert_allclose(rolled_out([a1, a2]), [[0.375, 0.625], [0.375, 0.625]])


def test_calls_of_a_sampler_are_averaged_and_bystanders_read_themselves() -> None:
    layout = Layout((Part("word", range(2)), Part("action", range(1))), (Block("x", slice(2, 3), ALL),))
    calls = [("x.0.probabilities", np.array([[1.0, 0, 0]])), ("x.0.probabilities", np.array([[0, 0, 1.0]]))]
    (matrix,) = joint(calls, layout).values()
    np.testing.assert_allclose(matrix, [[1, 0, 0], [0, 1, 0], [0.5, 0, 0.5]])
    with pytest.raises(ValueError, match=r"x\.1"):
        joint([("x.1.probabilities", np.eye(2))], layout)


def test_the_same_sentence_acts_alike_and_another_differs() -> None:
    asked = policy("act")
    a, same, b = (look(asked, episode(), 1, s) for s in (SENTENCE, SENTENCE.upper(), "move the blue can"))
    assert difference(a, same) == 0
    assert difference(a, b) > 0
    assert not asked.model.encoder._forward_hooks


def test_clear_errors() -> None:
    with pytest.raises(ReverieError, match=r"give 0\.\.3"):
        look(policy("bc"), episode(), 4, SENTENCE)
    other = replace(episode(), observation_spec=replace(SPEC, frame_every=3))
    with pytest.raises(ReverieError, match="cannot look at this episode"):
        look(policy("bc"), other, 0, SENTENCE)
