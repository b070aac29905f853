"""One vision transformer against transformers' ViT, SigLIP and DINOv2, with and without registers."""

from typing import Any

import pytest
import torch
import transformers
from torch import nn

from reverie.core import ReverieError
from reverie.nn.vit import ViT, ViTConfig, load_vit

_SIZES = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 4, "image_size": 32, "patch_size": 8}
_OURS = {"image_size": (32, 32), "patch": 8, "dim": 32, "depth": 2, "n_heads": 4}


def _pair(kind: str) -> tuple[nn.Module, ViT]:
    torch.manual_seed(0)
    theirs, ours = {
        "ViT": ({"intermediate_size": 48}, ViTConfig(**_OURS, hidden=48, norm_eps=1e-12)),  # type: ignore[arg-type]
        "SiglipVision": (
            {"intermediate_size": 48},
            ViTConfig(**_OURS, hidden=48, class_token=False, activation="gelu_tanh"),  # type: ignore[arg-type]
        ),
        "Dinov2": ({"layerscale_value": 0.3}, ViTConfig(**_OURS, hidden=128, layer_scale=1.0)),  # type: ignore[arg-type]
        "Dinov2WithRegisters": (
            {"layerscale_value": 0.3, "num_register_tokens": 3},
            ViTConfig(**_OURS, hidden=128, layer_scale=1.0, n_registers=3, antialias=True),  # type: ignore[arg-type]
        ),
    }[kind]
    config: Any = getattr(transformers, f"{kind}Config")(**_SIZES, **theirs)
    model: nn.Module = getattr(transformers, f"{kind}Model")(config).eval()
    for parameter in model.parameters():
        nn.init.normal_(parameter, std=0.2)  # transformers starts biases and tokens at 0, where mistakes do not show
    vit = ViT(ours).eval()
    load_vit(vit, model.state_dict())
    return model, vit


@pytest.mark.parametrize("kind", ["ViT", "SiglipVision", "Dinov2", "Dinov2WithRegisters"])
@pytest.mark.parametrize("size", [(32, 32), (48, 40)])
def test_same_weights_same_tokens(kind: str, size: tuple[int, int]) -> None:
    theirs, ours = _pair(kind)
    images = torch.randn(2, 3, *size)
    asked = {"interpolate_pos_encoding": True} if kind in ("ViT", "SiglipVision") else {}
    with torch.no_grad():
        expected, found = theirs(images, **asked).last_hidden_state, ours(images)
    torch.testing.assert_close(found.all, expected, atol=2e-5, rtol=2e-5)
    assert found.patches.shape == (2, size[0] * size[1] // 64, 32)
    torch.testing.assert_close(found.patches, found.all[:, ours.n_special :])


def test_names_of_files_before_transformers_5() -> None:
    theirs, ours = _pair("ViT")
    older = {}
    for name, value in theirs.state_dict().items():
        for new, old in ((".q_proj", ".attention.query"), (".k_proj", ".attention.key"), (".v_proj", ".attention.value"),
                         (".o_proj", ".output.dense"), ("mlp.fc1", "intermediate.dense"), ("mlp.fc2", "output.dense")):  # fmt: skip
            name = name.replace(new, old)
        older["encoder.layer" + name.removeprefix("layers") if name.startswith("layers.") else name] = value
    again = ViT(ours.config).eval()
    load_vit(again, older)
    images = torch.randn(1, 3, 32, 32)
    torch.testing.assert_close(again(images).all, ours(images).all, atol=0, rtol=0)


def test_weights_that_do_not_fit_are_named() -> None:
    theirs, _ = _pair("ViT")
    with pytest.raises(ReverieError, match=r"class_token"):
        load_vit(ViT(ViTConfig(**_OURS, hidden=48, class_token=False)), theirs.state_dict())  # type: ignore[arg-type]
    with pytest.raises(ReverieError, match=r"'gates\.0'"):
        load_vit(ViT(ViTConfig(**_OURS)), {"gates.0": torch.zeros(1)})  # type: ignore[arg-type]


def test_a_patch_is_seen_at_its_place() -> None:
    vit = ViT(ViTConfig(image_size=(16, 24), patch=8, dim=16, depth=0, n_heads=2, hidden=16))
    images = torch.zeros(1, 3, 16, 24)
    images[:, :, 8:, 8:16] = 1.0
    changed = (vit(images).patches - vit(torch.zeros(1, 3, 16, 24)).patches).abs().sum(-1)[0]
    assert changed.nonzero().flatten().tolist() == [4]
