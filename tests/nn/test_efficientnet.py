"""EfficientNet with FiLM against transformers' own without it."""

import pytest
import torch
from torch import nn

from reverie.core import ReverieError
from reverie.nn.convolution import FiLM
from reverie.nn.efficientnet import FilmedEfficientNet, efficientnet, efficientnet_config


def _small() -> nn.Module:
    torch.manual_seed(0)
    return efficientnet(efficientnet_config("b0", width_coefficient=0.25, depth_coefficient=0.5, hidden_dim=320))


def test_at_the_start_the_condition_changes_nothing() -> None:
    theirs = _small().eval()
    ours = FilmedEfficientNet(theirs, condition_dim=5).eval()
    images = torch.randn(2, 3, 64, 64)
    with torch.no_grad():
        expected = theirs(images).last_hidden_state
        torch.testing.assert_close(ours(images, torch.randn(2, 5)), expected, atol=0, rtol=0)
    assert ours.dim == expected.shape[1] == 320
    assert len(ours.films) == len(theirs.encoder.blocks)  # type: ignore[union-attr, arg-type]


def test_a_filtered_row_follows_its_own_condition() -> None:
    ours = FilmedEfficientNet(_small(), condition_dim=5, d_out=24).eval()
    for film in (m for m in ours.modules() if isinstance(m, FiLM)):
        nn.init.normal_(film.to_scale_shift.weight, std=0.1)
    image, condition = torch.randn(1, 3, 64, 64).expand(2, -1, -1, -1), torch.randn(2, 5)
    one, other = ours(image, condition), ours(image, condition * torch.tensor([[1.0], [2.0]]))
    assert one.shape == (2, 24, 2, 2)
    torch.testing.assert_close(one[0], other[0])
    assert (one[1] - other[1]).abs().max() > 1e-3


def test_it_can_be_trained_from_scratch() -> None:
    """transformers' own draw leaves nothing of the image after a few blocks."""
    ours = FilmedEfficientNet(_small(), condition_dim=5).train()
    features = ours(torch.randn(8, 3, 64, 64), torch.randn(8, 5))
    assert 0.05 < features.std().item() < 20
    features.square().mean().backward()
    gradients = [p.grad for n, p in ours.named_parameters() if p.grad is not None and "films" in n]
    assert len(gradients) == 2 * len(ours.films)
    assert {m.momentum for m in ours.modules() if isinstance(m, nn.BatchNorm2d)} == {0.01}


def test_an_unknown_size_names_the_known_ones() -> None:
    with pytest.raises(ReverieError, match=r"unknown EfficientNet 'b33'.*'b3'"):
        efficientnet_config("b33")  # type: ignore[arg-type]
