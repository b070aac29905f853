"""The small blocks against what can be computed by hand, or by another library."""

from math import pi

import pytest
import torch
from torch import nn

from reverie.core import ReverieError
from reverie.nn.masks import blockwise, causal, positions
from reverie.nn.noise import RowNoise
from reverie.nn.pixels import CENTERED, IMAGENET, Pixels
from reverie.nn.spatial_softmax import SpatialSoftmax
from reverie.nn.time_embedding import LearnedFourier, Sinusoidal, sincos
from reverie.nn.token_learner import TokenLearner
from reverie.nn.unet1d import FilmedBlock, UNet1d, UNet1dConfig

SMALL = UNet1dConfig(dims=(16, 32, 64), step_dim=8)


def test_token_learner_is_a_weighted_mean_of_places() -> None:
    learner, tokens, seen = TokenLearner(12, n_tokens=3), torch.randn(2, 20, 12), []
    learner.maps.register_forward_hook(lambda module, inputs, maps: seen.append(maps))
    found = learner(tokens)
    hidden = nn.functional.gelu(learner.score.into(nn.functional.layer_norm(tokens, (12,), eps=1e-6)))
    weights = learner.score.out(hidden).softmax(dim=1)  # [N, P, n_tokens]
    torch.testing.assert_close(found, torch.einsum("npk,npd->nkd", weights, tokens), atol=1e-5, rtol=1e-5)
    assert seen[0].shape == (2, 3, 20)


def test_token_learner_does_not_read_the_order_of_places() -> None:
    learner, tokens = TokenLearner(12), torch.randn(1, 20, 12)
    torch.testing.assert_close(learner(tokens), learner(tokens[:, torch.randperm(20)]), atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize(
    ("row", "column", "point"), [(0, 0, (-1, -1)), (2, 4, (0, 0)), (4, 8, (1, 1)), (0, 6, (0.5, -1))]
)
def test_a_sharp_map_is_its_point(row: int, column: int, point: tuple[float, float]) -> None:
    maps = torch.zeros(1, 1, 5, 9)
    maps[0, 0, row, column] = 100.0
    torch.testing.assert_close(SpatialSoftmax(1)(maps)[0, 0], torch.tensor(point, dtype=torch.float32))


def test_flat_maps_point_at_the_middle() -> None:
    assert SpatialSoftmax(6, n_points=4)(torch.zeros(2, 6, 5, 9)).abs().max() < 1e-5


def test_periods_are_geometric() -> None:
    found = sincos(torch.tensor([0.3]), 6, 4e-3, 4.0)[0]
    angles = 2 * pi * 0.3 / torch.tensor([4e-3, (4e-3 * 4) ** 0.5, 4.0])
    torch.testing.assert_close(found, torch.cat([angles.sin(), angles.cos()]), atol=1e-4, rtol=0)


def test_steps_have_the_frequencies_of_diffusion_networks() -> None:
    frequencies = 10_000.0 ** -(torch.arange(4) / 3)
    found = Sinusoidal(8)(torch.tensor([7]))[0]
    torch.testing.assert_close(found[:4], (7 * frequencies).sin(), atol=1e-5, rtol=0)
    torch.testing.assert_close(found[4:], (7 * frequencies).cos(), atol=1e-5, rtol=0)


def test_learned_frequencies_are_learned() -> None:
    embed = LearnedFourier(32)
    found = embed(torch.tensor([[0.0], [0.5]]))
    assert found.shape == (2, 1, 32)
    assert found[0, 0].tolist() == [1.0] * 16 + [0.0] * 16
    found.sum().backward()
    assert embed.frequencies.grad is not None


def test_the_u_net_keeps_the_shape_and_reads_everything() -> None:
    net, actions, steps, seen = UNet1d(3, 5, SMALL), torch.randn(2, 8, 3), torch.tensor([3, 9]), torch.randn(2, 5)
    found = net(actions, steps, seen)
    assert found.shape == actions.shape
    for other in (net(actions, steps + 1, seen), net(actions, steps, seen + 1), net(actions.flip(1), steps, seen)):
        assert (found - other).abs().max() > 1e-4
    found.sum().backward()
    assert all(p.grad is not None for p in net.parameters())
    torch.testing.assert_close(
        net(actions, steps, seen)[1:], net(actions[1:], steps[1:], seen[1:]), atol=1e-5, rtol=1e-5
    )


def test_a_horizon_that_cannot_be_halved_twice_is_refused() -> None:
    with pytest.raises(ReverieError, match=r"10 actions .* multiple of 4"):
        UNet1d(3, 5, SMALL)(torch.randn(1, 10, 3), torch.zeros(1), torch.randn(1, 5))


def test_film_of_the_u_net_is_scale_and_bias() -> None:
    block, x, condition = FilmedBlock(16, 16, 4, SMALL), torch.randn(1, 16, 8), torch.randn(1, 4)
    nn.init.zeros_(block.film[1].weight)  # type: ignore[arg-type]
    block.film[1].bias.data = torch.cat([torch.full((16,), 2.0), torch.full((16,), 0.5)])
    torch.testing.assert_close(block(x, condition), x + block.second(2 * block.first(x) + 0.5))


def test_masks() -> None:
    assert causal(3).tolist() == [[True, False, False], [True, True, False], [True, True, True]]
    assert blockwise(torch.tensor([0, 0, 1])).int().tolist() == [[1, 1, 0], [1, 1, 0], [1, 1, 1]]
    assert blockwise(torch.tensor([[0, 1], [1, 0]])).int().tolist() == [[[1, 0], [1, 1]], [[1, 1], [0, 1]]]
    assert positions(torch.tensor([[False, True, True, False, True]])).tolist() == [[0, 0, 1, 1, 2]]


def test_a_row_of_noise_depends_on_its_seed_only() -> None:
    noise, alone = RowNoise([3, 2**62 + 1, 3]), RowNoise([2**62 + 1])
    first, second = noise.draw(4, 2), noise.draw(4, 2)
    torch.testing.assert_close(first[1:2], alone.draw(4, 2), atol=0, rtol=0)
    torch.testing.assert_close(second[1:2], alone.draw(4, 2), atol=0, rtol=0)
    torch.testing.assert_close(first[0], first[2], atol=0, rtol=0)
    assert not torch.equal(first, second)


def test_images_are_standardised() -> None:
    images = torch.rand(2, 6, 8, 3) * 2 - 1
    torch.testing.assert_close(Pixels(CENTERED)(images), images.permute(0, 3, 1, 2))
    mean, std = (torch.tensor(v) for v in IMAGENET)
    torch.testing.assert_close(Pixels(IMAGENET)(images).permute(0, 2, 3, 1), ((images + 1) / 2 - mean) / std)
    assert Pixels(IMAGENET, (12, 4))(images).shape == (2, 3, 12, 4)
