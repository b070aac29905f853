"""ResNet against transformers' own, and its options."""

from collections.abc import Mapping

import pytest
import torch
from torch import Tensor, nn
from transformers import ResNetConfig as TheirConfig
from transformers import ResNetModel

from reverie.core import ReverieError
from reverie.nn.resnet import FrozenBatchNorm, ResNet, ResNetConfig, load_resnet


def _theirs(depths: list[int]) -> nn.Module:
    """Small, with statistics and scales that are not the initial ones."""
    torch.manual_seed(0)
    hidden = [16, 32, 64, 128]
    model = ResNetModel(TheirConfig(embedding_size=16, hidden_sizes=hidden, depths=depths, layer_type="basic"))
    for norm in (m for m in model.modules() if isinstance(m, nn.BatchNorm2d)):
        for value, low in ((norm.weight, 0.5), (norm.bias, -0.5), (norm.running_mean, -0.5), (norm.running_var, 0.5)):
            nn.init.uniform_(value, low, low + 1)
    return model


@pytest.mark.parametrize("norm", ["batch", "frozen_batch"])
@pytest.mark.parametrize("depth", [18, 34])
def test_same_weights_same_features(depth: int, norm: str) -> None:
    theirs = _theirs([2, 2, 2, 2] if depth == 18 else [3, 4, 6, 3])
    ours = ResNet(ResNetConfig(depth, norm, width=0.25))  # type: ignore[arg-type]
    load_resnet(ours, theirs.state_dict())
    images = torch.randn(2, 3, 70, 96)
    with torch.no_grad():
        expected = theirs.eval()(images).last_hidden_state
        torch.testing.assert_close(ours.eval()(images), expected, atol=1e-4, rtol=1e-4)


def test_weights_of_another_size_are_refused() -> None:
    with pytest.raises(ReverieError, match="stage"):
        load_resnet(ResNet(ResNetConfig(34, width=0.25)), _theirs([2, 2, 2, 2]).state_dict())


@pytest.mark.parametrize(
    ("config", "shape"),
    [
        (ResNetConfig(width=0.25), (128, 2, 2)),
        (ResNetConfig(width=0.25, stem="small"), (128, 8, 8)),
        (ResNetConfig(width=0.25, stem="patch", patch=2), (128, 4, 4)),
        (ResNetConfig(width=0.5, norm="group", n_stages=3), (128, 4, 4)),
    ],
)
def test_sizes_that_were_asked_for(config: ResNetConfig, shape: tuple[int, int, int]) -> None:
    features = ResNet(config)(torch.randn(2, 3, 64, 64))
    assert features.shape == (2, *shape)
    assert (config.dim, 64 // config.stride) == shape[:2]


def test_group_norm_has_sixteen_channels_a_group_and_does_not_see_the_batch() -> None:
    resnet, images = ResNet(ResNetConfig(norm="group")), torch.randn(3, 3, 64, 64)
    groups = {m.num_channels // m.num_groups for m in resnet.modules() if isinstance(m, nn.GroupNorm)}
    assert groups == {16}
    torch.testing.assert_close(resnet(images)[:1], resnet(images[:1]), atol=1e-4, rtol=1e-4)


def test_a_frozen_norm_neither_learns_nor_counts() -> None:
    resnet = ResNet(ResNetConfig(norm="frozen_batch", width=0.25))
    before = _values(resnet)
    resnet.train()(torch.randn(2, 3, 64, 64)).sum().backward()
    assert all(torch.equal(before[n], v) for n, v in _values(resnet).items())
    assert not [n for n, _ in resnet.named_parameters() if "norm" in n]


def _values(resnet: ResNet) -> Mapping[str, Tensor]:
    norms = {n: m for n, m in resnet.named_modules() if isinstance(m, FrozenBatchNorm)}
    return {f"{n}.{b}": v.clone() for n, m in norms.items() for b, v in m.named_buffers()}
