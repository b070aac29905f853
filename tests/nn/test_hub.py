"""Models by name: small random ones, saved as the hub saves them and read back from their folder."""

import json
from pathlib import Path
from typing import Any

import huggingface_hub.constants
import pytest
import torch
import transformers
from torch import Tensor, nn

from reverie.core import ReverieError
from reverie.nn.hub import ARCHITECTURES, configuration, load_model, load_tokenizer
from reverie.nn.hub_vision import HubVision, HubVisionConfig
from reverie.nn.pixels import CENTERED, IMAGENET, Statistics

_VIT = {"hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2, "image_size": 32, "patch_size": 8}
_MODELS: dict[str, tuple[dict[str, Any], int, Statistics]] = {
    "ViT": ({**_VIT, "intermediate_size": 16}, 1, CENTERED),
    "SiglipVision": ({**_VIT, "intermediate_size": 16}, 0, CENTERED),
    "Dinov2": (_VIT, 1, IMAGENET),
    "Dinov2WithRegisters": ({**_VIT, "num_register_tokens": 3}, 4, IMAGENET),
    "ResNet": ({"embedding_size": 8, "hidden_sizes": [8, 8, 8, 16], "depths": [1, 1, 1, 1]}, 0, IMAGENET),
    "EfficientNet": ({"width_coefficient": 0.25, "depth_coefficient": 0.3, "hidden_dim": 320}, 0, IMAGENET),
}


def _saved(folder: Path, kind: str) -> Any:
    torch.manual_seed(0)
    model = getattr(transformers, f"{kind}Model")(getattr(transformers, f"{kind}Config")(**_MODELS[kind][0])).eval()
    for parameter in model.parameters():
        nn.init.normal_(parameter, std=0.1)
    model.save_pretrained(folder)
    return model


def _wanted(model: Any, images: Tensor, statistics: Statistics, n_special: int) -> Tensor:
    mean, std = torch.tensor(statistics[0]), torch.tensor(statistics[1])
    found: Tensor = model(pixel_values=(((images + 1) / 2 - mean) / std).permute(0, 3, 1, 2)).last_hidden_state
    return found[:, n_special:] if found.dim() == 3 else found.flatten(2).transpose(1, 2)


@pytest.mark.parametrize("kind", sorted(_MODELS))
def test_patch_tokens_are_those_of_the_model(kind: str, tmp_path: Path) -> None:
    model, (_, n_special, statistics) = _saved(tmp_path, kind), _MODELS[kind]
    tower, images = HubVision(HubVisionConfig(str(tmp_path))), torch.rand(2, 32, 32, 3) * 2 - 1
    with torch.no_grad():
        expected = _wanted(model, images, statistics, n_special)
    found = tower.train()(images)
    torch.testing.assert_close(found, expected, atol=1e-4, rtol=1e-4)
    assert found.shape[-1] == tower.dim
    assert not found.requires_grad
    assert not any(m.training for m in tower.model.modules())


@pytest.mark.parametrize("kind", ["SiglipVision", "EfficientNet"])
def test_a_trained_tower_has_gradients_in_all_that_is_read(kind: str, tmp_path: Path) -> None:
    _saved(tmp_path, kind)
    tower = HubVision(HubVisionConfig(str(tmp_path), trained=True))
    tower(torch.rand(2, 32, 32, 3)).square().mean().backward()
    unread = [n for n, p in tower.named_parameters() if p.requires_grad and p.grad is None]
    assert not unread
    assert {m.momentum for m in tower.modules() if isinstance(m, nn.BatchNorm2d)} <= {0.01}


def test_images_are_resized_and_statistics_read(tmp_path: Path) -> None:
    _saved(tmp_path, "ViT")
    said = {"do_normalize": True, "image_mean": [0.1, 0.2, 0.3], "image_std": [0.5, 0.6, 0.7]}
    (tmp_path / "preprocessor_config.json").write_text(json.dumps(said))
    tower = HubVision(HubVisionConfig(str(tmp_path)))
    assert tower(torch.rand(1, 50, 70, 3)).shape == (1, 16, 16)
    torch.testing.assert_close(tower.pixels.scale.flatten(), 0.5 / torch.tensor([0.5, 0.6, 0.7]))
    other = HubVision(HubVisionConfig(str(tmp_path), image_size=(48, 64)))
    assert other(torch.rand(1, 50, 70, 3)).shape == (1, 48, 16)


def test_efficientnets_file_holds_roots_of_its_deviation(tmp_path: Path) -> None:
    _saved(tmp_path, "EfficientNet")
    processor = transformers.EfficientNetImageProcessorPil(image_std=[0.47853944, 0.4732864, 0.47434163])
    processor.save_pretrained(tmp_path)
    picture = torch.randint(0, 256, (64, 64, 3), dtype=torch.uint8)
    processor.do_resize = False
    expected = processor(picture.numpy(), return_tensors="pt")["pixel_values"]
    tower = HubVision(HubVisionConfig(str(tmp_path)))
    torch.testing.assert_close(tower.pixels(picture[None] / 127.5 - 1), expected, atol=1e-4, rtol=1e-4)


def test_siglips_tower_is_taken_out_of_the_whole(tmp_path: Path) -> None:
    sizes = {**_MODELS["SiglipVision"][0]}
    text = {
        "vocab_size": 20,
        "hidden_size": 16,
        "num_hidden_layers": 1,
        "num_attention_heads": 2,
        "intermediate_size": 16,
    }
    whole = transformers.SiglipModel(transformers.SiglipConfig(vision_config=sizes, text_config=text)).eval()
    whole.save_pretrained(tmp_path)
    images = torch.rand(1, 32, 32, 3) * 2 - 1
    with torch.no_grad():
        expected = whole.vision_model(pixel_values=images.permute(0, 3, 1, 2)).last_hidden_state
    torch.testing.assert_close(HubVision(HubVisionConfig(str(tmp_path)))(images), expected, atol=1e-5, rtol=1e-5)


def test_only_safetensors_are_read(tmp_path: Path) -> None:
    model = _saved(tmp_path, "ViT")
    (tmp_path / "model.safetensors").unlink()
    torch.save(model.state_dict(), tmp_path / "pytorch_model.bin")
    with pytest.raises(ReverieError, match=r"cannot be read as a model.*safetensors"):
        load_model(str(tmp_path))


def test_missing_weights_are_not_drawn(tmp_path: Path) -> None:
    from safetensors.torch import load_file, save_file

    _saved(tmp_path, "Dinov2")
    weights = load_file(tmp_path / "model.safetensors")
    del weights["layernorm.weight"]
    save_file(weights, tmp_path / "model.safetensors", {"format": "pt"})
    with pytest.raises(ReverieError, match=r"lack 1 entries of a Dinov2Model, as \['layernorm.weight'\]"):
        load_model(str(tmp_path))


def test_offline_the_error_says_what_to_download(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", True)
    for read in (load_model, load_tokenizer):
        with pytest.raises(ReverieError, match=r"hf download google-t5/t5-base.*give its folder"):
            read("google-t5/t5-base")


def test_other_models_are_no_vision_towers(tmp_path: Path) -> None:
    sizes = {
        "vocab_size": 9,
        "hidden_size": 8,
        "num_hidden_layers": 1,
        "num_attention_heads": 2,
        "intermediate_size": 8,
    }
    transformers.BertModel(transformers.BertConfig(**sizes)).save_pretrained(tmp_path)
    with pytest.raises(ReverieError, match=r"unknown type of vision model in .* 'bert'"):
        HubVision(HubVisionConfig(str(tmp_path)))


@pytest.mark.parametrize("name", sorted(ARCHITECTURES))
def test_published_architectures_are_built_without_a_download(name: str) -> None:
    assert configuration(name).model_type == ARCHITECTURES[name][0]
    with torch.device("meta"):
        if ARCHITECTURES[name][0] in ("bert", "t5"):
            assert load_model(name)(input_ids=torch.zeros(1, 4).long()).last_hidden_state.shape[:2] == (1, 4)
            return
        tower = HubVision(HubVisionConfig(name))
        assert tower(torch.zeros(1, 64, 64, 3)).shape[::2] == (1, tower.dim)
