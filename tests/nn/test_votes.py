"""A vote among views: a view that looks at another thing is not averaged in."""

import torch
from torch import Tensor

from reverie.nn.blocks import MLP
from reverie.nn.votes import Votes, elected

N_VIEWS, SCALE_M = 4, 0.3


def test_the_believed_answer_and_those_that_agree_are_averaged() -> None:
    answers = torch.tensor([[[0.0, 0.0, 0.0], [0.01, 0.0, 0.0], [0.2, 0.0, 0.0], [0.0, 0.0, 0.0]]])
    belief = torch.log(torch.tensor([[0.4, 0.4, 0.2, 1e-9]]))
    torch.testing.assert_close(elected(answers, belief, SCALE_M), torch.tensor([[0.005, 0.0, 0.0]]))
    one = elected(answers[:, :1], torch.zeros(1, 1), SCALE_M)
    torch.testing.assert_close(one, answers[:, 0])


def _scenes(n: int, seed: int) -> tuple[Tensor, Tensor]:
    """What four views say of a thing (three numbers each, turned differently), one of them of another thing, and where it is."""
    g = torch.Generator().manual_seed(seed)
    there, elsewhere = torch.randn(n, 3, generator=g), torch.randn(n, 3, generator=g)
    turned = torch.linalg.qr(torch.randn(N_VIEWS, 3, 3, generator=torch.Generator().manual_seed(0)))[0]
    fooled = torch.randint(0, N_VIEWS, (n,), generator=g)[:, None] == torch.arange(N_VIEWS)
    seen = torch.where(fooled[..., None], elsewhere[:, None], there[:, None])
    return torch.einsum("nvc,vcd->nvd", seen, turned)[:, :, None], there


def test_a_view_that_looks_elsewhere_is_not_believed() -> None:
    torch.manual_seed(0)
    votes, joint = Votes(N_VIEWS, 1, 3, 0, 64), MLP(N_VIEWS * 3, 64, 3)
    optimizer = torch.optim.Adam([*votes.parameters(), *joint.parameters()], 3e-3)

    def answered(said: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        alone = joint(said.flatten(1))[:, None]
        return alone, *votes(said, said.new_zeros(len(said), 0), alone)

    for step in range(600):
        said, there = _scenes(256, step + 1)
        _, answers, belief = answered(said)
        off = (answers - there[:, None, None]).abs().mean(-1)
        loss = (off * belief.softmax(-1)).sum(-1).mean() + 0.3 * off[..., 1:].mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    said, there = _scenes(2000, 0)
    alone, answers, belief = answered(said)

    def right(found: Tensor) -> float:
        return float(((found[:, 0] - there).norm(dim=-1) < 0.3).float().mean())

    assert right(elected(answers, belief, 1.0)) > right(alone) + 0.2
