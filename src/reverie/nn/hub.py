"""Pretrained networks by name, through transformers: a name of the Hugging Face hub, or the folder of one.

Weights are read from safetensors files only, and no code of a model's author runs. What no policy reads (poolers, heads)
stays frozen. On the meta device nothing is read or downloaded: the network is built from its configuration, which for the
names in `ARCHITECTURES` is known here.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

import torch
from torch import nn

from reverie.core import ReverieError
from reverie.nn.efficientnet import PUBLISHED, slow_statistics

T = TypeVar("T")

_LARGE = {"hidden_size": 1024, "num_hidden_layers": 24, "num_attention_heads": 16}
_SO400M = {"hidden_size": 1152, "num_hidden_layers": 27, "num_attention_heads": 16, "intermediate_size": 4304}
_DINO = {"image_size": 518, "patch_size": 14}
_BASIC = {"hidden_sizes": [64, 128, 256, 512], "layer_type": "basic"}
_T5_BASE = {"d_model": 768, "d_ff": 3072, "num_layers": 12, "num_heads": 12}
_MINILM = {"hidden_size": 384, "num_hidden_layers": 6, "intermediate_size": 1536}
ARCHITECTURES: dict[str, tuple[str, dict[str, Any]]] = {
    "google/vit-base-patch16-224": ("vit", {}),
    "google/siglip-base-patch16-224": ("siglip_vision_model", {}),
    "google/siglip-so400m-patch14-224": ("siglip_vision_model", {**_SO400M, "patch_size": 14, "image_size": 224}),
    "facebook/dinov2-base": ("dinov2", _DINO),
    "facebook/dinov2-large": ("dinov2", {**_LARGE, **_DINO}),
    "facebook/dinov2-with-registers-large": ("dinov2_with_registers", {**_LARGE, **_DINO}),
    "microsoft/resnet-18": ("resnet", {**_BASIC, "depths": [2, 2, 2, 2]}),
    "microsoft/resnet-34": ("resnet", {**_BASIC, "depths": [3, 4, 6, 3]}),
    **{f"google/efficientnet-{v}": ("efficientnet", values) for v, values in PUBLISHED.items()},
    "google-bert/bert-base-uncased": ("bert", {}),
    "google-t5/t5-base": ("t5", _T5_BASE),
    "sentence-transformers/all-MiniLM-L6-v2": ("bert", _MINILM),
}
"""Published configurations, as model type of transformers and what differs from its defaults."""

_MODELS = {
    "vit": "ViTModel",
    "siglip": "SiglipVisionModel",
    "siglip_vision_model": "SiglipVisionModel",
    "dinov2": "Dinov2Model",
    "dinov2_with_registers": "Dinov2WithRegistersModel",
    "resnet": "ResNetModel",
    "efficientnet": "EfficientNetModel",
    "t5": "T5EncoderModel",
}
"""The part of each model that is used; other types are whole models without a head."""
_UNREAD = ("pooler.", "head.", "embeddings.mask_token", "vision_model.head.")


def configuration(name: str, revision: str | None = None) -> Any:
    """transformers' configuration of a model. Errors: ReverieError where it cannot be read."""
    from transformers import AutoConfig

    if name in ARCHITECTURES and revision is None:
        model_type, values = ARCHITECTURES[name]
        return AutoConfig.for_model(model_type, **values)
    found = reached(lambda: AutoConfig.from_pretrained(name, revision=revision), name)
    return found.vision_config if found.model_type == "siglip" else found


def load_model(name: str, revision: str | None = None) -> nn.Module:
    """The network, in float32. Errors: ReverieError where it cannot be read, or its files lack weights that are used."""
    import transformers

    if torch.get_default_device().type == "meta":
        config = configuration(name, revision)
        kind = getattr(transformers, _MODELS.get(config.model_type, "AutoModel"))
        return _used_part((kind.from_config if kind is transformers.AutoModel else kind)(config))
    config = reached(lambda: transformers.AutoConfig.from_pretrained(name, revision=revision), name)
    kind = getattr(transformers, _MODELS.get(config.model_type, "AutoModel"))
    options = {"revision": revision, "use_safetensors": True, "dtype": torch.float32, "output_loading_info": True}
    with without_progress():
        model, info = reached(lambda: kind.from_pretrained(name, **options), name)
    if missing := [entry for entry in sorted(info["missing_keys"]) if not entry.startswith(_UNREAD)]:
        raise ReverieError(
            f"the weights of {name!r} lack {len(missing)} entries of a {kind.__name__}, as {missing[:3]}"
        )
    return _used_part(model)


def load_tokenizer(name: str, revision: str | None = None) -> Any:
    """transformers' tokenizer of a model. Errors: ReverieError where it cannot be read."""
    from transformers import AutoTokenizer

    return reached(lambda: AutoTokenizer.from_pretrained(name, revision=revision), name)


@cache
def text_encoder(name: str, revision: str | None = None) -> tuple[Any, Any]:
    """Tokenizer and frozen encoder, loaded once a process."""
    return load_tokenizer(name, revision), load_model(name, revision).eval().requires_grad_(False)


@cache
def text_width(name: str, revision: str | None = None) -> int:
    """How many numbers a token of this encoder has."""
    return int(configuration(name, revision).hidden_size)


def reached(load: Callable[[], T], name: str) -> T:
    """What `load` gives. Errors: ReverieError with advice where the model `name` cannot be read."""
    try:
        return load()
    except (OSError, ValueError) as error:
        raise ReverieError(_advice(name, str(error).splitlines()[0])) from error


def _advice(name: str, found: str) -> str:
    wanted = "config.json, *.safetensors and, for text, the tokenizer's files"
    if Path(name).is_dir():
        return f"the folder {name} cannot be read as a model, it should hold {wanted}: {found}"
    return (
        f"cannot read the model {name!r}: there is no such folder, and the hub and its cache gave nothing ({found}); where "
        f"there is a network, run `hf download {name}`, elsewhere copy that download and give its folder ({wanted}) "
        "instead of the name"
    )


def _used_part(model: Any) -> nn.Module:
    """Without what would stop a training: parameters that get no gradient, and T5's table under two names."""
    for name, parameter in model.named_parameters():
        if name.startswith(_UNREAD):
            parameter.requires_grad_(False)
    if model.config.model_type == "efficientnet":
        slow_statistics(model)
    return model.encoder if model.config.model_type == "t5" else model  # type: ignore[no-any-return]


@contextmanager
def without_progress() -> Iterator[None]:
    """transformers draws no progress bars."""
    from transformers.utils import logging

    logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    try:
        yield
    finally:
        logging.enable_progress_bar()  # type: ignore[no-untyped-call]


def version(name: str, revision: str | None = None) -> str:
    """What identifies the weights: name and revision, or size and time of a folder's files."""
    if not Path(name).is_dir():
        return f"{name}@{revision or 'main'}"
    files = sorted(p for p in Path(name).iterdir() if p.is_file())
    return f"{Path(name).resolve()} {[(p.name, p.stat().st_size, p.stat().st_mtime_ns) for p in files]}"
